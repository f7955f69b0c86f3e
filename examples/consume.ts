import { json, KafkaConsumer, string } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";

/** Prints what is in a topic from its beginning, until nothing comes for two seconds: `node dist/consume.js orders`. */
async function main(topic = "orders"): Promise<void> {
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    autoOffsetReset: "earliest",
    keyDeserializer: string,
    valueDeserializer: json,
  });
  consumer.assign(await consumer.partitionsFor(topic));

  for (;;) {
    const records = await consumer.poll(2_000);
    if (records.count === 0) return;
    for (const { partition, offset, key, value } of records)
      console.log(`${topic}-${partition} @ ${offset}:`, key, value);
  }
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
