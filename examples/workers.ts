import { setTimeout } from "node:timers/promises";
import { json, KafkaConsumer, string } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";
import { isCaughtUp } from "./caught-up.ts";
import { PartitionWorkers } from "./partition-workers.ts";

/** Handles partitions side by side, each in its order: `node dist/workers.js orders billing`. */
async function main(topic = "orders", groupId = "billing"): Promise<void> {
  const workers = new PartitionWorkers<string, unknown>(async ({ partition, offset, value }) => {
    await setTimeout(2);
    console.log(`${topic}-${partition} @ ${offset}:`, value);
  });
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    groupId,
    autoOffsetReset: "earliest",
    // It would commit what polls have handed out, done with or not.
    enableAutoCommit: false,
    keyDeserializer: string,
    valueDeserializer: json,
  });
  consumer.subscribe([topic], {
    // The rebalance waits for this, for `maxPollIntervalMs` at most: whoever has the partitions next repeats nothing.
    onPartitionsRevoked: async (partitions) => {
      await workers.finish(partitions);
      await consumer.commitSync(workers.done(partitions));
      workers.forget(partitions);
    },
    onPartitionsLost: (partitions) => workers.forget(partitions),
  });

  while (!isCaughtUp(consumer)) {
    // An error of a worker ends the poll, and thus the program.
    const records = await consumer.poll(1_000, { signal: workers.failed });
    for (const record of records) workers.add(record);
    consumer.commitAsync(workers.done(consumer.assignment()));
  }
  // What the last poll did not wait for.
  await workers.finish(consumer.assignment());
  workers.failed.throwIfAborted();
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
