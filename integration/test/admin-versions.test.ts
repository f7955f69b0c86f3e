import { KafkaAdmin, KafkaConsumer, type KafkaError, KafkaProducer } from "odradek";
import { expect, test } from "vitest";
import { startCluster } from "../cluster/cluster.ts";
import { becomes } from "./becomes.ts";

const topic = "orders";
const groupId = "billing";
const at = { topic, partition: 0 };

/** The error of the one thing that was asked for. */
const codeOf = (results: Iterable<{ readonly error: KafkaError | null }>): string | undefined =>
  [...results][0]?.error?.code;

/** A topic with ten records, and a group that has read four of them and is gone. */
async function fill(bootstrapServers: readonly string[], admin: KafkaAdmin): Promise<void> {
  (await admin.createTopics([{ topic, numPartitions: 2, replicationFactor: 1 }])).orThrow();
  await using producer = new KafkaProducer({ bootstrapServers });
  await producer.sendBatch(Array.from({ length: 10 }, () => ({ ...at, value: "v" })));
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    groupId,
    autoOffsetReset: "earliest",
    maxPollRecords: 4,
  });
  consumer.subscribe([topic]);
  while ((await consumer.poll(20_000)).count === 0);
  await consumer.commitSync([{ ...at, offset: 4 }]);
}

/** What every release has that we speak to. */
async function administrate(admin: KafkaAdmin): Promise<void> {
  const cluster = await admin.describeCluster();
  const [broker] = cluster.brokers;
  expect(cluster).toMatchObject({ controllerId: broker?.id, authorizedOperations: null });
  expect((await admin.listTopics()).map((listing) => listing.topic)).toEqual([topic]);
  const described = await admin.describeTopics([topic, "nobody"]);
  expect(described.get(topic)?.value?.partitions.map(({ leaderId }) => leaderId)).toEqual([broker?.id, broker?.id]);
  expect(described.get("nobody")?.error).toMatchObject({ code: "UNKNOWN_TOPIC_OR_PARTITION" });

  const specs = ["earliest", "latest"] as const;
  for (const [index, spec] of specs.entries()) {
    expect((await admin.listOffsets([{ ...at, spec }])).orThrow()[0]?.offset).toBe([0n, 10n][index]);
  }
  expect((await admin.deleteRecords([{ ...at, beforeOffset: 2 }])).orThrow()[0]?.lowWatermark).toBe(2n);
  const groups = async () =>
    (await admin.listGroups())
      .orThrow()
      .flat()
      .map((listing) => listing.groupId);
  expect(await groups()).toEqual([groupId]);
  const [group] = (await admin.describeConsumerGroups([groupId])).orThrow();
  expect(group).toMatchObject({ groupId, state: "Empty", members: [] });
  expect(codeOf(await admin.describeConsumerGroups(["nobody"]))).toBe("GROUP_ID_NOT_FOUND");
  expect((await admin.lag(groupId)).get(at)?.value).toMatchObject({ committed: 4n, end: 10n, lag: 6n, member: null });
  (await admin.alterConsumerGroupOffsets(groupId, [{ ...at, offset: 9 }])).orThrow();
  const [ofOurs = [], ofNobody = []] = (await admin.listConsumerGroupOffsets([groupId, "nobody"])).orThrow();
  expect(ofOurs.map(({ partition, offset }) => [partition, offset])).toContainEqual([0, 9n]);
  expect(ofNobody).toEqual([]);

  const resource = { type: "TOPIC", name: topic } as const;
  (await admin.alterConfigs([{ ...resource, configs: { "retention.ms": "86400000" } }])).orThrow();
  const configKeys = ["cleanup.policy", "retention.ms"];
  const configs = async () =>
    (await admin.describeConfigs([{ ...resource, configKeys }]))
      .orThrow()
      .flatMap((described) => described.configs.map(({ value, isDefault }) => [value, isDefault]));
  await becomes("configs of the topic", configs, [
    ["delete", true],
    ["86400000", false],
  ]);
  (await admin.createPartitions([{ topic, totalCount: 3 }])).orThrow();
  const [dirs] = (await admin.describeLogDirs([broker?.id ?? -1])).orThrow();
  expect(dirs?.[0]?.replicas.filter((replica) => replica.topic === topic).length).toBeGreaterThanOrEqual(2);
  await expect(admin.describeAcls()).rejects.toMatchObject({ code: "SECURITY_DISABLED" });
  (await admin.deleteConsumerGroups([groupId])).orThrow();
  (await admin.deleteTopics([topic])).orThrow();
  await becomes("topics that are left", () => admin.listTopics(), []);
}

