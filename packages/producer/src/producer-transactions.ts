import {
  type Clock,
  type ConsumerGroupMetadata,
  checkedOffsets,
  type Logger,
  type OffsetToCommit,
  OptionReader,
  StateError,
} from "@odradek/network";
import { readWait, resolveWait, type TimedWaitOptions } from "./call-options.ts";
import { resolveGroupMetadata } from "./group-metadata.ts";
import { PreparedTransactionState } from "./prepared-transaction-state.ts";
import type { ProducerMetrics, TimedCall } from "./producer-metrics.ts";
import type { TransactionManager } from "./transaction-manager.ts";
import { TransactionalCalls, type WaitLimit } from "./transactional-calls.ts";
import { unusable } from "./unusable.ts";

/** What calls about transactions take besides. */
export interface TransactionCallOptions extends TimedWaitOptions {
  /** How long to wait, milliseconds. @default maxBlockMs */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait with its reason; what was begun goes on as after `timeoutMs`. */
  readonly signal?: AbortSignal | undefined;
}

/** What `initTransactions` takes besides. */
export interface InitTransactionsOptions extends TransactionCallOptions {
  /**
   * Leaves a transaction open that the producer before had prepared, for `completeTransaction`; else it is aborted (KIP-939).
   * @default false
   */
  readonly keepPreparedTransaction?: boolean | undefined;
}

/** What of a producer its transactional calls need. */
export interface ProducerTransactionsParts {
  /** `null` for a producer that numbers nothing. */
  readonly manager: TransactionManager | null;
  readonly metrics: ProducerMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly maxBlockMs: number;
  readonly transactionTimeoutMs: number;
  readonly isTwoPhase: boolean;
  /** @throws ClosedError */
  readonly requireOpen: () => void;
}

/** The transactional calls of a producer: each within its time, and timed. */
export class ProducerTransactions {
  readonly #parts: ProducerTransactionsParts;
  readonly #calls: TransactionalCalls;

  constructor(parts: ProducerTransactionsParts) {
    this.#parts = parts;
    this.#calls = new TransactionalCalls(parts.clock);
  }

  async init(options: InitTransactionsOptions): Promise<void> {
    const name = "initTransactions";
    const reader = new OptionReader(options);
    const keeps = reader.boolean("keepPreparedTransaction", false);
    const limit = readWait(reader, this.#parts.maxBlockMs);
    reader.finish();
    const about = `keepPreparedTransaction ${keeps}`;
    await this.#call("init", name, (manager) =>
      this.#calls.call(name, limit, () => manager.initTransactions(keeps), about),
    );
  }

  begin(): void {
    const { clock, metrics, requireOpen } = this.#parts;
    requireOpen();
    const sinceMs = clock.now();
    this.#calls.requireNone("beginTransaction");
    this.#manager("beginTransaction").beginTransaction();
    metrics.called("begin", sinceMs);
  }

