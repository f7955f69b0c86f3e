import { type AutoOffsetReset, KafkaAdmin, KafkaConsumer, KafkaProducer, string } from "odradek";
import { expect } from "vitest";
import { deleteRecords } from "./deletions.ts";
import { newName } from "./opened.ts";

const hourMs = 3_600_000;
const count = 20;
/** From here on records are young; before, they are two hours old. */
const firstYoung = 15;
/** Where the log starts after its records are deleted. */
const trimmedTo = 10n;

/**
 * What a consumer promises that is in the middle of a log when the log loses its beginning, and what it was to read next: it
 * goes on where `autoOffsetReset` says, and stays and says so where that is `none`. On brokers of any release.
 */
export async function readTrimmed(
  bootstrapServers: readonly string[],
  autoOffsetReset: AutoOffsetReset,
): Promise<void> {
  const partition = { topic: newName(), partition: 0 };
  await using admin = new KafkaAdmin({ bootstrapServers });
  (await admin.createTopics([{ topic: partition.topic, numPartitions: 1, replicationFactor: 1 }])).orThrow();
  await using producer = new KafkaProducer({ bootstrapServers, valueSerializer: string });
  for (let index = 0; index < count; index++) {
    // Alone in its batch, so that it is fetched alone.
    const timestamp = Date.now() - (index < firstYoung ? 2 * hourMs : 0);
    await producer.send({ ...partition, value: `${index}`, timestamp });
  }
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    autoOffsetReset,
    maxPollRecords: 1,
    fetchMaxBytes: 1,
    valueDeserializer: string,
  });
  consumer.assign([partition]);
  consumer.seek(partition, 0);
  const seen: string[] = [];
  const read = async () => {
    for (const { value } of await consumer.poll(500)) seen.push(value ?? "");
  };
  while (seen.length < 3) await read();
  await deleteRecords(bootstrapServers, partition, trimmedTo);

  const last = () => Number(seen.at(-1));
  if (autoOffsetReset === "none") {
    const failed = async () => {
      for (;;) {
        try {
          await read();
        } catch (error) {
          return error;
        }
      }
    };
    for (let round = 0; round < 2; round++) {
      expect(await failed()).toMatchObject({
        name: "OffsetOutOfRangeError",
        code: "OFFSET_OUT_OF_RANGE",
        positions: [{ ...partition, offset: BigInt(last() + 1) }],
      });
    }
    const [beginning] = await consumer.beginningOffsets([partition]);
    expect(beginning?.offset).toBe(trimmedTo);
    consumer.seek(partition, beginning?.offset ?? 0n);
  } else if (autoOffsetReset === "latest") {
    // What is written behind the end is what comes next, once it is there that it goes on.
    while ((await consumer.position(partition)) < BigInt(count)) await read();
  }
  await producer.send({ ...partition, value: `${count}` });
  while (last() < count) await read();
  const from = goesOnAt(autoOffsetReset);
  // Of what was deleted, no more than was fetched before.
  const kept = seen.slice(0, seen.indexOf(`${from}`));
  expect(kept).toEqual(numbered(0, kept.length));
  expect(kept.length).toBeLessThanOrEqual(4);
  expect(seen.slice(kept.length)).toEqual(numbered(from, count + 1));
}

const numbered = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => `${from + index}`);

function goesOnAt(autoOffsetReset: AutoOffsetReset): number {
  if (autoOffsetReset === "latest") return count;
  return autoOffsetReset.startsWith("by_duration") ? firstYoung : Number(trimmedTo);
}
