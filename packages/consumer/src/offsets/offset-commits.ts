import {
  type Backoff,
  type Clock,
  type Deadline,
  exponentialBackoff,
  type OffsetAndMetadata,
  partitionText,
  TimeoutError,
} from "@odradek/network";
import { BrokerError, brokerErrorByCode, KafkaError, zeroUuid } from "@odradek/protocol";
import { OffsetCommit, type OffsetCommitResponse } from "@odradek/protocol/messages/offset-commit";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import type { GroupCoordinator } from "../group/group-coordinator.ts";
import type { MemberIdentity } from "../group/member-identity.ts";
import type { CoordinatorMetrics } from "../metrics/coordinator-metrics.ts";
import { ApiRequest, type Due, type RequestTo } from "../outgoing-request.ts";

type Options = Pick<ResolvedConsumerOptions<unknown, unknown>, "retryBackoffMs" | "retryBackoffMaxMs">;

/** On whose behalf offsets are committed. */
export interface Committer {
  /** Who commits at the moment. @throws CommitFailedError, RebalanceInProgressError where the member must not */
  committer(): MemberIdentity;
  /** What to tell the user after the group refused a commit of `identity`, having drawn conclusions from it. */
  commitRefused(error: BrokerError, identity: MemberIdentity): KafkaError;
  /** The group has committed these offsets; said before it is said to who waits for that. */
  commitAccepted?(offsets: readonly OffsetAndMetadata[]): void;
}

/** An offset that is to be committed, and the topic that it was read in, which another of the same name may have replaced. */
export interface OffsetOfTopic extends OffsetAndMetadata {
  /** `null` where it is not known, or nobody cares which topic of that name it is. @default null */
  readonly topicId?: string | null;
}

interface PendingCommit {
  readonly offsets: readonly OffsetOfTopic[];
  readonly deadline: Deadline;
  /** Whether an error that may pass is waited out. */
  readonly isRetried: boolean;
  /** Whether that of a topic that is not there (any more) is, too. */
  readonly isTopicAwaited: boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  attempts: number;
  retryAtMs: number;
  lastError: Error | null;
}

/** Static members can be told from others only since this version (KIP-345). */
const staticMembersSince = 7;

/** Topics go by their ids from the version behind this one on. */
const newestVersionWithNames = 9;

/** What only other offsets, or other rights, would mend, and says nothing of the member. */
const refusals: ReadonlySet<string> = new Set([
  "GROUP_AUTHORIZATION_FAILED",
  "INVALID_COMMIT_OFFSET_SIZE",
  "OFFSET_METADATA_TOO_LARGE",
  "TOPIC_AUTHORIZATION_FAILED",
]);

/** What a coordinator says that does not know a topic (any more, or yet). */
const topicUnknown: ReadonlySet<string> = new Set(["UNKNOWN_TOPIC_ID", "UNKNOWN_TOPIC_OR_PARTITION"]);

/** What says something of the member: it is not what the group takes it for. */
const memberErrors: ReadonlySet<string> = new Set([
  "FENCED_INSTANCE_ID",
  "ILLEGAL_GENERATION",
  "REBALANCE_IN_PROGRESS",
  "STALE_MEMBER_EPOCH",
  "UNKNOWN_MEMBER_ID",
]);

/**
 * Commits of a group's offsets, one after the other in the order in which they were asked for, so that an older one never
 * overtakes a newer one, and callbacks run in order. Source: the part of Kafka's `ConsumerCoordinator` about commits.
 */
export class OffsetCommits {
  readonly #coordinator: GroupCoordinator;
  readonly #committer: Committer;
  readonly #clock: Clock;
  readonly #metrics: Pick<CoordinatorMetrics, "commitAnswered">;
  readonly #backoff: Backoff;
  #queue: PendingCommit[] = [];
  /** Before it none of them runs out of time. There may be many, which must not be gone through at each look. */
  #expiresAtMs = Number.POSITIVE_INFINITY;
  readonly #unsettled = new Set<Promise<void>>();
  /** The first of the queue, while its answer is on its way. */
  #asked: PendingCommit | null = null;

  constructor(
    options: Options,
    coordinator: GroupCoordinator,
    committer: Committer,
    clock: Clock,
    metrics: Pick<CoordinatorMetrics, "commitAnswered">,
  ) {
    this.#coordinator = coordinator;
    this.#committer = committer;
    this.#clock = clock;
    this.#metrics = metrics;
    this.#backoff = exponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs);
  }

