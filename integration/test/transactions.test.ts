import { KafkaProducer, type ProducerOptions } from "odradek";
import { describe, expect, test } from "vitest";
import { committedOffset } from "./committed-offset.ts";
import { type LogOptions, readLog } from "./log.ts";
import { newName } from "./opened.ts";
import { bootstrapServers, newTopic, opened } from "./topics.ts";

async function transactionalProducer(options: Partial<ProducerOptions> = {}): Promise<KafkaProducer> {
  const transactionalId = newName();
  const producer = new KafkaProducer({ bootstrapServers, transactionalId, ...options });
  opened.push(producer);
  await producer.initTransactions();
  return producer;
}

/** The values of what is there, by partition and in order. */
async function values(topic: string, options: Partial<LogOptions> = {}): Promise<(string | null)[][]> {
  const log = await readLog(topic, { bootstrapServers, ...options });
  return log.map((records) => records.map(({ value }) => value));
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
    expect(await values(topic, { partitionCount: 3, end: "of what may be seen" })).toEqual([[], [], []]);
    await producer.commitTransaction();
    const seen = await values(topic, { partitionCount: 3 });
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
    expect(await values(topic, { isolationLevel: "read_uncommitted" })).toEqual([["aborted", "committed"]]);
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

  test("that is open is not seen past, and what others commit comes when it has ended", async () => {
    const topic = await newTopic();
    const [open, other] = [await transactionalProducer(), await transactionalProducer()];
    for (const [producer, value] of [
      [open, "open"],
      [other, "other"],
    ] as const) {
      producer.beginTransaction();
      await producer.send({ topic, value });
    }
    await other.commitTransaction();
    expect(await values(topic, { end: "of what may be seen" })).toEqual([[]]);
    await open.abortTransaction();
    expect(await values(topic)).toEqual([["other"]]);
  });

  test("of a helper counts when its work resolves, and not when it throws", async () => {
    const topic = await newTopic();
    const producer = await transactionalProducer();
    const { offset } = await producer.transaction(() => producer.send({ topic, value: "good" }));
    expect(offset).toBe(0n);
    const work = async () => {
      await producer.send({ topic, value: "bad" });
      throw new Error("no");
    };
    await expect(producer.transaction(work)).rejects.toThrow("no");
    await producer.transaction(() => producer.send({ topic, value: "good again" }));
    expect(await values(topic)).toEqual([["good", "good again"]]);
  });

  test("with a record that fails cannot be committed, and the producer goes on after an abort", async () => {
    const topic = await newTopic(1, { "max.message.bytes": "1000" });
    const producer = await transactionalProducer();
    producer.beginTransaction();
    const sends = [producer.send({ topic, value: "small" }), producer.send({ topic, value: "large".repeat(1_000) })];
    const [, large] = await Promise.allSettled(sends);
    expect(large).toMatchObject({ status: "rejected", reason: { code: "MESSAGE_TOO_LARGE", persisted: "no" } });
    await expect(producer.commitTransaction()).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE", abortable: true });
    await producer.abortTransaction();
    await producer.transaction(() => producer.send({ topic, value: "next" }));
    expect(await values(topic)).toEqual([["next"]]);
  });
});

describe("a producer whose id another one took", () => {
  test.each(["a record", "a commit"])("is fenced, and what it left open is aborted: %s", async (what) => {
    const topic = await newTopic();
    const transactionalId = newName();
    const zombie = await transactionalProducer({ transactionalId });
    zombie.beginTransaction();
    await zombie.send({ topic, value: "zombie" });
    const next = await transactionalProducer({ transactionalId });
    if (what === "a record") {
      await expect(zombie.send({ topic, value: "late" })).rejects.toMatchObject({
        code: "INVALID_PRODUCER_EPOCH",
        persisted: "no",
      });
      await expect(zombie.commitTransaction()).rejects.toMatchObject({ code: "INVALID_PRODUCER_EPOCH" });
      await expect(zombie.abortTransaction()).rejects.toMatchObject({ code: "PRODUCER_FENCED", abortable: false });
    } else {
      await expect(zombie.commitTransaction()).rejects.toMatchObject({ code: "PRODUCER_FENCED", abortable: false });
    }
    expect(() => zombie.beginTransaction()).toThrow("close this producer");
    await next.transaction(() => next.send({ topic, value: "next" }));
    expect(await values(topic)).toEqual([["next"]]);
  });
});

test("offsets in a transaction count when it is committed, and not when it is aborted", async () => {
  const topic = await newTopic();
  const groupId = newName();
  const producer = await transactionalProducer();
  for (const [offset, end, expected] of [
    [5, "abortTransaction", -1n],
    [7, "commitTransaction", 7n],
    [9, "abortTransaction", 7n],
  ] as const) {
    producer.beginTransaction();
    await producer.send({ topic, value: String(offset) });
    await producer.sendOffsetsToTransaction([{ topic, partition: 0, offset, metadata: "mine" }], { groupId });
    await producer[end]();
    expect(await committedOffset(bootstrapServers, groupId, topic)).toBe(expected);
  }
  expect(await values(topic)).toEqual([["7"]]);
});

test("a consumer that is no member of its group commits no offsets in a transaction", async () => {
  const topic = await newTopic();
  const producer = await transactionalProducer();
  producer.beginTransaction();
  const group = { groupId: newName(), generationId: 3, memberId: "nobody" };
  await expect(producer.sendOffsetsToTransaction([{ topic, partition: 0, offset: 5 }], group)).rejects.toMatchObject({
    abortable: true,
  });
  await producer.abortTransaction();
  await producer.transaction(() => producer.send({ topic, value: "next" }));
  expect(await values(topic)).toEqual([["next"]]);
});
