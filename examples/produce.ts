import { json, KafkaProducer, string } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";

/** Sends a few orders and waits for each: `node dist/produce.js orders 10`. */
async function main(topic = "orders", count = "10"): Promise<void> {
  // Leaving the block flushes what is still on its way, then closes the connections.
  await using producer = new KafkaProducer({ bootstrapServers, keySerializer: string, valueSerializer: json });

  const sends = Array.from({ length: Number(count) }, (_, index) =>
    // Orders of one customer share a key, hence a partition, hence an order.
    producer.send({ topic, key: `customer-${index % 3}`, value: { order: index, total: 7 * index } }),
  );
  for (const { partition, offset } of await Promise.all(sends)) console.log(`${topic}-${partition} @ ${offset}`);
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
