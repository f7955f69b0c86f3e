import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { KafkaCluster, type KafkaVersion } from "@odradek/testing";
import { expect, onTestFinished, test } from "vitest";
import { foreignClients } from "./foreign-clients.ts";
import { clusterTool, javaTool } from "./java-tool.ts";

// On brokers inside this process, whose clients are Kafka's own and those of others.

const topic = "orders";
const values = Array.from({ length: 20 }, (_, index) => `order-${index}`);

const isKcatHere = await promisify(execFile)("kcat", ["-V"]).then(
  () => true,
  () => false,
);

const { kafkajs, platformatic, java, javaOfConsumerProtocol, kcat } = foreignClients;
const cases: readonly (readonly [(typeof foreignClients)[keyof typeof foreignClients], KafkaVersion])[] = [
  [kafkajs, "2.1"],
  [kafkajs, "3.9"],
  [kafkajs, "4.3"],
  [platformatic, "3.9"],
  [platformatic, "4.3"],
  [java, "2.1"],
  [java, "4.3"],
  [javaOfConsumerProtocol, "4.3"],
  [kcat, "2.1"],
  [kcat, "3.9"],
  [kcat, "4.3"],
];

test.for(cases.map(([client, version]) => ({ name: client.name, client, version })))(
  "$name produces, consumes in a group and commits on Kafka $version",
  async ({ client, version }, { skip }) => {
    skip(client === kcat && !isKcatHere, "kcat does not run here: apt-get install kcat");
    await using cluster = await KafkaCluster.start({ brokers: 3, version, topics: { [topic]: { partitions: 3 } } });
    await client.produce(cluster.bootstrapServers, topic, values);
    const written = await cluster.waitForRecords(topic, values.length);
    expect(written.map(({ key, value }) => [String(key), String(value)]).sort()).toEqual(
      values.map((value) => [value, value]).sort(),
    );
    // Numbers of an idempotent producer, from 0 on in each partition.
    const batches = [0, 1, 2].flatMap((partition) => cluster.log(topic, partition).batches.slice(0, 1));
    expect(batches.map(({ baseSequence }) => baseSequence)).toEqual(batches.map(() => 0));

    const read = await client.consume(cluster.bootstrapServers, topic, "billing", values.length);
    expect(read.toSorted()).toEqual(values.toSorted());
    const committed = cluster.committed("billing").map(({ partition, offset }) => [partition, offset]);
    const ends = [0, 1, 2].map((partition) => [partition, cluster.log(topic, partition).highWatermark]);
    expect(committed.toSorted()).toEqual(ends.filter(([, end]) => end !== 0n));
  },
);

test("Java's producer commits transactions, and its tools describe what is there", async () => {
  await using cluster = await KafkaCluster.start({ brokers: 3, topics: { [topic]: { partitions: 3 } } });
  const { bootstrapServers } = cluster;
  const at = ["--bootstrap-server", bootstrapServers.join()];
  const load = ["--topic", topic, "--num-records", "200", "--record-size", "10", "--throughput", "1000"];
  await javaTool("org.apache.kafka.tools.ProducerPerformance", ...at, ...load, "--transaction-duration-ms", "50");
  expect(await cluster.waitForRecords(topic, 200)).toHaveLength(200);
  const ends = [0, 1, 2].flatMap((partition) =>
    cluster.log(topic, partition).batches.flatMap(({ marker }) => marker?.type ?? []),
  );
  expect(new Set(ends)).toEqual(new Set(["commit"]));

  const lines = await javaTool("org.apache.kafka.tools.TopicCommand", ...at, "--describe", "--topic", topic);
  expect(lines[0]).toMatch(/Topic: orders\tTopicId: \S+\tPartitionCount: 3\tReplicationFactor: 3/);
  expect(lines).toHaveLength(4);
});

test("Java's tools move partitions, and set back what a group has read", async () => {
  await using cluster = await KafkaCluster.start({ brokers: 3, topics: { [topic]: { replicationFactor: 2 } } });
  const { bootstrapServers } = cluster;
  await foreignClients.kafkajs.produce(bootstrapServers, topic, values);
  await foreignClients.kafkajs.consume(bootstrapServers, topic, "billing", values.length);
  await cluster.waitForCommitted("billing", topic);

  const folder = await mkdtemp(join(tmpdir(), "odradek-test-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const plan = join(folder, "plan.json");
  await writeFile(plan, JSON.stringify({ version: 1, partitions: [{ topic, partition: 0, replicas: [3, 2] }] }));
  const reassign = (what: string) =>
    clusterTool(
      bootstrapServers,
      "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
      ...["--reassignment-json-file", plan, what],
    );
  await reassign("--execute");
  expect(cluster.log(topic)).toMatchObject({ replicas: [3, 2], leader: 3 });
  // It takes back what it would have set at brokers and topics to go slowly.
  expect(await reassign("--verify")).toContain("Reassignment of partition orders-0 is completed.");

  const groups = (...args: readonly string[]) =>
    clusterTool(bootstrapServers, "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", ...args);
  await groups("--group", "billing", "--reset-offsets", "--topic", topic, "--shift-by", "-5", "--execute");
  expect(cluster.committed("billing")).toMatchObject([{ offset: BigInt(values.length - 5) }]);
  expect((await groups("--list", "--state")).slice(1).map((line) => line.split(/\s+/).slice(0, 2))).toEqual([
    ["billing", "Empty"],
  ]);
});
