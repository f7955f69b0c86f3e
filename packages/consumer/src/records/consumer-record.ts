import { inspect } from "node:util";
import { type Deserializer, isPending, type SerdeContext, StateError, type TopicPartition } from "@odradek/network";
import type { RecordHeader, RecordView, TimestampType } from "@odradek/protocol";
import { RecordDeserializationError } from "../errors.ts";
import { type Ahead, deserializeAhead, SettledDeserializer } from "./settled-deserializer.ts";

/** What all records of one batch have in common. */
export interface RecordOrigin<K, V> extends TopicPartition {
  /** Epoch of the leader that wrote the batch, -1 where the log does not tell. */
  readonly leaderEpoch: number;
  readonly timestampType: TimestampType;
  readonly keyDeserializer: Deserializer<K | null>;
  readonly valueDeserializer: Deserializer<V | null>;
  readonly keyContext: SerdeContext;
  readonly valueContext: SerdeContext;
}

/** What is in the log. */
export type RecordBytes = Pick<
  RecordView,
  "offset" | "timestamp" | "key" | "value" | "keySize" | "valueSize" | "headers"
>;

/** What another record has in the place of what this one has; what is left out stays. */
export interface RecordChanges<K, V> {
  readonly key?: K | null;
  readonly value?: V | null;
  readonly headers?: readonly RecordHeader<Buffer | null>[];
}

/** A record as JSON has it. */
export interface ConsumerRecordJson {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  readonly timestamp: number;
  readonly timestampType: TimestampType;
  readonly leaderEpoch: number | null;
  readonly key: unknown;
  readonly value: unknown;
  readonly headers: readonly { readonly key: string; readonly value: string | null }[];
}

/**
 * A record that was read.
 *
 * Key and value are deserialized when they are first looked at, and remembered; where a deserializer gives promises, before the
 * record is handed out. Either way it is the look at `record.value` that throws a `RecordDeserializationError`, with the record's
 * place and bytes, and not the poll: one bad record does not stand in the way of those behind it.
 *
 * For as long as somebody has the record, it keeps alive the whole answer of the broker that it came in, up to `fetchMaxBytes`;
 * so does a key, value or header that is a view of bytes. Keep `record.copy()` of what has to live longer than the handling of
 * one poll, or set `copyRecords`.
 */
export class ConsumerRecord<K = Uint8Array, V = Uint8Array> implements TopicPartition {
  /** Of the batch, until something is settled for this record alone. */
  #origin: RecordOrigin<K, V>;
  readonly #bytes: RecordBytes;
  /** `undefined` until somebody looks; the same below. */
  #key: K | null | undefined = undefined;
  #value: V | null | undefined = undefined;

  constructor(origin: RecordOrigin<K, V>, bytes: RecordBytes) {
    this.#origin = origin;
    this.#bytes = bytes;
  }

  get topic(): string {
    return this.#origin.topic;
  }

  get partition(): number {
    return this.#origin.partition;
  }

  get offset(): bigint {
    return this.#bytes.offset;
  }

  /** Milliseconds since 1970; -1 where the log has none. */
  get timestamp(): number {
    return this.#bytes.timestamp;
  }

  /** Who set the timestamp: the producer (`createTime`) or the broker (`logAppendTime`). */
  get timestampType(): TimestampType {
    return this.#origin.timestampType;
  }

  /** Epoch of the leader that wrote the record; `null` where the log does not tell. */
  get leaderEpoch(): number | null {
    return this.#origin.leaderEpoch < 0 ? null : this.#origin.leaderEpoch;
  }

  /** @throws RecordDeserializationError */
  get key(): K | null {
    if (this.#key === undefined) {
      const { keyDeserializer, keyContext } = this.#origin;
      this.#key = this.#deserialized(this.#bytes.key, keyDeserializer, keyContext);
    }
    return this.#key;
  }

  /** `null` is a tombstone, where the topic is compacted. @throws RecordDeserializationError */
  get value(): V | null {
    if (this.#value === undefined) {
      const { valueDeserializer, valueContext } = this.#origin;
      this.#value = this.#deserialized(this.#bytes.value, valueDeserializer, valueContext);
    }
    return this.#value;
  }

  /** Bytes of the key in the log, -1 for `null`. */
  get serializedKeySize(): number {
    return this.#bytes.keySize;
  }

  /** Bytes of the value in the log, -1 for `null`. */
  get serializedValueSize(): number {
    return this.#bytes.valueSize;
  }

  /** In the order in which they were written; a key may be there more than once. Read anew at each look. */
  get headers(): readonly RecordHeader<Buffer | null>[] {
    return this.#bytes.headers;
  }