test("Kafka 2.1.1 is administrated as far as it goes, and what it lacks is said with the release that has it", async () => {
  await using cluster = await startCluster({ version: "2.1.1", brokers: 1 });
  const { bootstrapServers } = cluster;
  await using admin = new KafkaAdmin({ bootstrapServers });
  await fill(bootstrapServers, admin);
  // While there is somebody who leads the partition, and could tell if it knew of such a place.
  expect(codeOf(await admin.listOffsets([{ ...at, spec: "maxTimestamp" }]))).toBe("UNSUPPORTED_VERSION");
  await administrate(admin);
  const [uncounted] = await admin.createTopics([{ topic: "uncounted" }]);
  expect(uncounted?.error?.message).toMatch(
    /^CreateTopics v4 \(Kafka 2\.4, and newer\), which leaves counts to the broker: /,
  );
  const classic = (await admin.listGroups({ types: ["Classic", "Consumer"] })).orThrow();
  expect(classic).toEqual([[]]);
  const ops = [{ name: "cleanup.policy", operation: "SET", value: "compact" }] as const;
  const [altered] = await admin.incrementalAlterConfigs([{ type: "TOPIC", name: topic, ops }]);
  expect(altered?.error?.message).toMatch(/^IncrementalAlterConfigs \(Kafka 2\.3, and newer\): /);
  const kinds = [
    { type: "TOPIC", name: topic },
    { type: "BROKER", name: "" },
    { type: "GROUP", name: groupId },
  ] as const;
  const configs = await admin.describeConfigs(kinds);
  expect([...configs].map(({ error }) => error?.code)).toEqual([
    "UNKNOWN_TOPIC_OR_PARTITION",
    undefined,
    "INVALID_REQUEST",
  ]);
  const lacking = await Promise.all([
    admin.electLeaders("PREFERRED", [at]),
    admin.alterPartitionReassignments([{ ...at, replicaIds: null }]),
    admin.deleteConsumerGroupOffsets(groupId, [at]),
    admin.removeMembersFromConsumerGroup(groupId, ["one"]),
    admin.alterClientQuotas([{ entity: { user: "u" }, quotas: { producer_byte_rate: 1 } }]),
    admin.alterUserScramCredentials([{ user: "u", mechanism: "SCRAM-SHA-256", delete: true }]),
    admin.describeTransactions(["t"]),
    admin.describeShareGroups(["s"]),
    admin.listGroups({ states: ["Stable"] }),
    admin.deleteTopics([{ topicId: "AAAAAAAAAAAAAAAAAAAAaQ" }]),
    admin.describeTopics([{ topicId: "AAAAAAAAAAAAAAAAAAAAaQ" }]),
  ]);
  expect(lacking.map((results) => codeOf(results))).toEqual(lacking.map(() => "UNSUPPORTED_VERSION"));
  for (const asked of [admin.describeFeatures(), admin.describeMetadataQuorum(), admin.listConfigResources()]) {
    await expect(asked).rejects.toMatchObject({ code: "UNSUPPORTED_VERSION" });
  }
});

