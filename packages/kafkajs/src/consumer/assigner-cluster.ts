import type { TopicSnapshot } from "odradek";
import { partitionMetadataOf } from "../client/partition-metadata.ts";
import type { PartitionMetadata } from "../partitioners/partitioner.ts";

/** What assigners see of the cluster: the topics that members of the group subscribed to. */
export interface Cluster {
  /** None of a topic that does not exist, or that nobody subscribed to. */
  findTopicPartitionMetadata(topic: string): PartitionMetadata[];
  /** The partitions that each broker leads, by its id; those without a leader are left out. */
  findLeaderForPartitions(topic: string, partitions: number[]): { [leader: string]: number[] };
}

/** The same, as of the last time that an assigner was asked: assigners are made before anything is known. */
export class AssignerCluster implements Cluster {
  #topics: ReadonlyMap<string, TopicSnapshot> = new Map();

  learn(topics: ReadonlyMap<string, TopicSnapshot>): void {
    this.#topics = topics;
  }

  findTopicPartitionMetadata(topic: string): PartitionMetadata[] {
    return this.#topics.get(topic)?.partitions.map(partitionMetadataOf) ?? [];
  }

  findLeaderForPartitions(topic: string, partitions: number[]): { [leader: string]: number[] } {
    const led: { [leader: string]: number[] } = {};
    for (const { partitionId, leader } of this.findTopicPartitionMetadata(topic)) {
      if (leader < 0 || !partitions.includes(partitionId)) continue;
      led[leader] = [...(led[leader] ?? []), partitionId];
    }
    return led;
  }
}
