import type { Deadline, Purpose } from "@odradek/network";
import { Fetch } from "@odradek/protocol/messages/fetch";
import type { ClusterView } from "../cluster-view.ts";
import { ApiRequest, type Due, type RequestTo } from "../outgoing-request.ts";
import { FetchSession, type SessionPlace } from "./fetch-session.ts";

/** A broker that is to be told that a session is over. */
interface Farewell {
  readonly nodeId: number;
  readonly purpose: Purpose;
  readonly place: SessionPlace;
  readonly deadline: Deadline;
  readonly resolve: () => void;
  isSent: boolean;
}

/**
 * The sessions of one consumer, one for each broker that was ever asked, and how they end: a broker has room for a thousand of them by
 * default, and may keep one that nobody goes on with for minutes, in which it has none left for others.
 * Source: Kafka's `AbstractFetch`, `maybeCloseFetchSessions`.
 */
export class FetchSessions {
  readonly #cluster: ClusterView;
  readonly #sessions = new Map<number, FetchSession>();
  readonly #farewells = new Set<Farewell>();

  constructor(cluster: ClusterView) {
    this.#cluster = cluster;
  }

  /** The one with a broker; it begins with the first request. */
  of(nodeId: number): FetchSession {
    const session = this.#sessions.get(nodeId) ?? new FetchSession();
    this.#sessions.set(nodeId, session);
    return session;
  }

  /**
   * Ends all of them; `poll` gives the requests that it takes. Each broker is told once.
   *
   * @param isHeld whether a broker has a Fetch to answer, behind which another on the same connection would wait
   * @returns settles when all were told, or could not be before the deadline
   */
  async end(isHeld: (nodeId: number) => boolean, deadline: Deadline): Promise<void> {
    const ends = [...this.#sessions].flatMap(([nodeId, { end: place }]) => {
      if (place === null) return [];
      const purpose = isHeld(nodeId) ? "main" : "fetch";
      return new Promise<void>((resolve) => {
        this.#farewells.add({ nodeId, purpose, place, deadline, resolve, isSent: false });
      });
    });
    this.#sessions.clear();
    await Promise.all(ends);
  }

  /** What is to be sent now. Who cannot be told, or not in time, is not. */
  poll(nowMs: number): Due<RequestTo<typeof Fetch>> {
    const requests: RequestTo<typeof Fetch>[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const farewell of this.#farewells) {
      const { nodeId, purpose, deadline } = farewell;
      if (!farewell.isSent && this.#cluster.ready(nodeId, purpose)) requests.push(this.#request(farewell));
      if (deadline.atMs <= nowMs || !(farewell.isSent || this.#isOnItsWay(farewell))) this.#settle(farewell);
      else nextMs = Math.min(nextMs, deadline.atMs);
    }
    return { requests, nextMs };
  }

  /** Whether there will be a connection. Where the last one failed, or nobody knows the broker any more, it is not worth the wait. */
  #isOnItsWay({ nodeId, purpose }: Farewell): boolean {
    const isKnown = this.#cluster.metadata.snapshot.nodes.has(nodeId);
    return isKnown && !Number.isFinite(this.#cluster.retryAtMs(nodeId, purpose));
  }

  #request(farewell: Farewell): RequestTo<typeof Fetch> {
    const { nodeId, purpose, place } = farewell;
    farewell.isSent = true;
    return new ApiRequest({
      nodeId,
      api: Fetch,
      body: { ...place, maxWaitMs: 0, minBytes: 0, topics: [], forgottenTopicsData: [] },
      options: { purpose },
      onAnswer: () => this.#settle(farewell),
      onFailure: () => this.#settle(farewell),
    });
  }

  #settle(farewell: Farewell): void {
    this.#farewells.delete(farewell);
    farewell.resolve();
  }
}
