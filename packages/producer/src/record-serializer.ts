import {
  type Clock,
  checkTopicName,
  type Encoded,
  type Header,
  isPending,
  SerializationError,
  type Serializer,
  type SerializerContext,
} from "@odradek/network";
import { KafkaError, sizeInBytesUpperBound } from "@odradek/protocol";
import type { Delivery } from "./delivery.ts";
import type { ProducerRecord, SerializedRecord } from "./producer-record.ts";
import type { SendSettings } from "./send-settings.ts";
import { countText, isCount, unusable } from "./unusable.ts";

export interface RecordSerializerOptions<K, V> {
  readonly batchSize: number;
  readonly bufferMemory: number;
  readonly maxRequestSize: number;
  readonly keySerializer: Serializer<K>;
  readonly valueSerializer: Serializer<V>;
}

const noHeaders: readonly Header[] = Object.freeze([]);

/** Turns records, which may be anything where the caller has no types, into what can be appended to a batch. */
export class RecordSerializer<K, V> {
  readonly #options: RecordSerializerOptions<K, V>;
  readonly #clock: Clock;
  /** The most that a record may take. */
  readonly #maxRecordBytes: number;
  /** The last name that was found good: most records are for the topic of the one before. */
  #checkedTopic: string | null = null;
  /** Milliseconds since 1970 of the present microtask, `null` while nobody asked for them. */
  #wallMs: number | null = null;
  readonly #forgetWallTime = (): void => {
    this.#wallMs = null;
  };

  constructor(options: RecordSerializerOptions<K, V>, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#maxRecordBytes = Math.min(options.maxRequestSize, options.bufferMemory);
  }

  /**
   * @param settings what its sender asks for; `null` for what the producer does
   * @returns a promise where a serializer gives one; the value waits for the key then, since both may change the headers
   * @throws KafkaError with code OPTIONS, INVALID_TOPIC_EXCEPTION, SERIALIZATION or MESSAGE_TOO_LARGE
   */
  serialize(
    record: ProducerRecord<K, V>,
    delivery: Delivery,
    position: number,
    settings: SendSettings | null,
  ): SerializedRecord<K, V> | Promise<SerializedRecord<K, V>> {
    if (typeof record !== "object" || record === null) throw unusable("record", record, "an object with a topic");
    const { topic, headers = noHeaders } = record;
    if (topic !== this.#checkedTopic) {
      checkTopicName(topic);
      this.#checkedTopic = topic;
    }
    const timestampMs = record.timestamp ?? this.#wallTimeMs();
    if (!isCount(timestampMs)) throw unusable("timestamp", timestampMs, countText);
    const partition = record.partition ?? undefined;
    if (partition !== undefined && !isCount(partition)) throw unusable("partition", partition, countText);
    if (headers !== noHeaders) checkHeaders(headers);
    const keyContext = new RecordContext(topic, "key", headers);
    const key = encodedBy(this.#options.keySerializer, record.key, keyContext);
    if (isPending(key)) {
      const draft = { source: record, topic, partition, timestampMs, delivery, position, settings };
      return this.#serializeLater(draft, key, keyContext);
    }
    const valueContext = new RecordContext(topic, "value", keyContext.current);
    const value = encodedBy(this.#options.valueSerializer, record.value, valueContext);
    if (isPending(value)) {
      const draft = { source: record, topic, partition, timestampMs, delivery, position, settings };
      return this.#serializeValueLater(draft, key, value, valueContext);
    }
    const sentHeaders = valueContext.current;
    if (sentHeaders !== headers) this.#takeChanged(sentHeaders, delivery);
    const boundBytes = this.#boundBytes(key, value, sentHeaders);
    return {
      source: record,
      topic,
      partition,
      timestampMs,
      key,
      value,
      headers: sentHeaders,
      settings,
      boundBytes,
      delivery,
      position,
    };
  }

  async #serializeLater(
    draft: Draft<K, V>,
    pending: PromiseLike<Encoded>,
    keyContext: RecordContext,
  ): Promise<SerializedRecord<K, V>> {
    const key = await settled(pending, keyContext);
    const valueContext = new RecordContext(draft.topic, "value", keyContext.current);
    const value = encodedBy(this.#options.valueSerializer, draft.source.value, valueContext);
    return this.#serializeValueLater(draft, key, value, valueContext);
  }

  async #serializeValueLater(
    draft: Draft<K, V>,
    key: Encoded,
    pending: Encoded | PromiseLike<Encoded>,
    context: RecordContext,
  ): Promise<SerializedRecord<K, V>> {
    const value = isPending(pending) ? await settled(pending, context) : pending;
    const headers = context.current;
    if (headers !== (draft.source.headers ?? noHeaders)) this.#takeChanged(headers, draft.delivery);
    return { ...draft, key, value, headers, boundBytes: this.#boundBytes(key, value, headers) };
  }

  /** A serializer has changed the headers. */
  #takeChanged(headers: readonly Header[], delivery: Delivery): void {
    checkHeaders(headers);
    delivery.headersChanged?.(headers);
  }

  /**
   * The time for records that are sent in one go, read once for all of them: the system's clock would cost as much as
   * encoding a record does, about 100 ns.
   */
  #wallTimeMs(): number {
    if (this.#wallMs === null) {
      this.#wallMs = this.#clock.wallTimeMs();
      queueMicrotask(this.#forgetWallTime);
    }
    return this.#wallMs;
  }

  /** Most records are so small that a coarse bound will do: text takes at most three bytes a character. */
  #boundBytes(key: Encoded, value: Encoded, headers: readonly Header[]): number {
    const coarseBytes = 3 * ((key?.length ?? 0) + (value?.length ?? 0)) + 128;
    if (headers.length === 0 && coarseBytes <= this.#options.batchSize && coarseBytes <= this.#maxRecordBytes) {
      return coarseBytes;
    }
    const boundBytes = sizeInBytesUpperBound(key, value, headers);
    if (boundBytes <= this.#maxRecordBytes) return boundBytes;
    const { maxRequestSize, bufferMemory } = this.#options;
    const limit = boundBytes > maxRequestSize ? `maxRequestSize (${maxRequestSize})` : `bufferMemory (${bufferMemory})`;
    throw new KafkaError(`${boundBytes} bytes are more than ${limit} allows`, { code: "MESSAGE_TOO_LARGE" });
  }
}

