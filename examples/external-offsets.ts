import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { KafkaConsumer, string, type TopicPartition } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";
import { isCaughtUp } from "./caught-up.ts";

/** What came of a partition so far: how many orders each customer has, and the offset that comes next. */
interface Result {
  readonly orders: Record<string, number>;
  next: string;
}

/** A file stands for a row of a database. */
async function read(file: string): Promise<Result> {
  const text = await readFile(file, "utf8").catch(() => '{ "orders": {}, "next": "0" }');
  return JSON.parse(text);
}

/** The result and its offset, or neither: so each record counts once, wherever the process ends. */
async function write(file: string, result: Result): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(result));
  await rename(`${file}.new`, file);
}

/** Counts orders, and keeps offsets with what it counted instead of committing them: `node dist/external-offsets.js orders counting results`. */
async function main(topic = "orders", groupId = "counting", folder = "results"): Promise<void> {
  await mkdir(folder, { recursive: true });
  const fileOf = ({ topic, partition }: TopicPartition) => `${folder}/${topic}-${partition}.json`;
  const results = new Map<string, Result>();

  await using consumer = new KafkaConsumer({
    bootstrapServers,
    groupId,
    autoOffsetReset: "earliest",
    enableAutoCommit: false,
    keyDeserializer: string,
  });
  consumer.subscribe([topic], {
    onPartitionsAssigned: async (partitions) => {
      for (const partition of partitions) {
        const result = await read(fileOf(partition));
        results.set(fileOf(partition), result);
        consumer.seek(partition, BigInt(result.next));
      }
    },
    // Also called by `close`. The next owner reads when this is done.
    onPartitionsRevoked: async (partitions) => {
      for (const file of partitions.map(fileOf)) {
        const result = results.get(file);
        results.delete(file);
        if (result === undefined) continue;
        await write(file, result);
        console.log(`${file}: ${JSON.stringify(result)}`);
      }
    },
    // The next owner may have written already.
    onPartitionsLost: (partitions) => partitions.forEach((partition) => void results.delete(fileOf(partition))),
  });

  while (!isCaughtUp(consumer)) {
    for (const record of await consumer.poll(1_000)) {
      const result = results.get(fileOf(record));
      if (result === undefined) continue;
      const customer = record.key ?? "nobody";
      result.orders[customer] = (result.orders[customer] ?? 0) + 1;
      result.next = String(record.offset + 1n);
    }
  }
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
