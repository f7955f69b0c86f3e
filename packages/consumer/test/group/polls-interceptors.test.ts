import { describe, expect, test } from "vitest";
import type { ConsumerInterceptor } from "../../src/consumer-interceptors.ts";
import { consumerOf, type TestConsumer, textOf } from "./test-consumer.ts";

/** Leaves out records whose value does not pass. */
const keeping = (passes: (value: string) => boolean): { readonly interceptors: readonly ConsumerInterceptor[] } => ({
  interceptors: [{ onConsume: (records) => records.filter((record) => passes(textOf(record))) }],
});

const isEven = (value: string) => Number(value.slice(1)) % 2 === 0;

/** Reads so many records in a loop, and leaves it. */
async function read(consumer: TestConsumer, count: number): Promise<string[]> {
  const values: string[] = [];
  const reading = (async () => {
    for await (const record of consumer.polls.records(undefined)) {
      values.push(textOf(record));
      if (values.length === count) break;
    }
  })();
  await consumer.settle();
  await reading;
  return values;
}

describe("polls whose interceptors leave records out", () => {
  test("give the others, and move behind all of them", async () => {
    const consumer = await consumerOf(keeping(isEven));
    await consumer.arrive("orders-0", 4);
    expect(await consumer.poll()).toBe("v0 v2");
    expect(consumer.offset("orders-0")).toBe(4n);
  });

  test("end with nothing where nothing is left, and move on", async () => {
    const consumer = await consumerOf(keeping(() => false));
    await consumer.arrive("orders-0", 4);
    expect(await consumer.poll(1_000)).toBe("");
    expect(consumer.offset("orders-0")).toBe(4n);
  });
});

describe("loops whose interceptors leave records out", () => {
  test("begin again with the record that they did not finish", async () => {
    const consumer = await consumerOf(keeping(isEven));
    await consumer.arrive("orders-0", 6);
    expect(await read(consumer, 2)).toEqual(["v0", "v2"]);
    expect(consumer.offset("orders-0")).toBe(2n);
  });

  test("begin again with the first record that is left, where they have finished none", async () => {
    const consumer = await consumerOf(keeping((value) => !isEven(value)));
    await consumer.arrive("orders-0", 6);
    expect(await read(consumer, 1)).toEqual(["v1"]);
    expect(consumer.offset("orders-0")).toBe(1n);
  });

  test("leave a partition behind of which nothing is left, be it before or behind the record that they are at", async () => {
    const names = ["orders-0", "orders-1", "orders-2"];
    const only = {
      interceptors: [{ onConsume: (records) => records.filter(({ partition }) => partition === 1) }],
    } satisfies {
      readonly interceptors: readonly ConsumerInterceptor[];
    };
    const consumer = await consumerOf(only, names);
    for (const name of names) await consumer.arrive(name, 3);
    expect(await read(consumer, 2)).toEqual(["v0", "v1"]);
    expect(names.map((name) => consumer.offset(name))).toEqual([3n, 1n, 3n]);
  });

  test("give no batch without records", async () => {
    const consumer = await consumerOf(
      {
        interceptors: [{ onConsume: (records) => records.filter(({ partition }) => partition === 1) }],
      },
      ["orders-0", "orders-1"],
    );
    await consumer.arrive("orders-0", 3);
    await consumer.arrive("orders-1", 3);
    const batches = consumer.polls.batches(undefined);
    const first = batches.next();
    await consumer.settle();
    expect((await first).value).toMatchObject({ partition: 1, records: { length: 3 }, nextOffset: { offset: 3n } });
    await batches.return();
    expect([consumer.offset("orders-0"), consumer.offset("orders-1")]).toEqual([3n, 0n]);
  });
});

test("polls copy records where that is wanted", async () => {
  const consumer = await consumerOf({ copyRecords: true });
  const frame = await consumer.arrive("orders-0", 2);
  const polling = consumer.polls.next(0, undefined);
  await consumer.settle();
  const drained = await polling;
  frame.fill(0);
  expect(drained?.records.map(textOf)).toEqual(["v0", "v1"]);
});
