import type { PartitionDescription, TopicDescription } from "odradek";
import type { PartitionMetadata } from "../partitioners/partitioner.ts";
import type { AdminClient } from "./admin-client.ts";
import { checkTopic } from "./arguments.ts";

export interface ITopicMetadata {
  name: string;
  partitions: PartitionMetadata[];
}

/**
 * @param options without topics, of all that there are
 * @throws KafkaJSProtocolError of the first topic that cannot be told of
 */
export async function fetchTopicMetadata(
  client: AdminClient,
  { topics = [] }: { topics?: string[] } = {},
): Promise<{ topics: ITopicMetadata[] }> {
  for (const topic of topics) checkTopic(topic);
  const descriptions = await client.ask(async (admin) => {
    if (topics.length > 0) return (await admin.describeTopics([...new Set(topics)])).orThrow();
    const listed = await admin.listTopics({ listInternal: true });
    const results = await admin.describeTopics(listed.map(({ topic }) => topic));
    return [...results].flatMap(({ value, error }): TopicDescription[] => {
      // It was deleted meanwhile.
      if (error?.code === "UNKNOWN_TOPIC_OR_PARTITION") return [];
      if (error !== null) throw error;
      return [value];
    });
  });
  return {
    topics: descriptions.map(({ topic: name, partitions }) => ({ name, partitions: partitions.map(metadataOf) })),
  };
}

/** LEADER_NOT_AVAILABLE */
const noLeader = 5;

const metadataOf = (partition: PartitionDescription): PartitionMetadata => ({
  partitionErrorCode: partition.leaderId === null ? noLeader : 0,
  partitionId: partition.partition,
  leader: partition.leaderId ?? -1,
  replicas: [...partition.replicaIds],
  isr: [...partition.inSyncReplicaIds],
  offlineReplicas: [...partition.offlineReplicaIds],
});
