import { readFile, rename, writeFile } from "node:fs/promises";
import { KafkaError, KafkaProducer, PreparedTransactionState, string } from "odradek";
import { bootstrapServers } from "./bootstrap-servers.ts";

/** What a database would hold. */
interface Ledger {
  readonly paid: readonly string[];
  /** The prepared transaction that belongs to the last payment, until it is committed. */
  readonly prepared: string;
}

async function read(file: string): Promise<Ledger> {
  const text = await readFile(file, "utf8").catch(() => '{ "paid": [], "prepared": "" }');
  return JSON.parse(text);
}

/** All of it, or nothing. */
async function write(file: string, ledger: Ledger): Promise<void> {
  await writeFile(`${file}.new`, JSON.stringify(ledger));
  await rename(`${file}.new`, file);
}

/**
 * Pays an order in a topic and in a ledger, in both or in none of them, wherever the process ends:
 * `node dist/two-phase-commit.js payments ledger.json order-1`.
 *
 * Brokers need `transaction.two.phase.commit.enable=true`, and `unstable.api.versions.enable=true` while Kafka does not call it
 * stable.
 */
async function main(topic = "payments", file = "ledger.json", order = "order-1"): Promise<void> {
  await using producer = new KafkaProducer({
    bootstrapServers,
    transactionalId: `payments-to-${topic}`,
    transactionTwoPhaseCommitEnable: true,
    keySerializer: string,
  });
  const { paid, prepared } = await read(file);

  // What was prepared and did not come into the ledger is aborted. Brokers up to 4.4 cannot keep the other: this says so, and the
  // transaction stays open.
  await producer.initTransactions({ keepPreparedTransaction: prepared !== "" });
  if (prepared !== "") {
    await producer.completeTransaction(PreparedTransactionState.parse(prepared)).catch((error: unknown) => {
      // It was committed, and the process ended before it could write that down.
      if (!(error instanceof KafkaError) || error.code !== "NOTHING_PREPARED") throw error;
    });
  }

  producer.beginTransaction();
  await producer.send({ topic, key: order, value: "paid" });
  const state = await producer.prepareTransaction();
  // From here on it counts.
  await write(file, { paid: [...paid, order], prepared: state.toString() });
  await producer.completeTransaction(state);
  await write(file, { paid: [...paid, order], prepared: "" });
  console.log(`${order}: paid`);
}

main(...process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