  /**
   * The same record with memory of its own; small copies share pages of 8 KiB. What was put there by `with`, or given by an
   * asynchronous deserializer, is taken over as it is.
   */
  copy(): ConsumerRecord<K, V> {
    const { offset, timestamp, key, value, keySize, valueSize, headers } = this.#bytes;
    return new ConsumerRecord(this.#origin, {
      offset,
      timestamp,
      key: key && Buffer.from(key),
      value: value && Buffer.from(value),
      keySize,
      valueSize,
      headers: headers.map((header) => ({ key: header.key, value: header.value && Buffer.from(header.value) })),
    });
  }

  /**
   * A record in the place of this one, with another key, value or headers, as interceptors give it. Sizes stay those of the log.
   */
  with({ key, value, headers }: RecordChanges<K, V>): ConsumerRecord<K, V> {
    const { offset, timestamp, key: keyBytes, value: valueBytes, keySize, valueSize } = this.#bytes;
    const others = headers === undefined ? this.#bytes.headers : [...headers];
    const bytes = { offset, timestamp, key: keyBytes, value: valueBytes, keySize, valueSize, headers: others };
    const changed = new ConsumerRecord(this.#origin, bytes);
    if (key !== undefined) changed.#settleKey(SettledDeserializer.to(key));
    if (value !== undefined) changed.#settleValue(SettledDeserializer.to(value));
    return changed;
  }

  /** @internal Has what a look gives settled before anybody looks. @param isAsync whether the deserializer may give promises */
  deserializeAhead(role: SerdeContext["role"], isAsync: boolean): Ahead {
    const { keyDeserializer, keyContext, valueDeserializer, valueContext } = this.#origin;
    if (role === "key") {
      const remember = (key: K | null) => {
        this.#key = key;
      };
      const ahead = { settle: (key: SettledDeserializer<K>) => this.#settleKey(key), remember };
      return deserializeAhead(this.#bytes.key, keyDeserializer, keyContext, isAsync, ahead);
    }
    const remember = (value: V | null) => {
      this.#value = value;
    };
    const ahead = { settle: (value: SettledDeserializer<V>) => this.#settleValue(value), remember };
    return deserializeAhead(this.#bytes.value, valueDeserializer, valueContext, isAsync, ahead);
  }

  /** What `JSON.stringify` writes: the offset as text, since it may be too large for a number, and bytes in base64. */
  toJSON(): ConsumerRecordJson {
    const { topic, partition, timestamp, timestampType, leaderEpoch } = this;
    return {
      topic,
      partition,
      offset: String(this.offset),
      timestamp,
      timestampType,
      leaderEpoch,
      key: plain(this.key),
      value: plain(this.value),
      headers: this.headers.map(({ key, value }) => ({ key, value: value?.toString("base64") ?? null })),
    };
  }

  /** What `console.log` shows: the bytes, so that it shows a record that cannot be deserialized too, or what is settled without them. */
  [inspect.custom](): object {
    const { topic, partition, offset, timestamp } = this;
    const { key, value, headers } = this.#bytes;
    const { keyDeserializer, valueDeserializer } = this.#origin;
    return {
      topic,
      partition,
      offset,
      timestamp,
      key: shown(keyDeserializer, key),
      value: shown(valueDeserializer, value),
      headers,
    };
  }

  #settleKey(keyDeserializer: SettledDeserializer<K>): void {
    this.#origin = { ...this.#origin, keyDeserializer };
  }

  #settleValue(valueDeserializer: SettledDeserializer<V>): void {
    this.#origin = { ...this.#origin, valueDeserializer };
  }

  #deserialized<T>(bytes: Buffer | null, deserializer: Deserializer<T | null>, context: SerdeContext): T | null {
    // A tombstone may have got a value by `with`.
    if (bytes === null) return deserializer instanceof SettledDeserializer ? deserializer.deserialize() : null;
    let given: T | null | PromiseLike<T | null>;
    try {
      given = deserializer.deserialize(bytes, context);
    } catch (cause) {
      throw this.#failure(context, bytes, cause);
    }
    if (isValue(given, deserializer)) return given;
    // Nobody will ever look at it, and what it rejects with would end the process.
    Promise.resolve(given).catch(() => {});
    throw this.#failure(context, bytes, new StateError("it gave a promise"), asyncAdvice);
  }

  #failure({ role }: SerdeContext, bytes: Buffer, cause: unknown, advice?: string): RecordDeserializationError {
    const { topic, partition, offset } = this;
    return new RecordDeserializationError({ topic, partition, offset }, role, bytes, cause, advice);
  }
}

const asyncAdvice = ": its deserializer gave a promise and was taken for one that gives values, give it isAsync: true";

/** Who says that it gives values is believed: to look at each of them is not free, and this is the hot path. */
const isValue = <T>(given: T | PromiseLike<T>, { isAsync }: Deserializer<T>): given is T =>
  isAsync === false || !isPending(given);

const shown = (deserializer: Deserializer<unknown>, bytes: Buffer | null): unknown =>
  deserializer instanceof SettledDeserializer ? deserializer.shown(bytes) : bytes;

const plain = (value: unknown): unknown =>
  value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64")
    : value;
