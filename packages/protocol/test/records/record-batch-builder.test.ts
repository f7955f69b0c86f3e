import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defaultCodecs } from "../../src/compression/codecs.ts";
import { EncodeError } from "../../src/errors.ts";
import { type RecordData, recordSizeInBytes } from "../../src/records/record.ts";
import { noProducerState, type ProducerState, RecordBatchBuilder } from "../../src/records/record-batch-builder.ts";
import { textOf } from "../text-arbitrary.ts";
import { contentOf, inBackground, readBatches, readRecords, t0 } from "./batches.ts";

const { gzip, lz4 } = defaultCodecs;

const transactional: ProducerState = { producerId: 4000n, producerEpoch: 7, baseSequence: 42, isTransactional: true };

const builderOf = (bytes: number, options = {}) => new RecordBatchBuilder(Buffer.alloc(bytes), options);

/** Memory with an end. */
class CountedMemory {
  readonly #totalBytes: number;
  takenBytes = 0;

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
  }

  take(bytes: number): Buffer | null {
    if (this.takenBytes + bytes > this.#totalBytes) return null;
    this.takenBytes += bytes;
    return Buffer.alloc(bytes);
  }

  release({ length }: Buffer): void {
    this.takenBytes -= length;
  }
}

/** Bytes of a record with a value of `size` bytes and nothing else. */
const sizeOfValue = (size: number, offsetDelta = 0) => recordSizeInBytes(offsetDelta, 0, null, Buffer.alloc(size), []);

describe("the bytes are Kafka's", () => {
  test("for one record", () => {
    const builder = builderOf(16_384);
    builder.append(t0, "k1", "hello");
    expect(builder.close(noProducerState).toString("hex")).toBe(
      "00000000000000000000003fffffffff025028da910000000000000000018bcfe568000000018bcfe56800ffffffffffffffffffffffffffff000000011a000000046b310a68656c6c6f00",
    );
  });

  test("for three of a transaction, with headers, and times that go back", () => {
    const builder = builderOf(16_384);
    builder.append(t0, null, "v0");
    builder.append(t0 + 5, "k", null, [
      { key: "h1", value: "x" },
      { key: "h2", value: null },
    ]);
    builder.append(t0 - 3, "", "");
    expect(builder.close(transactional).toString("hex")).toBe(
      "000000000000000000000052ffffffff025fa6768d0010000000020000018bcfe568000000018bcfe568050000000000000fa000070000002a0000000310000000010476300020000a02026b01040468310278046832010c000504000000",
    );
  });
});

const data: fc.Arbitrary<RecordData> = fc.oneof(
  fc.constant(null),
  fc.uint8Array({ maxLength: 200 }),
  fc.string({ maxLength: 50 }),
  fc.string({ unit: "grapheme", maxLength: 50 }),
  textOf(50),
);
const given = fc.record({
  timestamp: fc.oneof(fc.integer({ min: t0, max: t0 + 1000 }), fc.integer({ min: -(2 ** 51), max: 2 ** 51 })),
  key: data,
  value: data,
  headers: fc.array(fc.record({ key: fc.string({ unit: "grapheme" }), value: data }), { maxLength: 5 }),
});
const bytesOf = (bytes: RecordData) => (bytes === null ? null : Buffer.from(bytes as Uint8Array));

test("what was appended is read again, and the sizes were exact", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(given, { minLength: 1, maxLength: 20 }), async (records) => {
      const builder = builderOf(1 << 18);
      let bytes = 61;
      for (const [offsetDelta, { timestamp, key, value, headers }] of records.entries()) {
        const timestampDelta = timestamp - (records[0]?.timestamp ?? 0);
        bytes += recordSizeInBytes(offsetDelta, timestampDelta, key, value, headers);
        expect(builder.append(timestamp, key, value, headers)).toBe(true);
        expect(builder.estimatedBytes).toBe(bytes);
      }
      const batch = builder.close(noProducerState);
      expect(batch.length).toBe(bytes);
      expect((await readRecords(batch)).map(contentOf)).toEqual(
        records.map(({ timestamp, key, value, headers }) => ({
          timestamp,
          key: bytesOf(key),
          value: bytesOf(value),
          headers: headers.map((header) => ({ key: String(Buffer.from(header.key)), value: bytesOf(header.value) })),
        })),
      );
    }),
  );
});

