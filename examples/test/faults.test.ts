import { KafkaCluster, ManualClock } from "@odradek/testing";
import { KafkaProducer, string } from "odradek";
import { expect, test } from "vitest";
import { Billing } from "../billing.ts";

const topics = { orders: { partitions: 3 }, invoices: {} };

test("each order has its invoice once, whatever the brokers do", async () => {
  await using cluster = await KafkaCluster.start({ brokers: 3, topics });
  const { bootstrapServers } = cluster;
  await using _billing = new Billing(bootstrapServers);
  await using producer = new KafkaProducer({ bootstrapServers, valueSerializer: string });
  const send = (total: number) => producer.send({ topic: "orders", value: JSON.stringify({ total }) });

  await send(1);
  await cluster.waitForRecords("invoices", 1);

  // An error, once, and a slow answer.
  const refused = cluster.fail("Produce", "NOT_LEADER_OR_FOLLOWER", { topic: "invoices" });
  cluster.delay("Fetch", 100);
  await send(2);
  await cluster.waitForRecords("invoices", 2);
  expect(refused.hits).toBe(1);

  // An answer that is lost: was it written?
  cluster.closeAfter(0, { api: "Produce", broker: cluster.log("invoices").leader });
  await send(3);
  await cluster.waitForRecords("invoices", 3);

  // A broker that stops, and comes back.
  const leader = cluster.broker(cluster.log("invoices").leader);
  await leader.stop();
  await send(4);
  const invoices = await cluster.waitForRecords("invoices", 4);
  await leader.start();

  expect(invoices.map(({ value }) => String(value))).toEqual([1, 2, 3, 4].map((total) => `{"due":${total}}`));
});

test("a transaction that nobody ends is aborted after a minute, which takes no time", async () => {
  const clock = new ManualClock();
  await using cluster = await KafkaCluster.start({ clock, topics });
  const { bootstrapServers } = cluster;
  await using producer = new KafkaProducer({ bootstrapServers, transactionalId: "billing", valueSerializer: string });
  await producer.initTransactions();
  producer.beginTransaction();
  await producer.send({ topic: "invoices", value: "forgotten" });

  clock.advance(60_000);

  await expect(producer.commitTransaction()).rejects.toMatchObject({ code: "PRODUCER_FENCED" });
  expect(cluster.log("invoices").batches.at(-1)?.marker?.type).toBe("abort");
  expect(await cluster.waitForRecords("invoices", 0)).toEqual([]);
});

test("a service that starts again sees the last of each account", async () => {
  const accounts = { configs: { "cleanup.policy": "compact" } };
  await using cluster = await KafkaCluster.start({ topics: { accounts } });
  const { bootstrapServers } = cluster;
  await using producer = new KafkaProducer({ bootstrapServers, keySerializer: string, valueSerializer: string });
  for (const value of ["1", "2", "3"]) await producer.send({ topic: "accounts", key: "alice", value });

  await cluster.cleanUp("accounts");

  const balances = await cluster.waitForRecords("accounts", 1);
  expect(balances.map(({ offset, value }) => [offset, String(value)])).toEqual([[2n, "3"]]);
});
