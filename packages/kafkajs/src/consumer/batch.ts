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
  /** Where the partition was read from; `null` where that is not known. */
  readonly from: bigint | null;
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

/** A batch with all that kafkajs' has, also what its types keep to themselves. Who copies it copies its data, and not its methods. */
export class FetchedBatch implements Batch {
  readonly topic: string;
  readonly partition: number;
  readonly fetchedOffset: string;
  readonly highWatermark: string;
  /** Those of `messages`, whatever becomes of that array: what is no message, or counts for nothing, does not come up to here. */
  readonly rawMessages: KafkaMessage[];
  readonly messagesWithinOffset: KafkaMessage[];
  messages: KafkaMessage[];
  readonly #place: ReturnType<typeof placeOf>;

  constructor(source: BatchSource) {
    this.#place = placeOf(source);
    this.topic = source.topic;
    this.partition = source.partition;
    this.fetchedOffset = source.from === null ? this.#place.firstOffset : String(source.from);
    this.highWatermark = this.#place.highWatermark;
    this.messages = source.records.map(messageOf);
    this.rawMessages = [...this.messages];
    this.messagesWithinOffset = this.rawMessages;
  }

  isEmpty(): boolean {
    return this.messages.length === 0;
  }

  /** A handler is given no such batch, nor one of the kinds that follow. */
  isEmptyIncludingFiltered(): boolean {
    return this.messagesWithinOffset.length === 0;
  }

  isEmptyDueToFiltering(): boolean {
    return this.isEmpty() && this.rawMessages.length > 0;
  }

  isEmptyControlRecord(): boolean {
    return false;
  }

  isEmptyDueToLogCompactedMessages(): boolean {
    return this.rawMessages.length > 0 && this.isEmptyIncludingFiltered();
  }

  firstOffset(): string | null {
    return this.#place.firstOffset;
  }

  lastOffset(): string {
    return this.#place.lastOffset;
  }

  offsetLag(): string {
    return this.#place.offsetLag;
  }

  offsetLagLow(): string {
    return this.#place.offsetLagLow;
  }
}

/** What events say of a batch. */
export const batchPayloadOf = (source: BatchSource): BatchPayload => ({
  topic: source.topic,
  partition: source.partition,
  batchSize: source.records.length,
  ...placeOf(source),
});
