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

/** Epochs by which a member says that it goes: for good, or as a static one that will be back. */
const leaveEpochs = { forGood: -1, forAWhile: -2 };

/** From this version on a member makes up its own id (KIP-1082), and may subscribe to what a pattern matches. */
const ownIdSince = 1;

/** What a member of a group of the consumer protocol says to its coordinator: one request for everything (KIP-848). */
export class ConsumerRequests {
  readonly #groupId: string;
  readonly #options: Options;
  readonly #subscription: Subscription;

  constructor(groupId: string, options: Options, subscription: Subscription) {
    this.#groupId = groupId;
    this.#options = options;
    this.#subscription = subscription;
  }

  /**
   * @param isWhole whether the coordinator is told everything, as on joining and after an error
   * @param owned what it owns, where that is to be acknowledged, else `null`
   */
  heartbeat(
    nodeId: number,
    { memberId, generationId, groupInstanceId }: MemberIdentity,
    isWhole: boolean,
    owned: readonly AssignedTopic[] | null,
    handlers: Handlers<typeof ConsumerGroupHeartbeat>,
  ): OutgoingRequest {
    const { clientRack, groupRemoteAssignor, maxPollIntervalMs } = this.#options;
    const { topics, serverPattern } = this.#subscription;
    const everything = {
      rackId: clientRack,
      rebalanceTimeoutMs: maxPollIntervalMs,
      subscribedTopicNames: serverPattern === null ? [...topics].sort() : null,
      ...(serverPattern === null ? {} : { subscribedTopicRegex: serverPattern }),
      serverAssignor: groupRemoteAssignor,
    };
    return new ApiRequest({
      nodeId,
      api: ConsumerGroupHeartbeat,
      body: {
        groupId: this.#groupId,
        memberId,
        memberEpoch: Math.max(0, generationId),
        instanceId: groupInstanceId,
        ...(isWhole ? everything : {}),
        topicPartitions: owned?.map(({ topicId, partitions }) => ({ topicId, partitions: [...partitions] })) ?? null,
      },
      options,
      ...handlers,
    });
  }

  /** @param isTold whether it goes for good; a static member is else expected back */
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

/** By topic id, of those whose ids are known. */
export function assignedTopics(
  partitions: readonly TopicPartition[],
  topics: ReadonlyMap<string, { readonly id: string }>,
): AssignedTopic[] {
  const byId = new Map<string, number[]>();
  for (const { topic, partition } of partitions) {
    const topicId = topics.get(topic)?.id;
    if (topicId === undefined) continue;
    const numbers = byId.get(topicId);
    if (numbers === undefined) byId.set(topicId, [partition]);
    else numbers.push(partition);
  }
  return [...byId].map(([topicId, numbers]) => ({ topicId, partitions: numbers }));
}
