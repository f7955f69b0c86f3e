import { type Backoff, Deadline, exponentialBackoff, TimeoutError } from "@odradek/network";
import { BrokerError, KafkaError, type KafkaErrorCode } from "@odradek/protocol";
import { type Result, Results } from "../results.ts";
import type { Call, Whom } from "./call.ts";
import { type Routing, toAny } from "./routing.ts";

/** Whatever is not nothing: nothing is what was not answered. */
type Answer = NonNullable<unknown>;

/** Answers by the text of their keys; a key that is missing was not answered. */
export type Answers<T> = ReadonlyMap<string, T | KafkaError>;

/** What a call wants to know of each of its keys. */
export interface Question<K, T extends Answer> {
  /** Each of them once. */
  readonly keys: readonly K[];
  /** What makes two keys the same, and stands for one in messages. */
  readonly textOf: (key: K) => string;
  readonly routing: Routing<K>;
  /** Asks one broker about those keys that are its own. It may throw, which counts for all of them. */
  readonly ask: (keys: readonly K[], whom: Whom) => Promise<Answers<T>>;
  /** Errors that this call does not ask again after, besides those that never pass. */
  readonly isFinal?: (error: KafkaError) => boolean;
  /** What it is answered when it was done before: behind an answer that was lost, such an error says that it may be so. */
  readonly doneBefore?: ReadonlySet<KafkaErrorCode>;
}

/**
 * Errors that Kafka calls retriable, and that answer what an admin asked: they say how things are, and not that somebody else
 * should have been asked, or later. Source: the handlers of Kafka's `KafkaAdminClient`, none of which retries them.
 */
const answering: ReadonlySet<KafkaErrorCode> = new Set<KafkaErrorCode>([
  "ELECTION_NOT_NEEDED",
  "ELIGIBLE_LEADERS_NOT_AVAILABLE",
  "PREFERRED_LEADER_NOT_AVAILABLE",
  "REQUEST_TIMED_OUT",
  "UNKNOWN_TOPIC_ID",
  "UNKNOWN_TOPIC_OR_PARTITION",
]);

/** Rounds that a key is given for what settles (`Routing.settling`). With the back-off of the defaults they take two to three seconds. */
const settlingRounds = 5;

/** A question under way. */
interface Asking<K, T extends Answer> {
  readonly call: Call;
  readonly question: Question<K, T>;
  readonly backoff: Backoff;
  /** The last of each key. */
  readonly answers: Map<K, T | KafkaError>;
  /** Keys for which there was no time to be asked about again. */
  readonly late: Set<K>;
  /** How often each key got an error of what settles. */
  readonly settlings: Map<K, number>;
  /** How the first answer about each key was lost, where that was. */
  readonly lost: Map<K, KafkaError>;
}

/**
 * Splits keys by whom to ask, asks all of those at once, and asks again about those keys alone whose error may pass: after a
 * back-off, and whoever it is by then. The keys of one broker do not wait for another that is slow. An error that may pass becomes
 * final when time is up.
 *
 * @throws the reason of the signal; every other error is that of a key
 */
export async function askAll<K, T extends Answer>(call: Call, question: Question<K, T>): Promise<Results<T, K>> {
  const { keys, textOf } = question;
  const { retryBackoffMs, retryBackoffMaxMs } = call.context.options;
  const backoff = exponentialBackoff(retryBackoffMs, retryBackoffMaxMs);
  const asking: Asking<K, T> = {
    call,
    question,
    backoff,
    answers: new Map(),
    late: new Set(),
    settlings: new Map(),
    lost: new Map(),
  };
  await askTogether(asking, keys, 0);
  return new Results(
    keys.map((key) => resultOf(asking, key)),
    textOf,
  );
}

function resultOf<K, T extends Answer>({ call, question, answers, late, lost }: Asking<K, T>, key: K): Result<T, K> {
  const text = question.textOf(key);
  const answer = answers.get(key);
  if (answer === undefined) throw new Error(`${text} was never asked for`);
  if (!(answer instanceof KafkaError)) return { key, value: answer, error: null };
  const lostAnswer = lost.get(key);
  if (answer instanceof BrokerError && lostAnswer !== undefined && question.doneBefore?.has(answer.code) === true) {
    return { key, value: null, error: answer.behindLostAnswer(lostAnswer) };
  }
  const isLate = late.has(key) && !(answer instanceof TimeoutError);
  const { timeoutMs } = call.deadline;
  return { key, value: null, error: isLate ? new TimeoutError(text, timeoutMs, { cause: answer }) : answer };
}

