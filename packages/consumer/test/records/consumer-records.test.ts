import { bytes, string } from "@odradek/network";
import { defaultRecordBatchesOptions, RecordBatches } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { ConsumerRecord } from "../../src/records/consumer-record.ts";
import { ConsumerRecords } from "../../src/records/consumer-records.ts";
import { counted } from "../log.ts";

async function records(partition: number, count: number): Promise<ConsumerRecord<Uint8Array, string>[]> {
  const origin = {
    topic: "orders",
    partition,
    leaderEpoch: 3,
    timestampType: "createTime",
    keyDeserializer: bytes,
    valueDeserializer: string,
    keyContext: { topic: "orders", role: "key" },
    valueContext: { topic: "orders", role: "value" },
  } as const;
  const batches = new RecordBatches(await counted(count), defaultRecordBatchesOptions);
  return [...batches].flatMap((batch) => [...batch].map((view) => new ConsumerRecord(origin, view)));
}

/** Two records of `orders-0`, one of `orders-4`, and gaps in the log behind both. */
async function polled(): Promise<ConsumerRecords<Uint8Array, string>> {
  return new ConsumerRecords(
    [...(await records(0, 2)), ...(await records(4, 1))],
    [
      { topic: "orders", partition: 0, start: 0, end: 2, next: { offset: 5n, leaderEpoch: 3 } },
      { topic: "orders", partition: 4, start: 2, end: 3, next: { offset: 1n, leaderEpoch: -1 } },
    ],
  );
}

const texts = (some: Iterable<ConsumerRecord<Uint8Array, string>>) =>
  [...some].map(({ partition, value }) => `${partition}:${value}`);

describe("ConsumerRecords", () => {
  test("is all records, partition by partition, as often as one looks", async () => {
    const all = await polled();
    expect(texts(all)).toEqual(["0:v0", "0:v1", "4:v0"]);
    expect(texts(all)).toEqual(["0:v0", "0:v1", "4:v0"]);
    expect(all.count).toBe(3);
    expect(all.isEmpty).toBe(false);
  });

  test("has the records of each partition apart", async () => {
    const all = await polled();
    expect(all.partitions()).toEqual([
      { topic: "orders", partition: 0 },
      { topic: "orders", partition: 4 },
    ]);
    expect(texts(all.records({ topic: "orders", partition: 0 }))).toEqual(["0:v0", "0:v1"]);
    expect(texts(all.records({ topic: "orders", partition: 4 }))).toEqual(["4:v0"]);
    expect(all.records({ topic: "orders", partition: 1 })).toEqual([]);
  });

  test("knows what to commit once all are done with, gaps included", async () => {
    expect((await polled()).nextOffsets()).toEqual([
      { topic: "orders", partition: 0, offset: 5n, leaderEpoch: 3, metadata: "" },
      { topic: "orders", partition: 4, offset: 1n, leaderEpoch: null, metadata: "" },
    ]);
  });

  test("can be empty", () => {
    const none = new ConsumerRecords([], []);
    expect([none.count, none.isEmpty, [...none], none.partitions(), none.nextOffsets()]).toEqual([0, true, [], [], []]);
  });

  test("can leave records out, and goes on where it did", async () => {
    const all = await polled();
    const some = all.filter(({ partition, value }) => partition === 0 && value === "v1");
    expect([texts(some), some.count, some.partitions()]).toEqual([["0:v1"], 1, [{ topic: "orders", partition: 0 }]]);
    expect(texts(some.records({ topic: "orders", partition: 0 }))).toEqual(["0:v1"]);
    expect(some.records({ topic: "orders", partition: 4 })).toEqual([]);
    expect(some.nextOffsets()).toEqual(all.nextOffsets());
    expect(all.count).toBe(3);
  });

  test("can have others in the place of its records, and no others", async () => {
    const all = await polled();
    const others = all.map((record) => record.with({ value: `${record.value}!` }));
    expect(texts(others)).toEqual(["0:v0!", "0:v1!", "4:v0!"]);
    expect(others.nextOffsets()).toEqual(all.nextOffsets());
    const [first] = all;
    expect(() => all.map((record) => first ?? record)).toThrow("map gave no record in the place of orders-0@1");
    // As plain JavaScript may do.
    expect(() => all.map(() => undefined as never)).toThrow(TypeError);
  });
});
