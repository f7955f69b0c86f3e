import {
  type Clock,
  ClosedError,
  Deadline,
  type Metric,
  NetworkClient,
  OptionsError,
  type PartitionSnapshot,
  State,
  systemClock,
  TimeoutError,
  type TopicSnapshot,
} from "@odradek/network";
import { KafkaError } from "@odradek/protocol";
import { abortedError, BlockedSends } from "./blocked-sends.ts";
import { BufferPool } from "./buffer-pool.ts";
import { CallbackDelivery, CollectedDelivery, type Delivery, PromisedDelivery, type SendCallback } from "./delivery.ts";
import { DeliveryError } from "./delivery-error.ts";
import { partitionOfKey } from "./partitioner.ts";
import { ProducerInterceptors } from "./producer-interceptors.ts";
import { ProducerMetrics } from "./producer-metrics.ts";
import { type ProducerOptions, type ResolvedProducerOptions, resolveProducerOptions } from "./producer-options.ts";
import type { ProducerRecord, SerializedRecord, UnsentRecord } from "./producer-record.ts";
import { type Appended, RecordAccumulator } from "./record-accumulator.ts";
import type { RecordMetadata } from "./record-metadata.ts";
import { isPending, RecordSerializer } from "./record-serializer.ts";
import { Sender } from "./sender.ts";
import { unlessAborted } from "./unless-aborted.ts";
import { isCount, unusable } from "./unusable.ts";

const producerMoves = {
  open: ["closing"], // takes records
  closing: ["closed"], // takes none; what was sent before is delivered
  closed: [], // what was not delivered has failed
} as const;

/** What calls that wait take. */
export interface WaitOptions {
  /** Ends the wait with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What `send` takes besides a record. */
export interface SendOptions {
  /**
   * Ends the wait of a record for its serializers, for metadata and for memory: it fails with code ABORTED, and is not in the log. A
   * record that was taken into a batch is past that.
   */
  readonly signal?: AbortSignal | undefined;
}

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
  readonly #serializer: RecordSerializer<K, V>;
  /** `null` where there are none. */
  readonly #interceptors: ProducerInterceptors<K, V> | null;
  readonly #metrics: ProducerMetrics;
  #closing: Promise<void> | null = null;

