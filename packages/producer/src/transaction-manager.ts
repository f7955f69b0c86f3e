import { type Logger, partitionText, StateError, type TopicPartition } from "@odradek/network";
import { type BrokerErrorName, brokerErrorByCode, KafkaError } from "@odradek/protocol";
import type { ResolvedGroupMetadata, TransactionOffset } from "./group-metadata.ts";
import { PartitionSequences } from "./partition-sequences.ts";
import type { PartitionAnswer } from "./produce-request.ts";
import type { ProducerBatch } from "./producer-batch.ts";
import { hasId, isSameProducer, lastEpoch, noProducerId, type ProducerIdAndEpoch } from "./producer-id.ts";
import { TransactionError } from "./transaction-error.ts";
import {
  TransactionRequestFailure,
  type TransactionRequests,
  type TransactionVersion,
} from "./transaction-requests.ts";
import { type TransactionState, transactionStates } from "./transaction-state.ts";

/** What a manager has the rest of the producer do. */
export interface TransactionManagerListener {
  /** Something changed that batches may have waited for. */
  onChange(): void;
  /** Sends what is here, and resolves when its records were told what became of them. */
  flush(): Promise<void>;
  /** Has every batch fail that was never sent. */
  failUnsent(error: KafkaError): void;
  /** Has every batch fail. */
  failAll(error: KafkaError): void;
}

/** What is needed of the requests. */
type Requests = Pick<TransactionRequests, keyof TransactionRequests>;

/** Errors in answers to Produce after which the producer itself cannot go on. */
const fatalErrors: ReadonlySet<string> = new Set<BrokerErrorName>([
  "CLUSTER_AUTHORIZATION_FAILED",
  "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
  "PRODUCER_FENCED",
  "UNSUPPORTED_VERSION",
  "INVALID_PRODUCER_ID_MAPPING",
]);

/** Errors of whoever called `send`, which say nothing about the transaction. */
const callerErrors: ReadonlySet<string> = new Set(["OPTIONS", "SERIALIZATION", "STATE", "ABORTED", "CLOSED"]);

/**
 * Who a producer is to the brokers, and how far its transaction has come. It decides which batches may be sent under which
 * numbers, and what the answers mean; `TransactionRequests` does the asking, one request at a time.
 * Source: Kafka's `TransactionManager`.
 */
export class TransactionManager {
  readonly isTransactional: boolean;
  readonly #requests: Requests;
  readonly #logger: Logger;
  readonly #listener: TransactionManagerListener;
  readonly #state = transactionStates();
  readonly #sequences = new PartitionSequences();
  #producer: ProducerIdAndEpoch = noProducerId;
  /** Why it is in an error state. */
  #error: KafkaError | null = null;
  /** Partitions whose numbers begin anew with the next epoch, since the broker does not take their batches. */
  readonly #toRestart = new Map<string, TopicPartition>();
  /** Whether the coordinator has to be asked for the next epoch before there can be another transaction. */
  #isBumpDue = false;
  /** Of the open transaction; it can change between two. */
  #version: TransactionVersion = 1;
  /** Partitions that the coordinator knows to be in the transaction. */
  readonly #partitions = new Set<string>();
  /** Partitions that it has to be told of. */
  readonly #newPartitions = new Map<string, TopicPartition>();
  /** Whether the coordinator knows of the transaction, so that it has to be ended. */
  #isStarted = false;
  /** The end of what is asked at the moment: requests go one after the other. */
  #asking: Promise<unknown> = Promise.resolve();

  constructor(requests: Requests, isTransactional: boolean, logger: Logger, listener: TransactionManagerListener) {
    this.#requests = requests;
    this.isTransactional = isTransactional;
    this.#logger = logger;
    this.#listener = listener;
  }

  get state(): TransactionState {
    return this.#state.now;
  }

  /** Versions of Produce that a batch may go in: before transaction version 2 the newer ones would add partitions by themselves. */
  get produceBounds(): { readonly newest?: number } {
    return this.isTransactional && this.#version === 1 ? { newest: 11 } : {};
  }

  /** @throws StateError, TransactionError where a record cannot be sent now */
  requireSendable(): void {
    this.#requireNoError("send");
    if (this.isTransactional && !this.#state.is("IN_TRANSACTION")) {
      const todo = this.#state.is("UNINITIALIZED", "INITIALIZING") ? "await initTransactions and " : "";
      throw new StateError(`send: no transaction is open, ${todo}call beginTransaction first`);
    }
  }

