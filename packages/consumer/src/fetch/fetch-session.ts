import { brokerErrorByCode, type ResponseOf, zeroUuid } from "@odradek/protocol";
import type { Fetch } from "@odradek/protocol/messages/fetch";
import type { FetchPosition, PartitionState } from "../positions/partition-state.ts";

/** One partition that a broker is asked for, and from where: its answer is void when the partition has moved on since. */
export interface FetchTarget {
  readonly topic: string;
  /** The zero UUID where the broker has no topic ids. */
  readonly topicId: string;
  readonly partition: number;
  /** Of the log that the position is of. */
  readonly leaderEpoch: number;
  /** Most that the partition may give, bytes. */
  readonly maxBytes: number;
  readonly state: PartitionState;
  readonly position: FetchPosition;
}

/** What one request says of the session that it belongs to. */
export interface SessionRequest {
  readonly sessionId: number;
  /** 0 opens a session, and ends that of `sessionId`; later requests count from 1. */
  readonly sessionEpoch: number;
  /** All that the broker looks at for this request, by the text of the partition. */
  readonly targets: ReadonlyMap<string, FetchTarget>;
  /** Those of them that the broker must be told of. */
  readonly named: readonly FetchTarget[];
  /** What it may forget. */
  readonly forgotten: readonly FetchTarget[];
  /** What it may forget because a topic of the same name has taken its place, which only topic ids tell apart. */
  readonly replaced: readonly FetchTarget[];
  /** Whether topics may be called by their ids alone. */
  readonly usesTopicIds: boolean;
}

/** Where the session stands for the next request: Kafka's `FetchMetadata`. */
export interface SessionPlace {
  readonly sessionId: number;
  readonly sessionEpoch: number;
}

const noSession: SessionPlace = Object.freeze({ sessionId: 0, sessionEpoch: 0 });
const nothing: ReadonlyMap<string, FetchTarget> = new Map();
const int32Max = 0x7fff_ffff;

/** Says that a session is over. Kafka's `FINAL_EPOCH`. */
const finalEpoch = -1;

/**
 * What one broker remembers of what this consumer asks it for, so that requests need only say what has changed, and answers
 * only what is new: two hundred quiet partitions cost no bytes. A broker need not remember; then each request names all.
 * Source: Kafka's `FetchSessionHandler`, KIP-227.
 */
export class FetchSession {
  #place = noSession;
  /** What the broker has been told, by the text of the partition. */
  #told = nothing;
  #usesTopicIds = false;

  /** What to say to ask for these. There is one request under way at a time. */
  next(wanted: readonly FetchTarget[]): SessionRequest {
    const usesTopicIds = wanted.every(({ topicId }) => topicId !== zeroUuid);
    // Within one session topics are called either by their names or by their ids.
    if (usesTopicIds !== this.#usesTopicIds) this.#restart();
    this.#usesTopicIds = usesTopicIds;
    const told = this.#place.sessionEpoch === 0 ? nothing : this.#told;
    const targets = new Map<string, FetchTarget>();
    const named: FetchTarget[] = [];
    const forgotten: FetchTarget[] = [];
    const replaced: FetchTarget[] = [];
    let knownCount = 0;
    for (const target of wanted) {
      const { key } = target.state;
      const before = told.get(key);
      // It was given up meanwhile and came back: where its log ends, which a session tells once, it was not told.
      if (before !== undefined && before.state !== target.state) {
        this.#restart();
        return this.next(wanted);
      }
      targets.set(key, target);
      if (before !== undefined) knownCount += 1;
      if (before !== undefined && before.topicId !== target.topicId) replaced.push(before);
      if (isNews(target, before)) named.push(target);
    }
    // Most often all of them are wanted again.
    if (knownCount < told.size) for (const [key, target] of told) if (!targets.has(key)) forgotten.push(target);
    this.#told = targets;
    return { ...this.#place, targets, named, forgotten, replaced, usesTopicIds };
  }

  /**
   * Takes the answer to `request`.
   *
   * @returns whether it says something of the partitions. Where not, only the session was wrong, or the answer was held back by a
   *   quota, and the same can be asked for again
   */
  answered(request: SessionRequest, answer: ResponseOf<typeof Fetch>): boolean {
    const isFull = request.sessionEpoch === 0;
    const { errorCode, sessionId, responses, throttleTimeMs } = answer;
    if (errorCode !== 0) {
      // What the broker does not know it need not be told to end.
      if (brokerErrorByCode(errorCode).name === "FETCH_SESSION_ID_NOT_FOUND") this.#place = noSession;
      else this.#restart();
      // With a session that begins anew it cannot be the session that is wrong.
      return isFull;
    }
    if (isFull && responses.length === 0 && throttleTimeMs > 0) {
      this.#place = noSession;
      return false;
    }
    const isKept = sessionId !== 0 && (isFull || sessionId === request.sessionId);
    this.#place = isKept ? { sessionId, sessionEpoch: epochAfter(request.sessionEpoch) } : noSession;
    return true;
  }

  /** The request had no answer, or one that leaves out what it must name: nobody knows where the session stands. */
  failed(): void {
    this.#restart();
  }

  /** How to say that nobody goes on with it; `null` where the broker keeps none, as far as is known. */
  get end(): SessionPlace | null {
    const { sessionId } = this.#place;
    return sessionId === 0 ? null : { sessionId, sessionEpoch: finalEpoch };
  }

  /** Begins a session in place of this one. */
  #restart(): void {
    this.#place = { sessionId: this.#place.sessionId, sessionEpoch: 0 };
  }
}

/** Epochs count from 1 again after the last: 0 and -1 have a meaning of their own. */
const epochAfter = (sessionEpoch: number): number => (sessionEpoch === int32Max ? 1 : sessionEpoch + 1);

const isNews = (target: FetchTarget, told: FetchTarget | undefined): boolean =>
  told === undefined ||
  told.position.offset !== target.position.offset ||
  told.leaderEpoch !== target.leaderEpoch ||
  told.maxBytes !== target.maxBytes ||
  told.topicId !== target.topicId;
