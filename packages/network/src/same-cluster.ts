import type { ClusterSnapshot, TopicSnapshot } from "./cluster-snapshot.ts";

/** Whether two snapshots say the same about brokers, topics, leaders and errors. */
export function isSameCluster(a: ClusterSnapshot, b: ClusterSnapshot): boolean {
  return (
    a.controllerId === b.controllerId &&
    isSameMap(a.nodes, b.nodes, (x, y) => x.host === y.host && x.port === y.port) &&
    isSameMap(a.topicErrors, b.topicErrors, (x, y) => x === y) &&
    isSameMap(a.topics, b.topics, isSameTopic)
  );
}

function isSameTopic(a: TopicSnapshot, b: TopicSnapshot): boolean {
  return (
    a.id === b.id &&
    a.partitions.length === b.partitions.length &&
    a.partitions.every((partition, index) => {
      const other = b.partitions[index];
      return partition.leaderId === other?.leaderId && partition.leaderEpoch === other.leaderEpoch;
    })
  );
}

function isSameMap<K, V>(a: ReadonlyMap<K, V>, b: ReadonlyMap<K, V>, isSame: (x: V, y: V) => boolean): boolean {
  if (a.size !== b.size) return false;
  for (const [key, value] of a) {
    const other = b.get(key);
    if (other === undefined || !isSame(value, other)) return false;
  }
  return true;
}
