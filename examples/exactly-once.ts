import { KafkaConsumer, KafkaProducer, string } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";

/** Says where a record comes from, so that whoever starts again knows where to go on. */
const sourceOffset = "source-offset";

const reading = { bootstrapServers, isolationLevel: "read_committed", autoOffsetReset: "earliest" } as const;

/** Where to go on in each partition of the input: behind what the last committed record of the output was made of. */
async function nextOffsets(output: string): Promise<Map<number, bigint>> {
  await using consumer = new KafkaConsumer(reading);
  const partitions = await consumer.partitionsFor(output);
  consumer.assign(partitions);
  const ends = await consumer.endOffsets(partitions);
  const next = new Map<number, bigint>();
  for (const { partition, offset: end, topic } of ends) {
    while ((await consumer.position({ topic, partition })) < end) {
      for (const record of await consumer.poll(1_000)) {
        const source = record.headers.find(({ key }) => key === sourceOffset);
        if (source !== undefined) next.set(record.partition, BigInt(String(source.value)) + 1n);
      }
    }
  }
  return next;
}

/**
 * Writes each record of a topic to another, in capitals, exactly once, whenever the process ends and starts again:
 * `node dist/exactly-once.js orders loud-orders`. Both topics have as many partitions. Ends when nothing comes for two seconds.
 */
async function main(input = "orders", output = "loud-orders"): Promise<void> {
  await using producer = new KafkaProducer({ bootstrapServers, transactionalId: `${input}-to-${output}` });
  // First of all: what the process before this one left open is aborted, so that it hides nothing.
  await producer.initTransactions();

  await using consumer = new KafkaConsumer({ ...reading, keyDeserializer: string, valueDeserializer: string });
  const partitions = await consumer.partitionsFor(input);
  consumer.assign(partitions);
  const next = await nextOffsets(output);
  for (const { topic, partition } of partitions) consumer.seek({ topic, partition }, next.get(partition) ?? 0n);

  for (;;) {
    const records = await consumer.poll(2_000);
    if (records.count === 0) return;
    // All of these, or none: an error ends the process, and the next one begins where the last commit was.
    await producer.transaction(() =>
      producer.sendAll(
        Array.from(records, ({ partition, offset, key, value }) => ({
          topic: output,
          partition,
          key,
          value: value?.toUpperCase() ?? null,
          headers: [{ key: sourceOffset, value: String(offset) }],
        })),
      ),
    );
    console.log(`${records.count} records`);
  }
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
