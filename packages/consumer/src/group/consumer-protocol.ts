import { partitionText, type TopicPartition } from "@odradek/network";
import { decodeBlob, encodeBlob } from "@odradek/protocol";
import { ConsumerProtocolAssignment, ConsumerProtocolSubscription } from "@odradek/protocol/messages/consumer-protocol";
import type { MemberSubscription } from "./partition-assignor.ts";

/** What JoinGroup calls groups of consumers. */
export const consumerProtocolType = "consumer";

const newestSubscription = ConsumerProtocolSubscription.versions[1];
const newestAssignment = ConsumerProtocolAssignment.versions[1];

/** What is on the wire of a subscription; who it is of stands beside it. */
export type SubscriptionBlob = Omit<MemberSubscription, "memberId" | "groupInstanceId">;

/** What a member is given. */
export interface AssignmentBlob {
  readonly partitions: readonly TopicPartition[];
  readonly userData: Buffer | null;
}

export function encodeSubscription(subscription: SubscriptionBlob): Buffer {
  const { topics, ownedPartitions, generationId, rackId, userData } = subscription;
  return encodeBlob(ConsumerProtocolSubscription, newestSubscription, {
    topics: [...topics].sort(),
    userData: bufferOf(userData),
    ownedPartitions: byTopic(ownedPartitions),
    generationId,
    rackId,
  });
}

/** @throws DecodeError for what no consumer says of itself */
export function decodeSubscription(bytes: Buffer): SubscriptionBlob {
  const { topics, ownedPartitions, generationId, rackId, userData } = decodeBlob(ConsumerProtocolSubscription, bytes);
  return { topics, ownedPartitions: flat(ownedPartitions), generationId, rackId, userData };
}

export function encodeAssignment(partitions: readonly TopicPartition[], userData: Uint8Array | null): Buffer {
  return encodeBlob(ConsumerProtocolAssignment, newestAssignment, {
    assignedPartitions: byTopic(partitions),
    userData: bufferOf(userData),
  });
}

/** No bytes are an assignment without partitions. @throws DecodeError for what is none */
export function decodeAssignment(bytes: Buffer): AssignmentBlob {
  if (bytes.length === 0) return { partitions: [], userData: null };
  const { assignedPartitions, userData } = decodeBlob(ConsumerProtocolAssignment, bytes);
  const partitions = new Map(flat(assignedPartitions).map((partition) => [partitionText(partition), partition]));
  return { partitions: [...partitions.values()], userData };
}

interface TopicPartitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

const flat = (topics: readonly TopicPartitions[]): TopicPartition[] =>
  topics.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition })));

/** In the order of topics and numbers, as Java writes them. */
function byTopic(partitions: readonly TopicPartition[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of partitions) {
    const numbers = topics.get(topic);
    if (numbers === undefined) topics.set(topic, [partition]);
    else numbers.push(partition);
  }
  return [...topics]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([topic, numbers]) => ({ topic, partitions: numbers.sort((one, other) => one - other) }));
}

const bufferOf = (bytes: Uint8Array | null): Buffer | null =>
  bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
