import { StateError } from "@odradek/network";
import type { KafkaError } from "@odradek/protocol";
import { TransactionError } from "./transaction-error.ts";
import { type TransactionState, transactionStates } from "./transaction-state.ts";

/** Why a prepared transaction refuses what is asked of it. */
export const preparedText =
  "the transaction is prepared, and takes nothing but commitTransaction, abortTransaction or completeTransaction";

/** Where a producer stands with its transaction, why it came to that, and what it allows. */
export class TransactionStanding {
  readonly #state = transactionStates();
  /** Why it is in an error state. */
  #error: KafkaError | null = null;
  /** Why the last transaction was aborted; `null` since another has begun. */
  #aborted: KafkaError | null = null;

  get now(): TransactionState {
    return this.#state.now;
  }

  get error(): KafkaError | null {
    return this.#error;
  }

  is(...states: readonly TransactionState[]): boolean {
    return this.#state.is(...states);
  }

  to(
    next: Exclude<TransactionState, "IN_TRANSACTION" | "ABORTING_TRANSACTION" | "ABORTABLE_ERROR" | "FATAL_ERROR">,
  ): void {
    this.#state.to(next);
  }

  begin(): void {
    this.#state.to("IN_TRANSACTION");
    this.#aborted = null;
  }

  fail(state: "ABORTABLE_ERROR" | "FATAL_ERROR", cause: KafkaError): void {
    this.#state.to(state);
    this.#error = cause;
  }

  abort(cause: KafkaError): void {
    this.#state.to("ABORTING_TRANSACTION");
    this.#error = null;
    this.#aborted = cause;
  }

  /** @throws TransactionError */
  requireNoError(what: string): void {
    if (this.#error !== null) throw new TransactionError(what, this.#error, this.#state.is("ABORTABLE_ERROR"));
  }

  /** @throws StateError */
  require(what: string, ...states: readonly TransactionState[]): void {
    if (this.#state.is(...states)) return;
    if (this.#state.is("PREPARED_TRANSACTION")) throw new StateError(`${what}: ${preparedText}`);
    throw new StateError(`${what}: the producer is ${this.#state.now}, and must be ${states.join(" or ")}`);
  }

  /**
   * For what had to wait: a request that went before may have failed, or an abort have overtaken it, and why that was is told.
   *
   * @throws TransactionError, StateError
   */
  requireStill(what: string, ...states: readonly TransactionState[]): void {
    this.requireNoError(what);
    if (this.#state.is(...states)) return;
    if (this.#aborted !== null) throw new TransactionError(what, this.#aborted, true);
    this.require(what, ...states);
  }
}
