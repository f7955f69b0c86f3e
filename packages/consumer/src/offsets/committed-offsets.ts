import {
  type Backoff,
  type Clock,
  type Deadline,
  exponentialBackoff,
  partitionText,
  TimeoutError,
  type TopicPartition,
} from "@odradek/network";
import { BrokerError, KafkaError } from "@odradek/protocol";
import { OffsetFetch, type OffsetFetchResponse } from "@odradek/protocol/messages/offset-fetch";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import type { GroupCoordinator } from "../group/group-coordinator.ts";
import { ApiRequest, type Due, type RequestTo } from "../outgoing-request.ts";
import type { CommittedOffset } from "./committed-offset.ts";

type Options = Pick<ResolvedConsumerOptions<unknown, unknown>, "retryBackoffMs" | "retryBackoffMaxMs">;

interface Lookup {
  readonly partitions: readonly TopicPartition[];
  readonly deadline: Deadline;
  readonly resolve: (found: readonly CommittedOffset[]) => void;
  readonly reject: (error: Error) => void;
  isAsked: boolean;
  attempts: number;
  retryAtMs: number;
  lastError: Error | null;
}

/** From this version on a request is about many groups, and so is its answer. */
const manyGroupsSince = 8;

/** Topics go by their ids from the version behind this one on. */
const newestVersionWithNames = 9;

/**
 * Asks a group's coordinator what the group has committed. An offset that an open transaction is about to replace is waited for,
 * where brokers can tell (KIP-447). Source: the part of Kafka's `ConsumerCoordinator` about that.
 */
export class CommittedOffsets {
  readonly #coordinator: GroupCoordinator;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  readonly #lookups = new Set<Lookup>();

  constructor(options: Options, coordinator: GroupCoordinator, clock: Clock) {
    this.#coordinator = coordinator;
    this.#clock = clock;
    this.#backoff = exponentialBackoff(options.retryBackoffMs, options.retryBackoffMaxMs);
  }

