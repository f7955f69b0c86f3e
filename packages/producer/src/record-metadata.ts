import { inspect } from "node:util";
import { partitionText } from "@odradek/network";

/** What a broker said of a whole batch, shared by the metadata of its records. */
export interface BatchOutcome {
  readonly topic: string;
  readonly partition: number;
  /** Offset of the first record, -1 until and unless a broker tells it. */
  baseOffset: bigint;
  /** The broker's clock at the append, -1 where the topic keeps the producer's timestamps. */
  logAppendTimeMs: number;
  /** Where the log of the partition began when the batch was appended, -1 where no broker tells it. */
  logStartOffset: bigint;
}

/**
 * Where a record stands in its log. Made when the record joins its batch, handed out when the batch is acknowledged:
 * what is the same for the whole batch is kept once, and offsets become `bigint` when they are looked at.
 *
 * Its properties are getters, which `{ ...metadata }`, `structuredClone` and `postMessage` leave out: copy what you need by name, or
 * `toJSON()`, whose offset is text.
 */
export class RecordMetadata {
  readonly #outcome: BatchOutcome;
  readonly #index: number;
  readonly #createTimeMs: number;
  /** Bytes of the key, -1 for `null`. */
  readonly serializedKeySize: number;
  /** Bytes of the value, -1 for `null`. */
  readonly serializedValueSize: number;

  constructor(
    outcome: BatchOutcome,
    index: number,
    createTimeMs: number,
    serializedKeySize: number,
    serializedValueSize: number,
  ) {
    this.#outcome = outcome;
    this.#index = index;
    this.#createTimeMs = createTimeMs;
    this.serializedKeySize = serializedKeySize;
    this.serializedValueSize = serializedValueSize;
  }

  get topic(): string {
    return this.#outcome.topic;
  }

  get partition(): number {
    return this.#outcome.partition;
  }

  /** -1 where no broker tells it, which is so with `acks` 0. */
  get offset(): bigint {
    const { baseOffset } = this.#outcome;
    return baseOffset < 0n ? -1n : baseOffset + BigInt(this.#index);
  }

  /** Milliseconds since 1970: the record's own, or the broker's where the topic is configured so. */
  get timestamp(): number {
    const { logAppendTimeMs } = this.#outcome;
    return logAppendTimeMs < 0 ? this.#createTimeMs : logAppendTimeMs;
  }

  /** The broker's clock at the append, milliseconds since 1970; `null` where the topic keeps the records' own timestamps. */
  get logAppendTime(): number | null {
    const { logAppendTimeMs } = this.#outcome;
    return logAppendTimeMs < 0 ? null : logAppendTimeMs;
  }

  /** Offset of the first record that the partition still had at the append; -1 where no broker tells it. */
  get logStartOffset(): bigint {
    return this.#outcome.logStartOffset;
  }

  /** `orders-3@42` */
  toString(): string {
    return `${partitionText(this)}@${this.offset}`;
  }

  /** For `JSON.stringify`, which refuses `bigint`: the offset as text. */
  toJSON(): Readonly<Record<string, string | number>> {
    const { topic, partition, offset, timestamp, serializedKeySize, serializedValueSize } = this;
    return { topic, partition, offset: offset.toString(), timestamp, serializedKeySize, serializedValueSize };
  }

  /** For `console.log`, which does not look behind getters. */
  [inspect.custom](): object {
    const { topic, partition, offset, timestamp, serializedKeySize, serializedValueSize } = this;
    return { topic, partition, offset, timestamp, serializedKeySize, serializedValueSize };
  }
}
