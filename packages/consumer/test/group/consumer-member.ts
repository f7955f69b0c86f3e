import type { TopicPartition } from "@odradek/network";
import { type BrokerErrorName, codeOf } from "@odradek/protocol";
import {
  ConsumerGroupHeartbeat,
  type ConsumerGroupHeartbeatResponse,
} from "@odradek/protocol/messages/consumer-group-heartbeat";
import type { ConsumerOptions } from "../../src/consumer-options.ts";
import { ConsumerMembership } from "../../src/group/consumer-membership.ts";
import { topicLedBy } from "../test-cluster.ts";
import { GroupMember } from "./group-member.ts";
import { bodyOf, named, type ScriptedFinder, texts } from "./scripted-group.ts";

/** The ids of topics: of `payments` the cluster has yet to tell. */
const topicIds = {
  orders: "b3JkZXJzLW9yZGVycy0wMQ",
  refunds: "cmVmdW5kcy1yZWZ1bmRzLQ",
  payments: "cGF5bWVudHMtcGF5bWVudA",
} as const;

type TopicName = keyof typeof topicIds;

const isTopic = (name: string): name is TopicName => name in topicIds;

const nameOf = (topicId: string): string =>
  Object.entries(topicIds).find(([, id]) => id === topicId)?.[0] ?? `nameless ${topicId}`;

const topics = {
  orders: topicLedBy("orders", [1, 2, 1, 2], topicIds.orders),
  refunds: topicLedBy("refunds", [1, 2], topicIds.refunds),
  payments: topicLedBy("payments", [1, 2], topicIds.payments),
};

/** How often the coordinator of these tests wants to hear of a member. */
export const intervalMs = 5_000;

/** What the coordinator answers: all is well, unless said otherwise. @param assigned what the member shall own, by short names */
export function heard(
  assigned: readonly string[] | null = null,
  { error = "NONE", ...more }: Partial<ConsumerGroupHeartbeatResponse> & { readonly error?: BrokerErrorName } = {},
): ConsumerGroupHeartbeatResponse {
  return {
    throttleTimeMs: 0,
    errorCode: codeOf(error),
    errorMessage: null,
    memberId: null,
    memberEpoch: error === "NONE" ? 1 : 0,
    heartbeatIntervalMs: error === "NONE" ? intervalMs : 0,
    assignment: assigned === null ? null : { topicPartitions: byTopicId(named(...assigned)) },
    ...more,
  };
}

function byTopicId(partitions: readonly TopicPartition[]): { topicId: string; partitions: number[] }[] {
  const names = [...new Set(partitions.map(({ topic }) => topic))].filter(isTopic);
  return names.map((name) => ({
    topicId: topicIds[name],
    partitions: partitions.filter(({ topic }) => topic === name).map(({ partition }) => partition),
  }));
}

/** A member of a group of the consumer protocol. */
export class ConsumerMember extends GroupMember<ConsumerMembership> {
  constructor(options: Partial<ConsumerOptions> = {}, finder?: ScriptedFinder) {
    super(ConsumerMembership, { groupProtocol: "consumer", ...options }, finder);
    this.learn("orders", "refunds");
  }

  /** The cluster tells of these topics, and of no others. */
  learn(...names: readonly TopicName[]): void {
    this.cluster.metadata.retain(names);
    this.cluster.learn(names.map((name) => topics[name]));
  }

  takeBeat() {
    return this.take(ConsumerGroupHeartbeat);
  }

  /** Has the coordinator answer the heartbeat that was sent, and the rest follow. */
  async answer(...answer: Parameters<typeof heard>): Promise<void> {
    this.takeBeat().onAnswer(heard(...answer));
    await this.settle();
  }

  /** Has the coordinator give it a place and these partitions, and hear that it has taken them. */
  async join(partitions: readonly string[], memberEpoch = 1): Promise<void> {
    await this.settle();
    await this.answer(partitions, { memberEpoch });
    await this.answer(null, { memberEpoch });
  }

  /** Lets the next heartbeat be sent, and has the coordinator answer it. */
  async beat(...answer: Parameters<typeof heard>): Promise<void> {
    await this.pass(intervalMs);
    await this.answer(...answer);
  }

  /** Takes the heartbeat that was sent: its epoch, whether it says everything or what it subscribes to, and what it owns. */
  says(): string {
    const { memberEpoch, rebalanceTimeoutMs, subscribedTopicNames, subscribedTopicRegex, topicPartitions } = bodyOf(
      this.takeBeat(),
    );
    const isWhole = (rebalanceTimeoutMs ?? -1) >= 0;
    const isSubscribing = (subscribedTopicNames ?? subscribedTopicRegex ?? null) !== null;
    const owned = topicPartitions?.flatMap(({ topicId, partitions }) =>
      texts(partitions.map((partition) => ({ topic: nameOf(topicId), partition }))),
    );
    return [
      memberEpoch,
      ...(isWhole ? ["everything"] : isSubscribing ? ["topics"] : []),
      ...(owned === undefined ? [] : ["owns", ...owned]),
    ].join(" ");
  }
}

/** A member with a place in epoch 1, and these partitions, whose listener was told nothing since. */
export async function consumerMemberOf(
  names: readonly string[],
  options: Partial<ConsumerOptions> = {},
): Promise<ConsumerMember> {
  const member = new ConsumerMember(options);
  await member.join(names);
  if (member.state !== "STABLE") throw new Error(`it is ${member.state}`);
  member.told.length = 0;
  return member;
}
