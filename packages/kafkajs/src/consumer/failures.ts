import type { TopicPartition } from "odradek";
import { KafkaJSError, KafkaJSNonRetriableError, KafkaJSNumberOfRetriesExceeded } from "../errors/errors.ts";
import { firstRetryMs, nextRetryMs, type ResolvedRetryOptions } from "../retry-options.ts";
import { partitionKey } from "./offset-ledger.ts";

/** What to do about an error of a handler: crash with `error`, or try again after `waitMs`. */
export type FailureVerdict = { readonly error: Error } | { readonly waitMs: number };

const defects = [TypeError, RangeError, ReferenceError, SyntaxError];

/** How often in a row the handler failed at each partition, without a message being done with in between. */
export class Failures {
  readonly #retry: ResolvedRetryOptions;
  readonly #counts = new Map<string, { count: number; waitMs: number }>();

  constructor(retry: ResolvedRetryOptions) {
    this.#retry = retry;
  }

  /** Something was done with. */
  progressed(partition: TopicPartition): void {
    this.#counts.delete(partitionKey(partition));
  }

  failed(partition: TopicPartition, thrown: unknown): FailureVerdict {
    const error = thrown instanceof Error ? thrown : new KafkaJSError(String(thrown));
    const isFinal =
      defects.some((defect) => error instanceof defect) || ("retriable" in error && error.retriable === false);
    if (isFinal) {
      const cause = error.cause instanceof Error ? error.cause : error;
      return { error: new KafkaJSNonRetriableError(error, { cause }) };
    }
    const key = partitionKey(partition);
    const before = this.#counts.get(key);
    const waitMs = before === undefined ? firstRetryMs(this.#retry) : nextRetryMs(before.waitMs, this.#retry);
    const count = (before?.count ?? 0) + 1;
    if (count > this.#retry.retries) {
      const retryTime = before?.waitMs ?? this.#retry.initialRetryTime;
      return { error: new KafkaJSNumberOfRetriesExceeded(error, { retryCount: this.#retry.retries, retryTime }) };
    }
    this.#counts.set(key, { count, waitMs });
    return { waitMs };
  }
}
