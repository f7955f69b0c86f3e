import { type ClusterSnapshot, ConnectionError, type CoordinatorType, type TopicPartition } from "@odradek/network";
import { BrokerError, codeOf, type KafkaError, type KafkaErrorCode } from "@odradek/protocol";
import type { MetadataResponse } from "@odradek/protocol/messages/metadata";
import type { Call, Whom } from "./call.ts";
import { brokerIds, clusterMetadata } from "./cluster-metadata.ts";

/** Whom a call has to ask about each of its keys, and what to do where it was the wrong one. */
export interface Routing<K> {
  /** A lookup may throw, which counts for all of the keys. */
  readonly route: (call: Call, keys: readonly K[]) => Promise<ReadonlyMap<K, Whom | KafkaError>>;
  /** Whoever was asked about a key did not answer, or said that it should be asked of somebody else. */
  readonly doubt?: (call: Call, key: K, error: KafkaError, whom: Whom) => void;
  /** Errors that are true soon after something was created or began to start, and a moment later no more. */
  readonly settling?: ReadonlySet<KafkaErrorCode>;
  /** Errors that are an answer of others, or would never pass there, and no more than a delay of these. */
  readonly passing?: ReadonlySet<KafkaErrorCode>;
  /** Before some keys are asked about again, behind their back-off. */
  readonly refresh?: (call: Call, keys: readonly K[]) => Promise<void>;
}

const sameFor = <K>(keys: readonly K[], whom: Whom): ReadonlyMap<K, Whom> => new Map(keys.map((key) => [key, whom]));

/** Any broker knows, or passes it on to who does; of controllers it is the active one. */
export function toAny<K>(): Routing<K> {
  const controller = toController<K>();
  return {
    route: async (call, keys) => (call.asksControllers ? controller.route(call, keys) : sameFor(keys, "any")),
    refresh: async (call, keys) => {
      if (call.asksControllers) await controller.refresh?.(call, keys);
    },
  };
}

/** The controller, as metadata names it; after a failure there has to be newer metadata, else the same one would be asked. */
export function toController<K>(): Routing<K> {
  let before: ClusterSnapshot | null = null;
  return {
    route: async ({ context }, keys) => {
      before = context.network.metadata.snapshot;
      return sameFor(keys, "controller");
    },
    refresh: async ({ context: { network }, deadline, signal }) => {
      const isFresh = () => (network.metadata.snapshot === before ? null : true);
      await network.awaitMetadata(deadline, "fresh metadata", isFresh, { signal });
    },
  };
}

/**
 * The one broker that a key is about; where it is about none, whoever `toAny` would ask. A client that begins with controllers has
 * those for brokers.
 *
 * @param idOf `null` where the key is about no broker in particular
 */
export function toBroker<K>(idOf: (key: K, call: Call) => number | null): Routing<K> {
  const any = toAny<K>();
  return {
    settling: new Set<KafkaErrorCode>(["BROKER_NOT_AVAILABLE"]),
    route: async (call, keys) => {
      const { nodes } = call.context.network.metadata.snapshot;
      const ids = new Map(keys.map((key) => [key, idOf(key, call)]));
      const areKnown = [...ids.values()].every((id) => id === null || nodes.has(id));
      const there = areKnown ? nodes : await nodeIds(call);
      const others = keys.filter((key) => ids.get(key) === null);
      return new Map([
        ...(others.length === 0 ? [] : await any.route(call, others)),
        ...[...ids].flatMap(([key, id]): [K, Whom | KafkaError][] =>
          id === null ? [] : [[key, there.has(id) ? id : notThere(id, there.keys())]],
        ),
      ]);
    },
    refresh: async (call, keys) => {
      if (keys.some((key) => idOf(key, call) === null)) await any.refresh?.(call, keys);
    },
  };
}

/** Ids of all whom a call may be about: brokers, or the controllers that the client begins with. */
async function nodeIds(call: Call): Promise<ReadonlySet<number>> {
  const { context, deadline, signal } = call;
  if (!call.asksControllers) return new Set(await brokerIds(call));
  const { network } = context;
  const known = () => [...network.metadata.snapshot.nodes.keys()].filter((id) => id >= 0);
  const find = () => (known().length > 0 ? known() : null);
  return new Set(await network.awaitMetadata(deadline, "the controllers", find, { signal }));
}