  /** The same for a record that had to wait: it may be appended as long as the transaction can be committed. */
  requireAppendable(): void {
    this.#requireNoError("send");
    if (this.#state.is("REFUSED")) this.#state.to("UNINITIALIZED");
    if (!this.isTransactional || this.#state.is("IN_TRANSACTION", "COMMITTING_TRANSACTION")) return;
    throw new StateError("send: the transaction has ended meanwhile");
  }

  /** What has to come before batches are drained; what it begins ends with `onChange`. */
  prepare(): void {
    if (this.#state.is("FATAL_ERROR", "ABORTABLE_ERROR")) return;
    for (const partition of this.#sequences.takeGaps()) this.#onGap(partition);
    if (this.isTransactional) return;
    if (this.#toRestart.size > 0) this.#bumpEpoch();
    if (this.#state.is("UNINITIALIZED")) void this.#askForId();
  }

  /** Whether a batch may be sent now. */
  mayDrain(batch: ProducerBatch): boolean {
    if (!hasId(this.#producer)) return false;
    if (this.isTransactional && !this.#mayWriteTo(batch)) return false;
    return this.#sequences.mayDrain(batch, this.#producer);
  }

  /** A batch is sent: gives it its numbers, unless it has them from an earlier attempt. */
  number(batch: ProducerBatch): void {
    if (!batch.hasSequence) this.#sequences.number(batch, this.#producer, this.isTransactional);
  }

  /** A batch is in the log. @param baseOffset -1 where the broker does not tell */
  onCompleted(batch: ProducerBatch, baseOffset: bigint): void {
    this.#sequences.completed(batch, baseOffset);
  }

  /** Replaces a batch that is too large by its parts. */
  onSplit(large: ProducerBatch, parts: readonly ProducerBatch[]): void {
    this.#sequences.split(large, parts);
  }

  /**
   * A batch has failed for good, and its records are told so.
   *
   * @param fate `refused`: it is surely not in the log, and those behind it would leave a gap; `unknown`: it may be;
   *   `open`: it may be, and the answer may still come, which `onCompleted` or `onLetGo` says
   */
  onFailed(batch: ProducerBatch, error: KafkaError, fate: "refused" | "unknown" | "open"): void {
    this.#fail(error);
    if (!batch.hasSequence) return;
    if (fate === "refused" && this.isTransactional) this.#sequences.closeGap(batch);
    // Its numbers may be used up, or are missing: what comes next waits until every answer is there. Those before it may be in
    // the log, and keep their numbers until they are settled.
    else this.#sequences.markUnresolved(batch);
    if (fate !== "open") this.#sequences.remove(batch);
    // Who is forgotten begins at 0, where epochs cannot be raised.
    if (error.code === "UNKNOWN_PRODUCER_ID" && this.isTransactional) this.#sequences.restart(batch, this.#producer);
  }

  /** No answer will come any more about a batch that was given up. */
  onLetGo(batch: ProducerBatch): void {
    this.#sequences.remove(batch);
  }

  /** Whether a later batch of the same partition is in the log, which implies this one. */
  isKnownToBeInLog(batch: ProducerBatch): boolean {
    return batch.hasSequence && this.#sequences.isKnownToBeInLog(batch);
  }

  /**
   * Whether a batch may be sent again after an error of the broker. It may have the numbers begin anew.
   * Source: `TransactionManager.canRetry`.
   */
  mayRetry(batch: ProducerBatch, { errorCode, logStartOffset }: PartitionAnswer): boolean {
    const { name, retriable } = brokerErrorByCode(errorCode);
    if (!batch.hasSequence) return retriable;
    if (name === "UNKNOWN_PRODUCER_ID") return this.#mayRetryUnknownProducer(batch, logStartOffset);
    if (name === "OUT_OF_ORDER_SEQUENCE_NUMBER") return this.#mayRetryOutOfOrder(batch);
    return retriable;
  }

  /**
   * Gets an id from the coordinator, which fences the producers before and ends what they left open.
   *
   * @throws TransactionError, StateError
   */
  async initTransactions(): Promise<void> {
    this.#requireNoError("initTransactions");
    this.#requireState("initTransactions", "UNINITIALIZED");
    this.#state.to("INITIALIZING");
    await this.#perform("initTransactions", async () => {
      this.#adopt(await this.#requests.initProducerId(noProducerId));
      this.#isBumpDue = false;
      this.#state.to("READY");
    });
  }

  /** @throws TransactionError, StateError */
  beginTransaction(): void {
    this.#requireNoError("beginTransaction");
    this.#requireState("beginTransaction", "READY");
    this.#version = this.#requests.transactionVersion;
    this.#state.to("IN_TRANSACTION");
  }

  /** @throws TransactionError, StateError */
  async sendOffsets(offsets: readonly TransactionOffset[], group: ResolvedGroupMetadata): Promise<void> {
    this.#requireNoError("sendOffsetsToTransaction");
    this.#requireState("sendOffsetsToTransaction", "IN_TRANSACTION");
    await this.#perform("sendOffsetsToTransaction", async () => {
      this.#requireInTransaction("sendOffsetsToTransaction");
      if (this.#version === 1) await this.#requests.addOffsets(this.#producer, group.groupId);
      this.#isStarted = true;
      this.#requireInTransaction("sendOffsetsToTransaction");
      await this.#requests.commitOffsets(this.#producer, group, offsets, this.#version);
    });
  }

  /** Delivers what was sent, and has it count. @throws TransactionError, StateError */
  async commit(): Promise<void> {
    this.#requireNoError("commitTransaction");
    this.#requireState("commitTransaction", "IN_TRANSACTION");
    this.#state.to("COMMITTING_TRANSACTION");
    await this.#listener.flush();
    // A batch may have failed meanwhile.
    this.#requireNoError("commitTransaction");
    await this.#perform("commitTransaction", () => this.#end(true));
  }

  /** Has nothing count that was sent. @throws TransactionError, StateError */
  async abort(): Promise<void> {
    if (this.#state.is("FATAL_ERROR")) this.#requireNoError("abortTransaction");
    this.#requireState("abortTransaction", "IN_TRANSACTION", "ABORTABLE_ERROR");
    const cause = this.#error ?? new KafkaError("the transaction was aborted", { code: "TRANSACTION_ABORTED" });
    this.#state.to("ABORTING_TRANSACTION");
    this.#requests.stop();
    this.#error = null;
    this.#newPartitions.clear();
    this.#listener.failUnsent(cause);
    await this.#listener.flush();
    // A batch that was under way may have told that the producer is fenced.
    this.#requireNoError("abortTransaction");
    await this.#perform("abortTransaction", () => this.#end(false));
  }

  /** Whether a transaction is open, which has to be ended before the producer is. */
  get isOpen(): boolean {
    return this.#state.is("IN_TRANSACTION", "ABORTABLE_ERROR");
  }

  /** Whether a transaction is being ended. */
  get isEnding(): boolean {
    return this.#state.is("COMMITTING_TRANSACTION", "ABORTING_TRANSACTION");
  }

  /** Asks nobody any more: what is under way fails with `error`. */
  close(error: KafkaError): void {
    this.#requests.close(error);
  }

  /**
   * Whether a batch's partition is in the transaction. Before transaction version 2 the coordinator has to be told first, of all
   * that are found in one go.
   */
  #mayWriteTo(batch: ProducerBatch): boolean {
    const key = partitionText(batch);
    if (batch.hasSequence || this.#partitions.has(key)) return true;
    if (!this.#state.is("IN_TRANSACTION", "COMMITTING_TRANSACTION")) return false;
    if (this.#version === 2) {
      this.#partitions.add(key);
      this.#isStarted = true;
      return true;
    }
    if (this.#newPartitions.size === 0) queueMicrotask(() => void this.#addPartitions());
    this.#newPartitions.set(key, { topic: batch.topic, partition: batch.partition });
    return false;
  }

  async #end(committed: boolean): Promise<void> {
    const what = committed ? "commitTransaction" : "abortTransaction";
    // What was asked before it may have failed.
    this.#requireNoError(what);
    if (this.#isStarted) {
      const next = await this.#requests.endTransaction(this.#producer, committed, this.#version);
      // It was found meanwhile that what was given up left a gap. Who has committed has, and learns of it at the next call.
      if (committed && this.#state.is("FATAL_ERROR")) return;
      this.#requireNoError(what);
      if (!isSameProducer(next, this.#producer)) this.#adopt(next);
    }
    this.#isStarted = false;
    this.#partitions.clear();
    // Answers that come later still find another epoch.
    if (this.#sequences.hasUnresolved && this.#requests.canBumpEpoch) this.#isBumpDue = true;
    if (this.#isBumpDue && this.#version === 1) {
      this.#state.to("INITIALIZING");
      this.#adopt(await this.#requests.initProducerId(this.#producer));
    }
    this.#isBumpDue = false;
    this.#state.to("READY");
    this.#listener.onChange();
  }

  async #addPartitions(): Promise<void> {
    try {
      await this.#inTurn(async () => {
        const partitions = [...this.#newPartitions.values()];
        // An abort has forgotten them, or what was asked before them has failed.
        if (partitions.length === 0 || !this.#state.is("IN_TRANSACTION", "COMMITTING_TRANSACTION")) return;
        await this.#requests.addPartitions(this.#producer, partitions);
        this.#isStarted = true;
        for (const partition of partitions) {
          const key = partitionText(partition);
          this.#partitions.add(key);
          this.#newPartitions.delete(key);
        }
      });
    } catch (error) {
      this.#newPartitions.clear();
      this.#failed(error);
    }
    if (!this.#state.is("IN_TRANSACTION", "COMMITTING_TRANSACTION")) this.#newPartitions.clear();
    if (this.#newPartitions.size > 0) void this.#addPartitions();
    this.#listener.onChange();
  }

  /** For a producer without transactions. */
  async #askForId(): Promise<void> {
    this.#state.to("INITIALIZING");
    try {
      const producer = await this.#inTurn(() => this.#requests.initProducerId(noProducerId));
      // A batch that was under way may have told meanwhile that the producer cannot go on.
      if (!this.#state.is("INITIALIZING")) return;
      this.#adopt(producer);
      this.#state.to("READY");
    } catch (error) {
      // Else the producer is closed.
      if (!(error instanceof TransactionRequestFailure) || !this.#state.is("INITIALIZING")) return;
      // Rights may be granted later: who is here now fails, and the next record asks again.
      this.#state.to("REFUSED");
      this.#listener.failUnsent(error.cause);
    }
    this.#listener.onChange();
  }

  /** Runs an operation of the user behind what is asked at the moment. @throws TransactionError */
  async #perform(what: string, run: () => Promise<void>): Promise<void> {
    try {
      await this.#inTurn(run);
    } catch (error) {
      const failure = this.#failed(error);
      if (failure === null) throw error;
      // Nothing is lost: the same call may be made again, or after an abort, which has succeeded, `initTransactions`.
      if (this.#state.is("UNINITIALIZED")) throw failure;
      // What was asked may have been given up because of it.
      throw new TransactionError(what, this.#error ?? failure, !this.#state.is("FATAL_ERROR"));
    }
  }

  /** One request at a time. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const done = this.#asking.then(run);
    this.#asking = done.catch(() => {});
    return done;
  }

  /** Takes in that a request failed. @returns why, `null` where the producer was closed meanwhile */
  #failed(error: unknown): KafkaError | null {
    if (!(error instanceof TransactionRequestFailure)) return null;
    const { request, verdict, cause } = error;
    if (verdict === "fatal") this.#toFatal(cause);
    else if (this.#state.is("INITIALIZING")) this.#state.to("UNINITIALIZED");
    // There is no other way out of a transaction than an abort.
    else if (request === "EndTxn" && this.#state.is("ABORTING_TRANSACTION")) this.#toFatal(cause);
    else if (verdict === "abortable") this.#toAbortable(cause);
    else if (this.#requests.canBumpEpoch || this.#version === 2) this.#toAbortable(cause);
    else this.#toFatal(cause);
    return cause;
  }

  /** A record failed before it was in a batch, so that its transaction must not be committed. Source: `KafkaProducer.doSend`. */
  onSendFailed(error: KafkaError): void {
    if (this.isTransactional && !(error instanceof TransactionError) && !callerErrors.has(error.code))
      this.#fail(error);
  }

  /** Takes in that a batch failed. */
  #fail(error: KafkaError): void {
    // It failed because there is no id, which may be had later.
    if (this.#state.is("REFUSED")) return;
    if (fatalErrors.has(error.code)) this.#toFatal(error);
    else if (this.isTransactional) this.#toAbortable(error);
  }

  #toAbortable(cause: KafkaError): void {
    // While it is aborted there is nothing to abort again: only what is fatal counts.
    if (!this.#state.is("IN_TRANSACTION", "COMMITTING_TRANSACTION")) return;
    this.#state.to("ABORTABLE_ERROR");
    this.#requests.stop();
    this.#error = cause;
    if (this.#requests.canBumpEpoch) this.#isBumpDue = true;
    this.#listener.failUnsent(new TransactionError("the transaction has failed", cause, true));
    this.#listener.onChange();
  }

  #toFatal(cause: KafkaError): void {
    if (this.#state.is("FATAL_ERROR")) return;
    this.#state.to("FATAL_ERROR");
    this.#requests.stop();
    this.#error = cause;
    this.#logger.error(`the producer cannot go on: ${cause.message}`);
    this.#listener.failAll(new TransactionError("the producer cannot go on", cause, false));
    this.#listener.onChange();
  }

  #onGap(partition: TopicPartition): void {
    if (!this.isTransactional) {
      this.#requestRestart(partition);
      return;
    }
    const text = `records for ${partitionText(partition)} were given up, and may be in the log`;
    const error = new KafkaError(text, { code: "OUT_OF_ORDER_SEQUENCE_NUMBER" });
    if (!this.#requests.canBumpEpoch && this.#version === 1) {
      this.#toFatal(error);
      return;
    }
    // An abort that is under way mends it too.
    this.#isBumpDue = true;
    this.#toAbortable(error);
  }

  #requestRestart(partition: TopicPartition): void {
    this.#toRestart.set(partitionText(partition), { topic: partition.topic, partition: partition.partition });
  }

  /** Without asking anybody: a broker takes a higher epoch of an id that it knows (KIP-360). */
  #bumpEpoch(): void {
    if (!hasId(this.#producer)) return;
    const { producerId, producerEpoch } = this.#producer;
    if (producerEpoch >= lastEpoch) {
      this.#producer = noProducerId;
      this.#state.to("UNINITIALIZED");
      return;
    }
    this.#adopt({ producerId, producerEpoch: producerEpoch + 1 });
  }

  /** Goes on under another id or epoch. */
  #adopt(producer: ProducerIdAndEpoch): void {
    this.#producer = producer;
    if (this.isTransactional) this.#sequences.clear();
    for (const partition of this.#toRestart.values()) this.#sequences.restart(partition, producer);
    this.#toRestart.clear();
  }

  #mayRetryUnknownProducer(batch: ProducerBatch, logStartOffset: bigint): boolean {
    // The partition has moved to a broker that does not know yet.
    if (logStartOffset < 0n || batch.isRenumbered || !this.#sequences.isFirst(batch)) return true;
    // What this producer wrote was deleted from the log, and what was known of the producer with it.
    const isForgotten = this.#sequences.lastAckedOffset(batch) < logStartOffset;
    if (this.isTransactional) {
      if (isForgotten) this.#sequences.restart(batch, this.#producer);
      return isForgotten;
    }
    this.#requestRestart(batch);
    return true;
  }

  #mayRetryOutOfOrder(batch: ProducerBatch): boolean {
    const isUnresolved = this.#sequences.isUnresolved(batch);
    // It follows one that failed: when that one is there, this one will do.
    if (!isUnresolved && (batch.isRenumbered || !this.#sequences.isNext(batch))) return true;
    if (this.isTransactional) return false;
    // Else the gap is real, unless it is that of a batch whose fate is open yet; those before it may be in the log.
    const isGap = !isUnresolved || this.#sequences.isNextBehindUnresolved(batch);
    if (isGap && this.#sequences.isFirst(batch)) this.#requestRestart(batch);
    return true;
  }

  #requireNoError(what: string): void {
    if (this.#error !== null) throw new TransactionError(what, this.#error, this.#state.is("ABORTABLE_ERROR"));
  }

  /** Before another request: one that went before may have failed, or an abort have begun. */
  #requireInTransaction(what: string): void {
    this.#requireNoError(what);
    this.#requireState(what, "IN_TRANSACTION", "COMMITTING_TRANSACTION");
  }

  #requireState(what: string, ...states: readonly TransactionState[]): void {
    if (this.#state.is(...states)) return;
    throw new StateError(`${what}: the producer is ${this.#state.now}, and must be ${states.join(" or ")}`);
  }
}
