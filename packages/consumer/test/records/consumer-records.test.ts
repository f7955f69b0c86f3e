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
});
