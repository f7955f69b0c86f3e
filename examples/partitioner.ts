import { json, KafkaProducer, type PartitionFunction, string } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";

/**
 * Orders of the largest customer have the first partition for themselves, so that nobody waits behind them; all others share the rest by
 * their key.
 */
const largestApart: PartitionFunction<string> = ({ key }, { partitions }) => {
  if (key === "largest" || partitions.length === 1) return 0;
  let sum = 0;
  for (const character of key ?? "") sum = (31 * sum + character.charCodeAt(0)) % 1_000_003;
  return 1 + (sum % (partitions.length - 1));
};

/** Sends a few orders and says where they went: `node dist/partitioner.js orders`. */
async function main(topic = "orders"): Promise<void> {
  await using producer = new KafkaProducer({
    bootstrapServers,
    keySerializer: string,
    valueSerializer: json,
    partitioner: largestApart,
  });
  const keys = ["largest", "customer-1", "largest", "customer-2"];
  const sent = await producer.sendBatch(keys.map((key, order) => ({ topic, key, value: { order } })));
  for (const [index, { partition }] of sent.entries()) console.log(`${keys[index]}: partition ${partition}`);
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
