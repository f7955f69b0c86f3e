import {
  Alarm,
  type AuthenticationError,
  type Clock,
  type ClusterSnapshot,
  type NetworkClient,
  partitionText,
  State,
  TimeoutError,
} from "@odradek/network";
import { BrokerError, brokerErrorByCode, type CompressionCodecs, KafkaError } from "@odradek/protocol";
import { Produce, type ProduceResponse } from "@odradek/protocol/messages/produce";
import { splitBatch } from "./batch-split.ts";
import {
  type BuiltBatch,
  type PartitionAnswer,
  ProduceAnswers,
  type ProduceRequestBody,
  produceBounds,
  produceRequest,
} from "./produce-request.ts";
import type { ProducerBatch } from "./producer-batch.ts";
import type { ProducerMetrics } from "./producer-metrics.ts";
import type { RecordAccumulator } from "./record-accumulator.ts";
import type { RequestSettings } from "./send-settings.ts";
import type { TransactionManager } from "./transaction-manager.ts";

const senderMoves = {
  asleep: ["woken", "closed"], // until something changes, or the alarm rings
  woken: ["asleep", "closed"], // looks in the next turn of the event loop
  closed: [],
} as const;

export interface SenderOptions extends RequestSettings {
  readonly transactionalId: string | null;
  readonly maxInFlightRequestsPerConnection: number;
  readonly maxRequestSize: number;
  readonly retries: number;
  /** Which read what was compressed, to split it. */
  readonly codecs: CompressionCodecs;
}

/**
 * Takes batches out of the accumulator, sends them to the leaders of their partitions, and settles what comes back. One
 * loop: it runs when something changed, or when its alarm rings, and never otherwise. Source: Kafka's `Sender`.
 */
export class Sender {
  readonly #options: SenderOptions;
  readonly #client: NetworkClient;
  readonly #accumulator: RecordAccumulator;
  readonly #transactions: TransactionManager | null;
  readonly #clock: Clock;
  readonly #metrics: ProducerMetrics | null;
  readonly #alarm: Alarm;
  readonly #unsubscribe: () => void;
  /** Until when brokers may answer that were given more time than requests have. */
  readonly #slowAnswersUntilMs = new Map<number, number>();
  readonly #state = new State<keyof typeof senderMoves>("asleep", senderMoves);

  /**
   * @param transactions `null` for a producer that numbers nothing
   * @param metrics `null` where nobody measures
   */
  constructor(
    options: SenderOptions,
    client: NetworkClient,
    accumulator: RecordAccumulator,
    transactions: TransactionManager | null,
    clock: Clock,
    metrics: ProducerMetrics | null = null,
  ) {
    this.#options = options;
    this.#client = client;
    this.#accumulator = accumulator;
    this.#transactions = transactions;
    this.#clock = clock;
    this.#metrics = metrics;
    this.#alarm = new Alarm(clock, () => this.wake());
    this.#unsubscribe = client.onWake(() => this.wake());
  }