  /**
   * Asks; `poll` gives the requests that it takes.
   *
   * @returns one for each partition, in their order
   * @throws TimeoutError, BrokerError for what asking again will not mend
   */
  lookUp(partitions: readonly TopicPartition[], deadline: Deadline): Promise<readonly CommittedOffset[]> {
    if (partitions.length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      const retryAtMs = Number.NEGATIVE_INFINITY;
      const lastError = null;
      this.#lookups.add({ partitions, deadline, resolve, reject, isAsked: false, attempts: 0, retryAtMs, lastError });
    });
  }

  /** Ends all that still wait. */
  cancel(error: Error): void {
    for (const lookup of this.#lookups) this.#fail(lookup, error);
  }

  /** What is to be asked now. Whose time is over gets its TimeoutError. */
  poll(nowMs: number): Due<RequestTo<typeof OffsetFetch>> {
    const requests: RequestTo<typeof OffsetFetch>[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const lookup of this.#lookups) {
      const { deadline } = lookup;
      if (deadline.atMs <= nowMs) {
        const cause = lookup.lastError ?? this.#coordinator.lastError ?? undefined;
        this.#fail(lookup, new TimeoutError(aboutOf(lookup), deadline.timeoutMs, { cause }));
        continue;
      }
      nextMs = Math.min(nextMs, deadline.atMs);
      if (lookup.isAsked) continue;
      if (lookup.retryAtMs > nowMs) {
        nextMs = Math.min(nextMs, lookup.retryAtMs);
        continue;
      }
      const nodeId = this.#coordinator.ready("main");
      const { error } = this.#coordinator;
      if (error !== null) this.#fail(lookup, error);
      else if (nodeId === null) nextMs = Math.min(nextMs, this.#coordinator.retryAtMs);
      else requests.push(this.#request(nodeId, lookup));
    }
    return { requests, nextMs };
  }

  #request(nodeId: number, lookup: Lookup): RequestTo<typeof OffsetFetch> {
    lookup.isAsked = true;
    const { groupId } = this.#coordinator;
    const topics = byTopic(lookup.partitions);
    return new ApiRequest({
      nodeId,
      api: OffsetFetch,
      body: (version) =>
        version < manyGroupsSince
          ? { groupId, topics, groups: [], ...(version < stableSince ? {} : { requireStable: true }) }
          : { topics: [], groups: [{ groupId, topics }], requireStable: true },
      options: { bounds: { newest: newestVersionWithNames } },
      onAnswer: (answer) => this.#onAnswer(nodeId, lookup, answer),
      onFailure: (error) => this.#onFailure(nodeId, lookup, error),
    });
  }

  #onAnswer(nodeId: number, lookup: Lookup, answer: OffsetFetchResponse): void {
    lookup.isAsked = false;
    const [group = answer] = answer.groups;
    const answers = new Map(
      group.topics.flatMap(({ name: topic, partitions }) =>
        partitions.map((found) => [partitionText({ topic, partition: found.partitionIndex }), found] as const),
      ),
    );
    const errors = [group.errorCode, ...[...answers.values()].map(({ errorCode }) => errorCode)];
    const errorCode = errors.find((code) => code !== 0);
    if (errorCode !== undefined) {
      this.#onError(nodeId, lookup, new BrokerError(errorCode, aboutOf(lookup)));
      return;
    }
    this.#coordinator.answered();
    const found = lookup.partitions.map(({ topic, partition }): CommittedOffset => {
      const {
        committedOffset = -1n,
        committedLeaderEpoch = -1,
        metadata = null,
      } = answers.get(partitionText({ topic, partition })) ?? {};
      if (committedOffset < 0n) return { topic, partition, offset: null, leaderEpoch: null, metadata: null };
      const leaderEpoch = committedLeaderEpoch < 0 ? null : committedLeaderEpoch;
      return { topic, partition, offset: committedOffset, leaderEpoch, metadata };
    });
    if (this.#lookups.delete(lookup)) lookup.resolve(found);
  }

  #onError(nodeId: number, lookup: Lookup, error: BrokerError): void {
    if (error.code === "NOT_COORDINATOR" || error.code === "COORDINATOR_NOT_AVAILABLE") {
      this.#coordinator.lost(nodeId, error);
    }
    // The topic is gone: asking on would not bring its offset back. So does Java see it.
    if (error.retriable && error.code !== "UNKNOWN_TOPIC_OR_PARTITION") this.#retry(lookup, error);
    else this.#fail(lookup, error);
  }

  #onFailure(nodeId: number, lookup: Lookup, error: Error): void {
    lookup.isAsked = false;
    if (!(error instanceof KafkaError && error.retriable)) {
      this.#fail(lookup, error);
      return;
    }
    this.#coordinator.lost(nodeId, error);
    this.#retry(lookup, error);
  }

  #retry(lookup: Lookup, error: Error): void {
    lookup.lastError = error;
    lookup.retryAtMs = this.#clock.now() + this.#backoff(lookup.attempts);
    lookup.attempts += 1;
  }

  #fail(lookup: Lookup, error: Error): void {
    if (this.#lookups.delete(lookup)) lookup.reject(error);
  }
}

/** From this version on a broker says where an open transaction is about to commit another offset. */
const stableSince = 7;

const aboutOf = ({ partitions }: Lookup): string =>
  `the committed offsets of ${partitions.map(partitionText).join(", ")}`;

function byTopic(partitions: readonly TopicPartition[]): { name: string; partitionIndexes: number[] }[] {
  const topics = new Map<string, { name: string; partitionIndexes: number[] }>();
  for (const { topic: name, partition } of partitions) {
    const entry = topics.get(name) ?? { name, partitionIndexes: [] };
    topics.set(name, entry);
    entry.partitionIndexes.push(partition);
  }
  return [...topics.values()];
}
