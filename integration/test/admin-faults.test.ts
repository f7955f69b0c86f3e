import { KafkaAdmin } from "odradek";
import { expect, test } from "vitest";
import { startCluster } from "../cluster/cluster.ts";
import { becomes } from "./becomes.ts";

/** Three replicas of each partition, each broker leading two of them. */
const replicas = [1, 2, 3, 1, 2, 3].map((first) => [first, (first % 3) + 1, ((first + 1) % 3) + 1]);

test("calls survive the controller that is killed, and lose nothing but what it alone knows", async () => {
  await using cluster = await startCluster({ own: true });
  await using admin = new KafkaAdmin({ bootstrapServers: cluster.bootstrapServers });
  const topic = "orders";
  await cluster.createTopic({ name: topic, replicas });
  const partitions = replicas.map((_, partition) => ({ topic, partition }));
  const groupIds = Array.from({ length: 9 }, (_, index) => `group-${index}`);
  const commit = (groupId: string, offset: number) =>
    admin.alterConsumerGroupOffsets(groupId, [{ topic, partition: 0, offset }]);
  for (const groupId of groupIds) (await commit(groupId, 0)).orThrow();

  const { leaderId } = await admin.describeMetadataQuorum();
  await cluster.brokers.find(({ id }) => id === leaderId)?.kill();
  const [created, offsets, committed, descriptions, dirs, configs] = await Promise.all([
    admin.createTopics([{ topic: "payments", numPartitions: 3, replicationFactor: 2 }]),
    admin.listOffsets(partitions.map((at) => ({ ...at, spec: "latest" }))),
    Promise.all(groupIds.map((groupId) => commit(groupId, 1))),
    admin.describeConsumerGroups(groupIds),
    admin.describeLogDirs([1, 2, 3], { timeoutMs: 20_000 }),
    admin.incrementalAlterConfigs([
      { type: "TOPIC", name: topic, ops: [{ name: "retention.ms", operation: "SET", value: "3600000" }] },
    ]),
  ]);
  // The request may have been carried out before the connection was lost, ours or that of the broker that passed it on.
  expect([undefined, "TOPIC_ALREADY_EXISTS"]).toContain(created.get("payments")?.error?.code);
  expect(offsets.orThrow().map(({ offset }) => offset)).toEqual(partitions.map(() => 0n));
  for (const results of committed) results.orThrow();
  expect(descriptions.orThrow().map(({ state }) => state)).toEqual(groupIds.map(() => "Empty"));
  configs.orThrow();
  expect([...dirs].filter(({ error }) => error !== null).map(({ key }) => key)).toEqual([leaderId]);

  const [offsetsOf] = (await admin.listConsumerGroupOffsets([groupIds[0] ?? ""])).orThrow();
  expect(offsetsOf).toMatchObject([{ topic, partition: 0, offset: 1n }]);
  const brokers = async () =>
    (await admin.describeCluster({ includeFencedBrokers: true })).brokers.map(({ id, isFenced }) => [id, isFenced]);
  const ids = [1, 2, 3];
  await becomes(
    "brokers of the cluster",
    brokers,
    ids.map((id) => [id, id === leaderId]),
  );
  await admin.unregisterBroker(leaderId ?? -1);
  await becomes(
    "brokers of the cluster",
    brokers,
    ids.filter((id) => id !== leaderId).map((id) => [id, false]),
  );
});
