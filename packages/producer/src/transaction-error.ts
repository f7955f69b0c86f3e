import { KafkaError } from "@odradek/protocol";

/**
 * A transaction that cannot be committed, or a producer that cannot go on at all. `code` is that of `cause`: the broker's
 * own name of what happened, such as `PRODUCER_FENCED`.
 */
export class TransactionError extends KafkaError {
  /** Whether `abortTransaction` mends it. Else the producer is of no use any more: close it. */
  readonly abortable: boolean;

  constructor(what: string, cause: KafkaError, abortable: boolean) {
    const todo = abortable ? "call abortTransaction, and begin again" : "close this producer";
    super(`${what}: ${cause.message}; ${todo}`, { code: cause.code, cause });
    this.abortable = abortable;
  }
}
