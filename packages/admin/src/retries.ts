import {
  type Backoff,
  type Clock,
  type ClusterSnapshot,
  Deadline,
  exponentialBackoff,
  type NetworkClient,
  type NetworkOptions,
  TimeoutError,
} from "@odradek/network";
import { KafkaError } from "@odradek/protocol";
import { type Result, Results } from "./results.ts";

/** What an admin call works with. */
export interface AdminContext {
  readonly network: NetworkClient;
  readonly options: NetworkOptions;
  readonly clock: Clock;
}

/** Answers by key; a key that is missing was not answered. */
export type Answers<T> = ReadonlyMap<string, T | KafkaError>;

/**
 * Asks for keys until each has its answer, and asks again for those alone whose error may pass, after a back-off and
 * with fresh metadata. An error that may pass becomes final when time is up.
 *
 * @param ask one round: it may throw, which counts for all of its keys
 */
export async function askUntilAnswered<T>(
  { network, options, clock }: AdminContext,
  keys: readonly string[],
  deadline: Deadline,
  ask: (keys: readonly string[]) => Promise<Answers<T>>,
): Promise<Results<T>> {
  const backoff: Backoff = exponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs);
  const answers = new Map<string, T | KafkaError>();
  let open = keys;
  for (let attempt = 0; open.length > 0; attempt++) {
    const { snapshot } = network.metadata;
    const round = await ask(open).catch((error: unknown) => failureOfAll<T>(open, error));
    for (const key of open) {
      answers.set(key, round.get(key) ?? new KafkaError(`no answer for ${key}`, { code: "DECODE" }));
    }
    open = open.filter((key) => isRetriable(answers.get(key)));
    const waitMs = backoff(attempt);
    if (open.length === 0 || deadline.remainingMs <= waitMs) break;
    const end = await waitForNext(network, snapshot, new Deadline(clock, waitMs), deadline);
    if (end === null) continue;
    // Time that is over leaves the last answers as they are: they say what kept them.
    if (!(end instanceof TimeoutError)) for (const key of open) answers.set(key, end);
    break;
  }
  return new Results(keys.map((key) => resultOf(key, answers.get(key), deadline)));
}

/**
 * Waits for the back-off, and for metadata newer than what the last round went by: else it would ask the same broker again.
 *
 * @returns why there is no next round, `null` where there is
 */
async function waitForNext(
  network: NetworkClient,
  before: ClusterSnapshot,
  backoff: Deadline,
  deadline: Deadline,
): Promise<KafkaError | null> {
  try {
    await network.pause(backoff);
    await network.awaitMetadata(deadline, "fresh metadata", () => (network.metadata.snapshot === before ? null : true));
    return null;
  } catch (error) {
    if (error instanceof KafkaError) return error;
    throw error;
  }
}

const isRetriable = (answer: unknown): boolean => answer instanceof KafkaError && answer.retriable;

function failureOfAll<T>(keys: readonly string[], error: unknown): Answers<T> {
  if (!(error instanceof KafkaError)) throw error;
  return new Map(keys.map((key) => [key, error]));
}

function resultOf<T>(key: string, answer: T | KafkaError | undefined, deadline: Deadline): Result<T> {
  if (answer === undefined) throw new Error(`${key} was never asked for`);
  if (!(answer instanceof KafkaError)) return { key, value: answer, error: null };
  const isLate = answer.retriable && !(answer instanceof TimeoutError);
  return { key, value: null, error: isLate ? new TimeoutError(key, deadline.timeoutMs, { cause: answer }) : answer };
}
