import { KafkaConsumer } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";

/** Tells how far a group is behind: `node dist/lag.js orders billing`. */
async function main(topic = "orders", groupId = "billing"): Promise<void> {
  // It subscribes to nothing, so it is no member, and takes no partition from those that are.
  await using consumer = new KafkaConsumer({ bootstrapServers, groupId });
  const partitions = await consumer.partitionsFor(topic);

  // Before the ends: the other way round, a group that reads meanwhile could seem to be ahead of them.
  const committed = new Map<number, bigint>();
  for (const { partition, offset } of await consumer.committed(partitions)) {
    if (offset !== null) committed.set(partition, offset);
  }
  let sum = 0n;
  for (const { partition, offset: end } of await consumer.endOffsets(partitions)) {
    const offset = committed.get(partition);
    if (offset === undefined) console.log(`${topic}-${partition}: nothing committed, the end is ${end}`);
    else console.log(`${topic}-${partition}: ${end - offset} behind, at ${offset} of ${end}`);
    sum += end - (offset ?? end);
  }
  console.log(`${sum} behind in all`);
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
