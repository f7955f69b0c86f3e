import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KafkaConsumer, KafkaProducer, string } from "odradek";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { run, runUntil } from "./program.ts";
import { bootstrapServers, newTopic, opened } from "./topics.ts";

const producer = new KafkaProducer({ bootstrapServers, keySerializer: string, valueSerializer: string });
afterAll(() => producer.close());

/** Writes numbered values of three customers, round two partitions. */
const write = (topic: string, from: number, count: number, timestamps: (index: number) => number = () => Date.now()) =>
  producer.sendBatch(
    Array.from({ length: count }, (_, index) => ({
      topic,
      partition: (from + index) % 2,
      key: `customer-${(from + index) % 3}`,
      value: JSON.stringify({ order: from + index }),
      timestamp: timestamps(from + index),
    })),
  );

const partitionsOf = (topic: string) => [0, 1].map((partition) => ({ topic, partition }));

const outsider = (groupId: string) => {
  const consumer = new KafkaConsumer({ bootstrapServers, groupId });
  opened.push(consumer);
  return consumer;
};

/** What a group has committed of both partitions. */
const committed = async (groupId: string, topic: string) =>
  (await outsider(groupId).committed(partitionsOf(topic))).map(({ offset }) => offset);

/** Only a group without members lets one commit who is none. */
const expectLeft = (groupId: string, topic: string) =>
  expect(outsider(groupId).commitSync([{ topic, partition: 0, offset: 0 }])).resolves.toBeUndefined();

const linesOf = (printed: string) => printed.split("\n").slice(0, -1);

