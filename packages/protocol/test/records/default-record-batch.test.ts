import { describe, expect, test } from "vitest";
import { codecsWith } from "../../src/compression/codecs.ts";
import { gzip } from "../../src/compression/gzip.ts";
import { KafkaError } from "../../src/errors.ts";
import { CorruptRecordError } from "../../src/records/corrupt-record-error.ts";
import { offsetOf } from "../../src/records/record-batch-header.ts";
import { batchesOf, batchOf, inBackground, patched, readBatches, t0, withPayload } from "./batches.ts";

const three = () => batchOf([{ value: "a" }, { value: "b" }, { value: "c" }]);
const gzipped = () => batchOf([{ value: "a" }, { value: "b" }], { compression: { codec: gzip, ratio: 1 } });

/** The first batch, its records read. */
async function read(bytes: Buffer, options = {}) {
  const [batch] = await readBatches(bytes, options);
  if (batch === undefined) throw new Error("no batch");
  return { batch, records: [...batch] };
}

describe("the header of a batch lies, with a right checksum", () => {
  test.each([
    ["count", offsetOf.count, 4, "count 4 for 3 offsets and 24 bytes"],
    ["count", offsetOf.count, 2 ** 31 - 1, "count 2147483647 for 3 offsets"],
    ["count", offsetOf.count, -1, "count -1 for 3 offsets"],
    ["last offset delta", offsetOf.lastOffsetDelta, -1, "last offset delta -1"],
    ["last offset delta", offsetOf.lastOffsetDelta, 1, "count 3 for 2 offsets"],
  ])("%s, %#", async (_, at, value, reason) => {
    const batch = patched(await three(), (bytes) => bytes.writeInt32BE(value, at));
    expect(() => batchesOf(batch).next()).toThrow(CorruptRecordError);
    expect(() => batchesOf(batch).next()).toThrow(reason);
  });

  test("a count that is too small leaves bytes behind the last record", async () => {
    const batch = patched(await three(), (bytes) => bytes.writeInt32BE(2, offsetOf.count));
    await expect(read(batch)).rejects.toThrow("8 bytes behind the last of 2 records");
  });

  test("a count that is too large for the bytes is refused before a record is given", async () => {
    const batch = patched(await three(), (bytes) => {
      bytes.writeInt32BE(1_000_000, offsetOf.count);
      bytes.writeInt32BE(1_000_000, offsetOf.lastOffsetDelta);
    });
    expect(() => batchesOf(batch).next()).toThrow("count 1000000 for 1000001 offsets and 24 bytes");
  });

  test("a count that is too large for what was compressed is found where the bytes end", async () => {
    const batch = patched(await gzipped(), (bytes) => {
      bytes.writeInt32BE(3, offsetOf.count);
      bytes.writeInt32BE(2, offsetOf.lastOffsetDelta);
    });
    await expect(read(batch)).rejects.toThrow("is corrupt: record of 0 bytes, 0 left");
  });

  test.each([5, 6, 7])("compression type %i is unknown", async (id) => {
    const batch = patched(await three(), (bytes) => bytes.writeInt16BE(id, offsetOf.attributes));
    expect(() => batchesOf(batch).next()).toThrow(`unknown compression type ${id}`);
  });

  test.each([
    [-1n, "offsets -1 to 1"],
    [-(2n ** 63n), "offsets -9223372036854775808 to"],
    [2n ** 63n - 3n, "offsets 9223372036854775805 to 9223372036854775807"],
    [2n ** 63n - 1n, "to 9223372036854775809"],
  ])("base offset %i, which leads to where no log can be", async (baseOffset, reason) => {
    const batch = patched(await three(), (bytes) => bytes.writeBigInt64BE(baseOffset, offsetOf.baseOffset));
    expect(() => batchesOf(batch).next()).toThrow(CorruptRecordError);
    expect(() => batchesOf(batch).next()).toThrow(reason);
  });

  test("the last offset that a log can have is none", async () => {
    const batch = patched(await three(), (bytes) => bytes.writeBigInt64BE(2n ** 63n - 4n, offsetOf.baseOffset));
    expect((await read(batch)).batch.nextOffset).toBe(2n ** 63n - 1n);
  });

  test("it is not retriable, because the next answer will be the same", async () => {
    const batch = patched(await three(), (bytes) => bytes.writeInt32BE(-1, offsetOf.count));
    expect(() => batchesOf(batch).next()).toThrow(expect.objectContaining({ retriable: false, nextOffset: 3n }));
  });
});

test("a batch can be iterated more than once", async () => {
  const { batch, records } = await read(await three());
  expect([...batch].map(({ offset }) => offset)).toEqual(records.map(({ offset }) => offset));
});

test("a batch that compaction emptied moves on behind its last offset, and is not decompressed", async () => {
  const empty = patched(withPayload(await gzipped(), Buffer.alloc(0)), (bytes) => {
    bytes.writeBigInt64BE(50n, offsetOf.baseOffset);
    bytes.writeInt32BE(9, offsetOf.lastOffsetDelta);
    bytes.writeInt32BE(0, offsetOf.count);
  });
  const { batch, records } = await read(empty);
  expect(records).toEqual([]);
  expect(batch).toMatchObject({ baseOffset: 50n, lastOffset: 59n, nextOffset: 60n, count: 0, isReadable: true });
});

