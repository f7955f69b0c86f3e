import { setTimeout } from "node:timers/promises";
import { KafkaConsumer, string, type TopicPartition } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";
import { isCaughtUp } from "./caught-up.ts";
import { PartitionWorkers } from "./partition-workers.ts";

/** With so many records waiting a partition is paused, and with so few it is resumed. */
const full = 20;
const low = 5;

/** Reads no more than the work on it keeps up with: `node dist/back-pressure.js orders billing`. */
async function main(topic = "orders", groupId = "billing"): Promise<void> {
  const workers = new PartitionWorkers<string, string>(async () => {
    await setTimeout(2);
  });
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    groupId,
    autoOffsetReset: "earliest",
    enableAutoCommit: false,
    // How far a poll can go beyond what is full.
    maxPollRecords: 20,
    keyDeserializer: string,
    valueDeserializer: string,
  });
  consumer.subscribe([topic], {
    onPartitionsRevoked: async (partitions) => {
      await workers.finish(partitions);
      await consumer.commitSync(workers.done(partitions));
      workers.forget(partitions);
    },
    onPartitionsLost: (partitions) => workers.forget(partitions),
  });
  const isPaused = ({ partition }: TopicPartition) =>
    consumer.paused().some((paused) => paused.partition === partition);

  while (!isCaughtUp(consumer)) {
    // Never a wait for room instead: who does not poll for `maxPollIntervalMs` loses its place in the group.
    const records = await consumer.poll(100, { signal: workers.failed });
    for (const record of records) workers.add(record);
    for (const partition of consumer.assignment()) {
      const waiting = workers.waiting(partition);
      if (waiting >= full && !isPaused(partition)) {
        consumer.pause([partition]);
        console.log(`${topic}-${partition.partition}: paused, ${waiting} wait`);
      } else if (waiting <= low && isPaused(partition)) {
        consumer.resume([partition]);
        console.log(`${topic}-${partition.partition}: resumed, ${waiting} wait`);
      }
    }
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