/** A record before its key and value are encoded. */
type Draft<K, V> = Pick<
  SerializedRecord<K, V>,
  "source" | "topic" | "partition" | "timestampMs" | "delivery" | "position" | "settings"
>;

/** What one serializer is told of one record. Its list of headers is made when it is looked at, which is seldom. */
class RecordContext implements SerializerContext {
  readonly topic: string;
  readonly role: "key" | "value";
  readonly #given: readonly Header[];
  #own: Header[] | null = null;

  constructor(topic: string, role: "key" | "value", given: readonly Header[]) {
    this.topic = topic;
    this.role = role;
    this.#given = given;
  }

  get headers(): Header[] {
    this.#own ??= [...this.#given];
    return this.#own;
  }

  /** The headers as they are now; the very list that was given, where no serializer looked at it. */
  get current(): readonly Header[] {
    return this.#own ?? this.#given;
  }
}

/** `null` and `undefined` need no serializer. */
function encodedBy<T>(
  serializer: Serializer<T>,
  value: T | null | undefined,
  context: SerializerContext,
): Encoded | PromiseLike<Encoded> {
  if (value === null || value === undefined) return null;
  let encoded: Encoded | PromiseLike<Encoded>;
  try {
    encoded = serializer.serialize(value, context);
  } catch (cause) {
    throw failure(cause, context);
  }
  return isPending(encoded) ? encoded : checked(encoded, context);
}

async function settled(pending: PromiseLike<Encoded>, context: SerializerContext): Promise<Encoded> {
  let encoded: Encoded;
  try {
    encoded = await pending;
  } catch (cause) {
    throw failure(cause, context);
  }
  return checked(encoded, context);
}

function failure(cause: unknown, { role, topic }: SerializerContext): SerializationError {
  if (cause instanceof SerializationError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SerializationError(`${role}Serializer failed for topic ${topic}: ${reason}`, { cause });
}

function checked(encoded: Encoded, { role, topic }: SerializerContext): Encoded {
  if (encoded === null || typeof encoded === "string" || encoded instanceof Uint8Array) return encoded;
  throw new SerializationError(`${role}Serializer gave neither bytes nor text for topic ${topic}`);
}

/** Without types, headers come in many shapes; what is wrong with them would else show as a broken size. */
function checkHeaders(headers: readonly (Header | null)[]): void {
  if (!Array.isArray(headers)) {
    throw unusable("headers", JSON.stringify(headers), 'an array such as [{ key: "trace", value: "7f" }]');
  }
  headers.forEach((header, index) => {
    const value = header?.value;
    const isUsable = value === null || typeof value === "string" || value instanceof Uint8Array;
    if (typeof header?.key === "string" && isUsable) return;
    throw unusable(`header ${index}`, JSON.stringify(header), "text as key and text, bytes or null as value");
  });
}
