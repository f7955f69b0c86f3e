import { type ConsumerRecord, KafkaConsumer, string } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";
import { isCaughtUp } from "./caught-up.ts";

type Consumer = KafkaConsumer<string, string>;

const handle = ({ partition, offset, value }: ConsumerRecord<string, string>) =>
  console.log(`${partition} @ ${offset}: ${value}`);

/** Each says what comes again when the process dies. Nothing is lost, as long as records are handled before the next poll. */
const ways = {
  /**
   * What was handled since the last commit: up to `autoCommitIntervalMs`, 5 seconds. `poll` commits, and so does `close`: a handling that
   * throws must not come there, for what the last poll brought counts as handled.
   */
  async auto(consumer: Consumer): Promise<void> {
    while (!isCaughtUp(consumer)) for (const record of await consumer.poll(1_000)) handle(record);
  },

  /** What was handled since the last poll. Each poll pays for that with the time of a request. */
  async sync(consumer: Consumer): Promise<void> {
    while (!isCaughtUp(consumer)) {
      const records = await consumer.poll(1_000);
      for (const record of records) handle(record);
      await consumer.commitSync(records.nextOffsets());
    }
  },

  /** That, and what was in a commit under way, or in one that failed: it is not tried again, since the next one says more. */
  async async(consumer: Consumer): Promise<void> {
    while (!isCaughtUp(consumer)) {
      const records = await consumer.poll(1_000);
      for (const record of records) handle(record);
      consumer.commitAsync(records.nextOffsets(), (error) => {
        if (error !== null) console.error(`not committed: ${error.message}`);
      });
    }
  },

  /** As with `async`, while it runs. Behind the last commit no other one comes to say more, hence one that is tried again. */
  async combined(consumer: Consumer): Promise<void> {
    await ways.async(consumer);
    // Not in a `finally`: a record whose handling threw is not done with.
    await consumer.commitSync();
  },

  /** What was handled of one partition since the last poll: commits of the others were made before. */
  async "per-partition"(consumer: Consumer): Promise<void> {
    while (!isCaughtUp(consumer)) {
      const records = await consumer.poll(1_000);
      for (const next of records.nextOffsets()) {
        for (const record of records.records(next)) handle(record);
        await consumer.commitSync([next]);
      }
    }
  },
};

/** Reads what is new to a group, and commits in one of the ways: `node dist/commits.js orders billing per-partition`. */
async function main(topic = "orders", groupId = "billing", chosen = "sync"): Promise<void> {
  const way = new Map(Object.entries(ways)).get(chosen);
  if (way === undefined) throw new Error(`${chosen} is none of ${Object.keys(ways).join(", ")}`);
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    groupId,
    autoOffsetReset: "earliest",
    enableAutoCommit: chosen === "auto",
    keyDeserializer: string,
    valueDeserializer: string,
  });
  consumer.subscribe([topic]);
  await way(consumer);
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