const notThere = (brokerId: number, ids: Iterable<number>): BrokerError =>
  new BrokerError(
    codeOf("BROKER_NOT_AVAILABLE"),
    `broker ${brokerId}`,
    `it is not among those of the cluster, which are ${[...ids].sort((one, other) => one - other).join(", ")}`,
  );

/** The leader of each partition. Source: Kafka's `PartitionLeaderStrategy`. */
export const toLeader = <K extends TopicPartition>(): Routing<K> => ({
  settling: new Set<KafkaErrorCode>(["UNKNOWN_TOPIC_OR_PARTITION"]),
  // What leaders are asked for can be asked twice, and they wait for replicas or for tiered storage.
  passing: new Set<KafkaErrorCode>(["REQUEST_TIMED_OUT"]),
  route: async (call, partitions) => {
    const { leaders } = call.context;
    const found = new Map<K, Whom | KafkaError>();
    const unknown: K[] = [];
    for (const key of partitions) {
      const leaderId = leaders.of(key);
      if (leaderId === null) unknown.push(key);
      else found.set(key, leaderId);
    }
    if (unknown.length > 0) await findLeaders(call, unknown, found);
    return found;
  },
  doubt: ({ context: { leaders } }, key) => leaders.forget(key),
});

/** @param found what was found of each is put there */
async function findLeaders<K extends TopicPartition>(
  call: Call,
  partitions: readonly K[],
  found: Map<K, Whom | KafkaError>,
): Promise<void> {
  const { leaders } = call.context;
  const wanted = new Set(partitions.map(({ topic }) => topic));
  const { topics } = await clusterMetadata(call, [...wanted]);
  const byName = new Map(topics.map((topic) => [topic.name, topic]));
  for (const { name, partitions: all } of topics) {
    // What a broker names without being asked is not kept.
    if (name === null || !wanted.has(name)) continue;
    for (const { partitionIndex: partition, leaderId } of all) {
      if (leaderId >= 0) leaders.learn({ topic: name, partition }, leaderId);
    }
  }
  for (const key of partitions) found.set(key, leaders.of(key) ?? whyNoLeader(key, byName.get(key.topic)));
}

function whyNoLeader(key: TopicPartition, topic: MetadataResponse["topics"][number] | undefined): BrokerError {
  if (topic !== undefined && topic.errorCode !== 0) return new BrokerError(topic.errorCode, `topic ${key.topic}`);
  const isThere = topic?.partitions.some(({ partitionIndex }) => partitionIndex === key.partition) === true;
  return isThere ? noLeader(key) : unknownPartition(key);
}

const unknownPartition = ({ topic, partition }: TopicPartition): BrokerError =>
  new BrokerError(codeOf("UNKNOWN_TOPIC_OR_PARTITION"), `partition ${partition} of topic ${topic}`);

const noLeader = ({ topic, partition }: TopicPartition): BrokerError =>
  new BrokerError(codeOf("LEADER_NOT_AVAILABLE"), `partition ${partition} of topic ${topic}`);

/** The coordinator of each id. Source: Kafka's `CoordinatorStrategy`, KIP-699. */
export function toCoordinator<K>(type: CoordinatorType, idOf: (key: K) => string): Routing<K> {
  return {
    route: async ({ context, deadline, signal }, keys) => {
      // Once: those that are not found are asked for again, and the others are not kept waiting by them.
      const found = await context.coordinators.findOnce(type, keys.map(idOf), deadline, signal);
      return new Map(
        keys.flatMap((key) => {
          const coordinator = found.get(idOf(key));
          return coordinator === undefined ? [] : [[key, coordinator]];
        }),
      );
    },
    doubt: ({ context: { coordinators } }, key, error, whom) => {
      coordinators.forget(type, idOf(key));
      if (error instanceof ConnectionError && typeof whom === "number") coordinators.forgetNode(whom);
    },
  };
}
