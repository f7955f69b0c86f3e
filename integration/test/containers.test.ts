import { KafkaConsumer, KafkaProducer, string } from "odradek";
import { expect, test } from "vitest";
import { type KafkaCluster, startCluster } from "../cluster/cluster.ts";
import { Unavailable } from "../cluster/provider.ts";

/** Set by whoever has made sure of an engine: then there is no excuse. */
const engineIsCertain = process.env["KAFKA_PROVIDER"] === "containers";

test("brokers in containers take records and give them back, or one line says why there are none", async () => {
  const cluster = await startInContainers();
  if (cluster instanceof Unavailable) {
    console.log(`Kafka in containers is not exercised here: ${cluster.message}`);
    expect(cluster.message).toMatch(
      /^No Kafka 4\.3\.1 to be had, because (no Docker engine answers|Docker has no image)/,
    );
    return;
  }
  await using _ = cluster;
  expect(cluster.describe()).toMatch(/^Kafka 4\.3\.1, 3 brokers in containers/);
  await cluster.createTopic({ name: "orders", replicas: [[2, 3, 1]] });

  const { bootstrapServers } = cluster;
  const values = Array.from({ length: 100 }, (_, i) => `order ${i}`);
  await using producer = new KafkaProducer({ bootstrapServers, valueSerializer: string });
  await Promise.all(values.map((value) => producer.send({ topic: "orders", value })));

  await using consumer = new KafkaConsumer({
    bootstrapServers,
    autoOffsetReset: "earliest",
    valueDeserializer: string,
  });
  consumer.assign([{ topic: "orders", partition: 0 }]);
  const received: (string | null)[] = [];
  while (received.length < values.length) {
    const records = await consumer.poll(60_000);
    expect(records.count).toBeGreaterThan(0);
    for (const { value } of records) received.push(value);
  }
  expect(received).toEqual(values);
});

async function startInContainers(): Promise<KafkaCluster | Unavailable> {
  try {
    return await startCluster({ provider: "containers" });
  } catch (error) {
    if (error instanceof Unavailable && !engineIsCertain) return error;
    throw error;
  }
}