/** One round: keys whose back-off ends together are looked up together, and each broker's go on by themselves. */
async function askTogether<K, T extends Answer>(asking: Asking<K, T>, keys: readonly K[], attempt: number) {
  if (keys.length === 0) return;
  const { call, question, answers } = asking;
  const { textOf, routing, ask } = question;
  call.signal?.throwIfAborted();
  const lookedUp = await routing.route(call, keys).catch((error: unknown) => failureOf(call, error));
  const groups = new Map<Whom, K[]>();
  const nobodys: K[] = [];
  for (const key of keys) {
    const whom = lookedUp instanceof KafkaError ? lookedUp : (lookedUp.get(key) ?? noAnswer(textOf(key)));
    if (whom instanceof KafkaError) {
      answers.set(key, whom);
      if (mayPass(asking, key, whom)) nobodys.push(key);
    } else if (groups.get(whom)?.push(key) === undefined) groups.set(whom, [key]);
  }
  const askGroup = async ([whom, group]: [Whom, readonly K[]]) => {
    const told = await askParts(call, [{ texts: () => group.map(textOf), ask: () => ask(group, whom) }]);
    const again: K[] = [];
    for (const key of group) {
      const answer = told.get(textOf(key)) ?? noAnswer(textOf(key));
      answers.set(key, answer);
      if (!(answer instanceof KafkaError)) continue;
      if (call.isLost(answer) && !asking.lost.has(key)) asking.lost.set(key, answer);
      if (!mayPass(asking, key, answer)) continue;
      again.push(key);
      routing.doubt?.(call, key, answer, whom);
    }
    await askAgain(asking, again, attempt);
  };
  await Promise.all([askAgain(asking, nobodys, attempt), ...[...groups].map(askGroup)]);
}

async function askAgain<K, T extends Answer>(asking: Asking<K, T>, keys: readonly K[], attempt: number) {
  if (keys.length === 0) return;
  const { call, backoff, answers, late } = asking;
  const waitMs = backoff(attempt);
  const end = call.deadline.remainingMs <= waitMs ? null : await waitToAsk(asking, keys, waitMs);
  if (end === "again") return askTogether(asking, keys, attempt + 1);
  // Time that is over leaves the last answers as they are: they say what kept them.
  if (end === null || end instanceof TimeoutError) for (const key of keys) late.add(key);
  else for (const key of keys) answers.set(key, end);
}

async function waitToAsk<K, T extends Answer>(
  { call, question }: Asking<K, T>,
  keys: readonly K[],
  waitMs: number,
): Promise<"again" | KafkaError> {
  const { network, clock } = call.context;
  try {
    await network.pause(new Deadline(clock, waitMs), { signal: call.signal });
    await question.routing.refresh?.(call, keys);
    return "again";
  } catch (error) {
    return failureOf(call, error);
  }
}

function mayPass<K, T extends Answer>({ question, settlings }: Asking<K, T>, key: K, error: KafkaError): boolean {
  const { routing, isFinal } = question;
  if (isFinal?.(error) === true) return false;
  if (routing.settling?.has(error.code) === true) {
    const rounds = settlings.get(key) ?? 0;
    settlings.set(key, rounds + 1);
    return rounds < settlingRounds;
  }
  return routing.passing?.has(error.code) === true || (error.retriable && !answering.has(error.code));
}

/** Some of the keys, which have a request of their own. */
export interface Part<T> {
  /** Of its keys: what an error counts for that is of the request as a whole. */
  readonly texts: () => readonly string[];
  readonly ask: () => Promise<Answers<T>>;
}

/**
 * Asks one broker in several requests at once. An error of one counts for its own keys, and takes nothing from what another
 * has done.
 *
 * @throws the reason of the signal
 */
export async function askParts<T>(call: Call, parts: readonly Part<T>[]): Promise<Answers<T>> {
  const answers = parts.map(async ({ texts, ask }): Promise<Answers<T>> => {
    try {
      return await ask();
    } catch (error) {
      const failure = failureOf(call, error);
      return new Map(texts().map((text) => [text, failure]));
    }
  });
  const [first, ...others] = await Promise.all(answers);
  if (first !== undefined && others.length === 0) return first;
  const all = new Map(first);
  for (const some of others) for (const [text, answer] of some) all.set(text, answer);
  return all;
}

const noAnswer = (text: string): KafkaError => new KafkaError(`no answer for ${text}`, { code: "DECODE" });

/** @throws what is no answer of the cluster: that the caller has changed its mind, or a mistake of ours */
function failureOf(call: Call, error: unknown): KafkaError {
  call.signal?.throwIfAborted();
  if (error instanceof KafkaError) return error;
  throw error;
}

/** As in `Question`, but that any broker is asked where nothing is said. */
type Manner = Partial<Pick<Question<string, Answer>, "routing" | "isFinal" | "doneBefore">>;

/**
 * The same for a question about the cluster as a whole.
 *
 * @param what stands for it in messages
 * @param ask may throw, which is an answer too
 * @throws its error
 */
export async function askOne<T extends Answer>(
  call: Call,
  what: string,
  ask: (whom: Whom) => Promise<T>,
  manner: Manner = {},
): Promise<T> {
  const [result] = await askAll<string, T>(call, {
    routing: toAny(),
    ...manner,
    keys: [what],
    textOf: String,
    ask: async (_, whom) => new Map([[what, await ask(whom)]]),
  });
  if (result === undefined) throw new Error(`${what} was never asked for`);
  if (result.error !== null) throw result.error;
  return result.value;
}
