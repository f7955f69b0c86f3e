import {
  type Logger,
  type OffsetToCommit,
  partitionText,
  StateError,
  TimeoutError,
  type TopicPartition,
} from "@odradek/network";
import { KafkaError } from "@odradek/protocol";
import { BatchNumbers } from "./batch-numbers.ts";
import type { ResolvedGroupMetadata } from "./group-metadata.ts";
import type { PartitionAnswer } from "./produce-request.ts";
import type { ProducerBatch } from "./producer-batch.ts";
import { hasId, isSameProducer, noProducerId, type ProducerIdAndEpoch } from "./producer-id.ts";
import { TransactionError } from "./transaction-error.ts";
import { TransactionPartitions } from "./transaction-partitions.ts";
import { TransactionRequestFailure } from "./transaction-request-failure.ts";
import type { InitializedProducer, TransactionRequests, TransactionVersion } from "./transaction-requests.ts";
import { preparedText, TransactionStanding } from "./transaction-standing.ts";
import type { TransactionState } from "./transaction-state.ts";
import { endsProducer, isOfCaller } from "./transaction-verdicts.ts";

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

/** States in which records are on their way into the transaction. */
const writing = ["IN_TRANSACTION", "PREPARING_TRANSACTION", "COMMITTING_TRANSACTION"] as const;

