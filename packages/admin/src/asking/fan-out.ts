import { Deadline, exponentialBackoff, TimeoutError } from "@odradek/network";
import { KafkaError, type KafkaErrorCode } from "@odradek/protocol";
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

/** Rounds that is given to what settles (`Routing.settling`). With the back-off of the defaults they take two to three seconds. */
const settlingRounds = 5;

/** What one round brought. */
interface Round<K, T> {
  readonly answers: Map<K, T | KafkaError>;
  /** Keys whose error may pass. */
  readonly again: Set<K>;
}

/**
 * Splits keys by whom to ask, asks all of those at once, and asks again about those keys alone whose error may pass: after a
 * back-off, and whoever it is by then. An error that may pass becomes final when time is up.
 *
 * @throws the reason of the signal; every other error is that of a key
 */
export async function askAll<K, T extends Answer>(call: Call, question: Question<K, T>): Promise<Results<T, K>> {
  const { keys, textOf, routing } = question;
  const { network, options, clock } = call.context;
  const backoff = exponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs);
  const answers = new Map<K, T | KafkaError>();
  const late = new Set<K>();
  let open = keys;
  for (let attempt = 0; open.length > 0; attempt++) {
    call.signal?.throwIfAborted();
    const round = await askRound(call, question, open, attempt);
    for (const [key, answer] of round.answers) answers.set(key, answer);
    open = open.filter((key) => round.again.has(key));
    const waitMs = backoff(attempt);
    if (open.length === 0) break;
    const end = call.deadline.remainingMs <= waitMs ? null : await waitToAsk(new Deadline(clock, waitMs));
    if (end === "again") continue;
    // Time that is over leaves the last answers as they are: they say what kept them.
    if (end === null || end instanceof TimeoutError) for (const key of open) late.add(key);
    else for (const key of open) answers.set(key, end);
    break;
  }
  return new Results(
    keys.map((key) => resultOf(key, answers.get(key))),
    textOf,
  );

  async function waitToAsk(pause: Deadline): Promise<"again" | KafkaError> {
    try {
      await network.pause(pause, { signal: call.signal });
      await routing.refresh?.(call);
      return "again";
    } catch (error) {
      call.signal?.throwIfAborted();
      if (error instanceof KafkaError) return error;
      throw error;
    }
  }

  function resultOf(key: K, answer: T | KafkaError | undefined): Result<T, K> {
    if (answer === undefined) throw new Error(`${textOf(key)} was never asked for`);
    if (!(answer instanceof KafkaError)) return { key, value: answer, error: null };
    const isLate = late.has(key) && !(answer instanceof TimeoutError);
    const { timeoutMs } = call.deadline;
    return { key, value: null, error: isLate ? new TimeoutError(textOf(key), timeoutMs, { cause: answer }) : answer };
  }
}

async function askRound<K, T extends Answer>(
  call: Call,
  { textOf, routing, ask, isFinal = () => false }: Question<K, T>,
  keys: readonly K[],
  attempt: number,
): Promise<Round<K, T>> {
  const answers = new Map<K, T | KafkaError>();
  const again = new Set<K>();
  const groups = new Map<Whom, K[]>();

  const fail = (key: K, error: KafkaError) => {
    answers.set(key, error);
    const isSettling = routing.settling?.has(error.code) === true;
    const isAnswer = answering.has(error.code) && routing.passing?.has(error.code) !== true;
    const mayPass = isSettling ? attempt < settlingRounds : error.retriable && !isAnswer;
    if (mayPass && !isFinal(error)) again.add(key);
  };
  const lookedUp = await routing.route(call, keys).catch((error: unknown) => failureOf(call, error));
  for (const key of keys) {
    const whom = lookedUp instanceof KafkaError ? lookedUp : lookedUp.get(key);
    if (whom === undefined) fail(key, noAnswer(textOf(key)));
    else if (whom instanceof KafkaError) fail(key, whom);
    else if (groups.get(whom)?.push(key) === undefined) groups.set(whom, [key]);
  }
  const askGroup = async (whom: Whom, group: readonly K[]) => {
    const told = await ask(group, whom).catch((error: unknown) => failureOf(call, error));
    for (const key of group) {
      const answer = told instanceof KafkaError ? told : (told.get(textOf(key)) ?? noAnswer(textOf(key)));
      if (!(answer instanceof KafkaError)) answers.set(key, answer);
      else {
        fail(key, answer);
        if (again.has(key)) routing.doubt?.(call, key, answer, whom);
      }
    }
  };
  await Promise.all([...groups].map(([whom, group]) => askGroup(whom, group)));
  return { answers, again };
}

const noAnswer = (text: string): KafkaError => new KafkaError(`no answer for ${text}`, { code: "DECODE" });

/** @throws what is no answer of the cluster: that the caller has changed its mind, or a mistake of ours */
function failureOf(call: Call, error: unknown): KafkaError {
  call.signal?.throwIfAborted();
  if (error instanceof KafkaError) return error;
  throw error;
}

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
  routing: Routing<string> = toAny(),
): Promise<T> {
  const [result] = await askAll<string, T>(call, {
    keys: [what],
    textOf: String,
    routing,
    ask: async (_, whom) => new Map([[what, await ask(whom)]]),
  });
  if (result === undefined) throw new Error(`${what} was never asked for`);
  if (result.error !== null) throw result.error;
  return result.value;
}