test("Kafka 4.4.0 forgets a controller that was shut down, and knows none of its id then", async () => {
  await using cluster = await startCluster({ version: "4.4.0", own: true });
  await using admin = new KafkaAdmin({ bootstrapServers: cluster.bootstrapServers });
  const { leaderId } = await admin.describeMetadataQuorum();
  const gone = cluster.brokers.find(({ id }) => id !== leaderId);
  await gone?.stop();
  const unknown = { code: "CONTROLLER_ID_NOT_REGISTERED" };
  await expect(admin.unregisterController(99)).rejects.toMatchObject(unknown);
  await admin.unregisterController(gone?.id ?? -1);
  await expect(admin.unregisterController(gone?.id ?? -1)).rejects.toMatchObject(unknown);
});

/** What a client does that begins with controllers. */
async function administrateByControllers(bootstrapServers: readonly string[], admin: KafkaAdmin): Promise<void> {
  const { leaderId, nodes } = await admin.describeMetadataQuorum();
  const bootstrapControllers = nodes.flatMap(({ endpoints }) => endpoints.map(({ host, port }) => `${host}:${port}`));
  await using client = new KafkaAdmin({ bootstrapControllers });
  await client.connect();
  const described = await client.describeCluster();
  expect(described.controllerId).toBe(leaderId);
  expect(described.brokers.map(({ host, port }) => `${host}:${port}`).sort()).toEqual(bootstrapControllers.sort());
  expect((await client.describeMetadataQuorum()).leaderId).toBe(leaderId);
  const { features } = await client.describeFeatures();
  expect(features.map(({ feature }) => feature)).toContain("metadata.version");
  const ofNode = { type: "BROKER", name: "1", configKeys: ["node.id"] } as const;
  const [configs] = (await client.describeConfigs([ofNode])).orThrow();
  expect(configs?.configs[0]).toMatchObject({ name: "node.id", value: "1" });
  const ops = [{ name: "log.cleaner.threads", operation: "SET", value: "2" }] as const;
  (await client.incrementalAlterConfigs([{ type: "BROKER", name: "", ops }], { validateOnly: true })).orThrow();
  await expect(client.listTopics()).rejects.toMatchObject({ code: "UNSUPPORTED_VERSION" });
  await using misled = new KafkaAdmin({ bootstrapControllers: bootstrapServers });
  await expect(misled.describeMetadataQuorum()).rejects.toMatchObject({ code: "UNSUPPORTED_VERSION" });
}

test("Kafka 3.9.2 is administrated, with the members of groups, and by its controllers alone", async () => {
  // Containers publish no listener of controllers.
  await using cluster = await startCluster({ version: "3.9.2", brokers: 1, provider: "jvm" });
  const { bootstrapServers } = cluster;
  await using admin = new KafkaAdmin({ bootstrapServers });
  await fill(bootstrapServers, admin);
  await administrate(admin);
  const fresh = "fresh";
  (await admin.createTopics([{ topic: fresh, numPartitions: 2 }])).orThrow();
  await using producer = new KafkaProducer({ bootstrapServers });
  await producer.send({ topic: fresh, partition: 0, value: "v" });
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    groupId: fresh,
    autoOffsetReset: "earliest",
  });
  consumer.subscribe([fresh]);
  while ((await consumer.poll(20_000)).count === 0);
  const [group] = (await admin.describeConsumerGroups([fresh])).orThrow();
  expect(group).toMatchObject({ type: "Classic", state: "Stable" });
  expect(group?.members[0]?.assignment).toHaveLength(2);
  const [described] = (
    await admin.describeTopics([{ topicId: (await admin.listTopics())[0]?.topicId ?? "" }])
  ).orThrow();
  expect(described?.topic).toBe(fresh);
  const ops = [{ name: "cleanup.policy", operation: "SET", value: "compact" }] as const;
  (await admin.incrementalAlterConfigs([{ type: "TOPIC", name: fresh, ops }])).orThrow();
  expect((await admin.describeMetadataQuorum()).voters).toHaveLength(1);
  expect((await admin.listTransactions()).orThrow().flat()).toEqual([]);
  await expect(admin.listConfigResources()).rejects.toMatchObject({ code: "UNSUPPORTED_VERSION" });
  expect(await admin.listConfigResources(["CLIENT_METRICS"])).toEqual([]);
  await administrateByControllers(bootstrapServers, admin);
});
