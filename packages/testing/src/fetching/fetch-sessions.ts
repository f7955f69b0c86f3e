import type { BrokerErrorName } from "@odradek/protocol";
import { type FetchPartition, FetchSession } from "./fetch-session.ts";

/** `max.incremental.fetch.session.cache.slots` */
const maxSessions = 1_000;

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
  readonly #sessions = new Map<number, FetchSession>();
  #lastId = 0;

  plan(request: SessionRequest): FetchPlan {
    const { sessionId, sessionEpoch, usesTopicIds, partitions } = request;
    if (sessionEpoch <= 0) {
      this.#sessions.delete(sessionId);
      const isSessionless = sessionEpoch < 0 || partitions.length === 0 || this.#sessions.size >= maxSessions;
      const session = isSessionless ? null : this.#open(usesTopicIds, partitions);
      return { error: null, session, isFull: true, partitions };
    }
    const session = this.#sessions.get(sessionId);
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
    return { error: null, session, isFull: false, partitions: session.partitions };
  }

  /** Forgets all of them, as a broker that restarts does. */
  clear(): void {
    this.#sessions.clear();
  }

  #open(usesTopicIds: boolean, partitions: readonly FetchPartition[]): FetchSession {
    this.#lastId += 1;
    const session = new FetchSession(this.#lastId, usesTopicIds, partitions);
    this.#sessions.set(session.id, session);
    return session;
  }
}
