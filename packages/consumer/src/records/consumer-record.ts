import { inspect } from "node:util";
import type { Deserializer, SerdeContext, TopicPartition } from "@odradek/network";
import type { RecordHeader, RecordView, TimestampType } from "@odradek/protocol";
import { RecordDeserializationError } from "../errors.ts";

/** What all records of one batch have in common. */
export interface RecordOrigin<K, V> extends TopicPartition {
  /** Epoch of the leader that wrote the batch, -1 where the log does not tell. */
  readonly leaderEpoch: number;
  readonly timestampType: TimestampType;
  readonly keyDeserializer: Deserializer<K>;
  readonly valueDeserializer: Deserializer<V>;
  readonly keyContext: SerdeContext;
  readonly valueContext: SerdeContext;
}

/** What is in the log. */
export type RecordBytes = Pick<
  RecordView,
  "offset" | "timestamp" | "key" | "value" | "keySize" | "valueSize" | "headers"
>;

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
 * Key and value are deserialized when they are first looked at, and remembered. So it is the look at `record.value`
 * that throws a `RecordDeserializationError`, with the record's place and bytes, and not the poll: one bad record
 * does not stand in the way of those behind it.
 *
 * Until then, and for as long as somebody has the record, it keeps alive the whole answer of the broker that it came
 * in, up to `fetchMaxBytes`; so does a key, value or header that is a view of bytes. Keep `record.copy()` of what has to live
 * longer than the handling of one poll.
 */
export class ConsumerRecord<K = Uint8Array, V = Uint8Array> implements TopicPartition {
  readonly #origin: RecordOrigin<K, V>;
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

  /** The same record with memory of its own. */
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

  /** What `console.log` shows: the bytes, so that it shows a record that cannot be deserialized too. */
  [inspect.custom](): object {
    const { topic, partition, offset, timestamp } = this;
    const { key, value, headers } = this.#bytes;
    return { topic, partition, offset, timestamp, key, value, headers };
  }

  #deserialized<T>(bytes: Buffer | null, deserializer: Deserializer<T>, context: SerdeContext): T | null {
    if (bytes === null) return null;
    try {
      return deserializer.deserialize(bytes, context);
    } catch (cause) {
      const { topic, partition, offset } = this;
      const { role } = context;
      throw new RecordDeserializationError({ topic, partition, offset }, role, bytes, cause);
    }
  }
}

const plain = (value: unknown): unknown =>
  value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64")
    : value;
