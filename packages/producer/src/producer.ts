import {
  type Clock,
  ClosedError,
  type ConsumerGroupMetadata,
  checkTopicName,
  Deadline,
  isPending,
  type Metric,
  NetworkClient,
  type OffsetToCommit,
  type PartitionSnapshot,
  State,
  systemClock,
  type WaitOptions,
} from "@odradek/network";
import { KafkaError } from "@odradek/protocol";
import { abortedError, BlockedSends } from "./blocked-sends.ts";
import { BufferPool } from "./buffer-pool.ts";
import { resolveSignal, resolveWait, type TimedWaitOptions } from "./call-options.ts";
import { CallbackDelivery, CollectedDelivery, type Delivery, PromisedDelivery, type SendCallback } from "./delivery.ts";
import { DeliveryError } from "./delivery-error.ts";
import { PartitionChoice } from "./partition-choice.ts";
import type { PreparedTransactionState } from "./prepared-transaction-state.ts";
import { ProducerInterceptors } from "./producer-interceptors.ts";
import { ProducerMetrics } from "./producer-metrics.ts";
import { type ProducerOptions, type ResolvedProducerOptions, resolveProducerOptions } from "./producer-options.ts";
import type { ProducerRecord, UnsentRecord } from "./producer-record.ts";
import {
  type InitTransactionsOptions,
  ProducerTransactions,
  type TransactionCallOptions,
} from "./producer-transactions.ts";
import { RecordAccumulator } from "./record-accumulator.ts";
import { RecordAppender } from "./record-appender.ts";
import type { RecordMetadata } from "./record-metadata.ts";
import { RecordSerializer } from "./record-serializer.ts";
import { type ResolvedSendOptions, resolveSendOptions, type SendOptions } from "./send-options.ts";
import { Sender } from "./sender.ts";
import { TransactionManager } from "./transaction-manager.ts";
import { TransactionRequests } from "./transaction-requests.ts";
import { unlessAborted } from "./unless-aborted.ts";
import { unusable } from "./unusable.ts";

