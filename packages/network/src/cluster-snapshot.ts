import { codeOf, DecodeError, zeroUuid } from "@odradek/protocol";
import type { MetadataResponse } from "@odradek/protocol/messages/metadata";
import type { Address } from "./errors.ts";

/** A broker as the cluster's metadata, or the list of bootstrap servers, names it. */
export interface Node {
  /** Kafka's id; negative for a bootstrap server, whose id is not known yet. */
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export interface PartitionSnapshot {
  readonly topic: string;
  readonly partition: number;
  /** The error that the cluster has for this partition, 0 for none. */
  readonly errorCode: number;
  /** Id of the leader, `null` while there is none. */
  readonly leaderId: number | null;
  /** Grows with every election; -1 where the broker does not tell. */
  readonly leaderEpoch: number;
  readonly replicaIds: readonly number[];
  readonly inSyncReplicaIds: readonly number[];
  readonly offlineReplicaIds: readonly number[];
}

export interface TopicSnapshot {
  readonly name: string;
  /** Kafka's UUID; the zero UUID before Kafka 2.8. */
  readonly id: string;
  readonly isInternal: boolean;
  /** Index is the partition's number. */
  readonly partitions: readonly PartitionSnapshot[];
}

/** What was known of the cluster at one moment: a value that never changes; updates give another. */
export interface ClusterSnapshot {
  readonly clusterId: string | null;
  readonly controllerId: number | null;
  readonly nodes: ReadonlyMap<number, Node>;
  readonly topics: ReadonlyMap<string, TopicSnapshot>;
  /** Names by topic id, for responses that carry ids only. */
  readonly topicNames: ReadonlyMap<string, string>;
  /** Errors of topics that were asked for and could not be told. */
  readonly topicErrors: ReadonlyMap<string, number>;
}

type TopicMetadata = MetadataResponse["topics"][number];

/** Older brokers may tell an epoch that is behind that of the leader they name (Kafka's `hasReliableLeaderEpochs`). */
const reliableEpochsSince = 9;

const leaderNotAvailable = codeOf("LEADER_NOT_AVAILABLE");

/** No cluster comes near; for each broker there may be a connection with all that belongs to it. */
const mostBrokers = 100_000;

/** The longest name that DNS can have. */
const longestHost = 255;

/** What is known before any broker was asked: where to ask. */
export function bootstrapSnapshot(addresses: readonly Address[]): ClusterSnapshot {
  const nodes = addresses.map(({ host, port }, index): Node => ({ id: -1 - index, host, port, rack: null }));
  return Object.freeze({
    clusterId: null,
    controllerId: null,
    nodes: new Map(nodes.map((node) => [node.id, node])),
    topics: new Map(),
    topicNames: new Map(),
    topicErrors: new Map(),
  });
}

/**
 * What is known once nobody who is known can be reached any more: where to ask, as at the start. Topics stay, with their
 * epochs, and have no leader until a broker tells. The cluster's id does not: the servers may lead to another cluster by
 * now, as Java lets them.
 */
export function rebootstrappedSnapshot(before: ClusterSnapshot, addresses: readonly Address[]): ClusterSnapshot {
  const { topics, topicNames, topicErrors } = before;
  return Object.freeze({ ...bootstrapSnapshot(addresses), topics, topicNames, topicErrors });
}

/** How an answer is to be read. */
export interface AnswerContext {
  /** The version of Metadata that it came in. */
  readonly version: number;
  /** Topics that are taken from the answer. Without this, all are. */
  readonly taken?: (topic: string, isInternal: boolean) => boolean;
  /** Topics that stay known although the answer does not name them, because it was asked for others only. */
  readonly kept: (topic: string) => boolean;
}

/**
 * What is known after an answer to a Metadata request.
 *
 * A leader epoch never goes back: an answer of a broker that lags behind leaves what is known of that partition as
 * it is, unless the topic was created anew under the same name. A topic that is only out of reach for the moment keeps
 * the partitions that are known of it.
 *
 * @throws DecodeError where the answer names no broker that could be connected to
 */
export function updatedSnapshot(
  before: ClusterSnapshot,
  response: MetadataResponse,
  { version, taken = () => true, kept }: AnswerContext,
): ClusterSnapshot {
  const nodes = nodesOf(response);
  const topics = new Map([...before.topics].filter(([name]) => kept(name)));
  const topicErrors = new Map([...before.topicErrors].filter(([name]) => kept(name)));
  for (const topic of response.topics) {
    const { name } = topic;
    if (name === null || !taken(name, topic.isInternal)) continue;
    const known = before.topics.get(name);
    const errorCode = topic.errorCode === 0 && !isWhole(topic) ? leaderNotAvailable : topic.errorCode;
    topics.delete(name);
    topicErrors.delete(name);
    if (errorCode === 0) topics.set(name, topicSnapshot(name, topic, version, known));
    else topicErrors.set(name, errorCode);
    if (errorCode === leaderNotAvailable && known !== undefined) topics.set(name, known);
  }
  return Object.freeze({
    clusterId: response.clusterId ?? before.clusterId,
    controllerId: response.controllerId < 0 ? null : response.controllerId,
    nodes,
    topics,
    topicNames: new Map([...topics.values()].filter(({ id }) => id !== zeroUuid).map(({ id, name }) => [id, name])),
    topicErrors,
  });
}

function nodesOf({ brokers }: MetadataResponse): Map<number, Node> {
  if (brokers.length > mostBrokers) {
    throw new DecodeError(`it names ${brokers.length} brokers, and no cluster has so many`, 0).of("MetadataResponse");
  }
  const nodes = brokers.map(nodeOf).filter(isReachable);
  if (nodes.length === 0) {
    throw new DecodeError("it names no broker that could be connected to", 0).of("MetadataResponse");
  }
  return new Map(nodes.map((node) => [node.id, node]));
}

/** A broker as answers name it. */
export type BrokerEndpoint = Pick<MetadataResponse["brokers"][number], "nodeId" | "host" | "port" | "rack">;

export const nodeOf = ({ nodeId, host, port, rack }: BrokerEndpoint): Node => ({ id: nodeId, host, port, rack });

/** A broker without a listener that we could use has no host; the rest no broker would say of itself. */
const isReachable = ({ id, host, port }: Node): boolean =>
  id >= 0 && host !== "" && host.length <= longestHost && port >= 1 && port <= 65_535;

/**
 * Whether the partitions are exactly 0, 1, ... n - 1. While a topic is being made, a broker may know of some only; and
 * a number is used as an index here, so a peer that lies could ask for an array of any size.
 */
function isWhole({ partitions }: TopicMetadata): boolean {
  const numbers = new Set(partitions.map(({ partitionIndex }) => partitionIndex));
  const isNumber = (_: unknown, index: number) => numbers.has(index);
  return numbers.size > 0 && numbers.size === partitions.length && partitions.every(isNumber);
}

function topicSnapshot(
  name: string,
  topic: TopicMetadata,
  version: number,
  known: TopicSnapshot | undefined,
): TopicSnapshot {
  const isSame = known !== undefined && (known.id === topic.topicId || topic.topicId === zeroUuid);
  const partitions: PartitionSnapshot[] = [];
  for (const partition of topic.partitions) {
    const before = isSame ? known.partitions[partition.partitionIndex] : undefined;
    const leaderEpoch = version < reliableEpochsSince ? -1 : partition.leaderEpoch;
    const isStale = before !== undefined && leaderEpoch >= 0 && leaderEpoch < before.leaderEpoch;
    partitions[partition.partitionIndex] = isStale
      ? before
      : {
          topic: name,
          partition: partition.partitionIndex,
          errorCode: partition.errorCode,
          leaderId: partition.leaderId < 0 ? null : partition.leaderId,
          leaderEpoch,
          replicaIds: partition.replicaNodes,
          inSyncReplicaIds: partition.isrNodes,
          offlineReplicaIds: partition.offlineReplicas,
        };
  }
  return { name, id: topic.topicId, isInternal: topic.isInternal, partitions };
}

/** Who leads a partition by now, as a broker says that is asked in vain (KIP-951). */
export interface LeaderHint {
  readonly topic: string;
  readonly partition: number;
  readonly leaderId: number;
  readonly leaderEpoch: number;
}

/**
 * What is known once brokers have said who leads partitions now. Only a newer epoch is believed, and only of a leader
 * whose address is known or among `nodes`. Source: Kafka's `Metadata.updatePartitionLeadership`.
 *
 * @returns `changed` are the hints that were believed; the snapshot is the same where there are none
 */
export function withLeaders(
  before: ClusterSnapshot,
  hints: readonly LeaderHint[],
  nodes: readonly Node[],
): { readonly snapshot: ClusterSnapshot; readonly changed: LeaderHint[] } {
  const told = new Map(nodes.filter(isReachable).map((node) => [node.id, node]));
  const led = new Map<string, PartitionSnapshot[]>();
  const leaders = new Map<number, Node>();
  const changed = hints.filter(({ topic, partition, leaderId, leaderEpoch }) => {
    const partitions = led.get(topic) ?? [...(before.topics.get(topic)?.partitions ?? [])];
    const known = partitions[partition];
    const leader = told.get(leaderId) ?? before.nodes.get(leaderId);
    if (known === undefined || leader === undefined || leaderEpoch < 0 || leaderEpoch <= known.leaderEpoch)
      return false;
    partitions[partition] = { ...known, errorCode: 0, leaderId, leaderEpoch };
    led.set(topic, partitions);
    leaders.set(leaderId, leader);
    return true;
  });
  if (changed.length === 0) return { snapshot: before, changed };
  const topics = new Map(before.topics);
  for (const [name, partitions] of led) {
    const topic = topics.get(name);
    if (topic !== undefined) topics.set(name, { ...topic, partitions });
  }
  return { snapshot: Object.freeze({ ...before, nodes: new Map([...before.nodes, ...leaders]), topics }), changed };
}

/** What is known once a broker was named that was not known, such as a coordinator; one that is known stays as it is. */
export function withNode(before: ClusterSnapshot, node: Node): ClusterSnapshot {
  if (before.nodes.has(node.id) || !isReachable(node)) return before;
  return Object.freeze({ ...before, nodes: new Map([...before.nodes, [node.id, node]]) });
}

/** The broker that leads a partition, where there is one and it is known. */
export function leaderOf(cluster: ClusterSnapshot, topic: string, partition: number): Node | null {
  const leaderId = cluster.topics.get(topic)?.partitions[partition]?.leaderId ?? null;
  return leaderId === null ? null : (cluster.nodes.get(leaderId) ?? null);
}
