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
  /** Not told. */
  logStartOffset?: string;
}

/**
 * One for each partition, in the order in which the first message for it stands.
 *
 * @param sent in the order of the messages
 * @param timestamps that the messages were given, in that order; another one is the broker's
 */
export function recordMetadataOf(sent: readonly SentRecord[], timestamps: readonly number[]): RecordMetadata[] {
  const byPartition = new Map<string, RecordMetadata>();
  for (const [index, { topic, partition, offset, timestamp }] of sent.entries()) {
    const key = `${topic}/${partition}`;
    // Messages of one partition are in the log in the order of the call.
    if (byPartition.has(key)) continue;
    const isOurs = timestamp === timestamps[index];
    byPartition.set(key, {
      topicName: topic,
      partition,
      errorCode: 0,
      baseOffset: String(offset),
      logAppendTime: isOurs ? "-1" : String(timestamp),
    });
  }
  return [...byPartition.values()];
}
