import { KafkaConsumer, KafkaProducer, SendBatchError, string, TransactionError, WakeupError } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";
import { isCaughtUp } from "./caught-up.ts";

/** Whether it may work the next time. Not where the producer is fenced or without the rights, nor with a record that no broker takes. */
const mayPass = (error: unknown): boolean =>
  error instanceof TransactionError ? error.abortable : error instanceof SendBatchError && error.retriable;

/** Where the group is, which is where this consumer must go on when its transaction does not count. */
async function seekToCommitted(consumer: KafkaConsumer<string, string>): Promise<void> {
  for (const { offset, ...partition } of await consumer.committed(consumer.assignment())) {
    if (offset === null) consumer.seekToBeginning([partition]);
    else consumer.seek(partition, offset);
  }
}

/**
 * Writes each record of a topic to another, in capitals, exactly once: `node dist/exactly-once.js orders loud-orders shouting 1`. Started
 * with another number at the end, it shares the work. Both topics have as many partitions, so that what is in order stays so.
 */
async function main(input = "orders", output = "loud-orders", groupId = "shouting", instance = "1"): Promise<void> {
  await using producer = new KafkaProducer({
    bootstrapServers,
    // Of this instance alone, and the same whenever it starts again.
    transactionalId: `${groupId}-${instance}`,
    // What it leaves open when it dies, others wait for: until it starts again, and no longer than this.
    transactionTimeoutMs: 15_000,
  });
  // First of all, for the same reason: this ends what the process before left open, and fences it should it still be there.
  await producer.initTransactions();

  await using consumer = new KafkaConsumer({
    bootstrapServers,
    groupId,
    autoOffsetReset: "earliest",
    isolationLevel: "read_committed",
    // The transaction commits, and nobody else.
    enableAutoCommit: false,
    // How long the partitions of one that died wait for another.
    sessionTimeoutMs: 6_000,
    keyDeserializer: string,
    valueDeserializer: string,
  });
  // It ends a call of the consumer, and none is made within a transaction.
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => consumer.wakeup());
  consumer.subscribe([input]);

  while (!isCaughtUp(consumer)) {
    const records = await consumer.poll(1_000);
    if (records.isEmpty) continue;
    // Who it was when it got the records: if the group has given them to another since, their offsets are refused.
    const member = consumer.groupMetadata();
    const results = Array.from(records, ({ partition, key, value }) => ({
      topic: output,
      partition,
      key,
      value: value?.toUpperCase() ?? null,
    }));
    try {
      await producer.transaction(async () => {
        await producer.sendBatch(results);
        await producer.sendOffsetsToTransaction(records.nextOffsets(), member);
      });
      for (const { partition, offset } of records.nextOffsets()) console.log(`${input}-${partition}: up to ${offset}`);
    } catch (error) {
      // `transaction` has aborted it. Where that does not mend it, whoever starts next goes on at what is committed.
      if (!mayPass(error)) throw error;
      console.error(`once more: ${String(error)}`);
      await seekToCommitted(consumer);
    }
  }
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  if (error instanceof WakeupError) return;
  console.error(error);
  process.exitCode = 1;
});