describe("a control batch", () => {
  const control = async (key: Buffer | null) => {
    const batch = patched(await batchOf([{ key }]), (bytes) => bytes.writeInt16BE(0b11_0000, offsetOf.attributes));
    return (await read(batch)).batch;
  };

  test.each([
    ["00000000", "abort"],
    ["00000001", "commit"],
    ["00010001", "commit"],
    ["000000010000", "commit"],
    ["00000002", "other"],
    ["0000ffff", "other"],
  ])("with key %s marks %s", async (key, type) => {
    const batch = await control(Buffer.from(key, "hex"));
    expect(batch).toMatchObject({ isControl: true, isTransactional: true, controlType: type });
  });

  test.each([null, "", "000000"])("with key %s has no type to read", async (key) => {
    const batch = await control(key === null ? null : Buffer.from(key, "hex"));
    expect(() => batch.controlType).toThrow(CorruptRecordError);
  });

  test("without a record is of no type that matters", async () => {
    const empty = patched(withPayload(await three(), Buffer.alloc(0)), (bytes) => {
      bytes.writeInt16BE(0b10_0000, offsetOf.attributes);
      bytes.writeInt32BE(0, offsetOf.count);
    });
    expect((await read(empty)).batch.controlType).toBe("other");
  });

  test("that is compressed becomes no more than a control record may", async () => {
    const compressed = async (valueBytes: number) => {
      const records = [{ key: "\0\0\0\u0001", value: "x".repeat(valueBytes) }];
      const batch = await batchOf(records, { compression: { codec: gzip, ratio: 1 } });
      const bytes = patched(batch, (each) => each.writeInt16BE(0b11_0001, offsetOf.attributes));
      return (await readBatches(bytes))[0];
    };
    expect((await compressed(1_000))?.controlType).toBe("commit");
    const bomb = await compressed(100_000);
    expect(() => bomb?.controlType).toThrow("gzip data of more than 65536 bytes when decompressed");
  });

  test("is one by its attributes only", async () => {
    expect((await read(await batchOf([{ key: Buffer.from("00000001", "hex") }]))).batch.controlType).toBeNull();
  });
});

test("the records of a log-append-time batch have the time of the batch", async () => {
  const given = await batchOf([{ timestamp: t0 }, { timestamp: t0 + 5 }]);
  const batch = patched(given, (bytes) => {
    bytes.writeInt16BE(0b1000, offsetOf.attributes);
    bytes.writeBigInt64BE(BigInt(t0 + 99), offsetOf.maxTimestamp);
  });
  const { records, batch: header } = await read(batch);
  expect(header.timestampType).toBe("logAppendTime");
  expect(records.map(({ timestamp }) => timestamp)).toEqual([t0 + 99, t0 + 99]);
});

describe("a compressed batch", () => {
  test("that would become too large is refused, by either way of reading", async () => {
    const batch = await batchOf([{ value: "x".repeat(1000) }], { compression: { codec: gzip, ratio: 1 } });
    const [first] = batchesOf(batch, { maxDecompressedBytes: 500 });
    expect(() => [...(first ?? [])]).toThrow("gzip data of more than 500 bytes when decompressed");
    await expect(first?.decompress()).rejects.toThrow(CorruptRecordError);
  });

  test("with a payload that its codec cannot read is corrupt", async () => {
    const batch = withPayload(await gzipped(), Buffer.from("no gzip"));
    const [first] = batchesOf(batch);
    expect(() => [...(first ?? [])]).toThrow(CorruptRecordError);
    await expect(first?.decompress()).rejects.toThrow("gzip data cannot be decompressed: incorrect header check");
  });

  test("is decompressed once", async () => {
    let calls = 0;
    const counting = codecsWith({
      gzip: {
        ...gzip,
        decompress(input, maxOutputBytes) {
          calls += 1;
          return gzip.decompress(input, maxOutputBytes);
        },
      },
    });
    const [batch] = batchesOf(await gzipped(), { codecs: counting });
    await batch?.decompress();
    await batch?.decompress();
    expect([...(batch ?? [])]).toHaveLength(2);
    expect([...(batch ?? [])]).toHaveLength(2);
    expect(calls).toBe(1);
  });

  test("of a codec that works in the background only has to be decompressed first", async () => {
    const [batch] = batchesOf(await gzipped(), {
      codecs: codecsWith({ gzip: inBackground(gzip) }),
    });
    expect(batch?.isReadable).toBe(false);
    expect(() => [...(batch ?? [])]).toThrow("gzip decompresses in the background only: await decompress()");
    await batch?.decompress();
    expect(batch?.isReadable).toBe(true);
    expect([...(batch ?? [])]).toHaveLength(2);
  });

  test("is corrupt for whatever a codec of one's own throws, or gives too much of", async () => {
    const throwing = {
      ...gzip,
      decompressSync: () => {
        throw new RangeError("mine");
      },
    };
    const [first] = batchesOf(await gzipped(), { codecs: codecsWith({ gzip: throwing }) });
    expect(() => [...(first ?? [])]).toThrow(CorruptRecordError);
    const generous = { ...gzip, decompressSync: () => Buffer.alloc(1001) };
    const [second] = batchesOf(await gzipped(), { codecs: codecsWith({ gzip: generous }), maxDecompressedBytes: 1000 });
    expect(() => [...(second ?? [])]).toThrow("gzip data of more than 1000 bytes");
  });

  test("is not corrupt when a library is missing", async () => {
    const missing = new KafkaError("install it", { code: "UNSUPPORTED_COMPRESSION_TYPE" });
    const absent = {
      ...gzip,
      decompressSync: () => {
        throw missing;
      },
      decompress: () => Promise.reject(missing),
    };
    const [batch] = batchesOf(await gzipped(), { codecs: codecsWith({ gzip: absent }) });
    expect(() => [...(batch ?? [])]).toThrow(missing);
    await expect(batch?.decompress()).rejects.toBe(missing);
  });
});
