import type { ClusterSnapshot, Node, PartitionSnapshot, TopicSnapshot } from "@odradek/network";

/** A cluster with these topics, each given by the leaders of its partitions; `null` for a partition without one. */
export function clusterOf(topics: Readonly<Record<string, readonly (number | null)[]>>): ClusterSnapshot {
  const snapshots = Object.entries(topics).map(([name, leaderIds]) => topicOf(name, leaderIds));
  const ids = new Set(Object.values(topics).flatMap((leaderIds) => leaderIds.flatMap((id) => id ?? [])));
  return {
    clusterId: "test",
    controllerId: null,
    nodes: new Map([...ids].map((id): [number, Node] => [id, { id, host: "localhost", port: 9_000 + id, rack: null }])),
    topics: new Map(snapshots.map((topic) => [topic.name, topic])),
    topicNames: new Map(),
    topicErrors: new Map(),
  };
}

export function topicOf(name: string, leaderIds: readonly (number | null)[]): TopicSnapshot {
  const partitions = leaderIds.map(
    (leaderId, partition): PartitionSnapshot => ({
      topic: name,
      partition,
      errorCode: 0,
      leaderId,
      leaderEpoch: 0,
      replicaIds: [],
      inSyncReplicaIds: [],
      offlineReplicaIds: [],
    }),
  );
  return { name, id: "", isInternal: false, partitions };
}
