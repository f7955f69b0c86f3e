import { partitionText, type TopicPartition } from "@odradek/network";
import { type Api, type BrokerErrorName, codeOf, type Fields, type Input, zeroUuid } from "@odradek/protocol";
import type { HeartbeatResponse } from "@odradek/protocol/messages/heartbeat";
import type { JoinGroupResponse } from "@odradek/protocol/messages/join-group";
import type { LeaveGroupResponse } from "@odradek/protocol/messages/leave-group";
import type { OffsetCommitResponse } from "@odradek/protocol/messages/offset-commit";
import type { OffsetFetchResponse } from "@odradek/protocol/messages/offset-fetch";
import type { SyncGroupResponse } from "@odradek/protocol/messages/sync-group";
import { type ConsumerOptions, resolveConsumerOptions } from "../../src/consumer-options.ts";
import { encodeAssignment, encodeSubscription, type SubscriptionBlob } from "../../src/group/consumer-protocol.ts";
import { type CoordinatorFinder, GroupCoordinator } from "../../src/group/group-coordinator.ts";
import { CoordinatorMetrics } from "../../src/metrics/coordinator-metrics.ts";
import { ApiRequest, type ApiRequestParts, type OutgoingRequest } from "../../src/outgoing-request.ts";
import { measured } from "../metrics/measured.ts";
import { TestCluster, topicLedBy } from "../test-cluster.ts";

/** What promises bring about that are settled has happened after it. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const groupOptions = (options: Partial<ConsumerOptions> = {}) =>
  resolveConsumerOptions({ bootstrapServers: ["127.0.0.1:9092"], groupId: "billing", ...options });

/** Knows the coordinator that a test names, and finds it, or fails to, as the test says. */
export class ScriptedFinder implements CoordinatorFinder {
  /** What the next look brings; a number is found. */
  finds: number | Error | null = 1;
  /** How many looks there were. */
  looks = 0;
  #known: number | null;

  constructor(known: number | null = 1) {
    this.#known = known;
  }

  known(): number | null {
    return this.#known;
  }

  forget(): void {
    this.#known = null;
  }

  async find(...[, keys, , signal]: Parameters<CoordinatorFinder["find"]>): ReturnType<CoordinatorFinder["find"]> {
    this.looks += 1;
    await Promise.resolve();
    if (this.finds instanceof Error) throw this.finds;
    if (this.finds === null) {
      return new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
    }
    this.#known = this.finds;
    return new Map([...keys].map((key) => [key, this.finds instanceof Error ? 0 : (this.finds ?? 0)]));
  }
}

/** A group `billing` whose coordinator is node 1 of a cluster with the topics `orders` (4 partitions) and `refunds` (2). */
export function scriptedCoordinator(
  options = groupOptions(),
  finder = new ScriptedFinder(),
  assignment: { readonly size: number } = { size: 0 },
) {
  const cluster = new TestCluster([topicLedBy("orders", [1, 2, 1, 2]), topicLedBy("refunds", [1, 2])]);
  const changes = { count: 0 };
  const onChange = () => {
    changes.count += 1;
  };
  const coordinator = new GroupCoordinator("billing", options, cluster, finder, cluster.clock, onChange);
  const { registry, values } = measured(cluster.clock);
  const metrics = new CoordinatorMetrics(registry, cluster.clock, assignment);
  return { options, cluster, clock: cluster.clock, finder, coordinator, changes, metrics, values };
}

const isOf = <Req extends Fields, Res extends Fields>(
  request: OutgoingRequest,
  api: Api<Req, Res>,
): request is ApiRequest<Req, Res> => request instanceof ApiRequest && request.parts.api === api;

/** Takes the first request of an API out of those that were sent. @throws where there is none */
export function taken<Req extends Fields, Res extends Fields>(
  requests: OutgoingRequest[],
  api: Api<Req, Res>,
): ApiRequestParts<Req, Res> {
  for (const request of requests) {
    if (!isOf(request, api)) continue;
    requests.splice(requests.indexOf(request), 1);
    return request.parts;
  }
  throw new Error(`no ${api.name} was sent, but ${namesOf(requests).join(", ") || "nothing"}`);
}

/** The names of what was sent. */
export const namesOf = (requests: readonly OutgoingRequest[]): string[] =>
  requests.map((request) => (request instanceof ApiRequest ? String(request.parts.api.name) : "?"));

/** What stands in a request of the version that was agreed on. */
export const bodyOf = <Req extends Fields, Res extends Fields>(
  { body, api }: Pick<ApiRequestParts<Req, Res>, "body" | "api">,
  version = api.versions[1],
): Input<Req> => (typeof body === "function" ? body(version) : body);

