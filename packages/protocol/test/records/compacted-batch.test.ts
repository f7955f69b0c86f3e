import fc from "fast-check";
import { expect, test } from "vitest";
import { defaultCodecs } from "../../src/compression/codecs.ts";
import { compactedBatch } from "../../src/records/compacted-batch.ts";
import { RecordBatchBuilder } from "../../src/records/record-batch-builder.ts";
import { attribute, offsetOf } from "../../src/records/record-batch-header.ts";
import { batchesOf, contentOf, t0 } from "./batches.ts";

const producer = { producerId: 4000n, producerEpoch: 7, baseSequence: 42, isTransactional: true };

const recordArbitrary = fc.record({
  timestamp: fc.integer({ min: t0, max: t0 + 1e10 }),
  key: fc.option(fc.string()),
  value: fc.option(fc.string({ maxLength: 300 })),
  headers: fc.array(fc.record({ key: fc.string(), value: fc.option(fc.string()) }), { maxLength: 3 }),
  isRetained: fc.boolean(),
});

test("a compacted batch has what was retained where it was, and the producer and the offsets of the batch", () => {
  const batchArbitrary = fc.array(recordArbitrary, { minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(batchArbitrary, fc.constantFrom("none" as const, "gzip" as const), (records, compression) => {
      const codec = compression === "none" ? {} : { compression: { codec: defaultCodecs[compression], ratio: 1 } };
      const builder = new RecordBatchBuilder(Buffer.alloc(100_000), codec);
      for (const { timestamp, key, value, headers } of records) builder.append(timestamp, key, value, headers);
      const bytes = builder.close(producer, 3);
      const [before] = batchesOf(bytes);
      if (before === undefined) throw new Error("a batch that was just written is there");
      const retained = [...before].filter((_, index) => records[index]?.isRetained);

      const [after, second] = batchesOf(compactedBatch(bytes, retained));
      expect(second).toBeUndefined();
      expect(after).toMatchObject({ ...producer, baseOffset: 0n, partitionLeaderEpoch: 3, compression: "none" });
      expect(after?.lastOffset).toBe(BigInt(records.length - 1));
      expect(after?.count).toBe(retained.length);
      expect(after?.maxTimestamp).toBe(Math.max(-1, ...retained.map(({ timestamp }) => timestamp)));
      expect([...(after ?? [])].map(contentOf)).toEqual(retained.map(contentOf));
      expect([...(after ?? [])].map(({ offset }) => offset)).toEqual(retained.map(({ offset }) => offset));
    }),
  );
});

test("records keep the broker's time", () => {
  const builder = new RecordBatchBuilder(Buffer.alloc(1_000));
  for (const timestamp of [t0, t0 + 5]) builder.append(timestamp, "k", "v");
  const bytes = builder.close(producer);
  bytes.writeInt16BE(bytes.readInt16BE(offsetOf.attributes) | attribute.logAppendTime, offsetOf.attributes);
  bytes.writeBigInt64BE(BigInt(t0 + 99), offsetOf.maxTimestamp);
  const [before] = batchesOf(bytes, { checkCrcs: false });
  const [after] = batchesOf(compactedBatch(bytes, [...(before ?? [])].slice(1)));
  expect([...(after ?? [])].map(({ offset, timestamp }) => [offset, timestamp])).toEqual([[1n, t0 + 99]]);
});
