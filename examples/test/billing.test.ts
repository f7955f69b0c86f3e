import { KafkaCluster } from "@odradek/testing";
import { KafkaProducer, string } from "odradek";
import { expect, test } from "vitest";
import { Billing } from "../billing.ts";

test("an order becomes an invoice", async () => {
  await using cluster = await KafkaCluster.start({ topics: { orders: { partitions: 3 }, invoices: {} } });
  const { bootstrapServers } = cluster;
  await using _billing = new Billing(bootstrapServers);
  await using producer = new KafkaProducer({ bootstrapServers, valueSerializer: string });
  await producer.send({ topic: "orders", value: '{"total":7}' });
  const [invoice] = await cluster.waitForRecords("invoices", 1);
  expect(String(invoice?.value)).toBe('{"due":7}');
});
