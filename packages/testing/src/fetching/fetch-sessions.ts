import type { BrokerErrorName } from "@odradek/protocol";
import type { Clock } from "../clock.ts";
import { type FetchPartition, FetchSession } from "./fetch-session.ts";

/** `max.incremental.fetch.session.cache.slots` */
const maxSessions = 1_000;

/** `min.incremental.fetch.session.eviction.ms`: one that was used since is not given up for another. */
const minEvictionMs = 120_000;

/** What a Fetch request says about its session. */
export interface SessionRequest {
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly usesTopicIds: boolean;
  readonly partitions: readonly FetchPartition[];
  /** Keys of the partitions that leave the session. */
  readonly forgotten: readonly string[];
}

/** What to fetch, and for which session; `full` tells of every partition. */
export type FetchPlan =
  | { readonly error: BrokerErrorName }
  | {
      readonly error: null;
      readonly session: FetchSession | null;
      readonly isFull: boolean;
      readonly partitions: readonly FetchPartition[];
    };

/**
 * The fetch sessions of one broker.
 *
 * @see FetchManager.newContext (apache/kafka)
 */
export class FetchSessions {
  readonly #clock: Clock;
  /** The one that was not used for the longest time comes first. */
  readonly #sessions = new Map<number, { readonly session: FetchSession; readonly usedMs: number }>();
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  plan(request: SessionRequest): FetchPlan {
    const { sessionId, sessionEpoch, usesTopicIds, partitions } = request;
    if (sessionEpoch <= 0) {
      this.#sessions.delete(sessionId);
      const isSessionless = sessionEpoch < 0 || partitions.length === 0 || !this.#hasRoom();
      const session = isSessionless ? null : this.#open(usesTopicIds, partitions);
      return { error: null, session, isFull: true, partitions };
    }
    const session = this.#sessions.get(sessionId)?.session;
    if (session === undefined) return { error: "FETCH_SESSION_ID_NOT_FOUND" };
    if (session.epoch !== sessionEpoch) return { error: "INVALID_FETCH_SESSION_EPOCH" };
    if (session.usesTopicIds !== usesTopicIds) return { error: "FETCH_SESSION_TOPIC_ID_ERROR" };
    session.update(partitions);
    for (const key of request.forgotten) session.forget(key);
    if (session.partitions.length === 0) {
      this.#sessions.delete(sessionId);
      return { error: null, session: null, isFull: true, partitions: [] };
    }
    session.next();
    this.#use(session);
    return { error: null, session, isFull: false, partitions: session.partitions };
  }

  /** Forgets all of them, as a broker that restarts does. */
  clear(): void {
    this.#sessions.clear();
  }

  #open(usesTopicIds: boolean, partitions: readonly FetchPartition[]): FetchSession {
    this.#lastId += 1;
    const session = new FetchSession(this.#lastId, usesTopicIds, partitions);
    this.#use(session);
    return session;
  }

  #use(session: FetchSession): void {
    this.#sessions.delete(session.id);
    this.#sessions.set(session.id, { session, usedMs: this.#clock.now() });
  }

  /** Makes room by giving up the session of a client that is long gone. */
  #hasRoom(): boolean {
    if (this.#sessions.size < maxSessions) return true;
    const [oldest] = this.#sessions;
    if (oldest === undefined || this.#clock.now() - oldest[1].usedMs <= minEvictionMs) return false;
    return this.#sessions.delete(oldest[0]);
  }
}
