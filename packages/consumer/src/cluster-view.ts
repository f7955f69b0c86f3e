import { leaderOf, type NetworkClient, type TopicPartition } from "@odradek/network";
import type { Due, OutgoingRequest } from "./outgoing-request.ts";

/**
 * What those who decide on requests see of the network: who leads what, which node takes a request right now, and a
 * way to say that the metadata seems to be wrong. Sending is not theirs.
 */
export type ClusterView = Pick<
  NetworkClient,
  "metadata" | "ready" | "retryAtMs" | "requestUpdate" | "authenticationError" | "lastError" | "fatalError"
>;

/**
 * Groups partitions by the node that leads them. Where the leader is not known, metadata is asked for.
 *
 * @param onFatal called where asking again will not mend that: for a topic that the cluster refuses to tell of, and where
 *   nothing can be learned of the cluster at all
 * @param insteadOf a node to take instead of the leader, if there is one
 */
export function byLeader<P extends TopicPartition>(
  cluster: ClusterView,
  partitions: Iterable<P>,
  onFatal: (error: Error) => void,
  insteadOf: (partition: P) => number | null = () => null,
): Map<number, P[]> {
  const groups = new Map<number, P[]>();
  const { snapshot } = cluster.metadata;
  let isLeaderMissing = false;
  for (const partition of partitions) {
    const nodeId = insteadOf(partition) ?? leaderOf(snapshot, partition.topic, partition.partition)?.id ?? null;
    if (nodeId === null) {
      const fatal = cluster.metadata.fatalErrorOf(partition.topic);
      if (fatal === null) isLeaderMissing = true;
      else onFatal(fatal);
      continue;
    }
    const group = groups.get(nodeId);
    if (group === undefined) groups.set(nodeId, [partition]);
    else group.push(partition);
  }
  if (!isLeaderMissing) return groups;
  // First, so that another attempt begins where one is due: then it is not known yet.
  cluster.requestUpdate();
  const { fatalError } = cluster;
  if (fatalError !== null) onFatal(fatalError);
  return groups;
}

/** How to ask leaders, and what to do where that is in vain. */
export interface LeaderQuestion<P extends TopicPartition, R extends OutgoingRequest> {
  readonly request: (nodeId: number, partitions: readonly P[]) => R;
  readonly onFatal: (error: Error) => void;
}

/** One request to each leader of these partitions, as far as they take one now. */
export function toLeaders<P extends TopicPartition, R extends OutgoingRequest>(
  cluster: ClusterView,
  partitions: Iterable<P>,
  { request, onFatal }: LeaderQuestion<P, R>,
): Due<R> {
  const requests: R[] = [];
  let nextMs = Number.POSITIVE_INFINITY;
  for (const [nodeId, led] of byLeader(cluster, partitions, onFatal)) {
    if (cluster.ready(nodeId)) {
      requests.push(request(nodeId, led));
      continue;
    }
    nextMs = Math.min(nextMs, cluster.retryAtMs(nodeId));
    const refusal = cluster.authenticationError(nodeId);
    if (refusal !== null) onFatal(refusal);
  }
  return { requests, nextMs };
}
