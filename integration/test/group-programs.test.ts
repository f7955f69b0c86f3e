import { KafkaConsumer, KafkaProducer, string } from "odradek";
import { afterAll, describe, expect, test } from "vitest";
import { run, runUntil } from "./program.ts";
import { bootstrapServers, newTopic, opened } from "./topics.ts";

const producer = new KafkaProducer({ bootstrapServers, keySerializer: string, valueSerializer: string });
afterAll(() => producer.close());

/** Writes numbered values of three customers, round two partitions. */
const write = (topic: string, from: number, count: number) =>
  producer.sendAll(
    Array.from({ length: count }, (_, index) => ({
      topic,
      partition: (from + index) % 2,
      key: `customer-${(from + index) % 3}`,
      value: JSON.stringify({ order: from + index }),
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