  /** @throws OptionsError naming option, value and what is allowed */
  constructor(options: ProducerOptions<K, V>, clock: Clock = systemClock) {
    const resolved = resolveProducerOptions(options);
    this.#options = resolved;
    this.#clock = clock;
    this.#client = new NetworkClient("producer", resolved, clock);
    const { logger, registry } = this.#client.observer;
    this.#memory = new BufferPool(resolved.bufferMemory, resolved.batchSize, clock);
    this.#metrics = new ProducerMetrics(registry, clock, { memory: this.#memory, metadata: this.#client.metadata });
    this.#accumulator = new RecordAccumulator(resolved, this.#memory);
    this.#sender = new Sender(resolved, this.#client, this.#accumulator, clock, this.#metrics);
    this.#blocked = new BlockedSends<K, V>(clock, resolved.maxBlockMs, {
      lacksPartition: (record) => this.#lacksPartition(record),
      admit: (record, ...wait) => (this.#appendNow(record) ? null : this.#appendLater(record, ...wait)),
      fail: (record, error) => this.#fail(record, error),
    });
    this.#serializer = new RecordSerializer(resolved, clock);
    const { interceptors } = resolved;
    this.#interceptors = interceptors.length === 0 ? null : new ProducerInterceptors(interceptors, logger);
  }

  /**
   * Connects now, for who wants to fail fast.
   *
   * @throws TimeoutError where no broker answers within `maxBlockMs`, AuthenticationError, the reason of the signal
   */
  async connect(options: WaitOptions = {}): Promise<void> {
    this.#requireOpen();
    const { metadata } = this.#client;
    const deadline = new Deadline(this.#clock, this.#options.maxBlockMs);
    const find = () => metadata.snapshot.controllerId;
    await this.#client.awaitMetadata(deadline, "connecting to the cluster", find, options);
  }

  /**
   * Sends a record, or takes it into the batch that will be sent.
   *
   * The record is encoded before the call returns, unless a serializer gives a promise, or the metadata of its topic or memory has to
   * be waited for: then its key and value must not change meanwhile, where they are bytes.
   *
   * Who does not wait for the outcome still has to take the error: a promise that rejects with nobody there is an unhandled
   * rejection, which ends the process. `producer.send(record, (error) => { if (error) count(error); })` is the way to fire and
   * forget, and needs no promise at all; `flush` and `close` wait for those records too.
   *
   * @param callback is told instead of a promise, which is cheaper: once, never inside of the call itself, and in the
   *   order of the calls for records of one partition
   * @returns where the record is, once `acks` says that it is there
   * @throws KafkaError with code OPTIONS, at once, for a callback that is no function; else DeliveryError only, with `persisted`:
   *   whether the record may be in the log all the same. Its code is OPTIONS or SERIALIZATION for what is wrong with the record,
   *   MESSAGE_TOO_LARGE by `maxRequestSize` or `bufferMemory`, TIMEOUT after `maxBlockMs` without metadata or memory, CLOSED,
   *   ABORTED by the signal, or why delivery failed
   */
  send(record: ProducerRecord<K, V>, options?: SendOptions): Promise<RecordMetadata>;
  send(record: ProducerRecord<K, V>, callback: SendCallback, options?: SendOptions): void;
  send(
    record: ProducerRecord<K, V>,
    given?: SendCallback | SendOptions,
    options?: SendOptions,
  ): Promise<RecordMetadata> | undefined {
    if (typeof given === "function") {
      this.#send(record, new CallbackDelivery(given), 0, signalOf(options));
      return;
    }
    // Thrown, as nobody else could be told.
    if (given !== undefined && (typeof given !== "object" || given === null)) {
      throw unusable("callback", given, "a function");
    }
    const delivery = new PromisedDelivery();
    this.#send(record, delivery, 0, signalOf(given));
    return delivery.promise;
  }

  /**
   * Sends many records, in this order, for one promise. They are not all or nothing.
   *
   * @returns the metadata of each, in the order of the records
   * @throws SendAllError when every record is settled and some failed; `results` has each one's metadata or error
   */
  sendAll(records: readonly ProducerRecord<K, V>[], options?: SendOptions): Promise<readonly RecordMetadata[]> {
    const signal = signalOf(options);
    const delivery = new CollectedDelivery(records.length);
    // Not forEach, which passes over holes: what is no record fails, or its call would never end.
    for (const [position, record] of records.entries()) this.#send(record, delivery, position, signal);
    return delivery.promise;
  }

  /**
   * Sends at once what lingers, and resolves when everything sent before is settled, be it delivered or failed.
   *
   * @throws the reason of the signal; what was sent goes on
   */
  async flush({ signal }: WaitOptions = {}): Promise<void> {
    this.#requireOpen();
    const sinceMs = this.#clock.now();
    await unlessAborted(this.#flush(), signal).finally(() => this.#metrics.called("flush", sinceMs));
  }

  /**
   * The partitions of a topic, by number.
   *
   * @param options.timeoutMs how long to wait, milliseconds; `maxBlockMs` where it is not given
   * @throws TimeoutError where the cluster does not have the topic in time, BrokerError where it refuses to tell, the reason of the
   *   signal
   */
  async partitionsFor(
    topic: string,
    { timeoutMs = this.#options.maxBlockMs, signal }: WaitOptions & { readonly timeoutMs?: number } = {},
  ): Promise<readonly PartitionSnapshot[]> {
    this.#requireOpen();
    const { partitions } = await this.#awaitTopic(topic, 0, new Deadline(this.#clock, timeoutMs), signal);
    return partitions;
  }

  /** What was measured so far, by Kafka's names: records, batches, memory, connections, in all, for each topic and each broker. */
  metrics(): Metric[] {
    return this.#client.metrics();
  }

  /**
   * Takes no more records, delivers those that were sent, and closes every connection. What is not delivered after
   * `timeoutMs`, or when the signal says so, fails.
   *
   * @throws OptionsError for a `timeoutMs` below 0; the producer stays open
   */
  close({
    timeoutMs = Number.POSITIVE_INFINITY,
    signal,
  }: WaitOptions & { readonly timeoutMs?: number } = {}): Promise<void> {
    if (!(timeoutMs >= 0)) return Promise.reject(new OptionsError("timeoutMs", timeoutMs, "at least 0 milliseconds"));
    this.#closing ??= this.#close(timeoutMs, signal);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    this.#state.to("closing");
    this.#accumulator.close();
    await this.#within(timeoutMs, signal, this.#flush());
    this.#state.to("closed");
    const error = new ClosedError("producer");
    this.#memory.abort(error);
    this.#blocked.abort(error);
    this.#sender.abort(error);
    this.#sender.close();
    await this.#client.close({ timeoutMs: 0 });
    await this.#blocked.settled();
    this.#interceptors?.close();
    this.#closePartitioner();
  }

  #closePartitioner(): void {
    try {
      this.#options.partitioner?.close?.();
    } catch (error) {
      this.#client.observer.logger.warn(`the partitioner could not be closed: ${String(error)}`);
    }
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

  /** Resolves when `work` is done, time is up, or the signal says that it is. */
  #within(timeoutMs: number, signal: AbortSignal | undefined, work: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = () => resolve();
      const timer = this.#clock.after(timeoutMs, stop);
      if (signal?.aborted) stop();
      signal?.addEventListener("abort", stop);
      work.then(resolve, reject).finally(() => {
        timer.cancel();
        signal?.removeEventListener("abort", stop);
      });
    });
  }

  #send(
    record: ProducerRecord<K, V>,
    delivery: Delivery,
    position: number,
    signal: AbortSignal | undefined,
  ): void {
    if (this.#interceptors === null) {
      this.#accept(record, delivery, position, signal);
    } else {
      const intercepted = this.#interceptors.onSend(record);
      this.#accept(intercepted, this.#interceptors.deliveryOf(intercepted, delivery, position), 0, signal);
    }
  }

  #accept(
    record: ProducerRecord<K, V>,
    delivery: Delivery,
    position: number,
    signal: AbortSignal | undefined,
  ): void {
    try {
      this.#requireOpen();
      if (signal?.aborted) throw abortedError(signal);
      const serialized = this.#serializer.serialize(record, delivery, position);
      if (isPending(serialized)) {
        this.#blocked.addPending({ source: record, delivery, position }, serialized, signal);
      } else if (this.#blocked.isBehind(serialized) || !this.#appendNow(serialized)) {
        this.#blocked.add(serialized, signal);
      }
    } catch (error) {
      // Nobody is called back inside of their own call.
      queueMicrotask(() => this.#fail({ source: record, delivery, position }, error));
    }
  }

  /** Appends a record if metadata and memory allow it now. */
  #appendNow(record: SerializedRecord<K, V>): boolean {
    if (this.#state.now === "closed") throw new ClosedError("producer");
    const topic = this.#client.metadata.snapshot.topics.get(record.topic);
    if (topic === undefined || !((record.partition ?? 0) < topic.partitions.length)) return false;
    const isChosenNow = this.#choosePartition(record, topic);
    let appended = this.#accumulator.append(record, topic);
    if (appended === null && isChosenNow && this.#chooseForNewBatch(record, topic)) {
      appended = this.#accumulator.append(record, topic);
    }
    if (appended === null) {
      const buffer = this.#memory.take(this.#accumulator.batchBytes(record));
      if (buffer === null) return false;
      appended = this.#accumulator.open(record, topic, buffer, this.#clock.now());
    }
    this.#wakeFor(appended);
    return true;
  }

  /** @returns false where the topic turns out to lack the partition */
  async #appendLater(
    record: SerializedRecord<K, V>,
    deadline: Deadline,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const awaited = this.#lacksPartition(record) ? (record.partition ?? 0) : 0;
    const topic = await this.#awaitTopic(record.topic, awaited, deadline, signal);
    if (this.#lacksPartition(record)) return false;
    if (this.#appendNow(record)) return true;
    this.#choosePartition(record, topic);
    const memory = this.#awaitMemory(this.#accumulator.batchBytes(record), deadline, signal);
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

  async #awaitMemory(bytes: number, deadline: Deadline, signal: AbortSignal | undefined): Promise<Buffer> {
    const sinceMs = this.#clock.now();
    let isInVain = false;
    try {
      return await this.#memory.wait(bytes, deadline, signal);
    } catch (error) {
      isInVain = error instanceof TimeoutError;
      throw error;
    } finally {
      this.#metrics.memoryAwaited(sinceMs, isInVain);
    }
  }

  /** Waits until a topic has a certain partition; one may have been added a moment ago. */
  #awaitTopic(
    name: string,
    partition: number,
    deadline: Deadline,
    signal: AbortSignal | undefined,
  ): Promise<TopicSnapshot> {
    const { metadata } = this.#client;
    metadata.add([name]);
    const what =
      partition === 0 ? `topic ${name} in the metadata` : `partition ${partition} of topic ${name} in the metadata`;
    const find = () => {
      const error = metadata.fatalErrorOf(name);
      if (error !== null) throw error;
      const topic = metadata.snapshot.topics.get(name);
      return topic !== undefined && partition < topic.partitions.length ? topic : null;
    };
    const sinceMs = this.#clock.now();
    const awaited = this.#client.awaitMetadata(deadline, what, find, { signal });
    return awaited.finally(() => this.#metrics.called("metadataWait", sinceMs));
  }

  /** Asked once for each record, also where it has to wait: a partitioner may go round. @returns whether it was asked now */
  #choosePartition(record: SerializedRecord<K, V>, topic: TopicSnapshot): boolean {
    if (record.partition !== undefined) return false;
    record.partition = this.#partitionOf(record, topic);
    return true;
  }

  /**
   * Tells a partitioner that wants to know that a batch is about to begin for its record, and asks it again.
   *
   * @returns false where nobody wants to know
   */
  #chooseForNewBatch(record: SerializedRecord<K, V>, topic: TopicSnapshot): boolean {
    const { partitioner } = this.#options;
    if (partitioner?.onNewBatch === undefined) return false;
    partitioner.onNewBatch(topic.name, this.#client.metadata.snapshot, record.partition ?? 0);
    record.partition = this.#partitionOf(record, topic);
    return true;
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

  /** @param unsent whose source may be anything, where the caller has no types */
  #fail(unsent: UnsentRecord<K, V> & { readonly partition?: number | null | undefined }, error: unknown): void {
    const { source, delivery, position }: UnsentRecord<K, V> & { source: typeof unsent.source | null | undefined } = unsent;
    const topic = String(source?.topic ?? "no topic");
    const cause =
      error instanceof KafkaError ? error : new KafkaError(String(error), { code: "OPTIONS", cause: error });
    this.#metrics.sendFailed();
    const partition = unsent.partition ?? source?.partition ?? null;
    delivery.failed(new DeliveryError(topic, partition, "no", cause), position);
  }

  #requireOpen(): void {
    if (this.#state.now !== "open") throw new ClosedError("producer");
  }
}

/** @throws KafkaError with code OPTIONS where the signal is none, since it would else be waited for in vain */
function signalOf(options: SendOptions | undefined): AbortSignal | undefined {
  const signal = options?.signal;
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw unusable("signal", signal, "an AbortSignal");
}
