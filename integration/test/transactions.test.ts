import { KafkaConsumer, KafkaProducer, type ProducerOptions, string } from "odradek";
import { describe, expect, test } from "vitest";
import { bootstrapServers, newTopic, opened } from "./topics.ts";

let serial = 0;

async function transactionalProducer(options: Partial<ProducerOptions> = {}): Promise<KafkaProducer> {
  const transactionalId = `transaction-test-${process.pid}-${Date.now()}-${serial++}`;
  const producer = new KafkaProducer({ bootstrapServers, transactionalId, ...options });
  opened.push(producer);
  await producer.initTransactions();
  return producer;
}

/** The values of what is there, up to the present end, by partition and in order. */
async function values(
  topic: string,
  isolationLevel: "read_committed" | "read_uncommitted" = "read_committed",
  partitionCount = 1,
): Promise<string[][]> {
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    autoOffsetReset: "earliest",
    isolationLevel,
    valueDeserializer: string,
  });
  const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }));
  consumer.assign(partitions);
  const ends = await consumer.endOffsets(partitions);
  const found: string[][] = partitions.map(() => []);
  for (;;) {
    const positions = await Promise.all(partitions.map((partition) => consumer.position(partition)));
    if (ends.every(({ offset }, index) => (positions[index] ?? 0n) >= offset)) return found;
    for (const { partition, value } of await consumer.poll(1_000)) found[partition]?.push(value ?? "null");
  }
}

describe("a transaction", () => {
  test("that is committed is seen whole, over all of its partitions", async () => {
    const topic = await newTopic(3);
    const producer = await transactionalProducer();
    producer.beginTransaction();
    const sends = Array.from({ length: 30 }, (_, index) =>
      producer.send({ topic, partition: index % 3, value: String(index) }),
    );
    await Promise.all(sends);
    expect(await values(topic, "read_committed", 3)).toEqual([[], [], []]);
    await producer.commitTransaction();
    const seen = await values(topic, "read_committed", 3);
    expect(seen.map((part) => part.length)).toEqual([10, 10, 10]);
  });

  test("that is aborted is not seen, and the next one is", async () => {
    const topic = await newTopic();
    const producer = await transactionalProducer();
    producer.beginTransaction();
    await producer.send({ topic, value: "aborted" });
    await producer.abortTransaction();
    producer.beginTransaction();
    await producer.send({ topic, value: "committed" });
    await producer.commitTransaction();
    expect(await values(topic)).toEqual([["committed"]]);
    expect(await values(topic, "read_uncommitted")).toEqual([["aborted", "committed"]]);
  });

  test("after another, a hundred times, keeps order and loses nothing", async () => {
    const topic = await newTopic();
    const producer = await transactionalProducer();
    for (let round = 0; round < 100; round++) {
      producer.beginTransaction();
      const sends = Array.from({ length: 5 }, (_, index) => producer.send({ topic, value: `${round}-${index}` }));
      // Those of an aborted transaction fail unless they were sent by then.
      const settled = Promise.allSettled(sends);
      if (round % 3 === 0) await producer.abortTransaction();
      else await producer.commitTransaction();
      await settled;
    }
    const expected = Array.from({ length: 100 }, (_, round) => round)
      .filter((round) => round % 3 !== 0)
      .flatMap((round) => Array.from({ length: 5 }, (_, index) => `${round}-${index}`));
    expect(await values(topic)).toEqual([expected]);
  });
});
