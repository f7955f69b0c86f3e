import type { ConsumerRecord } from "odradek";
import type { BatchPayload } from "./consumer-events.ts";
import { type KafkaMessage, messageOf } from "./kafka-message.ts";

/** Messages of one partition that came together; at least one. */
export interface Batch {
  topic: string;
  partition: number;
  /** Offset behind the last message that can be read now. */
  highWatermark: string;
  messages: KafkaMessage[];
  isEmpty(): boolean;
  firstOffset(): string | null;
  /** Counts what is no message, such as the end of a transaction. */
  lastOffset(): string;
  /** How many messages there are behind the last of the batch. */
  offsetLag(): string;
  /** The same of the first. */
  offsetLagLow(): string;
}

export interface BatchSource {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly ConsumerRecord<Buffer, Buffer>[];
  /** Offset of what comes behind the batch. */
  readonly next: bigint;
  /** How many records lie behind it; `null` where that is not known. */
  readonly lag: bigint | null;
}

/** Where a batch lies in its partition's log. */
function placeOf({ records, next, lag }: BatchSource) {
  const end = next + (lag ?? 0n);
  const last = next - 1n;
  const first = records[0]?.offset ?? last;
  const lagBehind = (offset: bigint): string => String(end - 1n - offset);
  return {
    highWatermark: String(end),
    firstOffset: String(first),
    lastOffset: String(last),
    offsetLag: lagBehind(last),
    offsetLagLow: lagBehind(first),
  };
}

export function batchOf(source: BatchSource): Batch {
  const { topic, partition, records } = source;
  const { highWatermark, firstOffset, lastOffset, offsetLag, offsetLagLow } = placeOf(source);
  return {
    topic,
    partition,
    highWatermark,
    messages: records.map(messageOf),
    isEmpty: () => records.length === 0,
    firstOffset: () => firstOffset,
    lastOffset: () => lastOffset,
    offsetLag: () => offsetLag,
    offsetLagLow: () => offsetLagLow,
  };
}

/** What events say of a batch. */
export const batchPayloadOf = (source: BatchSource): BatchPayload => ({
  topic: source.topic,
  partition: source.partition,
  batchSize: source.records.length,
  ...placeOf(source),
});
