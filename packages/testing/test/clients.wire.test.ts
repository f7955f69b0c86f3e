import { Kafka, logLevel } from "kafkajs";
import { KafkaAdmin, KafkaConsumer, KafkaProducer, string } from "odradek";
import { describe, expect, test } from "vitest";
import { KafkaCluster, type KafkaVersion } from "../src/index.ts";

const versions: readonly KafkaVersion[] = ["2.1", "3.9", "4.3"];
const written = { keySerializer: string, valueSerializer: string };
const read = { keyDeserializer: string, valueDeserializer: string };

/** The values that a consumer polls until it has so many. */
async function polled(consumer: KafkaConsumer<string, string>, count: number): Promise<string[]> {
  const values: string[] = [];
  while (values.length < count) for (const { value } of await consumer.poll(1_000)) values.push(value ?? "");
  return values;
}

test("three brokers start within a moment", async () => {
  const before = process.cpuUsage();
  await using cluster = await KafkaCluster.start({ brokers: 3 });
  const { user, system } = process.cpuUsage(before);
  expect(new Set(cluster.bootstrapServers).size).toBe(3);
  // Some milliseconds on an idle machine; the promise is 50. How long it takes on a busy one is the affair of the others.
  expect((user + system) / 1_000).toBeLessThan(1_000);
});

describe.each(versions)("odradek on Kafka %s", (version) => {
  const protocols = version === "4.3" ? (["classic", "consumer"] as const) : (["classic"] as const);

  test.each(protocols)("produces, and consumes in a group of the %s protocol", async (groupProtocol) => {
    await using cluster = await KafkaCluster.start({ brokers: 3, version, topics: { orders: { partitions: 3 } } });
    const { bootstrapServers } = cluster;
    await using producer = new KafkaProducer({ bootstrapServers, ...written });
    const sent = Array.from({ length: 30 }, (_, n) => `value-${n}`);
    await Promise.all(sent.map((value, n) => producer.send({ topic: "orders", key: `${n}`, value })));
    await using consumer = new KafkaConsumer({
      ...{ bootstrapServers, ...read, groupId: "billing", groupProtocol },
      autoOffsetReset: "earliest",
      enableAutoCommit: false,
    });
    consumer.subscribe(["orders"]);
    expect((await polled(consumer, sent.length)).sort()).toEqual(sent.sort());
    await consumer.commitSync();
    const committed = cluster.committed("billing").map(({ offset }) => offset);
    expect(committed.reduce((sum, offset) => sum + offset, 0n)).toBe(30n);
  });

  test("sees what a transaction committed, and not what it aborted", async () => {
    await using cluster = await KafkaCluster.start({ brokers: 3, version, topics: { ledger: {}, source: {} } });
    const { bootstrapServers } = cluster;
    await using producer = new KafkaProducer({ bootstrapServers, transactionalId: "book", ...written });
    await producer.initTransactions();
    producer.beginTransaction();
    await producer.send({ topic: "ledger", value: "aborted" });
    await producer.abortTransaction();
    await producer.transaction(async () => {
      await producer.send({ topic: "ledger", value: "committed" });
      await producer.sendOffsetsToTransaction([{ topic: "source", partition: 0, offset: 7n }], { groupId: "readers" });
    });
    await using consumer = new KafkaConsumer({
      ...{ bootstrapServers, ...read, groupId: "auditors", isolationLevel: "read_committed" },
      autoOffsetReset: "earliest",
    });
    consumer.subscribe(["ledger"]);
    expect(await polled(consumer, 1)).toEqual(["committed"]);
    const values = (await cluster.log("ledger").records()).map(({ value }) => String(value));
    expect(values).toEqual(["aborted", "committed"]);
    expect(cluster.log("ledger").batches.flatMap(({ marker }) => marker?.type ?? [])).toEqual(["abort", "commit"]);
    expect(cluster.committed("readers")).toMatchObject([{ topic: "source", partition: 0, offset: 7n }]);
  });

  test("creates, describes, alters and deletes topics", async () => {
    await using cluster = await KafkaCluster.start({ brokers: 3, version });
    await using admin = new KafkaAdmin({ bootstrapServers: cluster.bootstrapServers });
    await admin.createTopics([{ topic: "made", numPartitions: 2, replicationFactor: 3 }]);
    const names = async () => (await admin.listTopics()).map(({ topic }) => topic);
    expect(await names()).toEqual(["made"]);
    await admin.createPartitions([{ topic: "made", totalCount: 4 }]);
    const [description] = (await admin.describeTopics(["made"])).orThrow();
    expect(description?.partitions).toHaveLength(4);
    await admin.deleteTopics(["made"]);
    expect(await names()).toEqual([]);
  });
});

describe.each(versions)("kafkajs on Kafka %s", (version) => {
  test("produces, and consumes in a group", async () => {
    await using cluster = await KafkaCluster.start({ brokers: 3, version, topics: { orders: { partitions: 2 } } });
    const kafka = new Kafka({ brokers: cluster.bootstrapServers, logLevel: logLevel.NOTHING });
    const producer = kafka.producer();
    await producer.connect();
    await producer.send({ topic: "orders", messages: [{ value: "a" }, { value: "b" }] });
    const consumer = kafka.consumer({ groupId: "billing", maxWaitTimeInMs: 50 });
    await consumer.connect();
    await consumer.subscribe({ topic: "orders", fromBeginning: true });
    const seen: string[] = [];
    await new Promise<void>((resolve, reject) => {
      const eachMessage = async ({ message }: { message: { value: Buffer | null } }) => {
        seen.push(String(message.value));
        if (seen.length === 2) resolve();
      };
      consumer.run({ eachMessage }).catch(reject);
    });
    expect(seen.sort()).toEqual(["a", "b"]);
    await consumer.disconnect();
    await producer.disconnect();
    expect(cluster.committed("billing").reduce((sum, { offset }) => sum + offset, 0n)).toBe(2n);
  });

  test("commits a transaction", async () => {
    await using cluster = await KafkaCluster.start({ version, topics: { ledger: {} } });
    const kafka = new Kafka({ brokers: cluster.bootstrapServers, logLevel: logLevel.NOTHING });
    const producer = kafka.producer({ transactionalId: "book", idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    const transaction = await producer.transaction();
    await transaction.send({ topic: "ledger", messages: [{ value: "committed" }] });
    await transaction.commit();
    await producer.disconnect();
    expect(cluster.log("ledger").batches.flatMap(({ marker }) => marker?.type ?? [])).toEqual(["commit"]);
  });

  test("asks what an admin asks", async () => {
    await using cluster = await KafkaCluster.start({ version, brokers: 2 });
    const kafka = new Kafka({ brokers: cluster.bootstrapServers, logLevel: logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: "made", numPartitions: 2 }], waitForLeaders: true });
    expect(await admin.listTopics()).toEqual(["made"]);
    expect((await admin.fetchTopicOffsets("made")).map(({ high }) => high)).toEqual(["0", "0"]);
    expect((await admin.describeCluster()).brokers).toHaveLength(2);
    await admin.deleteTopics({ topics: ["made"] });
    await admin.disconnect();
  });
});
