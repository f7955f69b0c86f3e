import { KafkaAdmin } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";

/** Creates a topic, and is content where it is there already: `node dist/create-topic.js orders 6`. */
async function main(topic = "orders", partitions = "6"): Promise<void> {
  await using admin = new KafkaAdmin({ bootstrapServers });
  const results = await admin.createTopics([{ topic, numPartitions: Number(partitions) }]);
  for (const { key, value, error } of results) {
    if (error === null) console.log(`${key}: created with ${value.numPartitions} partitions`);
    else if (error.code === "TOPIC_ALREADY_EXISTS") console.log(`${key}: was there already`);
    else throw error;
  }
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