const producerMoves = {
  open: ["closing"], // takes records
  closing: ["closed"], // takes none; what was sent before is delivered
  closed: [], // what was not delivered has failed
} as const;

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
  /** `null` for a producer that numbers nothing. */
  readonly #transactions: TransactionManager | null;
  readonly #calls: ProducerTransactions;
  readonly #sender: Sender;
  readonly #blocked: BlockedSends<K, V>;
  readonly #serializer: RecordSerializer<K, V>;
  readonly #partitions: PartitionChoice<K, V>;
  readonly #appender: RecordAppender<K, V>;
  /** `null` where there are none. */
  readonly #interceptors: ProducerInterceptors<K, V> | null;
  readonly #metrics: ProducerMetrics;
  #closing: Promise<void> | null = null;
  /** Whoever closes waits no longer. */
  readonly #cut = new AbortController();

  /**
   * @param clock for tests, which let time pass as they like
   * @throws OptionsError naming option, value and what is allowed
   */
  constructor(options: ProducerOptions<K, V>, clock: Clock = systemClock) {
    const resolved = resolveProducerOptions(options);
    this.#options = resolved;
    this.#clock = clock;
    this.#client = new NetworkClient("producer", resolved, clock);
    const { logger, registry } = this.#client.observer;
    this.#memory = new BufferPool(resolved.bufferMemory, resolved.batchSize, clock);
    this.#metrics = new ProducerMetrics(registry, clock, { memory: this.#memory, metadata: this.#client.metadata });
    this.#accumulator = new RecordAccumulator(resolved, this.#memory);
    this.#transactions = resolved.enableIdempotence ? this.#newTransactions(resolved) : null;
    this.#calls = new ProducerTransactions({
      manager: this.#transactions,
      metrics: this.#metrics,
      logger,
      clock,
      maxBlockMs: resolved.maxBlockMs,
      transactionTimeoutMs: resolved.transactionTimeoutMs,
      isTwoPhase: resolved.transactionTwoPhaseCommitEnable,
      requireOpen: () => this.#requireOpen(),
    });
    this.#sender = new Sender(resolved, this.#client, this.#accumulator, this.#transactions, clock, this.#metrics);
    this.#partitions = new PartitionChoice(resolved, this.#client.metadata);
    this.#appender = new RecordAppender({
      client: this.#client,
      memory: this.#memory,
      accumulator: this.#accumulator,
      partitions: this.#partitions,
      transactions: this.#transactions,
      metrics: this.#metrics,
      clock,
      wake: () => this.#sender.wake(),
    });
    this.#blocked = new BlockedSends<K, V>(clock, resolved.maxBlockMs, {
      lacksPartition: (record) => this.#appender.lacksPartition(record),
      admit: (record, ...wait) =>
        this.#appender.appendNow(record) ? null : this.#appender.appendLater(record, ...wait),
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
    const signal = resolveSignal(options);
    const { metadata } = this.#client;
    const deadline = new Deadline(this.#clock, this.#options.maxBlockMs);
    const find = () => metadata.snapshot.controllerId;
    await this.#client.awaitMetadata(deadline, "connecting to the cluster", find, { signal });
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
   * @param callback is told instead of a promise, which is cheaper: once, never inside of the call itself, and in the order of the
   *   calls for records of one partition; `null` for none. What it throws is logged as an error, and changes nothing else
   * @returns where the record is, once `acks` says that it is there
   * @throws KafkaError with code OPTIONS, at once, for a callback that is no function and options that cannot be used; else DeliveryError
   *   only, with `persisted`: whether the record may be in the log all the same. Its code is OPTIONS, INVALID_TOPIC_EXCEPTION or
   *   SERIALIZATION for what is wrong with the record, MESSAGE_TOO_LARGE by `maxRequestSize` or `bufferMemory`, TIMEOUT after
   *   `maxBlockMs` without metadata or memory, CLOSED, ABORTED by the signal, TRANSACTION_ABORTED by `abortTransaction` before it was
   *   sent, or why delivery failed
   */
  send(record: ProducerRecord<K, V>, options?: SendOptions | null): Promise<RecordMetadata>;
  send(record: ProducerRecord<K, V>, callback: null | undefined, options?: SendOptions): Promise<RecordMetadata>;
  send(record: ProducerRecord<K, V>, callback: SendCallback, options?: SendOptions): void;
  send(
    record: ProducerRecord<K, V>,
    given?: SendCallback | SendOptions | null,
    options?: SendOptions,
  ): Promise<RecordMetadata> | undefined {
    if (typeof given === "function") {
      const resolved = resolveSendOptions(options, this.#options);
      this.#send(record, new CallbackDelivery(given, this.#client.observer.logger), 0, resolved);
      return;
    }
    // Thrown, as nobody else could be told.
    if (typeof given !== "object" && given !== undefined) throw unusable("callback", given, "a function");
    const resolved = resolveSendOptions(given ?? options, this.#options);
    const delivery = new PromisedDelivery();
    this.#send(record, delivery, 0, resolved);
    return delivery.promise;
  }

  /**
   * Sends many records, in this order, for one promise. They are not all or nothing.
   *
   * @param records an array, or what gives one record after the other, such as a `Set`
   * @returns the metadata of each, in the order of the records
   * @throws SendBatchError when every record is settled and some failed; `results` has each one's metadata or error. KafkaError with
   *   code OPTIONS where `records` are no such thing or options cannot be used, and what the iterable throws: nothing was sent then
   */
  async sendBatch(records: Iterable<ProducerRecord<K, V>>, options?: SendOptions): Promise<readonly RecordMetadata[]> {
    const resolved = resolveSendOptions(options, this.#options);
    if (typeof records !== "object" || typeof records?.[Symbol.iterator] !== "function") {
      throw unusable("records", records, "an array, or another iterable,");
    }
    // A copy has no holes: what is no record fails, or its call would never end.
    const all = [...records];
    const delivery = new CollectedDelivery(all.length);
    let position = 0;
    for (const record of all) this.#send(record, delivery, position++, resolved);
    return delivery.promise;
  }

  /**
   * Sends at once what lingers, and resolves when everything sent before is settled, be it delivered or failed.
   *
   * @throws the reason of the signal; what was sent goes on
   */
  async flush(options: WaitOptions = {}): Promise<void> {
    this.#requireOpen();
    const signal = resolveSignal(options);
    const sinceMs = this.#clock.now();
    await unlessAborted(this.#flush(), signal).finally(() => this.#metrics.called("flush", sinceMs));
  }

  /**
   * The partitions of a topic, by number.
   *
   * @param options.timeoutMs how long to wait, milliseconds; `maxBlockMs` where it is not given
   * @throws KafkaError with code INVALID_TOPIC_EXCEPTION for what no topic can be called, TimeoutError where the cluster does not have
   *   the topic in time, BrokerError where it refuses to tell, the reason of the signal
   */
  async partitionsFor(topic: string, options: TimedWaitOptions = {}): Promise<readonly PartitionSnapshot[]> {
    this.#requireOpen();
    const { timeoutMs, signal } = resolveWait(options, this.#options.maxBlockMs);
    checkTopicName(topic);
    const { partitions } = await this.#appender.awaitTopic(topic, 0, new Deadline(this.#clock, timeoutMs), signal);
    return partitions;
  }

  /**
   * The same as far as it is known now, for who must not wait.
   *
   * @returns `null` for a topic that nobody has asked about yet, or that is not there: `partitionsFor` asks
   */
  knownPartitionsFor(topic: string): readonly PartitionSnapshot[] | null {
    return this.#client.metadata.snapshot.topics.get(topic)?.partitions ?? null;
  }

  /** Id of the cluster; `null` before it is known. Source: Kafka's `ClusterResource`. */
  get clusterId(): string | null {
    return this.#client.metadata.snapshot.clusterId;
  }

  /**
   * Gets the producer an id under its `transactionalId`, before anything else: producers before it that used the same are fenced,
   * and what they left open is aborted. Asks again until `maxBlockMs`. With `keepPreparedTransaction` one that was prepared is
   * kept, and has to be ended before another begins (KIP-939).
   *
   * @throws TimeoutError where no coordinator answers in time: call it again; StateError where the producer has it already, or has
   *   no `transactionalId`; TransactionError, BrokerError such as TRANSACTIONAL_ID_AUTHORIZATION_FAILED, also
   *   where the broker has two-phase commit switched off. TransactionError with code UNSUPPORTED_VERSION where it does not offer it,
   *   or cannot keep what was prepared, as brokers up to 4.4 cannot: nothing was aborted
   */
  initTransactions(options: InitTransactionsOptions = {}): Promise<void> {
    return this.#calls.init(options);
  }

  /**
   * Begins a transaction: what is sent from now on, to any topics, counts together or not at all.
   *
   * @throws StateError where one is open, or `initTransactions` was not called; TransactionError
   */
  beginTransaction(): void {
    this.#calls.begin();
  }

  /**
   * Has offsets of a consumer's group count together with the records of the transaction (KIP-447). The consumer must not commit
   * them itself.
   *
   * @param offsets of the next record to be read of each partition
   * @param groupMetadata from `consumer.groupMetadata()`, so that a consumer that lost its place is refused; or the group's id
   * @throws TransactionError, StateError, OptionsError; TimeoutError after `maxBlockMs`, when the offsets may yet count: call
   *   it again, or abort. Until they are there, or it is clear that they will not be, nothing can be committed
   */
  sendOffsetsToTransaction(
    offsets: readonly OffsetToCommit[],
    groupMetadata: ConsumerGroupMetadata | string,
    options: TransactionCallOptions = {},
  ): Promise<void> {
    return this.#calls.sendOffsets(offsets, groupMetadata, options);
  }

  /**
   * The first half of a two-phase commit (KIP-939): delivers what was sent in the transaction, and leaves it open, for as long as it
   * takes, until `completeTransaction`, `commitTransaction` or `abortTransaction` ends it. Nothing else may come before that, and
   * neither `close` nor the end of the process ends it.
   *
   * @returns what to store with the decision how it ends, and to give to `completeTransaction`
   * @throws TransactionError where a record failed: `abortTransaction` follows; TimeoutError after `maxBlockMs`: call it again;
   *   StateError where no transaction is open, or without `transactionTwoPhaseCommitEnable`
   */
  prepareTransaction(options: TransactionCallOptions = {}): Promise<PreparedTransactionState> {
    return this.#calls.prepare(options);
  }

  /**
   * The second half: commits the prepared transaction where `state` is its own, and aborts it otherwise.
   *
   * @param state from `prepareTransaction`, of this process or of one before it whose transaction `initTransactions` has kept
   * @throws StateError with code NOTHING_PREPARED where there is nothing to complete (any more), and no transaction is open; else what
   *   `commitTransaction` and `abortTransaction` throw
   */
  completeTransaction(state: PreparedTransactionState, options: TransactionCallOptions = {}): Promise<void> {
    return this.#calls.complete(state, options);
  }

  /**
   * Delivers what was sent in the transaction, and has it count. A record that failed fails this call too, unless it never was
   * one: its serializer threw, its options are wrong, its signal gave it up.
   *
   * @throws TransactionError: `abortable` says whether `abortTransaction` mends it; TimeoutError after `maxBlockMs`, when it may
   *   yet succeed: call it again; StateError
   */
  commitTransaction(options: TransactionCallOptions = {}): Promise<void> {
    return this.#calls.commit(options);
  }

  /**
   * Has nothing count that was sent in the transaction. Records that were not sent yet fail, and so do offsets. It waits for another
   * call that is under way.
   *
   * @throws TransactionError, TimeoutError after `maxBlockMs`: call it again; StateError; BrokerError where the transaction was aborted
   *   but the producer was refused its next epoch: call `initTransactions` before another transaction
   */
  abortTransaction(options: TransactionCallOptions = {}): Promise<void> {
    return this.#calls.abort(options);
  }

  /**
   * Runs `work` in a transaction: commits when it resolves, aborts when it rejects.
   *
   * @param options are those of the calls that it makes. They do not end `work`, which may listen to the same signal; an abort
   *   that becomes due when the signal has come already is waited for up to `timeoutMs`
   * @returns what `work` resolves with
   * @throws what `work` throws, after the abort; what `commitTransaction` throws, after an abort where that mends it. After
   *   TimeoutError the commit may yet succeed: call `commitTransaction`. The reason of the signal, with nothing begun where it had
   *   come before
   */
  transaction<T>(work: () => Promise<T>, options: TransactionCallOptions = {}): Promise<T> {
    return this.#calls.run(work, options);
  }

  /** What was measured so far, by Kafka's names: records, batches, memory, connections, in all, for each topic and each broker. */
  metrics(): Metric[] {
    return this.#client.metrics();
  }

  /**
   * Takes no more records, delivers those that were sent, and closes every connection. An open transaction is aborted, unless it is
   * prepared; one that is being ended is waited for. Where its coordinator does not answer, both are given up after
   * `transactionTimeoutMs`: by then it has aborted by itself what it was not told to commit, unless two-phase commit is on, which
   * leaves that to the next producer of the id. What is not delivered after `timeoutMs`, or when the signal says so, fails. May be
   * called again, to wait for less.
   *
   * @throws OptionsError for options that cannot be used; the producer stays open
   */
  async close(options: TimedWaitOptions = {}): Promise<void> {
    const { timeoutMs, signal } = resolveWait(options, Number.POSITIVE_INFINITY);
    this.#closing ??= this.#close();
    const cut = () => this.#cut.abort();
    const timer = this.#clock.after(timeoutMs, cut);
    if (signal?.aborted) cut();
    signal?.addEventListener("abort", cut);
    await this.#closing.finally(() => {
      timer.cancel();
      signal?.removeEventListener("abort", cut);
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#state.to("closing");
    this.#accumulator.close();
    const isCut = new Promise<void>((resolve) => this.#cut.signal.addEventListener("abort", () => resolve()));
    await Promise.race([this.#finish(), isCut]);
    this.#state.to("closed");
    this.#appender.close();
    const error = new ClosedError("producer");
    this.#transactions?.close(error);
    this.#memory.abort(error);
    this.#blocked.abort(error);
    this.#sender.abort(error);
    this.#sender.close();
    await this.#client.close({ timeoutMs: 0 });
    await this.#blocked.settled();
    this.#interceptors?.close();
    this.#partitions.close(this.#client.observer.logger);
  }

  /** Delivers what is here, or has it count for nothing where its transaction was not committed. */
  async #finish(): Promise<void> {
    await this.#calls.finish();
    await this.#flush();
  }

  #newTransactions(options: ResolvedProducerOptions<K, V>): TransactionManager {
    const requests = new TransactionRequests(this.#client, options, this.#clock);
    return new TransactionManager(requests, options.transactionalId !== null, this.#client.observer.logger, {
      onChange: () => this.#sender.wake(),
      flush: () => this.#flush(),
      failUnsent: (error) => {
        this.#sender.failUnsent(error);
        // Without transactions, who is blocked may yet be sent.
        if (options.transactionalId !== null) this.#blocked.failAll(error);
      },
      failAll: (error) => this.#sender.abort(error),
    });
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

  #send(record: ProducerRecord<K, V>, delivery: Delivery, position: number, options: ResolvedSendOptions): void {
    if (this.#interceptors === null) {
      this.#accept(record, delivery, position, options);
    } else {
      const intercepted = this.#interceptors.onSend(record);
      this.#accept(intercepted, this.#interceptors.deliveryOf(intercepted, delivery, position), 0, options);
    }
  }

  #accept(
    record: ProducerRecord<K, V>,
    delivery: Delivery,
    position: number,
    { signal, settings }: ResolvedSendOptions,
  ): void {
    try {
      this.#requireOpen();
      this.#transactions?.requireSendable();
      if (signal?.aborted) throw abortedError(signal);
      const serialized = this.#serializer.serialize(record, delivery, position, settings);
      if (isPending(serialized)) {
        this.#blocked.addPending({ source: record, delivery, position }, serialized, signal);
      } else if (this.#blocked.isBehind(serialized) || !this.#appender.appendNow(serialized)) {
        this.#blocked.add(serialized, signal);
      }
    } catch (error) {
      // Nobody is called back inside of their own call.
      queueMicrotask(() => this.#fail({ source: record, delivery, position }, error));
    }
  }

  /** @param unsent whose source may be anything, where the caller has no types */
  #fail(unsent: UnsentRecord<K, V> & { readonly partition?: number | null | undefined }, error: unknown): void {
    const { source, delivery, position }: UnsentRecord<K, V> & { source: typeof unsent.source | null | undefined } =
      unsent;
    const topic = String(source?.topic ?? "no topic");
    const cause =
      error instanceof KafkaError ? error : new KafkaError(String(error), { code: "OPTIONS", cause: error });
    this.#metrics.sendFailed();
    this.#transactions?.onSendFailed(cause);
    const partition = unsent.partition ?? source?.partition ?? null;
    delivery.failed(new DeliveryError(topic, partition, "no", cause), position);
  }

  #requireOpen(): void {
    if (this.#state.now !== "open") throw new ClosedError("producer");
  }
}
