import { json, KafkaConsumer, string, WakeupError } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";

/** Reads what is new to a group in a loop, until nothing comes for two seconds: `node dist/for-await.js orders billing`. */
async function main(topic = "orders", groupId = "billing"): Promise<void> {
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    groupId,
    autoOffsetReset: "earliest",
    keyDeserializer: string,
    valueDeserializer: json,
  });
  let idle: NodeJS.Timeout | undefined;
  consumer.subscribe([topic], {
    onPartitionsAssigned: () => {
      idle ??= setTimeout(() => consumer.wakeup(), 2_000);
    },
  });

  try {
    // Commits by itself what the body is done with. An error in it, or a `break`, leaves its record to the next loop.
    for await (const { partition, offset, key, value } of consumer) {
      console.log(`${topic}-${partition} @ ${offset}:`, key, value);
      idle?.refresh();
    }
  } catch (error) {
    // Thrown between records, when the body is done with all that came.
    if (!(error instanceof WakeupError)) throw error;
  }
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
