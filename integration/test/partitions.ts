import { AlterPartitionReassignments } from "@odradek/protocol/messages/alter-partition-reassignments";
import { CreatePartitions } from "@odradek/protocol/messages/create-partitions";
import { ElectLeaders } from "@odradek/protocol/messages/elect-leaders";
import { Metadata, type MetadataResponse } from "@odradek/protocol/messages/metadata";
import { until } from "../cluster/readiness.ts";
import { type Address, ask } from "../cluster/wire.ts";
import { networkOf, withinAMinute } from "./requests.ts";

type KnownPartition = MetadataResponse["topics"][number]["partitions"][number];

const preferred = 0;

const isInSync = ({ isrNodes, replicaNodes }: KnownPartition): boolean => isrNodes.length === replicaNodes.length;

const isLedAsPreferred = ({ leaderId, replicaNodes }: KnownPartition): boolean => leaderId === replicaNodes[0];

async function partitionsOf(broker: Address, topic: string): Promise<readonly KnownPartition[]> {
  const { topics } = await ask(broker, Metadata, { topics: [{ name: topic }], allowAutoTopicCreation: false });
  return topics[0]?.partitions ?? [];
}

/** Waits until it is so of all partitions of a topic, as each of these brokers knows them. */
export async function untilAll(
  brokers: readonly Address[],
  topic: string,
  what: string,
  isSo: (partition: KnownPartition) => boolean,
): Promise<void> {
  for (const broker of brokers) {
    await until(`all partitions of ${topic} ${what} at ${broker.port}`, async () => {
      const partitions = await partitionsOf(broker, topic);
      const others = partitions.filter((partition) => !isSo(partition));
      if (partitions.length > 0 && others.length === 0) return true;
      return `of ${partitions.length}, not ${others.map((partition) => describe(partition)).join("; ")}`;
    });
  }
}

const describe = ({ partitionIndex, leaderId, isrNodes }: KnownPartition): string =>
  `${partitionIndex}, which is led by ${leaderId}, with ${isrNodes.join()} in sync`;

/** Has the first replica of each partition lead, once all are in sync. */
export async function restoreLeaders(brokers: readonly Address[], topic: string): Promise<void> {
  await untilAll(brokers, topic, "are in sync", isInSync);
  const partitions = (await partitionsOf(brokers[0]!, topic)).map(({ partitionIndex }) => partitionIndex);
  await ask(brokers[0]!, ElectLeaders, { electionType: preferred, topicPartitions: [{ topic, partitions }] });
  await untilAll(brokers, topic, "are led by their first replica", isLedAsPreferred);
}

/** Has the next replica of each partition lead, in place of the one that does. No broker has to die for it. */
export async function moveLeaders(brokers: readonly Address[], topic: string): Promise<void> {
  const partitions = (await partitionsOf(brokers[0]!, topic)).map(({ partitionIndex, replicaNodes }) => ({
    partitionIndex,
    replicas: [...replicaNodes.slice(1), ...replicaNodes.slice(0, 1)],
  }));
  const { errorCode } = await ask(brokers[0]!, AlterPartitionReassignments, { topics: [{ name: topic, partitions }] });
  if (errorCode !== 0) throw new Error(`the leaders of ${topic} were not moved: error ${errorCode}`);
  const leaders = new Map(partitions.map(({ partitionIndex, replicas }) => [partitionIndex, replicas[0]]));
  await untilAll(
    brokers,
    topic,
    "know their new order",
    ({ partitionIndex, replicaNodes }) => replicaNodes[0] === leaders.get(partitionIndex),
  );
  await restoreLeaders(brokers, topic);
}

/** Has a topic have so many partitions from now on. */
export async function addPartitions(bootstrapServers: readonly string[], topic: string, count: number): Promise<void> {
  const body = { topics: [{ name: topic, count, assignments: null }], timeoutMs: 30_000, validateOnly: false };
  const { results } = await networkOf({ bootstrapServers }).request(CreatePartitions, body, {
    to: "controller",
    deadline: withinAMinute(),
  });
  const errorCode = results[0]?.errorCode;
  if (errorCode !== 0) throw new Error(`${topic} did not get ${count} partitions: error ${errorCode}`);
}
