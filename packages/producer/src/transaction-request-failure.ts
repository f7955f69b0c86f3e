import type { KafkaError } from "@odradek/protocol";
import type { TransactionalRequest, Verdict } from "./transaction-verdicts.ts";

/** An answer after which asking again does not help. */
export class TransactionRequestFailure extends Error {
  readonly request: TransactionalRequest;
  readonly verdict: Exclude<Verdict, "retry" | "findCoordinator">;
  override readonly cause: KafkaError;

  constructor(request: TransactionalRequest, verdict: TransactionRequestFailure["verdict"], cause: KafkaError) {
    super(cause.message);
    this.request = request;
    this.verdict = verdict;
    this.cause = cause;
  }
}
