import {
  type Backoff,
  type Clock,
  type Deadline,
  exponentialBackoff,
  partitionText,
  TimeoutError,
} from "@odradek/network";
import { BrokerError, codeOf, KafkaError, type ResponseOf } from "@odradek/protocol";
import { ListOffsets } from "@odradek/protocol/messages/list-offsets";
import { type ClusterView, toLeaders } from "../cluster-view.ts";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import { ApiRequest, type Due, type RequestTo } from "../outgoing-request.ts";
import { type ListedOffset, listedOffsets, listOffsetsBody, type OffsetQuery } from "./list-offsets.ts";

type Options = Pick<
  ResolvedConsumerOptions<unknown, unknown>,
  "isolationLevel" | "requestTimeoutMs" | "retryBackoffMs" | "retryBackoffMaxMs"
>;

/** One call of a user: what it still waits for, and what it has. */
interface Lookup {
  readonly deadline: Deadline;
  /** Not answered yet, by the text of their partition. */
  readonly open: Map<string, OffsetQuery>;
  /** Those of the open ones for which an answer is on its way. */
  readonly asked: Set<string>;
  readonly found: Map<string, ListedOffset>;
  readonly resolve: (found: ReadonlyMap<string, ListedOffset>) => void;
  readonly reject: (error: Error) => void;
  attempts: number;
  retryAtMs: number;
  lastError: Error | null;
}

/**
 * Answers users who ask for offsets: the ends of logs, and offsets by time. Each question goes to the leader of its
 * partition, one request for each leader, and again while the error is one that may pass.
 * Source: Kafka's `OffsetFetcher`, the part about users.
 */
export class OffsetLookup {
  readonly #options: Options;
  readonly #cluster: ClusterView;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #lookups = new Set<Lookup>();

  constructor(options: Options, cluster: ClusterView, clock: Clock) {
    this.#options = options;
    this.#cluster = cluster;
    this.#clock = clock;
    this.#backoff = exponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs);
  }

  /** How many calls wait. */
  get size(): number {
    return this.#lookups.size;
  }

  /** The topics that are being asked about: their metadata is needed until they are answered. */
  get topics(): ReadonlySet<string> {
    return new Set([...this.#lookups].flatMap(({ open }) => [...open.values()].map(({ topic }) => topic)));
  }

  /**
   * Asks; `poll` gives the requests that it takes. No partition may be named twice.
   *
   * @returns what the leaders answered, by the text of the partition
   * @throws TimeoutError at the deadline, AuthenticationError, BrokerError for what asking again will not mend
   */
  lookUp(queries: readonly OffsetQuery[], deadline: Deadline): Promise<ReadonlyMap<string, ListedOffset>> {
    return new Promise((resolve, reject) => {
      const lookup: Lookup = {
        deadline,
        open: new Map(queries.map((query) => [partitionText(query), query])),
        asked: new Set(),
        found: new Map(),
        resolve,
        reject,
        attempts: 0,
        retryAtMs: Number.NEGATIVE_INFINITY,
        lastError: null,
      };
      this.#lookups.add(lookup);
      this.#endIfAnswered(lookup);
    });
  }

  /** Ends all that still wait. */
  cancel(error: Error): void {
    for (const lookup of this.#lookups) this.#fail(lookup, error);
  }

  /** What is to be asked now. Whose time is over gets its TimeoutError. */
  poll(nowMs: number): Due<RequestTo<typeof ListOffsets>> {
    const requests: RequestTo<typeof ListOffsets>[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const lookup of this.#lookups) {
      if (lookup.deadline.atMs <= nowMs) {
        this.#timeOut(lookup);
        continue;
      }
      nextMs = Math.min(nextMs, lookup.deadline.atMs);
      if (lookup.retryAtMs > nowMs) {
        nextMs = Math.min(nextMs, lookup.retryAtMs);
        continue;
      }
      const due = this.#ask(lookup);
      requests.push(...due.requests);
      nextMs = Math.min(nextMs, due.nextMs);
    }
    return { requests, nextMs };
  }

  /** The requests that a lookup is due, and when to look at it again. */
  #ask(lookup: Lookup): Due<RequestTo<typeof ListOffsets>> {
    const unasked = [...lookup.open].filter(([key]) => !lookup.asked.has(key)).map(([, query]) => query);
    return toLeaders(this.#cluster, unasked, {
      request: (nodeId, queries) => this.#request(nodeId, lookup, queries),
      onFatal: (error) => this.#fail(lookup, error),
    });
  }

  #request(nodeId: number, lookup: Lookup, queries: readonly OffsetQuery[]): RequestTo<typeof ListOffsets> {
    const { isolationLevel, requestTimeoutMs } = this.#options;
    const timeoutMs = Math.min(requestTimeoutMs, Math.ceil(lookup.deadline.remainingMs));
    for (const query of queries) lookup.asked.add(partitionText(query));
    return new ApiRequest({
      nodeId,
      api: ListOffsets,
      body: listOffsetsBody(this.#cluster.metadata.snapshot, queries, isolationLevel, timeoutMs),
      onAnswer: (answer) => this.#onAnswer(lookup, queries, answer),
      onFailure: (error) => this.#onFailure(lookup, queries, error),
    });
  }

  #onAnswer(lookup: Lookup, queries: readonly OffsetQuery[], answer: ResponseOf<typeof ListOffsets>): void {
    const listed = listedOffsets(answer);
    let failure: KafkaError | null = null;
    for (const query of queries) {
      const key = partitionText(query);
      lookup.asked.delete(key);
      const found = listed.get(key);
      if (found === undefined) continue;
      if (found.errorCode === 0 && query.timestamp < 0n && found.offset < 0n) {
        // Every log has its ends.
        failure = new KafkaError(`the offset of ${key}: the broker says ${found.offset}`, { code: "DECODE" });
      } else if (isAnswer(found)) {
        lookup.open.delete(key);
        lookup.found.set(key, found);
      } else {
        failure = new BrokerError(found.errorCode, `the offset of ${key}`);
        if (!failure.retriable) this.#fail(lookup, failure);
      }
    }
    this.#endIfAnswered(lookup);
    if (lookup.open.size > 0) this.#retry(lookup, failure);
  }

  #onFailure(lookup: Lookup, queries: readonly OffsetQuery[], error: Error): void {
    for (const query of queries) lookup.asked.delete(partitionText(query));
    if (error instanceof KafkaError && error.retriable) this.#retry(lookup, error);
    else this.#fail(lookup, error);
  }

  #retry(lookup: Lookup, error: Error | null): void {
    lookup.lastError = error;
    lookup.retryAtMs = this.#clock.now() + this.#backoff(lookup.attempts);
    lookup.attempts += 1;
    this.#cluster.requestUpdate();
  }

  #endIfAnswered(lookup: Lookup): void {
    if (lookup.open.size === 0 && this.#lookups.delete(lookup)) lookup.resolve(lookup.found);
  }

  #fail(lookup: Lookup, error: Error): void {
    if (this.#lookups.delete(lookup)) lookup.reject(error);
  }

  #timeOut(lookup: Lookup): void {
    const what = `the offsets of ${[...lookup.open.keys()].join(", ")}`;
    this.#fail(lookup, new TimeoutError(what, lookup.deadline.timeoutMs, { cause: lookup.lastError }));
  }
}

/** Topics of the message formats before times were kept have no offset for a time: as if no record were found. */
const isAnswer = ({ errorCode }: ListedOffset): boolean =>
  errorCode === 0 || errorCode === codeOf("UNSUPPORTED_FOR_MESSAGE_FORMAT");
