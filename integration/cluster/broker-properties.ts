import { loopback } from "./ports.ts";
import { type KafkaVersion, kafkaVersions } from "./versions.ts";

/** One broker, before it runs. */
export interface Node {
  readonly id: number;
  /** By the name of the listener. */
  readonly ports: Readonly<Record<string, number>>;
}

export interface PropertiesInput {
  readonly version: KafkaVersion;
  readonly nodes: readonly Node[];
  /** `host:port` of ZooKeeper, for versions that need one. */
  readonly zookeeper: string | undefined;
  readonly dataFolder: string;
}

/** What a broker's `server.properties` says. */
export function brokerProperties(node: Node, input: PropertiesInput): Record<string, string> {
  const { version, nodes, dataFolder } = input;
  return {
    ...(kafkaVersions[version].quorum === "kraft" ? kraft(node, nodes) : zookeeper(node, input.zookeeper)),
    "log.dirs": dataFolder,
    "broker.rack": `r${node.id}`,
    "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector",
    ...replication(nodes.length),
    ...quickGroups,
    // The default of 128 MiB is a third of the heap.
    "log.cleaner.dedupe.buffer.size": "2097152",
  };
}

const listenersOf = (node: Node, names: readonly string[]): string =>
  names.map((name) => `${name}://${loopback}:${node.ports[name]}`).join(",");

function kraft(node: Node, nodes: readonly Node[]): Record<string, string> {
  return {
    "process.roles": "broker,controller",
    "node.id": `${node.id}`,
    "controller.quorum.voters": nodes.map(({ id, ports }) => `${id}@${loopback}:${ports["CONTROLLER"]}`).join(","),
    "controller.listener.names": "CONTROLLER",
    listeners: listenersOf(node, ["PLAINTEXT", "CONTROLLER"]),
    "advertised.listeners": listenersOf(node, ["PLAINTEXT"]),
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "inter.broker.listener.name": "PLAINTEXT",
    "group.coordinator.rebalance.protocols": "classic,consumer",
  };
}

function zookeeper(node: Node, address: string | undefined): Record<string, string> {
  if (address === undefined) throw new Error("this version of Kafka needs a ZooKeeper");
  return {
    "broker.id": `${node.id}`,
    "zookeeper.connect": address,
    listeners: listenersOf(node, ["PLAINTEXT"]),
    "inter.broker.listener.name": "PLAINTEXT",
  };
}

/** Internal topics small, so that their leaders are elected in no time. */
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

/** Groups that form, notice a death and rebalance within a test's patience. */
const quickGroups = {
  "group.initial.rebalance.delay.ms": "0",
  "group.min.session.timeout.ms": "1000",
  "group.consumer.min.heartbeat.interval.ms": "500",
  "group.consumer.heartbeat.interval.ms": "500",
  "group.consumer.min.session.timeout.ms": "5000",
  "group.consumer.session.timeout.ms": "6000",
  "group.share.min.heartbeat.interval.ms": "500",
  "group.share.heartbeat.interval.ms": "500",
  "group.share.min.record.lock.duration.ms": "1000",
};

/** As a file of Java properties. */
export const propertiesText = (properties: Readonly<Record<string, string>>): string =>
  Object.entries(properties)
    .map(([key, value]) => `${key}=${value}\n`)
    .join("");
