import { KafkaAdmin, KafkaProducer } from "odradek";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type KafkaCluster, startCluster } from "../cluster/cluster.ts";
import { becomes } from "./becomes.ts";
import { clusterTool } from "./java-tool.ts";

let cluster: KafkaCluster;
let admin: KafkaAdmin;
beforeAll(async () => {
  cluster = await startCluster({ dynamicQuorum: true, logDirs: 2 });
  admin = new KafkaAdmin({ bootstrapServers: cluster.bootstrapServers });
});
afterAll(async () => {
  await admin?.close();
  await cluster?.stop();
});

const tool = (mainClass: string, ...args: readonly string[]): Promise<string[]> =>
  clusterTool(cluster.bootstrapServers, mainClass, ...args);

const megabyte = Buffer.alloc(1 << 20, "v");

/** A topic with one partition, on broker 1 alone, with so many megabytes. */
async function filledTopic(topic: string, megabytes: number): Promise<void> {
  await cluster.createTopic({ name: topic, replicas: [[1]], configs: { "max.message.bytes": "2000000" } });
  await using producer = new KafkaProducer({ bootstrapServers: cluster.bootstrapServers, maxRequestSize: 2_000_000 });
  for (let sent = 0; sent < megabytes; sent++) await producer.send({ topic, partition: 0, value: megabyte });
}

/** Where a node listens as a controller, as its configuration has it. */
async function controllerOf(node: number) {
  const resource = { type: "BROKER", name: `${node}`, configKeys: ["listeners"] } as const;
  const [described] = (await admin.describeConfigs([resource])).orThrow();
  const address = /CONTROLLER:\/\/([^,:]+):(\d+)/.exec(described?.configs[0]?.value ?? "");
  return { name: "CONTROLLER", host: address?.[1] ?? "", port: Number(address?.[2]) };
}

test("a controller gets a vote and loses it again, as Kafka's own tool has it", async () => {
  const quorum = () => admin.describeMetadataQuorum();
  const voters = async () => (await quorum()).voters.map(({ replicaId }) => replicaId).sort();
  expect(await voters()).toEqual([1]);
  const { observers, nodes } = await quorum();
  const observer = observers.find(({ replicaId }) => replicaId === 2);
  const directoryId = observer?.replicaDirectoryId ?? "";
  // Nobody but voters tells where they listen.
  expect(nodes.map(({ nodeId }) => nodeId)).toEqual([1]);
  const endpoints = [await controllerOf(2)];
  await admin.addRaftVoter(2, directoryId, endpoints);
  await becomes("voters", voters, [1, 2]);
  await expect(admin.addRaftVoter(2, directoryId, endpoints)).rejects.toMatchObject({ code: "DUPLICATE_VOTER" });
  const lines = await tool("org.apache.kafka.tools.MetadataQuorumCommand", "describe", "--replication");
  const followers = lines.filter((line) => /\b(Leader|Follower)\b/.test(line)).map((line) => line.trim().split(/\s+/));
  expect(followers.map(([nodeId]) => nodeId).sort()).toEqual(["1", "2"]);
  expect(followers.map(([, directory]) => directory)).toContain(directoryId);

  const another = { clusterId: "AAAAAAAAAAAAAAAAAAAAaQ" };
  await expect(admin.removeRaftVoter(2, directoryId, another)).rejects.toMatchObject({
    code: "INCONSISTENT_CLUSTER_ID",
  });
  await admin.removeRaftVoter(2, directoryId, { clusterId: (await admin.describeCluster()).clusterId ?? "" });
  await becomes("voters", voters, [1]);
  await expect(admin.removeRaftVoter(2, directoryId)).rejects.toMatchObject({ code: "VOTER_NOT_FOUND" });
});

test("features go down and up again", async () => {
  const feature = "transaction.version";
  const level = async () => (await admin.describeFeatures()).features.find((one) => one.feature === feature);
  const before = (await level())?.finalizedLevel ?? 0;
  expect(before).toBeGreaterThan(1);
  const down = { feature, maxVersionLevel: before - 1 };
  const refused = await admin.updateFeatures([down]);
  expect([...refused].map(({ error }) => error?.code)).toEqual(["INVALID_UPDATE_VERSION"]);
  expect((await admin.updateFeatures([{ ...down, upgradeType: "SAFE_DOWNGRADE" }])).orThrow()).toEqual([feature]);
  await becomes("its level", async () => (await level())?.finalizedLevel, before - 1);
  (await admin.updateFeatures([{ feature, maxVersionLevel: before }])).orThrow();
  await becomes("its level", async () => (await level())?.finalizedLevel, before);

  const lines = await tool("org.apache.kafka.tools.FeatureCommand", "describe");
  const printed = lines.map((line) => /^Feature: (\S+)\s.*FinalizedVersionLevel: (\S+)/.exec(line)?.slice(1));
  const { features } = await admin.describeFeatures();
  const told = features.map((one) => [one.feature, `${one.finalizedLevel}`]);
  // The tool has a name for each level of this one.
  const isNumbered = (row?: readonly string[]) => row?.[0] !== "metadata.version";
  expect(printed.filter(isNumbered)).toEqual(told.filter(isNumbered));
});