type Refusable<T> = Partial<T> & { readonly error?: BrokerErrorName };

/** Place in generation 1 as a follower, unless said otherwise. */
export const joined = ({ error = "NONE", ...more }: Refusable<JoinGroupResponse> = {}): JoinGroupResponse => ({
  throttleTimeMs: 0,
  errorCode: codeOf(error),
  generationId: error === "NONE" ? 1 : -1,
  protocolType: error === "NONE" ? "consumer" : null,
  protocolName: error === "NONE" ? "range" : null,
  leader: "other",
  skipAssignment: false,
  memberId: "me",
  members: [],
  ...more,
});

/** The same for the leader, of members that subscribed as they say. */
export const joinedAsLeader = (
  members: readonly (Partial<SubscriptionBlob> & { readonly memberId: string; readonly groupInstanceId?: string })[],
  more: Partial<JoinGroupResponse> = {},
): JoinGroupResponse =>
  joined({
    leader: "me",
    members: members.map(({ memberId, groupInstanceId = null, ...blob }) => ({
      memberId,
      groupInstanceId,
      metadata: subscribed(blob),
    })),
    ...more,
  });

export const subscribed = (blob: Partial<SubscriptionBlob> = {}): Buffer =>
  encodeSubscription({
    topics: ["orders"],
    ownedPartitions: [],
    generationId: -1,
    rackId: null,
    userData: null,
    ...blob,
  });

/** Partitions by their short names, such as `orders-0`. */
export const named = (...names: readonly string[]): TopicPartition[] =>
  names.map((name) => {
    const [, topic = "", partition = ""] = /^(.*)-(\d+)$/.exec(name) ?? [];
    return { topic, partition: Number(partition) };
  });

export const texts = (partitions: Iterable<TopicPartition>): string[] => [...partitions].map(partitionText);

export const synced = (
  partitions: readonly TopicPartition[],
  { error = "NONE", ...more }: Refusable<SyncGroupResponse> = {},
): SyncGroupResponse => ({
  throttleTimeMs: 0,
  errorCode: codeOf(error),
  protocolType: error === "NONE" ? "consumer" : null,
  protocolName: error === "NONE" ? "range" : null,
  assignment: error === "NONE" ? encodeAssignment(partitions, null) : Buffer.alloc(0),
  ...more,
});

export const beat = (error: BrokerErrorName = "NONE"): HeartbeatResponse => ({
  throttleTimeMs: 0,
  errorCode: codeOf(error),
});

export const left = (error: BrokerErrorName = "NONE"): LeaveGroupResponse => ({
  throttleTimeMs: 0,
  errorCode: codeOf(error),
  members: [],
});

/** Each partition by its short name, with its error. */
export const committedAs = (errors: Readonly<Record<string, BrokerErrorName>>): OffsetCommitResponse => ({
  throttleTimeMs: 0,
  topics: Object.entries(errors).map(([name, error]) => {
    const [{ topic, partition } = { topic: "", partition: -1 }] = named(name);
    const partitions = [{ partitionIndex: partition, errorCode: codeOf(error) }];
    return { name: topic, topicId: zeroUuid, partitions };
  }),
});

interface FetchedOffset {
  readonly offset?: bigint;
  readonly leaderEpoch?: number;
  readonly metadata?: string;
  readonly error?: BrokerErrorName;
}

/** What a coordinator answers of committed offsets, by partition, in the shape of the version. */
export function offsetsAs(
  offsets: Readonly<Record<string, FetchedOffset>>,
  { version = 9, error = "NONE" }: { readonly version?: number; readonly error?: BrokerErrorName } = {},
): OffsetFetchResponse {
  const topics = Object.entries(offsets).map(
    ([name, { offset = -1n, leaderEpoch = -1, metadata = "", error = "NONE" }]) => {
      const [{ topic, partition } = { topic: "", partition: -1 }] = named(name);
      return {
        name: topic,
        topicId: zeroUuid,
        partitions: [
          {
            partitionIndex: partition,
            committedOffset: offset,
            committedLeaderEpoch: leaderEpoch,
            metadata,
            errorCode: codeOf(error),
          },
        ],
      };
    },
  );
  const errorCode = codeOf(error);
  return version < 8
    ? { throttleTimeMs: 0, topics, errorCode, groups: [] }
    : { throttleTimeMs: 0, topics: [], errorCode: 0, groups: [{ groupId: "billing", topics, errorCode }] };
}

/** What became of a promise, in words. */
export const outcome = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    (value) => (value === undefined ? "done" : JSON.stringify(value)),
    (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : String(error)),
  );