  /**
   * Something changed. The loop looks at it in the next turn of the event loop, so that all that is sent in one turn
   * shares batches, with `lingerMs` 0 too, and many changes cost one look. In a microtask it would look between the
   * sends of callers that await other things too: 6.9 against 4.3 us CPU a record with 50 of them, latency being equal.
   */
  wake(): void {
    if (this.#state.now !== "asleep") return;
    this.#state.to("woken");
    this.#clock.after(0, () => {
      if (this.#state.now === "closed") return;
      this.#state.to("asleep");
      this.runOnce(this.#clock.now());
    });
  }

  /** Sends what is ready, and sees to it that the loop runs again when more will be. */
  runOnce(nowMs: number): void {
    this.#failExpired(nowMs);
    this.#transactions?.prepare();
    const cluster = this.#client.metadata.snapshot;
    const { nodeIds, nextCheckAtMs } = this.#accumulator.ready(cluster, nowMs);
    let nextRunAtMs = Math.min(nextCheckAtMs, this.#accumulator.nextExpiryAtMs);
    const refusals = new Map<number, AuthenticationError>();
    for (const nodeId of nodeIds) {
      const isReady = this.#client.ready(nodeId);
      this.#accumulator.availability.observe(nodeId, isReady, nowMs);
      if (isReady) continue;
      nodeIds.delete(nodeId);
      nextRunAtMs = Math.min(nextRunAtMs, this.#client.retryAtMs(nodeId));
      const refusal = this.#client.authenticationError(nodeId);
      if (refusal !== null) refusals.set(nodeId, refusal);
    }
    if (refusals.size > 0) this.#failRefused(refusals, cluster, nowMs);
    const drained = this.#accumulator.drain(cluster, nodeIds, this.#options.maxRequestSize, nowMs, this.#transactions);
    for (const [nodeId, batches] of drained) {
      if (this.#keepsOrder) for (const batch of batches) this.#accumulator.mute(batch);
      this.#client.metadata.use(batches.map(({ topic }) => topic));
      this.#produce(nodeId, batches, cluster);
    }
    // What had no room in these requests may be ready for the next ones.
    if (drained.size > 0) this.wake();
    this.#alarm.set(nextRunAtMs);
  }

  /**
   * Java's `guaranteeMessageOrder`: whoever allows one request in flight wants order without sequence numbers, so that of each
   * partition at most one batch is under way. With several, order takes sequence numbers.
   */
  get #keepsOrder(): boolean {
    return this.#options.maxInFlightRequestsPerConnection === 1;
  }

  /** Gives up on what was never sent. */
  failUnsent(error: KafkaError): void {
    for (const batch of this.#accumulator.takeUnsent()) this.#giveUp(batch, error);
  }

  /** Gives up on everything that is here: what waits fails, what is in flight may still arrive. */
  abort(error: KafkaError): void {
    for (const batch of this.#accumulator.abort()) this.#giveUp(batch, error);
  }

  /** Runs no more. */
  close(): void {
    this.#state.to("closed");
    this.#alarm.cancel();
    this.#unsubscribe();
  }

  #produce(nodeId: number, batches: readonly ProducerBatch[], cluster: ClusterSnapshot): void {
    if (batches.every(({ canBuild }) => canBuild)) {
      this.#write(nodeId, batches, cluster);
      return;
    }
    // One that is compressed faster must not overtake it.
    for (const batch of batches) this.#accumulator.mute(batch);
    void this.#compressAndWrite(nodeId, batches, cluster);
  }

  /** For a codec that works in the background only. The batches count as in flight meanwhile, and nothing of their partitions goes. */
  async #compressAndWrite(nodeId: number, batches: readonly ProducerBatch[], cluster: ClusterSnapshot): Promise<void> {
    const failures = await Promise.all(
      batches.map((batch) =>
        batch.compress().then(
          () => null,
          (error: unknown) => kafkaErrorOf(error, `compressing records for ${partitionText(batch)}`),
        ),
      ),
    );
    if (!this.#keepsOrder) for (const batch of batches) this.#accumulator.unmute(batch);
    const writable: ProducerBatch[] = [];
    const isReady = this.#client.ready(nodeId);
    batches.forEach((batch, index) => {
      const failure = failures[index] ?? null;
      if (batch.state !== "inFlight" || failure !== null) {
        this.#end(batch, failure);
      } else if (isReady) {
        writable.push(batch);
      } else {
        this.#unmute(batch);
        this.#accumulator.takeBack(batch);
      }
    });
    this.#write(nodeId, writable, cluster);
    this.wake();
  }

  #write(nodeId: number, batches: readonly ProducerBatch[], cluster: ClusterSnapshot): void {
    const built = batches.flatMap((batch) => this.#build(batch));
    const [first] = built;
    if (first === undefined) return;
    const settings = first.batch.settings ?? this.#options;
    const request = produceRequest(built, cluster, { transactionalId: this.#options.transactionalId, settings });
    const bounds = { ...produceBounds(request), ...this.#transactions?.produceBounds };
    const sentAtMs = this.#clock.now();
    const options = { bounds, timeoutMs: this.#answerTimeoutMs(nodeId, settings, sentAtMs) };
    this.#metrics?.requestSent(built, sentAtMs);
    const sent =
      settings.acks === 0
        ? this.#client.sendOnly(nodeId, Produce, request, options).then(() => null)
        : this.#client.send(nodeId, Produce, request, options);
    sent.then(
      (response) => this.#onAnswer(request, built, response, sentAtMs),
      (error: unknown) => this.#onNoAnswer(built, error),
    );
  }

  /**
   * A leader that was given more time than a request has is not cut off in it, by those neither that wait behind it: brokers answer
   * one request of a connection after the other.
   */
  #answerTimeoutMs(nodeId: number, { requestTimeoutMs: ackTimeoutMs }: RequestSettings, nowMs: number): number {
    const { requestTimeoutMs } = this.#options;
    let untilMs = this.#slowAnswersUntilMs.get(nodeId);
    if (ackTimeoutMs > requestTimeoutMs) {
      untilMs = Math.max(untilMs ?? nowMs, nowMs + ackTimeoutMs + ackLapseMs);
      this.#slowAnswersUntilMs.set(nodeId, untilMs);
    }
    return untilMs === undefined ? requestTimeoutMs : Math.max(requestTimeoutMs, untilMs - nowMs);
  }

  #build(batch: ProducerBatch): BuiltBatch[] {
    try {
      const records = batch.build();
      this.#accumulator.observeCompression(batch);
      return [{ batch, records }];
    } catch (error) {
      this.#end(batch, kafkaErrorOf(error, `building a batch for ${partitionText(batch)}`));
      return [];
    }
  }

  /** @param response `null` where none was asked for */
  #onAnswer(
    request: ProduceRequestBody,
    built: readonly BuiltBatch[],
    response: ProduceResponse | null,
    sentAtMs: number,
  ): void {
    const nowMs = this.#clock.now();
    if (response === null) {
      this.#metrics?.requestEnded();
      for (const { batch } of built) this.#complete(batch, -1n, -1);
    } else {
      this.#metrics?.requestAnswered(nowMs - sentAtMs, response.throttleTimeMs, nowMs);
      const answers = new ProduceAnswers(request, response);
      for (const { batch, records } of built) this.#settle(batch, records, answers.of(batch), response, nowMs);
    }
    this.wake();
  }

  /** What was written may have been carried out; an answer that cannot be had says nothing about it. */
  #onNoAnswer(built: readonly BuiltBatch[], error: unknown): void {
    const nowMs = this.#clock.now();
    this.#metrics?.requestEnded();
    this.#client.requestUpdate();
    for (const { batch } of built) {
      const cause = kafkaErrorOf(error, `Produce to ${partitionText(batch)}`);
      this.#retryOrFail(batch, cause, !isUnwritten(cause), nowMs);
    }
    this.wake();
  }

  #settle(
    batch: ProducerBatch,
    records: Buffer,
    answer: PartitionAnswer | undefined,
    { nodeEndpoints }: ProduceResponse,
    nowMs: number,
  ): void {
    const about = `Produce to ${partitionText(batch)}`;
    if (answer === undefined) {
      const error = new KafkaError(`${about}: the broker left the partition out of its answer`, { code: "DECODE" });
      this.#retryOrFail(batch, error, true, nowMs);
      return;
    }
    const { name, refresh } = brokerErrorByCode(answer.errorCode);
    if (name === "NONE") {
      this.#complete(batch, answer.baseOffset, Number(answer.logAppendTimeMs), answer.logStartOffset);
      return;
    }
    if (name === "DUPLICATE_SEQUENCE_NUMBER") {
      // It has the batch, from an attempt so long ago that it does not know where.
      this.#complete(batch, -1n, -1);
      return;
    }
    // The size is checked before the numbers, so that this says nothing about an earlier attempt. If that one is in the log,
    // parts under its numbers are neither known again nor next.
    const isSplittable = batch.recordCount > 1 && batch.state === "inFlight" && !batch.mayBeInLog;
    if (name === "MESSAGE_TOO_LARGE" && isSplittable) {
      void this.#split(batch, records);
      return;
    }
    if (refresh === "metadata") this.#client.requestUpdate();
    const { cause, causes } = causesOf(answer, batch.recordCount, about);
    const { topic, partition } = batch;
    // Nobody sends again what was given up, so that nothing has to begin anew for it.
    const isAwaited = batch.state === "inFlight";
    const mayRetry =
      this.#transactions === null ? cause.retriable : isAwaited && this.#transactions.mayRetry(batch, answer);
    this.#retryOrFail(batch, cause, !isRefusal(answer.errorCode), nowMs, { causes, mayRetry });
    // Another broker is asked next, which needs no back-off (KIP-951).
    const hint = { topic, partition, ...answer.currentLeader };
    if (this.#client.metadata.updateLeaders([hint], nodeEndpoints).length > 0) batch.hurry();
  }

  /** It is sent again in smaller batches. Its partition goes on with them, and with nothing that is behind it. */
  async #split(batch: ProducerBatch, records: Buffer): Promise<void> {
    try {
      const open = (leastBytes: number) => this.#accumulator.openPart(batch, leastBytes);
      const parts = await splitBatch(batch, records, this.#options.codecs, open);
      // It may have run out of time meanwhile.
      if (batch.state !== "inFlight") {
        this.#end(batch, null);
        return;
      }
      this.#metrics?.batchSplit(this.#clock.now());
      this.#transactions?.onSplit(batch, parts);
      this.#unmute(batch);
      this.#accumulator.replace(batch, parts);
    } catch (error) {
      this.#end(batch, kafkaErrorOf(error, `splitting a batch for ${partitionText(batch)}`));
    }
    this.wake();
  }

  #unmute(batch: ProducerBatch): void {
    if (this.#keepsOrder) this.#accumulator.unmute(batch);
  }

  #complete(batch: ProducerBatch, baseOffset: bigint, logAppendTimeMs: number, logStartOffset = -1n): void {
    this.#transactions?.onCompleted(batch, baseOffset);
    if (batch.state === "abandoned") {
      this.#end(batch, null);
      return;
    }
    this.#unmute(batch);
    this.#accumulator.release(batch);
    batch.complete(baseOffset, logAppendTimeMs, logStartOffset);
  }

  #retryOrFail(
    batch: ProducerBatch,
    error: KafkaError,
    mayBeInLog: boolean,
    nowMs: number,
    { causes, mayRetry = error.retriable }: FailureDetails = {},
  ): void {
    if (batch.state === "inFlight" && mayRetry && batch.attempts < this.#options.retries) {
      this.#unmute(batch);
      this.#metrics?.batchRetried(batch.topic, batch.recordCount, nowMs);
      this.#accumulator.reenqueue(batch, nowMs, error, mayBeInLog);
    } else {
      this.#end(batch, error, mayBeInLog, causes);
    }
  }

  /** Ends a batch to which no request points any more; the records of an abandoned one know already. */
  #end(
    batch: ProducerBatch,
    error: KafkaError | null,
    mayBeInLog = false,
    causes?: ReadonlyMap<number, KafkaError>,
  ): void {
    this.#unmute(batch);
    this.#accumulator.release(batch);
    if (batch.state === "abandoned" || error === null) {
      this.#transactions?.onLetGo(batch);
      batch.letGo();
      return;
    }
    this.#fail(batch, error, mayBeInLog, causes);
  }

  #fail(batch: ProducerBatch, error: KafkaError, mayBeInLog: boolean, causes?: ReadonlyMap<number, KafkaError>): void {
    const isInLog = this.#transactions?.isKnownToBeInLog(batch) === true ? "yes" : mayBeInLog ? "maybe" : "no";
    const fate = mayBeInLog || batch.mayBeInLog ? "unknown" : "refused";
    this.#metrics?.batchFailed(batch.topic, batch.recordCount, this.#clock.now());
    // First, since a callback may send again.
    this.#transactions?.onFailed(batch, error, fate);
    batch.fail(error, isInLog, causes);
  }

