import { listeners } from "./listeners.ts";
import { endpointOf, hostPort, type Node } from "./node.ts";
import type { ClusterPlan } from "./plan.ts";
import { releaseOf } from "./versions.ts";

/** How long ZooKeeper keeps the place of a broker that it does not hear of any more. */
export const zooKeeperSessionTimeoutMs = 5_000;

/** What the brokers of a cluster have in common. */
export interface ClusterLayout {
  readonly plan: ClusterPlan;
  readonly nodes: readonly Node[];
  /** `host:port` of ZooKeeper, where there is one in place of a KRaft quorum. */
  readonly zookeeper: string | undefined;
  /** Where brokers find the keys that tokens are signed with. */
  readonly jwksUrl: string;
}

/** What `server.properties` of one broker says. */
export function brokerProperties(node: Node, layout: ClusterLayout, dataFolder: string): Record<string, string> {
  const { plan, nodes, zookeeper, jwksUrl } = layout;
  return {
    ...(zookeeper === undefined ? kraft(node, layout) : viaZooKeeper(node, zookeeper)),
    ...network(node),
    ...replication(nodes.length),
    ...quickGroups,
    "log.dirs": Array.from({ length: plan.logDirs }, (_, i) => (i === 0 ? dataFolder : `${dataFolder}-${i + 1}`)).join(
      ",",
    ),
    "broker.rack": `r${node.id}`,
    // Every five minutes it would have first replicas lead again, in the midst of a test that moved them.
    "auto.leader.rebalance.enable": "false",
    // Every ten minutes it would remove groups that have no offsets yet but those of a transaction.
    "offsets.retention.check.interval.ms": "86400000",
    "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector",
    // Its default of 128 MiB is a third of the heap.
    "log.cleaner.dedupe.buffer.size": "2097152",
    ...releaseOf(plan.version).properties,
    ...plan.security?.brokerProperties(jwksUrl),
    ...plan.properties,
  };
}

/** In the syntax of Java's properties, in which a line break inside a value is written as `\n`. */
export const propertiesText = (properties: Readonly<Record<string, string>>): string =>
  Object.entries(properties)
    .map(([key, value]) => `${key}=${value.replaceAll("\n", "\\n")}\n`)
    .join("");

function kraft(node: Node, { plan, nodes }: ClusterLayout): Record<string, string> {
  const controller = (each: Node) => hostPort(endpointOf(each, "CONTROLLER").advertised);
  return {
    "process.roles": "broker,controller",
    "node.id": `${node.id}`,
    ...(plan.dynamicQuorum
      ? { "controller.quorum.bootstrap.servers": nodes.map(controller).join(",") }
      : { "controller.quorum.voters": nodes.map((each) => `${each.id}@${controller(each)}`).join(",") }),
    "controller.listener.names": "CONTROLLER",
    // Shorter than the default of 9 s, long enough for a broker that waits for a busy processor.
    "broker.session.timeout.ms": "5000",
    "broker.heartbeat.interval.ms": "500",
  };
}

const viaZooKeeper = (node: Node, address: string): Record<string, string> => ({
  "broker.id": `${node.id}`,
  "zookeeper.connect": address,
  "zookeeper.session.timeout.ms": `${zooKeeperSessionTimeoutMs}`,
});

function network(node: Node): Record<string, string> {
  const { endpoints } = node;
  return {
    listeners: endpoints.map(({ listener, bind }) => `${listener}://${hostPort(bind)}`).join(","),
    "advertised.listeners": endpoints
      .filter(({ listener }) => listener !== "CONTROLLER")
      .map(({ listener, advertised }) => `${listener}://${hostPort(advertised)}`)
      .join(","),
    "listener.security.protocol.map": endpoints.map(({ listener }) => `${listener}:${listeners[listener]}`).join(","),
    "inter.broker.listener.name": "BROKER",
  };
}

/** Internal topics are as safe as three brokers make them, with few partitions so that they are there at once. */
function replication(brokers: number): Record<string, string> {
  const replicas = `${Math.min(3, brokers)}`;
  const inSync = `${Math.min(2, brokers)}`;
  return {
    "num.partitions": "3",
    "default.replication.factor": replicas,
    "min.insync.replicas": inSync,
    "offsets.topic.replication.factor": replicas,
    "offsets.topic.num.partitions": "5",
    "transaction.state.log.replication.factor": replicas,
    "transaction.state.log.num.partitions": "5",
    "transaction.state.log.min.isr": inSync,
    "share.coordinator.state.topic.replication.factor": replicas,
    "share.coordinator.state.topic.num.partitions": "5",
    "share.coordinator.state.topic.min.isr": inSync,
  };
}

/** Groups form, notice a death and rebalance within a test's patience; brokers ignore what they are too old for. */
const quickGroups = {
  "group.initial.rebalance.delay.ms": "0",
  "group.min.session.timeout.ms": "1000",
  "group.consumer.min.heartbeat.interval.ms": "500",
  "group.consumer.heartbeat.interval.ms": "500",
  "group.consumer.min.session.timeout.ms": "5000",
  "group.share.min.heartbeat.interval.ms": "500",
  "group.share.heartbeat.interval.ms": "500",
  "group.share.min.record.lock.duration.ms": "1000",
};