test("the batch is a view of the buffer that was given", () => {
  const buffer = Buffer.alloc(1000);
  const builder = new RecordBatchBuilder(buffer);
  builder.append(t0, "k", "v");
  const batch = builder.close(noProducerState);
  expect(batch.buffer).toBe(buffer.buffer);
  expect(batch.byteOffset).toBe(buffer.byteOffset);
});

test("records, their latest time and their bytes are counted", () => {
  const builder = builderOf(1000);
  expect([builder.recordCount, builder.maxTimestamp, builder.uncompressedBytes]).toEqual([0, -1, 0]);
  builder.append(t0 + 5, null, null);
  builder.append(t0, null, null);
  expect([builder.recordCount, builder.maxTimestamp, builder.uncompressedBytes]).toEqual([2, t0 + 5, 14]);
});

describe("room", () => {
  const size = 61 + sizeOfValue(10) + sizeOfValue(20, 1);

  test("is for what ends exactly at the limit, and not for a byte more", () => {
    for (const [limit, fits] of [
      [size, true],
      [size - 1, false],
    ] as const) {
      const builder = builderOf(1000, { writeLimit: limit });
      builder.append(t0, null, Buffer.alloc(10));
      expect(builder.hasRoomFor(t0, null, Buffer.alloc(20))).toBe(fits);
      expect(builder.append(t0, null, Buffer.alloc(20))).toBe(fits);
      expect(builder.recordCount).toBe(fits ? 2 : 1);
    }
  });

  test("is the buffer where no limit is given", () => {
    const builder = builderOf(size);
    builder.append(t0, null, Buffer.alloc(10));
    expect(builder.isFull).toBe(false);
    expect(builder.append(t0, null, Buffer.alloc(20))).toBe(true);
    expect(builder.isFull).toBe(true);
    expect(builder.hasRoomFor(t0, null, null)).toBe(false);
    expect(builder.append(t0, null, null)).toBe(false);
  });

  test("is always there for a first record, however large", async () => {
    const builder = builderOf(100);
    expect(builder.hasRoomFor(t0, null, Buffer.alloc(1000))).toBe(true);
    expect(builder.append(t0, "k", "x".repeat(1000))).toBe(true);
    expect(builder.isFull).toBe(true);
    expect(builder.append(t0, null, null)).toBe(false);
    const [record] = await readRecords(builder.close(noProducerState));
    expect(record?.valueSize).toBe(1000);
  });

  test("counts the bytes of text and not its characters", () => {
    const builder = builderOf(61 + sizeOfValue(0) + sizeOfValue(40, 1));
    builder.append(t0, null, "");
    expect(builder.hasRoomFor(t0, null, "é".repeat(21))).toBe(false);
    expect(builder.append(t0, null, "é".repeat(21))).toBe(false);
    expect(builder.recordCount).toBe(1);
    expect(builder.append(t0, null, "é".repeat(20))).toBe(true);
  });

  test("ends with the buffer for text that fills it to the last byte", async () => {
    for (const text of ["x".repeat(40), "é".repeat(20), `${"x".repeat(37)}中`, `${"x".repeat(36)}😀`]) {
      const builder = builderOf(61 + sizeOfValue(40));
      expect(builder.append(t0, null, text)).toBe(true);
      const [record] = await readRecords(builder.close(noProducerState));
      expect(String(record?.value)).toBe(text);
    }
  });

  test("ends when the batch is sealed", () => {
    const builder = builderOf(1000);
    builder.append(t0, null, null);
    builder.seal();
    expect([builder.isFull, builder.hasRoomFor(t0, null, null), builder.append(t0, null, null)]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

describe("the producer's state", () => {
  test("can be changed in a closed batch, checksum and all", async () => {
    const builder = builderOf(1000);
    builder.append(t0, "k", "v");
    const batch = builder.close(transactional);
    builder.setProducerState({ producerId: 2n ** 40n, producerEpoch: 8, baseSequence: 0, isTransactional: false });
    const [read] = await readBatches(batch);
    expect(read).toMatchObject({
      producerId: 2n ** 40n,
      producerEpoch: 8,
      baseSequence: 0,
      isTransactional: false,
    });
    expect(builder.close(noProducerState)).toBe(batch);
    expect((await readBatches(batch))[0]?.producerId).toBe(-1n);
  });

  test("cannot be written before there is a batch", () => {
    const builder = builderOf(1000);
    expect(() => builder.setProducerState(noProducerState)).toThrow(expect.objectContaining({ code: "STATE" }));
  });
});

test("a batch without records cannot be closed", () => {
  expect(() => builderOf(1000).close(noProducerState)).toThrow(expect.objectContaining({ code: "STATE" }));
});

test("the leader epoch stands in the header, and is -1 otherwise", async () => {
  for (const [epoch, given] of [
    [9, [9]],
    [-1, []],
  ] as const) {
    const builder = builderOf(1000);
    builder.append(t0, null, null);
    const [batch] = await readBatches(builder.close(noProducerState, ...given));
    expect(batch?.partitionLeaderEpoch).toBe(epoch);
  }
});

test.each([1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])("timestamp %f is an EncodeError", (timestamp) => {
  const builder = builderOf(1000);
  expect(() => builder.append(timestamp, null, null)).toThrow(EncodeError);
  expect(builder.recordCount).toBe(0);
  builder.append(t0, null, null);
  expect(() => builder.append(timestamp, null, null)).toThrow(EncodeError);
  expect(builder.recordCount).toBe(1);
});

test("times too far apart for a number are an EncodeError", () => {
  const builder = builderOf(1000);
  builder.append(-(2 ** 52), null, null);
  expect(() => builder.append(2 ** 52 + 1, null, null)).toThrow(EncodeError);
});

test("timestamps before 1970 are kept", async () => {
  const builder = builderOf(1000);
  for (const timestamp of [-1, -5, -(2 ** 52)]) builder.append(timestamp, null, null);
  const [batch] = await readBatches(builder.close(noProducerState));
  expect([...(batch ?? [])].map(({ timestamp }) => timestamp)).toEqual([-1, -5, -(2 ** 52)]);
  expect(batch?.maxTimestamp).toBe(-1);
});

describe("compression", () => {
  const value = Buffer.from("0123456789".repeat(100));
  const noise = Buffer.from(Array.from({ length: 300 }, (_, index) => (index * 2654435761) >>> 13));

  test("guesses the size from the ratio, and five percent more", () => {
    const builder = builderOf(10_000, { writeLimit: 2000, compression: { codec: gzip, ratio: 0.5 } });
    builder.append(t0, null, value);
    const { uncompressedBytes } = builder;
    expect(builder.estimatedBytes).toBe(61 + Math.trunc(uncompressedBytes * 0.5 * 1.05));
    // What is appended counts as uncompressed: 1 + 1 record have room, 1 + 2 do not.
    expect(builder.append(t0, null, value)).toBe(true);
    expect(builder.append(t0, null, value)).toBe(false);
    expect(builder.isFull).toBe(false);
  });

  test("takes in more than the buffer holds when the ratio is low, and still answers in the buffer", async () => {
    const buffer = Buffer.alloc(1500);
    const builder = new RecordBatchBuilder(buffer, { compression: { codec: gzip, ratio: 0.1 } });
    for (let index = 0; index < 4; index++) expect(builder.append(t0, null, value)).toBe(true);
    const { uncompressedBytes } = builder;
    const batch = builder.close(noProducerState);
    expect(batch.buffer).toBe(buffer.buffer);
    expect(builder.compressionRatio).toBe((batch.length - 61) / uncompressedBytes);
    expect((await readRecords(batch)).map((record) => record.value)).toEqual([value, value, value, value]);
  });

  test("that makes records larger than the buffer is left out", async () => {
    const builder = builderOf(61 + sizeOfValue(300), { compression: { codec: gzip, ratio: 1 } });
    builder.append(t0, null, noise);
    const batch = builder.close(noProducerState);
    expect(builder.compressionRatio).toBeGreaterThan(1);
    expect(batch.readInt16BE(21)).toBe(0);
    expect((await readRecords(batch))[0]?.value).toEqual(noise);
  });

  test("of records that outgrew the buffer answers in what they grew in, where they compress badly", async () => {
    const memory = new CountedMemory(10_000);
    const builder = builderOf(200, { writeLimit: 1_000, compression: { codec: gzip, ratio: 0.01 }, memory });
    for (let index = 0; index < 4; index++) builder.append(t0, null, noise);
    const batch = builder.close(transactional);
    expect(batch.length).toBeGreaterThan(200);
    expect(memory.takenBytes).toBeGreaterThan(1200);
    expect((await readRecords(batch)).map((record) => record.value)).toEqual([noise, noise, noise, noise]);
    builder.release();
    expect(memory.takenBytes).toBe(0);
  });

  test("takes no more records than there is memory for, and needs none once they are compressed", async () => {
    const memory = new CountedMemory(6_000);
    const builder = builderOf(1_200, { compression: { codec: gzip, ratio: 0.01 }, memory });
    let count = 0;
    while (builder.append(t0, null, value)) count += 1;
    // 2,400 bytes, then 4,800 while those are still taken, are more than there is.
    expect([count, memory.takenBytes]).toEqual([2, 2_400]);
    const batch = builder.close(transactional);
    expect(memory.takenBytes).toBe(0);
    expect((await readRecords(batch)).map((record) => record.value)).toEqual([value, value]);
  });

  test("gives the same batch on this thread and in the background", async () => {
    const batches = await Promise.all(
      [true, false].map(async (inBackground) => {
        const builder = builderOf(10_000, { compression: { codec: lz4, ratio: 1 } });
        builder.append(t0, null, value);
        if (inBackground) await builder.compress();
        return builder.close(transactional).toString("hex");
      }),
    );
    expect(batches[0]).toBe(batches[1]);
  });

  test("in the background seals the batch", async () => {
    const builder = builderOf(10_000, { compression: { codec: gzip, ratio: 1 } });
    builder.append(t0, null, value);
    const done = builder.compress();
    expect(builder.append(t0, null, value)).toBe(false);
    await done;
    expect((await readRecords(builder.close(noProducerState))).length).toBe(1);
  });

  test("in the background happens once, however often it is asked for", async () => {
    let count = 0;
    const counting = {
      ...gzip,
      compress: (input: Buffer) => {
        count += 1;
        return gzip.compress(input);
      },
    };
    const builder = builderOf(10_000, { compression: { codec: counting, ratio: 1 } });
    builder.append(t0, null, value);
    await builder.compress();
    await builder.compress();
    expect(count).toBe(1);
    expect((await readRecords(builder.close(noProducerState)))[0]?.value).toEqual(value);
  });

  test("has the level that was asked for", async () => {
    const [fast, small] = [1, 9].map((level) => {
      const builder = builderOf(1 << 20, { compression: { codec: gzip, level, ratio: 1 } });
      builder.append(t0, null, "the quick brown fox jumps over the lazy dog ".repeat(1000));
      return builder.close(noProducerState).length;
    });
    expect(small).toBeLessThan(fast ?? 0);
  });

  test("of a codec that works in the background only must have happened before", async () => {
    const builder = builderOf(10_000, { compression: { codec: inBackground(gzip), ratio: 1 } });
    builder.append(t0, null, value);
    expect(builder.canCompressSync).toBe(false);
    expect(() => builder.close(noProducerState)).toThrow(expect.objectContaining({ code: "STATE" }));
    await builder.compress();
    expect((await readRecords(builder.close(noProducerState)))[0]?.value).toEqual(value);
  });

  test("is not needed without a codec", async () => {
    const builder = builderOf(10_000);
    builder.append(t0, null, value);
    await builder.compress();
    expect([builder.canCompressSync, builder.compressionRatio]).toEqual([true, 1]);
    expect((await readRecords(builder.close(noProducerState)))[0]?.value).toEqual(value);
  });
});
