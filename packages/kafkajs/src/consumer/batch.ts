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

export function batchOf({ topic, partition, records, next, lag }: BatchSource): Batch {
  const end = next + (lag ?? 0n);
  const first = records[0]?.offset ?? null;
  const lagBehind = (offset: bigint): string => String(end - 1n - offset);
  return {
    topic,
    partition,
    highWatermark: String(end),
    messages: records.map(messageOf),
    isEmpty: () => records.length === 0,
    firstOffset: () => (first === null ? null : String(first)),
    lastOffset: () => String(next - 1n),
    offsetLag: () => lagBehind(next - 1n),
    offsetLagLow: () => lagBehind(first ?? next - 1n),
  };
}

/** What events say of a batch. */
export const batchPayloadOf = (batch: Batch): BatchPayload => ({
  topic: batch.topic,
  partition: batch.partition,
  highWatermark: batch.highWatermark,
  offsetLag: batch.offsetLag(),
  offsetLagLow: batch.offsetLagLow(),
  batchSize: batch.messages.length,
  firstOffset: batch.firstOffset(),
  lastOffset: batch.lastOffset(),
});
