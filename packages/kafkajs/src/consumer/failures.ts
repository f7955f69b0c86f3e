import { KafkaError, type TopicPartition } from "odradek";
import { givenUp } from "../errors/error-translation.ts";
import {
  isFinal,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
  KafkaJSNumberOfRetriesExceeded,
} from "../errors/errors.ts";
import { firstRetryMs, nextRetryMs, type ResolvedRetryOptions } from "../retry-options.ts";
import { partitionKey } from "./offset-ledger.ts";

/** What to do about an error of a handler: crash with `error`, or try again after `waitMs`. */
export type FailureVerdict = { readonly error: Error } | { readonly waitMs: number };

const final = (error: Error): KafkaJSNonRetriableError =>
  error instanceof KafkaJSNotImplemented
    ? error
    : new KafkaJSNonRetriableError(error, { cause: error.cause instanceof Error ? error.cause : error });

/** Codes of errors that stand for those of the user's own assigner, and of the user's own listener. */
const codesOfUsers: readonly string[] = ["ASSIGNOR", "LISTENER"];

/** What a crash is told as: errors that cannot pass are marked so, and those of the user's code are what they are. */
export function crashOf(thrown: unknown, retry: ResolvedRetryOptions): Error {
  const isOfUser = thrown instanceof KafkaError && codesOfUsers.includes(thrown.code);
  if (isOfUser && thrown.cause instanceof Error) return thrown.cause;
  const error = givenUp(thrown, retry);
  const isMarked = error instanceof KafkaJSNonRetriableError || !(error instanceof KafkaJSError);
  return isMarked ? error : new KafkaJSNonRetriableError(error, { cause: error });
}

/** Whether a consumer that crashed with the error may start again: it was tried too often, or what is behind it all says that it may pass. */
export function mayPass(error: Error): boolean {
  if (error instanceof KafkaJSNumberOfRetriesExceeded) return true;
  let origin = error;
  while (origin.cause instanceof Error) origin = origin.cause;
  return "retriable" in origin && origin.retriable === true;
}

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
    if (isFinal(error)) return { error: final(error) };
    const key = partitionKey(partition);
    const before = this.#counts.get(key);
    const waitMs = before === undefined ? firstRetryMs(this.#retry) : nextRetryMs(before.waitMs, this.#retry);
    const count = (before?.count ?? 0) + 1;
    if (count > this.#retry.retries) {
      // As long as it would have waited next, the consumer waits before it starts again.
      const { retries: retryCount } = this.#retry;
      return { error: new KafkaJSNumberOfRetriesExceeded(error, { retryCount, retryTime: waitMs }) };
    }
    this.#counts.set(key, { count, waitMs });
    return { waitMs };
  }
}
