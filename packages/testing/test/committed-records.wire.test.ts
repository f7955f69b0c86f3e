import { KafkaProducer, string } from "odradek";
import { expect, test } from "vitest";
import { KafkaCluster, ManualClock } from "../src/index.ts";

const topics = { ledger: { partitions: 2 } };
const valuesOf = (records: readonly { readonly value: Buffer | null }[]) => records.map(({ value }) => String(value));

test("records are waited for, over all partitions, each with its place", async () => {
  await using cluster = await KafkaCluster.start({ topics });
  await using producer = new KafkaProducer({ bootstrapServers: cluster.bootstrapServers, valueSerializer: string });
  const waiting = cluster.waitForRecords("ledger", 3);
  await producer.send({ topic: "ledger", partition: 1, value: "b" });
  await producer.send({ topic: "ledger", partition: 0, value: "a" });
  await producer.send({ topic: "ledger", partition: 1, value: "c" });
  expect((await waiting).map(({ partition, offset, value }) => [partition, offset, String(value)])).toEqual([
    [0, 0n, "a"],
    [1, 0n, "b"],
    [1, 1n, "c"],
  ]);
});

test("what an open transaction wrote does not count until it is committed, and what was aborted never does", async () => {
  await using cluster = await KafkaCluster.start({ topics });
  const { bootstrapServers } = cluster;
  await using producer = new KafkaProducer({ bootstrapServers, transactionalId: "book", valueSerializer: string });
  const send = (value: string) => producer.send({ topic: "ledger", partition: 0, value });
  await producer.initTransactions();
  producer.beginTransaction();
  await send("aborted");
  await producer.abortTransaction();
  producer.beginTransaction();
  await send("committed");
  expect(valuesOf(await cluster.waitForRecords("ledger", 0))).toEqual([]);
  const waiting = cluster.waitForRecords("ledger", 1);
  await producer.commitTransaction();
  expect(valuesOf(await waiting)).toEqual(["committed"]);
});

test("the wait ends with its time and says how many came", async () => {
  await using cluster = await KafkaCluster.start({ topics });
  const waiting = cluster.waitForRecords("ledger", 2, { timeoutMs: 10 });
  await expect(waiting).rejects.toThrow("ledger has 0 of 2 records after 10 ms");
  await expect(cluster.waitForRecords("nowhere", 1)).rejects.toThrow(new RangeError("there is no topic nowhere"));
});

test("a clock that is turned, or stands still, does not change how long a test waits", async () => {
  const clock = new ManualClock();
  await using cluster = await KafkaCluster.start({ topics, clock });
  const { bootstrapServers } = cluster;
  await using producer = new KafkaProducer({ bootstrapServers, valueSerializer: string });
  const waiting = Promise.all([cluster.waitForRecords("ledger", 1), cluster.waitFor("Produce")]);
  clock.advance(3_600_000);
  await producer.send({ topic: "ledger", partition: 0, value: "late" });
  expect(valuesOf((await waiting)[0])).toEqual(["late"]);
  await expect(cluster.waitForRecords("ledger", 2, { timeoutMs: 10 })).rejects.toThrow(/has 1 of 2 records/);
  await expect(cluster.waitFor("Heartbeat", () => true, { timeoutMs: 10 })).rejects.toThrow(/no Heartbeat request/);
});