  /** Who is not let in need not wait for the end of `deliveryTimeoutMs` to know. */
  #failRefused(refusals: ReadonlyMap<number, AuthenticationError>, cluster: ClusterSnapshot, nowMs: number): void {
    const refusing = new Set(refusals.keys());
    for (const [nodeId, batches] of this.#accumulator.drain(cluster, refusing, Number.POSITIVE_INFINITY, nowMs)) {
      for (const batch of batches) this.#end(batch, refusals.get(nodeId) ?? null);
      // What is behind them in their partitions comes next.
      this.wake();
    }
  }

  #failExpired(nowMs: number): void {
    for (const batch of this.#accumulator.expired(nowMs)) {
      const what = `delivery of ${batch.recordCount} record(s) to ${partitionText(batch)}`;
      this.#giveUp(batch, new TimeoutError(what, nowMs - batch.createdAtMs, { cause: batch.lastError }));
    }
  }

  /** The buffer of a batch in flight stays taken until its request has ended: the socket may still read it. */
  #giveUp(batch: ProducerBatch, error: KafkaError): void {
    if (batch.state === "inFlight") {
      this.#metrics?.batchFailed(batch.topic, batch.recordCount, this.#clock.now());
      batch.abandon(error, this.#transactions?.isKnownToBeInLog(batch) === true ? "yes" : "maybe");
      this.#transactions?.onFailed(batch, error, "open");
      return;
    }
    this.#accumulator.release(batch);
    this.#fail(batch, error, false);
  }
}

