import { KafkaAdmin, KafkaProducer } from "odradek";
import { afterAll, expect, test } from "vitest";
import { becomes } from "./becomes.ts";
import { clusterTool } from "./java-tool.ts";
import { newName, opened } from "./opened.ts";
import { bootstrapServers, newTopic } from "./topics.ts";

const admin = new KafkaAdmin({ bootstrapServers });
afterAll(() => admin.close());

/** A producer whose transaction has a record in partition 0, and stays open. */
async function openTransaction(topic: string, transactionalId: string): Promise<KafkaProducer> {
  const producer = new KafkaProducer({ bootstrapServers, transactionalId });
  opened.push(producer);
  await producer.initTransactions();
  producer.beginTransaction();
  await producer.send({ topic, partition: 0, value: "v" });
  return producer;
}

/** The rows that Kafka's own tool prints below their heads. */
const transactionsTool = async (...args: readonly string[]): Promise<string[][]> => {
  const [, ...rows] = await clusterTool(bootstrapServers, "org.apache.kafka.tools.TransactionsCommand", ...args);
  return rows.filter((row) => row.trim() !== "").map((row) => row.trim().split(/\s+/));
};

test("a transaction is listed and described, with its producers in the partition, until it is terminated", async () => {
  const [topic, transactionalId] = [await newTopic(3), newName()];
  const producer = await openTransaction(topic, transactionalId);
  const at = { topic, partition: 0 };

  const pattern = `^${transactionalId}$`;
  const listed = (await admin.listTransactions({ states: ["Ongoing"], transactionalIdPattern: pattern }))
    .orThrow()
    .flat();
  expect(listed).toMatchObject([{ transactionalId, state: "Ongoing" }]);
  const none = await admin.listTransactions({ durationMs: 3_600_000, transactionalIdPattern: pattern });
  expect(none.orThrow().flat()).toEqual([]);

  const nobody = newName();
  const described = await admin.describeTransactions([transactionalId, nobody]);
  const transaction = described.get(transactionalId)?.value;
  expect(transaction).toMatchObject({ state: "Ongoing", producerId: listed[0]?.producerId, topicPartitions: [at] });
  expect(described.get(nobody)?.error).toMatchObject({ code: "TRANSACTIONAL_ID_NOT_FOUND" });

  for (const options of [{}, { brokerId: 2 }]) {
    const producers = (await admin.describeProducers([at], options)).orThrow()[0]?.activeProducers;
    expect(producers).toMatchObject([{ producerId: transaction?.producerId, currentTransactionStartOffset: 0n }]);
  }

  const [ofList, ofTransaction, ofProducers] = await Promise.all([
    transactionsTool("list", "--transactional-id-pattern", pattern),
    transactionsTool("describe", "--transactional-id", transactionalId),
    transactionsTool("describe-producers", "--topic", topic, "--partition", "0"),
  ]);
  const { coordinatorId, producerId, producerEpoch } = transaction ?? {};
  expect(ofList).toEqual([[transactionalId, `${coordinatorId}`, `${producerId}`, "Ongoing"]]);
  const head = [`${coordinatorId}`, transactionalId, `${producerId}`, `${producerEpoch}`, "Ongoing"];
  expect(ofTransaction.map((row) => [row.slice(0, 5), row.at(-1)])).toEqual([[head, `${topic}-0`]]);
  expect(ofProducers.map((row) => [row.slice(0, 2), row.at(-1)])).toEqual([[head.slice(2, 4), "0"]]);

  await admin.forceTerminateTransaction(transactionalId);
  const open = async () =>
    (await admin.describeProducers([at])).orThrow()[0]?.activeProducers.map((one) => one.currentTransactionStartOffset);
  await becomes("transactions that are open", open, [null]);
  await expect(producer.commitTransaction()).rejects.toMatchObject({ code: "PRODUCER_FENCED" });
});

test("whoever used a transactional id is fenced, and the next epoch is told", async () => {
  const [topic, transactionalId, fresh] = [await newTopic(3), newName(), newName()];
  const producer = await openTransaction(topic, transactionalId);
  const [before] = (await admin.describeTransactions([transactionalId])).orThrow();
  const [fenced, other] = (await admin.fenceProducers([transactionalId, fresh])).orThrow();
  expect(fenced?.producerId).toBe(before?.producerId);
  expect(fenced?.producerEpoch).toBeGreaterThan(before?.producerEpoch ?? Number.POSITIVE_INFINITY);
  expect(other).toMatchObject({ transactionalId: fresh, producerEpoch: 0 });
  await expect(producer.commitTransaction()).rejects.toMatchObject({ code: "PRODUCER_FENCED" });
});

test("a transaction is aborted in a partition, as one that hangs there", async () => {
  const [topic, transactionalId] = [await newTopic(3), newName()];
  await openTransaction(topic, transactionalId);
  const at = { topic, partition: 0 };
  const [state] = (await admin.describeProducers([at])).orThrow()[0]!.activeProducers;
  const { producerId, producerEpoch, coordinatorEpoch } = state!;
  await admin.abortTransaction({ ...at, producerId, producerEpoch, coordinatorEpoch });
  const [after] = (await admin.describeProducers([at])).orThrow()[0]?.activeProducers ?? [];
  expect(after).toMatchObject({ producerId, currentTransactionStartOffset: null });
  // A marker of a later producer ends whatever there is; one of an earlier producer is refused from then on.
  await admin.abortTransaction({ ...at, producerId, producerEpoch: producerEpoch + 1, coordinatorEpoch });
  await expect(admin.abortTransaction({ ...at, producerId, producerEpoch, coordinatorEpoch })).rejects.toMatchObject({
    code: "INVALID_PRODUCER_EPOCH",
  });
});
