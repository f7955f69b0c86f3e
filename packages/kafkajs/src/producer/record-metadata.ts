import type { RecordMetadata as SentRecord } from "odradek";

/** Where the messages of one `send` are that went to one partition. */
export interface RecordMetadata {
  topicName: string;
  partition: number;
  /** 0: what failed is an error. */
  errorCode: number;
  offset?: string;
  timestamp?: string;
  /** Offset of the first of the messages. */
  baseOffset?: string;
  /** The broker's clock at the append, milliseconds since 1970; "-1" where the topic keeps the messages' own timestamps. */
  logAppendTime?: string;
  /** Offset of the first message that the partition still has. */
  logStartOffset?: string;
}

/**
 * One for each partition, in the order in which the first message for it stands.
 *
 * @param sent in the order of the messages
 */
export function recordMetadataOf(sent: readonly SentRecord[]): RecordMetadata[] {
  const [first] = sent;
  if (first === undefined) return [];
  if (sent.length === 1) return [metadataOf(first)];
  const seen = new Map<string, Set<number>>();
  const all: RecordMetadata[] = [];
  for (const record of sent) {
    const { topic, partition } = record;
    let partitions = seen.get(topic);
    if (partitions === undefined) {
      partitions = new Set();
      seen.set(topic, partitions);
    }
    // Messages of one partition are in the log in the order of the call.
    if (partitions.has(partition)) continue;
    partitions.add(partition);
    all.push(metadataOf(record));
  }
  return all;
}

const metadataOf = ({ topic, partition, offset, logAppendTime, logStartOffset }: SentRecord): RecordMetadata => ({
  topicName: topic,
  partition,
  errorCode: 0,
  baseOffset: String(offset),
  logAppendTime: String(logAppendTime ?? -1),
  logStartOffset: String(logStartOffset),
});
