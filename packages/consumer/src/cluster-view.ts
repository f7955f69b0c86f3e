import { leaderOf, type NetworkClient, type TopicPartition } from "@odradek/network";

/**
 * What those who decide on requests see of the network: who leads what, which node takes a request right now, and a
 * way to say that the metadata seems to be wrong. Sending is not theirs.
 */
export type ClusterView = Pick<
  NetworkClient,
  "metadata" | "ready" | "retryAtMs" | "requestUpdate" | "authenticationError" | "fatalError"
>;

/**
 * Groups partitions by the node that leads them. Where the leader is not known, metadata is asked for.
 *
 * @param onFatal called where asking again will not mend that: for a topic that the cluster refuses to tell of, and where
 *   nothing can be learned of the cluster at all
 */
export function byLeader<P extends TopicPartition>(
  cluster: ClusterView,
  partitions: Iterable<P>,
  onFatal: (error: Error) => void,
): Map<number, P[]> {
  const groups = new Map<number, P[]>();
  const { snapshot } = cluster.metadata;
  let isLeaderMissing = false;
  for (const partition of partitions) {
    const leader = leaderOf(snapshot, partition.topic, partition.partition);
    if (leader === null) {
      const fatal = cluster.metadata.fatalErrorOf(partition.topic);
      if (fatal === null) isLeaderMissing = true;
      else onFatal(fatal);
      continue;
    }
    const group = groups.get(leader.id);
    if (group === undefined) groups.set(leader.id, [partition]);
    else group.push(partition);
  }
  if (!isLeaderMissing) return groups;
  // First, so that another attempt begins where one is due: then it is not known yet.
  cluster.requestUpdate();
  const { fatalError } = cluster;
  if (fatalError !== null) onFatal(fatalError);
  return groups;
}
