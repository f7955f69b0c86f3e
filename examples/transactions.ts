import { json, KafkaProducer, string, TransactionError } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";

/** Books orders together with their payments, or not at all: `node dist/transactions.js orders payments`. */
async function main(orders = "orders", payments = "payments"): Promise<void> {
  await using producer = new KafkaProducer({
    bootstrapServers,
    // One process at a time has this id: whoever had it before is fenced, and what it left open is aborted.
    transactionalId: `booking-of-${orders}`,
    keySerializer: string,
    valueSerializer: json,
  });
  await producer.initTransactions();

  for (const [order, amount] of [
    ["order-1", 70],
    ["order-2", -5],
    ["order-3", 20],
  ] as const) {
    try {
      await producer.transaction(async () => {
        await producer.send({ topic: orders, key: order, value: { amount } });
        if (amount < 0) throw new RangeError("nobody pays less than nothing");
        await producer.send({ topic: payments, key: order, value: { amount } });
      });
      console.log(`${order}: booked`);
    } catch (error) {
      // Fenced, or without the rights: this producer is of no use any more.
      if (error instanceof TransactionError && !error.abortable) throw error;
      console.log(`${order}: nothing was booked: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
