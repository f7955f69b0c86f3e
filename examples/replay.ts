import { KafkaConsumer, string } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";
import { isCaughtUp } from "./caught-up.ts";

/**
 * Reads what is new to a group; with a time, everything since then once more: `node dist/replay.js orders billing 2026-05-04T10:00:00Z`.
 * Then no other member should run: each seeks for the partitions that it gets, and has them again from there.
 */
async function main(topic = "orders", groupId = "billing", since?: string): Promise<void> {
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    groupId,
    autoOffsetReset: "earliest",
    enableAutoCommit: false,
    valueDeserializer: string,
  });

  const seen = new Set<number>();
  consumer.subscribe([topic], {
    onPartitionsAssigned: async (assigned) => {
      // What comes back in a later rebalance goes on where it was.
      const partitions = assigned.filter(({ partition }) => !seen.has(partition));
      for (const { partition } of partitions) seen.add(partition);
      if (since === undefined) return;
      const timestamp = Date.parse(since);
      // Where no record is of that time or later. Asked first: what is written between the two questions is found by the other one.
      for (const end of await consumer.endOffsets(partitions)) consumer.seek(end, end.offset);
      const queries = partitions.map((partition) => ({ ...partition, timestamp }));
      for (const { offset, ...partition } of await consumer.offsetsForTimes(queries)) {
        if (offset !== null) consumer.seek(partition, offset);
      }
    },
  });

  while (!isCaughtUp(consumer)) {
    const records = await consumer.poll(1_000);
    for (const { partition, offset, timestamp, value } of records) {
      console.log(`${topic}-${partition} @ ${offset}: ${value}, of ${new Date(timestamp).toISOString()}`);
    }
    // The group goes on here, and not where it had been before.
    await consumer.commitSync(records.nextOffsets());
  }
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
