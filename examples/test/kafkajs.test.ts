import { Kafka, logLevel } from "@odradek/kafkajs"; // or "kafkajs", which it is by the alias, and works as well
import { KafkaCluster } from "@odradek/testing";
import { expect, test } from "vitest";

test("a service for kafkajs handles what was sent, and commits it", async () => {
  await using cluster = await KafkaCluster.start({ topics: { orders: {} } });
  const kafka = new Kafka({ brokers: cluster.bootstrapServers, logLevel: logLevel.NOTHING });
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: "orders", messages: [{ value: "seven" }] });
  await producer.disconnect();

  const consumer = kafka.consumer({ groupId: "billing" });
  await consumer.subscribe({ topics: ["orders"], fromBeginning: true });
  const handled: string[] = [];
  await consumer.run({ eachMessage: async ({ message }) => void handled.push(String(message.value)) });
  const committed = await cluster.waitForCommitted("billing", "orders");
  await consumer.disconnect();

  expect(handled).toEqual(["seven"]);
  expect(committed).toMatchObject([{ topic: "orders", partition: 0, offset: 1n }]);
});