/** The orders that lines are about, in their order. */
const ordersIn = (lines: readonly string[]) =>
  lines.map((line) => Number(/order"?: ?(\d+)/.exec(line)?.[1] ?? Number.NaN));

const numbers = (count: number, from = 0) => Array.from({ length: count }, (_, index) => from + index);
const sorted = (values: readonly number[]) => [...values].sort((one, other) => one - other);

describe("the examples of groups", () => {
  test("end in order by SIGTERM: what is handled is committed, and the group is left", async () => {
    const topic = await newTopic(2);
    await write(topic, 0, 400);
    const first = await runUntil(1, "examples/dist/group.js", topic, topic);
    expect(first.code).toBe(0);
    const [one, other] = await committed(topic, topic);
    expect(Number(one) + Number(other)).toBe(first.lines.length);

    await write(topic, 400, 100);
    const second = await runUntil(500 - first.lines.length, "examples/dist/group.js", topic, topic);
    expect(second.code).toBe(0);
    expect(sorted(ordersIn([...first.lines, ...second.lines]))).toEqual(numbers(500));
    expect(await committed(topic, topic)).toEqual([250n, 250n]);
    await expectLeft(topic, topic);
  });

  test.each(["auto", "sync", "async", "combined", "per-partition"])("commit by the way %s", async (way) => {
    const topic = await newTopic(2);
    await write(topic, 0, 20);
    expect(sorted(ordersIn(linesOf(await run("examples/dist/commits.js", topic, topic, way))))).toEqual(numbers(20));
    expect(await committed(topic, topic)).toEqual([10n, 10n]);
    await write(topic, 20, 2);
    expect(sorted(ordersIn(linesOf(await run("examples/dist/commits.js", topic, topic, way))))).toEqual([20, 21]);
    await expectLeft(topic, topic);
  });

  test("keep offsets outside, together with what was counted", async () => {
    const topic = await newTopic(2);
    const folder = mkdtempSync(join(tmpdir(), "odradek-external-offsets-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const stored = () =>
      partitionsOf(topic).map(({ partition }) => readFileSync(join(folder, `${topic}-${partition}.json`), "utf8"));
    const count = () => run("examples/dist/external-offsets.js", topic, topic, folder);

    await write(topic, 0, 6);
    await count();
    expect(stored()).toEqual([
      '{"orders":{"customer-0":1,"customer-2":1,"customer-1":1},"next":"3"}',
      '{"orders":{"customer-1":1,"customer-0":1,"customer-2":1},"next":"3"}',
    ]);
    await write(topic, 6, 2);
    await count();
    expect(stored()).toEqual([
      '{"orders":{"customer-0":2,"customer-2":1,"customer-1":1},"next":"4"}',
      '{"orders":{"customer-1":2,"customer-0":1,"customer-2":1},"next":"4"}',
    ]);
    expect(await committed(topic, topic)).toEqual([null, null]);
    await expectLeft(topic, topic);
  });

  test("go back to a time, and on from there", async () => {
    const topic = await newTopic(2);
    const start = Date.now() - 3_600_000;
    await write(topic, 0, 9, (order) => start + order * 1_000);
    const replay = async (...since: readonly string[]) =>
      sorted(ordersIn(linesOf(await run("examples/dist/replay.js", topic, topic, ...since))));

    expect(await replay()).toEqual(numbers(9));
    expect(await replay(new Date(start + 5_000).toISOString())).toEqual([5, 6, 7, 8]);
    expect(await replay(new Date(start + 7_500).toISOString())).toEqual([8]);
    expect(await replay()).toEqual([]);
    expect(await committed(topic, topic)).toEqual([5n, 4n]);
  });

  test("tell how far a group is behind", async () => {
    const topic = await newTopic(2);
    await write(topic, 0, 20);
    const lag = () => run("examples/dist/lag.js", topic, topic);
    const consumer = outsider(topic);

    await consumer.commitSync([{ topic, partition: 0, offset: 4 }]);
    expect(linesOf(await lag())).toEqual([
      `${topic}-0: 6 behind, at 4 of 10`,
      `${topic}-1: nothing committed, the end is 10`,
      "6 behind in all",
    ]);
    await consumer.commitSync([{ topic, partition: 1, offset: 10 }]);
    expect(linesOf(await lag()).slice(1)).toEqual([`${topic}-1: 0 behind, at 10 of 10`, "6 behind in all"]);
    const watched = await runUntil(3, "examples/dist/lag-watch.js", topic, "600000");
    expect(watched).toEqual({
      lines: [
        `${topic}-0: 6 behind, at 4 of 10, nobody reads it`,
        `${topic}-1: 0 behind, at 10 of 10, nobody reads it`,
        `${topic}: 6 behind in all`,
      ],
      code: 0,
    });
  });

  test("tell what was measured, as Prometheus reads it", async () => {
    const topic = await newTopic(2);
    await write(topic, 0, 20);
    const lines = linesOf(await run("examples/dist/metrics.js", topic, topic));
    const group = `kafka_consumer_fetch_manager_metrics`;
    expect(lines).toContain(`${group}_records_consumed_total{client_id="${topic}",topic="${topic}"} 20`);
    for (const { partition } of partitionsOf(topic)) {
      expect(lines).toContain(`${group}_records_lag{client_id="${topic}",topic="${topic}",partition="${partition}"} 0`);
    }
    expect(lines).toContain(`kafka_consumer_coordinator_metrics_commit_total{client_id="${topic}"} 1`);
    expect(lines.filter((line) => !/^\w+\{.*\} -?\d\S*$/.test(line))).toEqual([]);
    expect(await committed(topic, topic)).toEqual([10n, 10n]);
  });

  test("pause what is not kept up with, and resume it", async () => {
    const topic = await newTopic(2);
    await write(topic, 0, 200);
    const lines = linesOf(await run("examples/dist/back-pressure.js", topic, topic));
    for (const { partition } of partitionsOf(topic)) {
      const calls = lines.flatMap((line) => new RegExp(`-${partition}: (\\w+)`).exec(line)?.[1] ?? []);
      expect(calls.length).toBeGreaterThan(0);
      expect(calls).toEqual(calls.map((_, index) => (index % 2 === 0 ? "paused" : "resumed")));
    }
    for (const line of lines) expect(Number(/(\d+) wait/.exec(line)?.[1])).toBeLessThan(40);
    expect(await committed(topic, topic)).toEqual([100n, 100n]);
    await expectLeft(topic, topic);
  });

  test("work on partitions side by side, each in its order, and commit what is done", async () => {
    const topic = await newTopic(2);
    await write(topic, 0, 100);
    const lines = linesOf(await run("examples/dist/workers.js", topic, topic));
    for (const { partition } of partitionsOf(topic)) {
      const own = lines.filter((line) => line.startsWith(`${topic}-${partition} `));
      expect(ordersIn(own)).toEqual(numbers(50).map((index) => 2 * index + partition));
    }
    expect(await committed(topic, topic)).toEqual([50n, 50n]);
    await expectLeft(topic, topic);
  });

  test("tell of a record that cannot be worked on, and commit what was done before it", async () => {
    const topic = await newTopic(2);
    await write(topic, 0, 6);
    await producer.send({ topic, partition: 0, value: "no order" });
    await write(topic, 6, 6);
    await expect(run("examples/dist/workers.js", topic, topic)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`the value of the record at ${topic}-0@3 (8 bytes) cannot be deserialized`),
    });
    expect((await committed(topic, topic))[0]).toBe(3n);
    await expectLeft(topic, topic);
  });

  test("ask interceptors, and deserializers that give promises, and go on behind a record that cannot be read", async () => {
    const topic = await newTopic(2);
    await write(topic, 0, 3);
    await producer.send({ topic, partition: 0, key: "customer-0", value: "no order" });
    await producer.send({ topic, partition: 1, value: JSON.stringify({ order: 7 }) });
    const lines = linesOf(await run("examples/dist/consumer-interceptors.js", topic, topic));
    expect(lines.at(-1)).toBe(`4 records, committed: ${topic}-0 up to 3, ${topic}-1 up to 2`);
    expect(lines.slice(0, -1).sort()).toEqual([
      "customer-0: order 0",
      "customer-1: order 1",
      "customer-2: order 2",
      `the value of the record at ${topic}-0@2 (8 bytes) cannot be deserialized: no order`,
    ]);
    await expectLeft(topic, topic);
  });

  test("read in a loop that commits what its body is done with", async () => {
    const topic = await newTopic(2);
    await write(topic, 0, 20);
    const read = async () => ordersIn(linesOf(await run("examples/dist/for-await.js", topic, topic)));
    expect(sorted(await read())).toEqual(numbers(20));
    expect(await committed(topic, topic)).toEqual([10n, 10n]);
    expect(await read()).toEqual([]);
    await expectLeft(topic, topic);
  });
});
