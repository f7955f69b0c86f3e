import { setTimeout } from "node:timers/promises";
import { type ConsumerRecord, json, KafkaConsumer, string, WakeupError } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";

/** Takes its time, as a database would. */
async function handle({ topic, partition, offset, key, value }: ConsumerRecord<string, unknown>): Promise<void> {
  await setTimeout(1);
  console.log(`${topic}-${partition} @ ${offset}:`, key, value);
}

/**
 * Reads a topic as a member of a group, until it is told to end by SIGTERM or SIGINT: `node dist/group.js orders billing`. Started more
 * than once, they divide the partitions; started again, it goes on where the group has committed.
 */
async function main(topic = "orders", groupId = "billing"): Promise<void> {
  // Leaving the block leaves the group, so that others have the partitions at once, and not when a session is over.
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    groupId,
    autoOffsetReset: "earliest",
    enableAutoCommit: false,
    keyDeserializer: string,
    valueDeserializer: json,
  });
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => consumer.wakeup());

  consumer.subscribe([topic]);
  try {
    for (;;) {
      const records = await consumer.poll(1_000);
      for (const record of records) await handle(record);
      // Behind the handling: what a process that dies was at comes again, and nothing is lost.
      await consumer.commitSync(records.nextOffsets());
    }
  } catch (error) {
    if (!(error instanceof WakeupError)) throw error;
    // It ends a poll, or a commit, and never the handling: all that polls have handed out is done with.
    await consumer.commitSync();
  }
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