/** How much later than it was told to a leader may say that its replicas are late, milliseconds. */
const ackLapseMs = 5_000;

interface FailureDetails {
  /** Of the records whose own reason differs. */
  readonly causes?: ReadonlyMap<number, KafkaError>;
  /** @default whether the error is retriable */
  readonly mayRetry?: boolean;
}

/** What was never written: no version fits, or the body does not. */
const isUnwritten = (error: KafkaError): boolean => error.code === "UNSUPPORTED_VERSION" || error.code === "ENCODE";

/**
 * Whether a broker that answers this does not have the batch. Errors that no retry mends are found before the append;
 * those that may pass can come after it (a leader that steps down while it waits for its replicas answers
 * NOT_LEADER_OR_FOLLOWER), except three that belong to the checks. UNKNOWN_SERVER_ERROR can be anything.
 */
function isRefusal(errorCode: number): boolean {
  const { name, retriable } = brokerErrorByCode(errorCode);
  if (name === "NOT_ENOUGH_REPLICAS" || name === "CORRUPT_MESSAGE" || name === "CONCURRENT_TRANSACTIONS") return true;
  return !retriable && name !== "UNKNOWN_SERVER_ERROR";
}

/** Why each record failed: a broker may name those for which it refused the whole batch (KIP-467). */
function causesOf(
  { errorCode, errorMessage, recordErrors }: PartitionAnswer,
  recordCount: number,
  about: string,
): { readonly cause: KafkaError; readonly causes: ReadonlyMap<number, KafkaError> } {
  const causes = new Map<number, KafkaError>();
  // A broker that names more records than there are is not followed.
  for (const { batchIndex, batchIndexErrorMessage } of recordErrors.slice(0, recordCount)) {
    causes.set(batchIndex, new BrokerError(errorCode, about, batchIndexErrorMessage ?? errorMessage));
  }
  const message = causes.size > 0 ? "another record of the same batch was refused" : errorMessage;
  return { cause: new BrokerError(errorCode, about, message), causes };
}

/** What is thrown outside of Odradek, such as by a codec, with the name of what was under way. */
function kafkaErrorOf(error: unknown, about: string): KafkaError {
  if (error instanceof KafkaError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new KafkaError(`${about}: ${reason}`, { code: "ENCODE", cause: error });
}
