import type { TopicPartition } from "@odradek/network";
import { ConsumerGroupHeartbeat } from "@odradek/protocol/messages/consumer-group-heartbeat";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import { ApiRequest, type OutgoingRequest } from "../outgoing-request.ts";
import type { Handlers } from "./classic-requests.ts";
import type { MemberIdentity } from "./member-identity.ts";
import type { Subscription } from "./subscription.ts";

type Options = Pick<
  ResolvedConsumerOptions<unknown, unknown>,
  "clientRack" | "groupRemoteAssignor" | "maxPollIntervalMs"
>;

/** One topic of an assignment, as this protocol has it. */
export interface AssignedTopic {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

/** What a member tells of itself, besides who it is. */
export type News = "everything" | "subscription" | "nothing";

/** Epochs by which a member says that it goes: for good, or as a static one that will be back. */
const leaveEpochs = { forGood: -1, forAWhile: -2 };

/** From this version on a member makes up its own id (KIP-1082), and may subscribe to what a pattern matches. */
const ownIdSince = 1;

/** What a member of a group of the consumer protocol says to its coordinator: one request for everything (KIP-848). */
export class ConsumerRequests {
  readonly #groupId: string;
  readonly #options: Options;
  readonly #subscription: Subscription;
  #isPatternTold = false;

  constructor(groupId: string, options: Options, subscription: Subscription) {
    this.#groupId = groupId;
    this.#options = options;
    this.#subscription = subscription;
  }

  /**
   * @param news everything on joining and after an error
   * @param owned what it owns, where that is to be acknowledged, else `null`
   */
  heartbeat(
    nodeId: number,
    { memberId, generationId, groupInstanceId }: MemberIdentity,
    news: News,
    owned: readonly AssignedTopic[] | null,
    handlers: Handlers<typeof ConsumerGroupHeartbeat>,
  ): OutgoingRequest {
    const { clientRack: rackId, groupRemoteAssignor: serverAssignor, maxPollIntervalMs } = this.#options;
    return new ApiRequest({
      nodeId,
      api: ConsumerGroupHeartbeat,
      body: {
        groupId: this.#groupId,
        memberId,
        memberEpoch: Math.max(0, generationId),
        instanceId: groupInstanceId,
        ...(news === "everything" ? { rackId, serverAssignor, rebalanceTimeoutMs: maxPollIntervalMs } : {}),
        ...(news === "nothing" ? {} : this.#subscribed()),
        topicPartitions: owned?.map(({ topicId, partitions }) => ({ topicId, partitions: [...partitions] })) ?? null,
      },
      options,
      ...handlers,
    });
  }

  #subscribed() {
    const { topics, serverPattern } = this.#subscription;
    this.#isPatternTold ||= serverPattern !== null;
    return {
      subscribedTopicNames: [...topics].sort(),
      // An empty one takes back the one before, which the coordinator else keeps.
      ...(this.#isPatternTold ? { subscribedTopicRegex: serverPattern ?? "" } : {}),
    };
  }

  /** @param isForGood a static member is else expected back */
  leave(
    nodeId: number,
    { memberId, groupInstanceId }: MemberIdentity,
    isForGood: boolean,
    handlers: Handlers<typeof ConsumerGroupHeartbeat>,
  ): OutgoingRequest {
    const memberEpoch = isForGood ? leaveEpochs.forGood : leaveEpochs.forAWhile;
    return new ApiRequest({
      nodeId,
      api: ConsumerGroupHeartbeat,
      body: { groupId: this.#groupId, memberId, memberEpoch, instanceId: groupInstanceId },
      options,
      ...handlers,
    });
  }
}

const options = { purpose: "coordinator", bounds: { oldest: ownIdSince } } as const;

/** By topic id. @param topicIds by name */
export function assignedTopics(
  partitions: readonly TopicPartition[],
  topicIds: ReadonlyMap<string, string>,
): AssignedTopic[] {
  const byId = new Map<string, number[]>();
  for (const { topic, partition } of partitions) {
    const topicId = topicIds.get(topic);
    if (topicId === undefined) continue;
    const numbers = byId.get(topicId);
    if (numbers === undefined) byId.set(topicId, [partition]);
    else numbers.push(partition);
  }
  return [...byId].map(([topicId, numbers]) => ({ topicId, partitions: numbers }));
}

/** What a coordinator gave, each partition once. */
export function distinctTopics(topics: readonly AssignedTopic[]): AssignedTopic[] {
  const byId = new Map<string, Set<number>>();
  for (const { topicId, partitions } of topics) {
    const numbers = byId.get(topicId);
    if (numbers === undefined) byId.set(topicId, new Set(partitions));
    else for (const partition of partitions) numbers.add(partition);
  }
  return [...byId].map(([topicId, numbers]) => ({ topicId, partitions: [...numbers] }));
}
