import type { ClusterSnapshot } from "@odradek/network";
import type { AssignablePartition, AssignableTopics } from "./partition-assignor.ts";

/** What goes to one member with SyncGroup. */
export interface EncodedAssignment {
  readonly memberId: string;
  readonly assignment: Buffer;
}

/** How an assignor divides the topics of the members of one generation. */
export interface Division {
  /** What any member subscribed to. */
  readonly topics: ReadonlySet<string>;
  /** Whether it counts in which racks the replicas of a partition are. */
  readonly dependsOnRacks: boolean;
  /** Has the assignor decide. @throws KafkaError where it throws, or gives what cannot be */
  decide(cluster: ClusterSnapshot): readonly EncodedAssignment[] | Promise<readonly EncodedAssignment[]>;
}

/** What there is of some topics. */
export function assignable({ topics, nodes }: ClusterSnapshot, names: Iterable<string>): AssignableTopics {
  const found = new Map<string, readonly AssignablePartition[]>();
  for (const name of names) {
    const topic = topics.get(name);
    if (topic === undefined) continue;
    const rackOf = (id: number) => nodes.get(id)?.rack ?? [];
    found.set(
      name,
      topic.partitions.map(({ partition, replicaIds }) => ({
        topic: name,
        partition,
        racks: [...new Set(replicaIds.flatMap(rackOf))],
      })),
    );
  }
  return found;
}
