import {
  type Clock,
  ClosedError,
  Deadline,
  type Encoded,
  type Header,
  type Metric,
  NetworkClient,
  OptionsError,
  type PartitionSnapshot,
  type SerdeContext,
  SerializationError,
  type Serializer,
  State,
  systemClock,
  type TopicSnapshot,
} from "@odradek/network";
import { KafkaError, sizeInBytesUpperBound } from "@odradek/protocol";
import { BlockedSends } from "./blocked-sends.ts";
import { BufferPool } from "./buffer-pool.ts";
import { CallbackDelivery, CollectedDelivery, type Delivery, PromisedDelivery, type SendCallback } from "./delivery.ts";
import { DeliveryError } from "./delivery-error.ts";
import { partitionOfKey } from "./partitioner.ts";
import { type ProducerOptions, type ResolvedProducerOptions, resolveProducerOptions } from "./producer-options.ts";
import type { ProducerRecord, SerializedRecord } from "./producer-record.ts";
import { type Appended, RecordAccumulator } from "./record-accumulator.ts";
import type { RecordMetadata } from "./record-metadata.ts";
import { Sender } from "./sender.ts";

const producerMoves = {
  open: ["closing"], // takes records
  closing: ["closed"], // takes none; what was sent before is delivered
  closed: [], // what was not delivered has failed
} as const;

/** What serializers are told, made once for each topic. */
interface TopicContexts {
  readonly key: SerdeContext;
  readonly value: SerdeContext;
}

const noHeaders: readonly Header[] = Object.freeze([]);

/**
 * Sends records to topics. Connects on the first `send`; one producer is for the whole process, since batches grow with
 * what is sent through it.
 *
 * Records of one partition arrive in the order of the calls of `send`.
 */