/** What is needed of the requests. */
type Requests = Pick<TransactionRequests, keyof TransactionRequests>;

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
  readonly #state = new TransactionStanding();
  readonly #numbers: BatchNumbers;
  /** Whether the coordinator has to be asked for the next epoch before there can be another transaction. */
  #isBumpDue = false;
  /** Of the open transaction; it can change between two. */
  #version: TransactionVersion = 1;
  readonly #partitions = new TransactionPartitions();
  /** Whether the coordinator knows of the transaction, so that it has to be ended. */
  #isStarted = false;
  /** Under which the prepared transaction was prepared. */
  #prepared: ProducerIdAndEpoch = noProducerId;
  /** The end of what is asked at the moment: requests go one after the other. */
  #asking: Promise<unknown> = Promise.resolve();

  constructor(requests: Requests, isTransactional: boolean, logger: Logger, listener: TransactionManagerListener) {
    this.#requests = requests;
    this.isTransactional = isTransactional;
    this.#numbers = new BatchNumbers(isTransactional);
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
    this.#state.requireNoError("send");
    if (!this.isTransactional || this.#state.is("IN_TRANSACTION")) return;
    if (this.#state.is("PREPARING_TRANSACTION", "PREPARED_TRANSACTION")) throw new StateError(`send: ${preparedText}`);
    const todo = this.#state.is("UNINITIALIZED", "INITIALIZING") ? "await initTransactions and " : "";
    throw new StateError(`send: no transaction is open, ${todo}call beginTransaction first`);
  }

  /** The same for a record that had to wait: it may be appended as long as the transaction can be committed. */
  requireAppendable(): void {
    this.#state.requireNoError("send");
    if (this.#state.is("REFUSED")) this.#state.to("UNINITIALIZED");
    if (!this.isTransactional || this.#state.is(...writing)) return;
    throw new StateError("send: the transaction has ended meanwhile");
  }

  /** What has to come before batches are drained; what it begins ends with `onChange`. */
  prepare(): void {
    if (this.#state.is("FATAL_ERROR", "ABORTABLE_ERROR")) return;
    for (const partition of this.#numbers.takeGaps()) this.#onGap(partition);
    if (this.isTransactional) return;
    if (this.#numbers.isBumpDue && !this.#numbers.bumpEpoch()) this.#state.to("UNINITIALIZED");
    if (this.#state.is("UNINITIALIZED")) void this.#askForId();
  }

  /** Whether a batch may be sent now. */
  mayDrain(batch: ProducerBatch): boolean {
    if (!hasId(this.#numbers.producer)) return false;
    if (this.isTransactional && !this.#mayWriteTo(batch)) return false;
    return this.#numbers.mayDrain(batch);
  }

  /** A batch is sent: gives it its numbers, unless it has them from an earlier attempt. */
  number(batch: ProducerBatch): void {
    this.#numbers.number(batch);
  }

  /** A batch is in the log. @param baseOffset -1 where the broker does not tell */
  onCompleted(batch: ProducerBatch, baseOffset: bigint): void {
    this.#numbers.completed(batch, baseOffset);
  }

  /** Replaces a batch that is too large by its parts. */
  onSplit(large: ProducerBatch, parts: readonly ProducerBatch[]): void {
    this.#numbers.split(large, parts);
  }

  /**
   * A batch has failed for good, and its records are told so.
   *
   * @param fate `refused`: it is surely not in the log, and those behind it would leave a gap; `unknown`: it may be;
   *   `open`: it may be, and the answer may still come, which `onCompleted` or `onLetGo` says
   */
  onFailed(batch: ProducerBatch, error: KafkaError, fate: "refused" | "unknown" | "open"): void {
    this.#fail(error);
    this.#numbers.failed(batch, error, fate);
  }

  /** No answer will come any more about a batch that was given up. */
  onLetGo(batch: ProducerBatch): void {
    this.#numbers.letGo(batch);
  }

  /** Whether a later batch of the same partition is in the log, which implies this one. */
  isKnownToBeInLog(batch: ProducerBatch): boolean {
    return this.#numbers.isKnownToBeInLog(batch);
  }

  /** Whether a batch may be sent again after an error of the broker. It may have the numbers begin anew. */
  mayRetry(batch: ProducerBatch, answer: PartitionAnswer): boolean {
    return this.#numbers.mayRetry(batch, answer);
  }

  /**
   * Gets an id from the coordinator, which fences the producers before and ends what they left open.
   *
   * @param keepsPrepared whether it leaves a transaction open that was prepared; then that one has to be completed first
   * @throws TransactionError, StateError
   */
  async initTransactions(keepsPrepared = false): Promise<void> {
    this.#state.requireNoError("initTransactions");
    this.#state.require("initTransactions", "UNINITIALIZED");
    this.#state.to("INITIALIZING");
    await this.#perform("initTransactions", async () => {
      if (keepsPrepared) this.#takeOver(await this.#requests.keepPrepared());
      else this.#takeOver({ producer: await this.#requests.initProducerId(noProducerId), ongoing: noProducerId });
    });
  }

  /** @throws TransactionError, StateError */
  beginTransaction(): void {
    this.#state.requireNoError("beginTransaction");
    this.#state.require("beginTransaction", "READY");
    this.#version = this.#requests.transactionVersion;
    this.#state.begin();
  }

  /** @throws TransactionError, StateError */
  async sendOffsets(offsets: readonly OffsetToCommit[], group: ResolvedGroupMetadata): Promise<void> {
    this.#state.requireNoError("sendOffsetsToTransaction");
    this.#state.require("sendOffsetsToTransaction", "IN_TRANSACTION");
    await this.#perform("sendOffsetsToTransaction", async () => {
      this.#state.requireStill("sendOffsetsToTransaction", ...writing);
      if (this.#version === 1) await this.#requests.addOffsets(this.#numbers.producer, group.groupId);
      this.#isStarted = true;
      this.#state.requireStill("sendOffsetsToTransaction", ...writing);
      await this.#requests.commitOffsets(this.#numbers.producer, group, offsets, this.#version);
    });
  }

  /** Nobody waits any more for offsets that may yet count, so that nobody can say that they have: a commit must not wait either. */
  onOffsetsGivenUp(reason: unknown): void {
    if (!this.isEnding) return;
    const code = reason instanceof TimeoutError ? "TIMEOUT" : "ABORTED";
    this.#toAbortable(new KafkaError("sendOffsetsToTransaction was given up", { code, cause: reason }));
  }

  /** Delivers what was sent, and has the transaction stay open until it is told how to end. @throws TransactionError, StateError */
  async prepareTransaction(): Promise<void> {
    this.#state.requireNoError("prepareTransaction");
    this.#state.require("prepareTransaction", "IN_TRANSACTION");
    this.#state.to("PREPARING_TRANSACTION");
    await this.#listener.flush();
    await this.#perform("prepareTransaction", async () => {
      this.#state.requireStill("prepareTransaction", "PREPARING_TRANSACTION");
      this.#prepared = this.#numbers.producer;
      this.#state.to("PREPARED_TRANSACTION");
    });
  }

  /** Which transaction is prepared; `noProducerId` where none is. */
  get prepared(): ProducerIdAndEpoch {
    return this.#prepared;
  }

  /** Commits the prepared transaction where it is that one, and aborts it otherwise. @throws TransactionError, StateError */
  async complete(producer: ProducerIdAndEpoch): Promise<void> {
    this.#state.requireNoError("completeTransaction");
    if (this.#state.is("READY")) throw new StateError("completeTransaction: nothing is prepared", "NOTHING_PREPARED");
    this.#state.require("completeTransaction", "PREPARED_TRANSACTION");
    await (isSameProducer(producer, this.#prepared) ? this.commit() : this.abort());
  }

  /** Delivers what was sent, and has it count. @throws TransactionError, StateError */
  async commit(): Promise<void> {
    this.#state.requireNoError("commitTransaction");
    this.#state.require("commitTransaction", "IN_TRANSACTION", "PREPARED_TRANSACTION");
    this.#state.to("COMMITTING_TRANSACTION");
    await this.#listener.flush();
    // A batch may have failed meanwhile.
    this.#state.requireStill("commitTransaction", "COMMITTING_TRANSACTION");
    await this.#perform("commitTransaction", () => this.#end(true));
  }

  /** Has nothing count that was sent. @throws TransactionError, StateError */
  async abort(): Promise<void> {
    if (this.#state.is("FATAL_ERROR")) this.#state.requireNoError("abortTransaction");
    this.#state.require("abortTransaction", "IN_TRANSACTION", "PREPARED_TRANSACTION", "ABORTABLE_ERROR");
    const cause = this.#state.error ?? new KafkaError("the transaction was aborted", { code: "TRANSACTION_ABORTED" });
    this.#state.abort(cause);
    this.#requests.stop();
    this.#partitions.forgetWaiting();
    this.#listener.failUnsent(cause);
    await this.#listener.flush();
    // A batch that was under way may have told that the producer is fenced.
    this.#state.requireNoError("abortTransaction");
    await this.#perform("abortTransaction", () => this.#end(false));
  }

  /** Whether a transaction is open that has to be ended before the producer is; one that is prepared outlives it. */
  get isOpen(): boolean {
    return this.#state.is("IN_TRANSACTION", "ABORTABLE_ERROR");
  }

  /** Whether a transaction is being prepared or ended. */
  get isEnding(): boolean {
    return this.#state.is("PREPARING_TRANSACTION", "COMMITTING_TRANSACTION", "ABORTING_TRANSACTION");
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
    if (batch.hasSequence || this.#partitions.has(batch)) return true;
    if (!this.#state.is(...writing)) return false;
    if (this.#version === 2) {
      this.#partitions.add(batch);
      this.#isStarted = true;
      return true;
    }
    if (!this.#partitions.areWaiting) queueMicrotask(() => void this.#addPartitions());
    this.#partitions.waitFor(batch);
    return false;
  }

  /** Begins under the id that was given, and with the transaction that was kept. */
  #takeOver({ producer, ongoing }: InitializedProducer): void {
    this.#numbers.adopt(producer);
    this.#isBumpDue = false;
    this.#prepared = ongoing;
    if (!hasId(ongoing)) {
      this.#state.to("READY");
      return;
    }
    this.#version = this.#requests.transactionVersion;
    this.#isStarted = true;
    this.#state.to("PREPARED_TRANSACTION");
  }

  async #end(committed: boolean): Promise<void> {
    const what = committed ? "commitTransaction" : "abortTransaction";
    // What was asked before it may have failed, and a close have aborted what then could not be committed.
    this.#state.requireStill(what, committed ? "COMMITTING_TRANSACTION" : "ABORTING_TRANSACTION");
    if (this.#isStarted) {
      const ended = await this.#requests.endTransaction(this.#numbers.producer, committed, this.#version);
      // It was found meanwhile that what was given up left a gap. Who has committed has, and learns of it at the next call.
      if (committed && this.#state.is("FATAL_ERROR")) return;
      this.#state.requireNoError(what);
      if (!isSameProducer(ended, this.#numbers.producer)) this.#numbers.adopt(ended);
    }
    this.#isStarted = false;
    this.#prepared = noProducerId;
    this.#partitions.clear();
    // What comes later still, be it a request or the answer to one, finds another epoch.
    const mayComeLate = this.#requests.takeUnanswered() || this.#numbers.hasUnresolved;
    if (mayComeLate && this.#requests.canBumpEpoch) this.#isBumpDue = true;
    if (this.#isBumpDue && this.#version === 1) {
      this.#state.to("INITIALIZING");
      await this.#raiseEpoch(what).catch((error: unknown) => {
        if (!committed) throw error;
        // Who has committed has, and learns of it at the next call.
        const cause = this.#failed(error);
        if (cause !== null) this.#logger.warn(`${what} has succeeded, but there is no next epoch: ${cause.message}`);
      });
      if (!this.#state.is("INITIALIZING")) return;
    }
    this.#isBumpDue = false;
    this.#state.to("READY");
    this.#listener.onChange();
  }

  async #raiseEpoch(what: string): Promise<void> {
    const producer = await this.#requests.initProducerId(this.#numbers.producer);
    this.#state.requireNoError(what);
    this.#numbers.adopt(producer);
  }

  async #addPartitions(): Promise<void> {
    try {
      await this.#inTurn(async () => {
        const partitions = this.#partitions.waiting;
        // An abort has forgotten them, or what was asked before them has failed.
        if (partitions.length === 0 || !this.#state.is(...writing)) return;
        await this.#requests.addPartitions(this.#numbers.producer, partitions);
        this.#isStarted = true;
        for (const partition of partitions) this.#partitions.add(partition);
      });
    } catch (error) {
      this.#partitions.forgetWaiting();
      this.#failed(error);
    }
    if (!this.#state.is(...writing)) this.#partitions.forgetWaiting();
    if (this.#partitions.areWaiting) void this.#addPartitions();
    this.#listener.onChange();
  }

  /** For a producer without transactions. */
  async #askForId(): Promise<void> {
    this.#state.to("INITIALIZING");
    try {
      const producer = await this.#inTurn(() => this.#requests.initProducerId(noProducerId));
      // A batch that was under way may have told meanwhile that the producer cannot go on.
      if (!this.#state.is("INITIALIZING")) return;
      this.#numbers.adopt(producer);
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
      throw new TransactionError(what, this.#state.error ?? failure, !this.#state.is("FATAL_ERROR"));
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
    if (this.isTransactional && !(error instanceof TransactionError) && !isOfCaller(error)) this.#fail(error);
  }

  /** Takes in that a batch failed. */
  #fail(error: KafkaError): void {
    // It failed because there is no id, which may be had later.
    if (this.#state.is("REFUSED")) return;
    if (endsProducer(error)) this.#toFatal(error);
    else if (this.isTransactional) this.#toAbortable(error);
  }

  #toAbortable(cause: KafkaError): void {
    // While it is aborted there is nothing to abort again: only what is fatal counts.
    if (!this.#state.is(...writing)) return;
    this.#state.fail("ABORTABLE_ERROR", cause);
    this.#requests.stop();
    if (this.#requests.canBumpEpoch) this.#isBumpDue = true;
    this.#listener.failUnsent(new TransactionError("the transaction has failed", cause, true));
    this.#listener.onChange();
  }

  #toFatal(cause: KafkaError): void {
    if (this.#state.is("FATAL_ERROR")) return;
    this.#state.fail("FATAL_ERROR", cause);
    this.#requests.stop();
    this.#logger.error(`the producer cannot go on: ${cause.message}`);
    this.#listener.failAll(new TransactionError("the producer cannot go on", cause, false));
    this.#listener.onChange();
  }

  #onGap(partition: TopicPartition): void {
    if (!this.isTransactional) {
      this.#numbers.requestRestart(partition);
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
}