  /**
   * Commits; `poll` gives the requests that it takes.
   *
   * @param isRetried whether to ask again, until the deadline, after an error that may pass
   * @param isTopicAwaited whether to do so where a topic is not there, because it was deleted or is not known everywhere yet
   * @throws TimeoutError, CommitFailedError, RebalanceInProgressError, BrokerError
   */
  commit(
    offsets: readonly OffsetOfTopic[],
    deadline: Deadline,
    isRetried: boolean,
    isTopicAwaited = isRetried,
  ): Promise<void> {
    const retryAtMs = Number.NEGATIVE_INFINITY;
    const retries = { attempts: 0, retryAtMs, lastError: null };
    this.#expiresAtMs = Math.min(this.#expiresAtMs, deadline.atMs);
    const committing = new Promise<void>((resolve, reject) => {
      this.#queue.push({ offsets, deadline, isRetried, isTopicAwaited, resolve, reject, ...retries });
    });
    this.#unsettled.add(committing);
    const forget = () => this.#unsettled.delete(committing);
    void committing.then(forget, forget);
    return committing;
  }

  /** Settles once everything that was to be committed by now is, or could not be. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#unsettled);
  }

  /** Ends all that still wait. What was sent may have been committed. */
  cancel(error: Error): void {
    this.#asked = null;
    for (const commit of this.#queue.splice(0)) commit.reject(error);
  }

  /** What is to be sent now. Whose time is over gets its TimeoutError. */
  poll(nowMs: number): Due<RequestTo<typeof OffsetCommit>> {
    this.#expire(nowMs);
    const [commit] = this.#queue;
    if (commit === undefined) return { requests: [], nextMs: Number.POSITIVE_INFINITY };
    const nextMs = this.#expiresAtMs;
    if (this.#asked !== null) return { requests: [], nextMs };
    if (commit.retryAtMs > nowMs) return { requests: [], nextMs: Math.min(nextMs, commit.retryAtMs) };
    // A JoinGroup may be held for minutes on the coordinator's own connection.
    const nodeId = this.#coordinator.ready("main");
    const { error } = this.#coordinator;
    if (error !== null) {
      this.cancel(error);
      return { requests: [], nextMs: Number.POSITIVE_INFINITY };
    }
    if (nodeId === null) return { requests: [], nextMs: Math.min(nextMs, this.#coordinator.retryAtMs) };
    let identity: MemberIdentity;
    try {
      identity = this.#committer.committer();
    } catch (error) {
      this.#settle(commit, error instanceof Error ? error : new Error(String(error)));
      return this.poll(nowMs);
    }
    return { requests: [this.#request(nodeId, commit, identity)], nextMs };
  }

  #request(nodeId: number, commit: PendingCommit, identity: MemberIdentity): RequestTo<typeof OffsetCommit> {
    this.#asked = commit;
    const { groupId } = this.#coordinator;
    const { memberId, generationId: generationIdOrMemberEpoch, groupInstanceId } = identity;
    const bounds = {
      ...(groupInstanceId === null ? {} : { oldest: staticMembersSince }),
      ...(haveIds(commit.offsets) ? {} : { newest: newestVersionWithNames }),
    };
    const sentAtMs = this.#clock.now();
    return new ApiRequest({
      nodeId,
      api: OffsetCommit,
      body: { groupId, memberId, generationIdOrMemberEpoch, groupInstanceId, topics: byTopic(commit.offsets) },
      options: { bounds },
      onAnswer: (answer) => {
        this.#metrics.commitAnswered(sentAtMs);
        this.#answered(commit, () => this.#onAnswer(commit, nodeId, identity, answer));
      },
      onFailure: (error) => this.#answered(commit, () => this.#onFailure(commit, nodeId, error)),
    });
  }

  /** What comes for a commit that was given up meanwhile is of no interest. */
  #answered(commit: PendingCommit, take: () => void): void {
    if (this.#asked !== commit) return;
    this.#asked = null;
    take();
  }

  #onAnswer(commit: PendingCommit, nodeId: number, identity: MemberIdentity, { topics }: OffsetCommitResponse): void {
    const names = new Map(commit.offsets.map(({ topicId, topic }) => [topicId, topic]));
    const failed = topics.flatMap(({ name, topicId, partitions }) => {
      const topic = name || (names.get(topicId) ?? topicId);
      return partitions.flatMap(({ partitionIndex: partition, errorCode }) =>
        errorCode === 0 ? [] : [{ errorCode, text: partitionText({ topic, partition }), topic }],
      );
    });
    const [first] = failed;
    if (first === undefined) {
      this.#coordinator.answered();
      this.#settle(commit, null);
      return;
    }
    const { name, retriable, refresh } = brokerErrorByCode(first.errorCode);
    const same = failed.filter(({ errorCode }) => errorCode === first.errorCode);
    const what = name === "TOPIC_AUTHORIZATION_FAILED" ? same.map(({ topic }) => topic) : same.map(({ text }) => text);
    const error = new BrokerError(first.errorCode, `committing the offsets of ${[...new Set(what)].join(", ")}`);
    // The member's epoch went on meanwhile: with the new one it may be right.
    if (name === "STALE_MEMBER_EPOCH" && commit.isRetried) this.#retry(commit, error);
    else if (memberErrors.has(name)) this.#settle(commit, this.#committer.commitRefused(error, identity));
    else if (refusals.has(name) || !retriable) this.#settle(commit, error);
    else if (topicUnknown.has(name) && !commit.isTopicAwaited) this.#settle(commit, error);
    else {
      // A broker that did not see its replicas follow in time may no longer lead the group's partition.
      if (refresh === "coordinator" || name === "REQUEST_TIMED_OUT") this.#coordinator.lost(nodeId, error);
      this.#retry(commit, error);
    }
  }

  #onFailure(commit: PendingCommit, nodeId: number, error: Error): void {
    const isPassing = error instanceof KafkaError && error.retriable;
    if (isPassing) this.#coordinator.lost(nodeId, error);
    if (isPassing) this.#retry(commit, error);
    else this.#settle(commit, error);
  }

  #retry(commit: PendingCommit, error: Error): void {
    if (!commit.isRetried) {
      this.#settle(commit, error);
      return;
    }
    commit.lastError = error;
    commit.retryAtMs = this.#clock.now() + this.#backoff(commit.attempts);
    commit.attempts += 1;
  }

  #settle(commit: PendingCommit, error: Error | null): void {
    const index = this.#queue.indexOf(commit);
    if (index >= 0) this.#queue.splice(index, 1);
    // It is out of the queue by then: whoever is told may commit again.
    if (error === null) this.#committer.commitAccepted?.(commit.offsets);
    if (error === null) commit.resolve();
    else commit.reject(error);
  }

  #expire(nowMs: number): void {
    if (nowMs < this.#expiresAtMs) return;
    const queue = this.#queue;
    this.#queue = [];
    this.#expiresAtMs = Number.POSITIVE_INFINITY;
    for (const commit of queue) {
      const { deadline, lastError } = commit;
      if (deadline.atMs > nowMs) {
        this.#queue.push(commit);
        this.#expiresAtMs = Math.min(this.#expiresAtMs, deadline.atMs);
        continue;
      }
      // Its answer may still come, and must not be taken for that of the next one.
      if (this.#asked === commit) this.#asked = null;
      const cause = lastError ?? this.#coordinator.lastError ?? undefined;
      commit.reject(new TimeoutError("committing offsets", deadline.timeoutMs, { cause }));
    }
  }
}

/** Whether it is known of all of them which topic they are of. */
const haveIds = (offsets: readonly OffsetOfTopic[]): boolean =>
  offsets.every(({ topicId = null }) => topicId !== null && topicId !== zeroUuid);

interface CommittedTopic {
  readonly name: string;
  readonly topicId?: string;
  readonly partitions: {
    readonly partitionIndex: number;
    readonly committedOffset: bigint;
    readonly committedLeaderEpoch: number;
    readonly committedMetadata: string;
  }[];
}

function byTopic(offsets: readonly OffsetOfTopic[]): CommittedTopic[] {
  const topics = new Map<string, CommittedTopic>();
  for (const { topic, topicId = null, partition, offset, leaderEpoch, metadata } of offsets) {
    const key = `${topicId} ${topic}`;
    const entry: CommittedTopic = topics.get(key) ?? {
      name: topic,
      ...(topicId === null ? {} : { topicId }),
      partitions: [],
    };
    topics.set(key, entry);
    entry.partitions.push({
      partitionIndex: partition,
      committedOffset: offset,
      committedLeaderEpoch: leaderEpoch ?? -1,
      committedMetadata: metadata,
    });
  }
  return [...topics.values()];
}