export class KafkaProducer<K = Uint8Array | string, V = Uint8Array | string> {
  readonly #options: ResolvedProducerOptions<K, V>;
  readonly #clock: Clock;
  readonly #state = new State<keyof typeof producerMoves>("open", producerMoves);
  readonly #client: NetworkClient;
  readonly #memory: BufferPool;
  readonly #accumulator: RecordAccumulator;
  readonly #sender: Sender;
  readonly #blocked: BlockedSends<K, V>;
  readonly #contexts = new Map<string, TopicContexts>();
  /** The most that a record may take. */
  readonly #maxRecordBytes: number;
  /** Milliseconds since 1970 of the present microtask, `null` while nobody asked for them. */
  #wallMs: number | null = null;
  readonly #forgetWallTime = (): void => {
    this.#wallMs = null;
  };
  #closing: Promise<void> | null = null;

  /** @throws OptionsError naming option, value and what is allowed */
  constructor(options: ProducerOptions<K, V>, clock: Clock = systemClock) {
    const resolved = resolveProducerOptions(options);
    this.#options = resolved;
    this.#clock = clock;
    this.#client = new NetworkClient("producer", resolved, clock);
    this.#memory = new BufferPool(resolved.bufferMemory, resolved.batchSize, clock);
    this.#accumulator = new RecordAccumulator(resolved, this.#memory);
    this.#sender = new Sender(resolved, this.#client, this.#accumulator, clock);
    this.#blocked = new BlockedSends<K, V>(clock, resolved.maxBlockMs, {
      lacksPartition: (record) => this.#lacksPartition(record),
      admit: (record, deadline) => (this.#appendNow(record) ? null : this.#appendLater(record, deadline)),
      fail: (record, error) => this.#fail(record.source, record.delivery, record.position, error),
    });
    this.#maxRecordBytes = Math.min(resolved.maxRequestSize, resolved.bufferMemory);
  }

  /**
   * Connects now, for who wants to fail fast.
   *
   * @throws TimeoutError where no broker answers within `maxBlockMs`, AuthenticationError
   */
  async connect(): Promise<void> {
    this.#requireOpen();
    const { metadata } = this.#client;
    const deadline = new Deadline(this.#clock, this.#options.maxBlockMs);
    await this.#client.awaitMetadata(deadline, "connecting to the cluster", () => metadata.snapshot.controllerId);
  }

  /**
   * Sends a record, or takes it into the batch that will be sent.
   *
   * The record is encoded before the call returns, unless the metadata of its topic or memory has to be waited for: then
   * its key and value must not change meanwhile, where they are bytes.
   *
   * @param callback is told instead of a promise, which is cheaper: once, never inside of the call itself, and in the
   *   order of the calls for records of one partition
   * @returns where the record is, once `acks` says that it is there
   * @throws KafkaError with code OPTIONS, at once, for a callback that is no function; else DeliveryError only, with `persisted`: whether the record may be in the log all the same
   */
  send(record: ProducerRecord<K, V>): Promise<RecordMetadata>;
  send(record: ProducerRecord<K, V>, callback: SendCallback): void;
  send(record: ProducerRecord<K, V>, callback?: SendCallback): Promise<RecordMetadata> | undefined {
    if (callback !== undefined) {
      // Thrown, as nobody else could be told.
      if (typeof callback !== "function") throw unusable("callback", callback, "a function");
      this.#send(record, new CallbackDelivery(callback), 0);
      return;
    }
    const delivery = new PromisedDelivery();
    this.#send(record, delivery, 0);
    return delivery.promise;
  }

  /**
   * Sends many records, in this order, for one promise. They are not all or nothing.
   *
   * @returns the metadata of each, in the order of the records
   * @throws SendAllError when every record is settled and some failed; `results` has each one's metadata or error
   */
  sendAll(records: readonly ProducerRecord<K, V>[]): Promise<readonly RecordMetadata[]> {
    const delivery = new CollectedDelivery(records.length);
    // Not forEach, which passes over holes: what is no record fails, or its call would never end.
    for (const [position, record] of records.entries()) this.#send(record, delivery, position);
    return delivery.promise;
  }

  /** Sends at once what lingers, and resolves when everything sent before is settled, be it delivered or failed. */
  async flush(): Promise<void> {
    this.#requireOpen();
    await this.#flush();
  }

  /**
   * The partitions of a topic, by number.
   *
   * @throws TimeoutError where the cluster does not have the topic within `maxBlockMs`, BrokerError where it refuses to tell
   */
  async partitionsFor(topic: string): Promise<readonly PartitionSnapshot[]> {
    this.#requireOpen();
    const deadline = new Deadline(this.#clock, this.#options.maxBlockMs);
    const { partitions } = await this.#awaitTopic(topic, 0, deadline);
    return partitions;
  }

  /** What was measured so far, by Kafka's names: connections, requests and authentications, in all and for each broker. */
  metrics(): Metric[] {
    return this.#client.metrics();
  }

  /**
   * Takes no more records, delivers those that were sent, and closes every connection. What is not delivered after
   * `timeoutMs` fails.
   *
   * @throws OptionsError for a `timeoutMs` below 0; the producer stays open
   */
  close({ timeoutMs = Number.POSITIVE_INFINITY }: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (!(timeoutMs >= 0)) return Promise.reject(new OptionsError("timeoutMs", timeoutMs, "at least 0 milliseconds"));
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(timeoutMs: number): Promise<void> {
    this.#state.to("closing");
    this.#accumulator.close();
    await this.#within(timeoutMs, this.#flush());
    this.#state.to("closed");
    const error = new ClosedError("producer");
    this.#memory.abort(error);
    this.#sender.abort(error);
    this.#sender.close();
    await this.#client.close({ timeoutMs: 0 });
  }

  async #flush(): Promise<void> {
    // What lingers goes at once: it need not wait for what is blocked, perhaps by that very memory.
    await Promise.all([this.#flushAppended(), this.#blocked.settled()]);
    await this.#flushAppended();
  }

  #flushAppended(): Promise<void> {
    const flushed = this.#accumulator.flush();
    this.#sender.wake();
    return flushed;
  }

  /** Resolves when `work` is done, or time is up. */
  #within(timeoutMs: number, work: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = this.#clock.after(timeoutMs, resolve);
      work.then(resolve, reject).finally(() => timer.cancel());
    });
  }

  #send(record: ProducerRecord<K, V>, delivery: Delivery, position: number): void {
    try {
      this.#requireOpen();
      const serialized = this.#serialize(record, delivery, position);
      if (this.#blocked.isBehind(serialized) || !this.#appendNow(serialized)) this.#blocked.add(serialized);
    } catch (error) {
      // Nobody is called back inside of their own call.
      queueMicrotask(() => this.#fail(record, delivery, position, error));
    }
  }

  #serialize(record: ProducerRecord<K, V>, delivery: Delivery, position: number): SerializedRecord<K, V> {
    if (typeof record !== "object" || record === null) throw unusable("record", record, "an object with a topic");
    const { topic, headers = noHeaders } = record;
    const contexts = this.#contexts.get(topic) ?? this.#contextsOf(topic);
    const key = serialized(this.#options.keySerializer, record.key, contexts.key);
    const value = serialized(this.#options.valueSerializer, record.value, contexts.value);
    const timestampMs = record.timestamp ?? this.#wallTimeMs();
    if (!isCount(timestampMs)) throw unusable("timestamp", timestampMs, countText);
    const partition = record.partition ?? undefined;
    if (partition !== undefined && !isCount(partition)) throw unusable("partition", partition, countText);
    if (headers !== noHeaders) checkHeaders(headers);
    const boundBytes = this.#boundBytes(key, value, headers);
    return { source: record, topic, partition, timestampMs, key, value, headers, boundBytes, delivery, position };
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

  #contextsOf(topic: string): TopicContexts {
    if (typeof topic !== "string" || topic === "")
      throw unusable("topic", JSON.stringify(topic), "a text that is not empty");
    const contexts: TopicContexts = {
      key: Object.freeze({ topic, role: "key" }),
      value: Object.freeze({ topic, role: "value" }),
    };
    this.#contexts.set(topic, contexts);
    return contexts;
  }

  /** Appends a record if metadata and memory allow it now. */
  #appendNow(record: SerializedRecord<K, V>): boolean {
    if (this.#state.now === "closed") throw new ClosedError("producer");
    const topic = this.#client.metadata.snapshot.topics.get(record.topic);
    if (topic === undefined || !((record.partition ?? 0) < topic.partitions.length)) return false;
    this.#choosePartition(record, topic);
    let appended = this.#accumulator.append(record, topic);
    if (appended === null) {
      const buffer = this.#memory.take(this.#accumulator.batchBytes(record));
      if (buffer === null) return false;
      appended = this.#accumulator.open(record, topic, buffer, this.#clock.now());
    }
    this.#wakeFor(appended);
    return true;
  }

  /** @returns false where the topic turns out to lack the partition */
  async #appendLater(record: SerializedRecord<K, V>, deadline: Deadline): Promise<boolean> {
    const awaited = this.#lacksPartition(record) ? (record.partition ?? 0) : 0;
    const topic = await this.#awaitTopic(record.topic, awaited, deadline);
    if (this.#lacksPartition(record)) return false;
    if (this.#appendNow(record)) return true;
    this.#choosePartition(record, topic);
    const memory = this.#memory.wait(this.#accumulator.batchBytes(record), deadline);
    // While somebody waits for memory, nothing lingers.
    this.#sender.wake();
    const buffer = await memory;
    if (this.#state.now === "closed") {
      this.#memory.release(buffer);
      throw new ClosedError("producer");
    }
    this.#wakeFor(this.#accumulator.open(record, topic, buffer, this.#clock.now()));
    return true;
  }

  #lacksPartition({ topic: name, partition }: SerializedRecord<K, V>): boolean {
    const topic = this.#client.metadata.snapshot.topics.get(name);
    return topic !== undefined && typeof partition === "number" && partition >= topic.partitions.length;
  }

  #wakeFor({ full, opened }: Appended): void {
    if (full || opened) this.#sender.wake();
  }

  /** Waits until a topic has a certain partition; one may have been added a moment ago. */
  #awaitTopic(name: string, partition: number, deadline: Deadline): Promise<TopicSnapshot> {
    const { metadata } = this.#client;
    metadata.add([name]);
    const what =
      partition === 0 ? `topic ${name} in the metadata` : `partition ${partition} of topic ${name} in the metadata`;
    return this.#client.awaitMetadata(deadline, what, () => {
      const error = metadata.fatalErrorOf(name);
      if (error !== null) throw error;
      const topic = metadata.snapshot.topics.get(name);
      return topic !== undefined && partition < topic.partitions.length ? topic : null;
    });
  }

  /** Asked once for each record, also where it has to wait: a partitioner may go round. */
  #choosePartition(record: SerializedRecord<K, V>, topic: TopicSnapshot): void {
    if (record.partition === undefined) record.partition = this.#partitionOf(record, topic);
  }

  /** @returns `null` for the sticky partition of the topic */
  #partitionOf({ source, key, value }: SerializedRecord<K, V>, topic: TopicSnapshot): number | null {
    const { partitioner, partitionerIgnoreKeys } = this.#options;
    if (partitioner !== null) {
      const record = {
        topic: topic.name,
        key: source.key ?? null,
        value: source.value ?? null,
        keyBytes: key,
        valueBytes: value,
      };
      const partition = partitioner.partition(record, topic, this.#client.metadata.snapshot);
      const partitionCount = topic.partitions.length;
      if (isCount(partition) && partition < partitionCount) return partition;
      throw unusable(
        "partitioner's choice",
        partition,
        `a partition of topic ${topic.name}, 0 to ${partitionCount - 1},`,
      );
    }
    if (key === null || partitionerIgnoreKeys) return null;
    return partitionOfKey(key, topic.partitions.length);
  }

  /** @param record anything, where the caller has no types */
  #fail(record: ProducerRecord<K, V> | null | undefined, delivery: Delivery, position: number, error: unknown): void {
    const topic = String(record?.topic ?? "no topic");
    const cause =
      error instanceof KafkaError ? error : new KafkaError(String(error), { code: "OPTIONS", cause: error });
    delivery.failed(new DeliveryError(topic, record?.partition ?? null, "no", cause), position);
  }

  #requireOpen(): void {
    if (this.#state.now !== "open") throw new ClosedError("producer");
  }
}

/** `null` and `undefined` need no serializer. */
function serialized<T>(serializer: Serializer<T>, value: T | null | undefined, context: SerdeContext): Encoded {
  if (value === null || value === undefined) return null;
  let encoded: Encoded;
  try {
    encoded = serializer.serialize(value, context);
  } catch (cause) {
    if (cause instanceof SerializationError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SerializationError(`${context.role}Serializer failed for topic ${context.topic}: ${reason}`, { cause });
  }
  if (encoded === null || typeof encoded === "string" || encoded instanceof Uint8Array) return encoded;
  throw new SerializationError(`${context.role}Serializer gave neither bytes nor text for topic ${context.topic}`);
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

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const countText = "a whole number of at least 0";

const unusable = (what: string, value: unknown, allowed: string): KafkaError =>
  new KafkaError(`${what} ${String(value)}: ${allowed} is expected`, { code: "OPTIONS" });