  async sendOffsets(
    offsets: readonly OffsetToCommit[],
    groupMetadata: ConsumerGroupMetadata | string,
    options: TransactionCallOptions,
  ): Promise<void> {
    const limit = this.#limit(options);
    const group = resolveGroupMetadata(groupMetadata);
    const checked = checkedOffsets(offsets);
    if (checked.length === 0) return;
    const name = "sendOffsetsToTransaction";
    await this.#call("sendOffsets", name, (manager) => {
      const send = () => manager.sendOffsets(checked, group);
      return this.#calls.callBeside(name, limit, send, (reason) => manager.onOffsetsGivenUp(reason));
    });
  }

  async prepare(options: TransactionCallOptions): Promise<PreparedTransactionState> {
    const name = "prepareTransaction";
    const limit = this.#limit(options);
    this.#requireTwoPhase(name);
    await this.#call("prepare", name, (manager) => this.#calls.call(name, limit, () => manager.prepareTransaction()));
    return PreparedTransactionState.of(this.#manager(name).prepared);
  }

  async complete(state: PreparedTransactionState, options: TransactionCallOptions): Promise<void> {
    const name = "completeTransaction";
    if (!(state instanceof PreparedTransactionState)) {
      throw unusable(
        name,
        state,
        "a PreparedTransactionState, such as PreparedTransactionState.parse reads from text,",
      );
    }
    const limit = this.#limit(options);
    this.#requireTwoPhase(name);
    const producer = { producerId: state.producerId, producerEpoch: state.epoch };
    const prepared = PreparedTransactionState.of(this.#manager(name).prepared);
    const metric = state.equals(prepared) ? "commit" : "abort";
    await this.#call(metric, name, (manager) =>
      this.#calls.call(name, limit, () => manager.complete(producer), state.toString() || "no transaction"),
    );
  }

  async commit(options: TransactionCallOptions): Promise<void> {
    const name = "commitTransaction";
    const limit = this.#limit(options);
    await this.#call("commit", name, (manager) => this.#calls.call(name, limit, () => manager.commit()));
  }

  async abort(options: TransactionCallOptions): Promise<void> {
    const name = "abortTransaction";
    const limit = this.#limit(options);
    await this.#call("abort", name, (manager) => this.#calls.callBehind(name, limit, () => manager.abort()));
  }

  async run<T>(work: () => Promise<T>, options: TransactionCallOptions): Promise<T> {
    const limit = this.#limit(options);
    // Nothing is begun that nobody waits for.
    limit.signal?.throwIfAborted();
    this.begin();
    try {
      const result = await work();
      await this.commit(limit);
      return result;
    } catch (error) {
      if (this.#parts.manager?.isOpen === true) await this.#abortBehind(limit);
      throw error;
    }
  }

  /**
   * Has nothing count that would else be lost with the producer, and waits for what is being ended: as long as the coordinator lets a
   * transaction live that it is not told to end. Java waits for ever.
   */
  async finish(): Promise<void> {
    const { clock, logger, transactionTimeoutMs } = this.#parts;
    const limit = new Promise<void>((resolve) => {
      const timer = clock.after(transactionTimeoutMs, () => {
        logger.warn(
          `the transaction had not ended ${transactionTimeoutMs} ms after close, which is not waited for any longer`,
        );
        resolve();
      });
      void this.#finishOpen().finally(() => {
        timer.cancel();
        resolve();
      });
    });
    await limit;
  }

  async #finishOpen(): Promise<void> {
    const { manager } = this.#parts;
    // One that waits for an id may wait for ever.
    if (manager?.isEnding === true) await this.#calls.settled();
    // Whoever closes does not wait for the outcome of a transaction that it did not end.
    if (manager?.isOpen === true) await manager.abort().catch(() => {});
  }

  /** Why the work failed counts for more; an abort that fails leaves the producer in a state that says so. */
  async #abortBehind(limit: WaitLimit): Promise<void> {
    // A signal that has come has ended another wait, and would have the transaction stay open.
    const { signal, timeoutMs } = limit;
    await this.abort(signal?.aborted === true ? { timeoutMs } : limit).catch((failure: unknown) => {
      this.#parts.logger.warn(`abortTransaction failed after an error of the work: ${String(failure)}`);
    });
  }

  /** @throws OptionsError */
  #limit(options: TransactionCallOptions): WaitLimit {
    return resolveWait(options, this.#parts.maxBlockMs);
  }

  async #call(metric: TimedCall, name: string, run: (manager: TransactionManager) => Promise<void>): Promise<void> {
    const { clock, metrics, requireOpen } = this.#parts;
    requireOpen();
    const manager = this.#manager(name);
    const sinceMs = clock.now();
    await run(manager).finally(() => metrics.called(metric, sinceMs));
  }

  #requireTwoPhase(name: string): void {
    this.#manager(name);
    if (this.#parts.isTwoPhase) return;
    throw new StateError(`${name}: two-phase commit is off, set transactionTwoPhaseCommitEnable`);
  }

  #manager(name: string): TransactionManager {
    const { manager } = this.#parts;
    if (manager?.isTransactional === true) return manager;
    throw new StateError(`${name}: the producer has no transactions, set transactionalId`);
  }
}
