import { type Clock, type Logger, StateError } from "@odradek/network";
import {
  type ConsumerGroupMetadata,
  checkedOffsets,
  resolveGroupMetadata,
  type TransactionOffset,
} from "./group-metadata.ts";
import { PreparedTransactionState } from "./prepared-transaction-state.ts";
import type { ProducerMetrics, TimedCall } from "./producer-metrics.ts";
import type { TransactionManager } from "./transaction-manager.ts";
import { TransactionalCalls, type WaitLimit } from "./transactional-calls.ts";
import { unusable } from "./unusable.ts";

/** What calls about transactions take besides. */
export interface TransactionCallOptions {
  /** How long to wait, milliseconds. @default maxBlockMs */
  readonly timeoutMs?: number;
  /** Ends the wait with its reason; what was begun goes on as after `timeoutMs`. */
  readonly signal?: AbortSignal;
}

/** What `initTransactions` takes besides. */
export interface InitTransactionsOptions extends TransactionCallOptions {
  /**
   * Leaves a transaction open that the producer before had prepared, for `completeTransaction`; else it is aborted (KIP-939).
   * @default false
   */
  readonly keepPreparedTransaction?: boolean;
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

  init({ keepPreparedTransaction = false, ...options }: InitTransactionsOptions): Promise<void> {
    const name = "initTransactions";
    return this.#call("init", name, options, (manager, limit) =>
      this.#calls.call(name, limit, () => manager.initTransactions(keepPreparedTransaction)),
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
    offsets: readonly TransactionOffset[],
    groupMetadata: ConsumerGroupMetadata | string,
    options: TransactionCallOptions,
  ): Promise<void> {
    const group = resolveGroupMetadata(groupMetadata);
    const checked = checkedOffsets(offsets);
    if (checked.length === 0) return;
    const name = "sendOffsetsToTransaction";
    await this.#call("sendOffsets", name, options, (manager, limit) => {
      const send = () => manager.sendOffsets(checked, group);
      return this.#calls.callBeside(name, limit, send, (reason) => manager.onOffsetsGivenUp(reason));
    });
  }

  async prepare(options: TransactionCallOptions): Promise<PreparedTransactionState> {
    const name = "prepareTransaction";
    this.#requireTwoPhase(name);
    await this.#call("prepare", name, options, (manager, limit) =>
      this.#calls.call(name, limit, () => manager.prepareTransaction()),
    );
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
    this.#requireTwoPhase(name);
    const producer = { producerId: state.producerId, producerEpoch: state.epoch };
    const prepared = PreparedTransactionState.of(this.#manager(name).prepared);
    const metric = state.equals(prepared) ? "commit" : "abort";
    await this.#call(metric, name, options, (manager, limit) =>
      this.#calls.call(name, limit, () => manager.complete(producer)),
    );
  }

  commit(options: TransactionCallOptions): Promise<void> {
    const name = "commitTransaction";
    return this.#call("commit", name, options, (manager, limit) =>
      this.#calls.call(name, limit, () => manager.commit()),
    );
  }

  abort(options: TransactionCallOptions): Promise<void> {
    const name = "abortTransaction";
    return this.#call("abort", name, options, (manager, limit) =>
      this.#calls.callBehind(name, limit, () => manager.abort()),
    );
  }

  async run<T>(work: () => Promise<T>, options: TransactionCallOptions): Promise<T> {
    // Nothing is begun that nobody waits for.
    options.signal?.throwIfAborted();
    this.begin();
    try {
      const result = await work();
      await this.commit(options);
      return result;
    } catch (error) {
      if (this.#parts.manager?.isOpen === true) await this.#abortBehind(options);
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
  async #abortBehind(options: TransactionCallOptions): Promise<void> {
    // A signal that has come has ended another wait, and would have the transaction stay open.
    const { signal, ...others } = options;
    await this.abort(signal?.aborted === true ? others : options).catch((failure: unknown) => {
      this.#parts.logger.warn(`abortTransaction failed after an error of the work: ${String(failure)}`);
    });
  }

  async #call(
    metric: TimedCall,
    name: string,
    { timeoutMs = this.#parts.maxBlockMs, signal }: TransactionCallOptions,
    run: (manager: TransactionManager, limit: WaitLimit) => Promise<void>,
  ): Promise<void> {
    const { clock, metrics, requireOpen } = this.#parts;
    requireOpen();
    const manager = this.#manager(name);
    const sinceMs = clock.now();
    await run(manager, { timeoutMs, signal }).finally(() => metrics.called(metric, sinceMs));
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