test("a move between brokers is listed while it goes on, and called off", async () => {
  const topic = "moving";
  await filledTopic(topic, 2);
  const at = { topic, partition: 0 };
  const set = (name: string, value: string) => ({ name, operation: "SET", value }) as const;
  const slow = await admin.incrementalAlterConfigs([
    { type: "BROKER", name: "1", ops: [set("leader.replication.throttled.rate", "1")] },
    { type: "BROKER", name: "2", ops: [set("follower.replication.throttled.rate", "1")] },
    {
      type: "TOPIC",
      name: topic,
      ops: [set("leader.replication.throttled.replicas", "*"), set("follower.replication.throttled.replicas", "*")],
    },
  ]);
  slow.orThrow();
  (await admin.alterPartitionReassignments([{ ...at, replicaIds: [2] }])).orThrow();
  const moving = { ...at, replicaIds: [2, 1], addingReplicaIds: [2], removingReplicaIds: [1] };
  const listed = () => admin.listPartitionReassignments();
  await becomes("moves under way", listed, [moving]);
  expect(await admin.listPartitionReassignments([at])).toEqual([moving]);
  expect(await admin.listPartitionReassignments([{ topic, partition: 9 }])).toEqual([]);
  const lines = await tool("org.apache.kafka.tools.reassign.ReassignPartitionsCommand", "--list");
  expect(lines).toContain(`${topic}-0: replicas: 2,1. adding: 2. removing: 1.`);

  const kept = await admin.alterPartitionReassignments([{ ...at, replicaIds: [2, 3] }], {
    allowReplicationFactorChange: false,
  });
  expect([...kept].map(({ error }) => error?.code)).toEqual(["INVALID_REPLICATION_FACTOR"]);
  (await admin.alterPartitionReassignments([{ ...at, replicaIds: null }])).orThrow();
  await becomes("moves under way", listed, []);
  const replicas = async () => (await admin.describeTopics([topic])).orThrow()[0]?.partitions[0]?.replicaIds;
  await becomes("replicas", replicas, [1]);
});

test("a replica moves to another directory of its broker, as Kafka's own tool has it", async () => {
  const topic = "settling";
  await filledTopic(topic, 1);
  const replica = { topic, partition: 0, brokerId: 1 };
  const place = async () => (await admin.describeReplicaLogDirs([replica])).orThrow()[0];
  const before = (await place())?.currentLogDir;
  const dirs = (await admin.describeLogDirs([1])).orThrow()[0] ?? [];
  expect(dirs).toHaveLength(2);
  const logDir = dirs.map((one) => one.logDir).find((one) => one !== before) ?? "";
  expect((await admin.alterReplicaLogDirs([{ ...replica, logDir }])).orThrow()).toEqual([replica]);
  const settled = {
    ...replica,
    currentLogDir: logDir,
    currentOffsetLag: 0n,
    futureLogDir: null,
    futureOffsetLag: null,
  };
  await becomes("place of the replica", place, settled);
  const lines = await tool("org.apache.kafka.tools.LogDirsCommand", "--describe", "--broker-list", "1");
  const printed: LogDirs = JSON.parse(lines.find((line) => line.startsWith("{")) ?? "{}");
  const found = printed.brokers[0]?.logDirs.flatMap(({ logDir: dir, partitions }) =>
    partitions.filter(({ partition }) => partition === `${topic}-0`).map(({ size }) => [dir, BigInt(size)]),
  );
  const told = (await admin.describeLogDirs([1]))
    .orThrow()[0]
    ?.flatMap((one) => one.replicas.filter((each) => each.topic === topic).map(({ size }) => [one.logDir, size]));
  expect(found).toEqual(told);
});

interface LogDirs {
  readonly brokers: readonly {
    readonly logDirs: readonly {
      readonly logDir: string;
      readonly partitions: readonly { readonly partition: string; readonly size: number }[];
    }[];
  }[];
}
