import { describe, expect, test } from "vitest";
import { DecodeError } from "../../src/errors.ts";
import { CorruptRecordError } from "../../src/records/corrupt-record-error.ts";
import { offsetOf } from "../../src/records/record-batch-header.ts";
import { batchesOf, batchOf, patched, readBatches, readRecords } from "./batches.ts";
import { describeBatch, readGoldenBatches } from "./golden-batches.ts";

const values = async (bytes: Buffer): Promise<string[]> => (await readRecords(bytes)).map(({ value }) => String(value));

describe("what Kafka's classes write is read as they read it", () => {
  test.each(readGoldenBatches("batches.jsonl"))("$name", async ({ bytes, batches }) => {
    expect((await readBatches(Buffer.from(bytes, "hex"))).map(describeBatch)).toEqual(batches);
  });
});

describe("what we write is read as Kafka's classes read it", () => {
  test.each(readGoldenBatches("batches-read-by-java.jsonl"))("$name", async ({ bytes, batches }) => {
    expect((await readBatches(Buffer.from(bytes, "hex"))).map(describeBatch)).toEqual(batches);
  });
});

test("batches come one after the other", async () => {
  const two = Buffer.concat([await batchOf([{ value: "a" }, { value: "b" }]), await batchOf([{ value: "c" }])]);
  expect(await values(two)).toEqual(["a", "b", "c"]);
  expect(batchesOf(two).sizeInBytes).toBe(two.length);
});

test("a set without a byte has no batch", () => {
  const batches = batchesOf(Buffer.alloc(0));
  expect([...batches]).toEqual([]);
  expect(batches.firstBatchBytes).toBeNull();
});

test("a last batch that is cut off, at any byte, is left out", async () => {
  const first = await batchOf([{ value: "a" }]);
  const second = await batchOf([{ value: "b" }]);
  const whole = Buffer.concat([first, second]);
  for (let end = first.length; end < whole.length; end++) {
    expect(await values(whole.subarray(0, end))).toEqual(["a"]);
  }
});

test("the first batch says how many bytes it takes, when it is cut off too", async () => {
  const batch = await batchOf([{ value: "a" }]);
  expect(batchesOf(batch).firstBatchBytes).toBe(batch.length);
  for (let end = offsetOf.magic + 1; end < batch.length; end++) {
    const batches = batchesOf(batch.subarray(0, end));
    expect(batches.firstBatchBytes).toBe(batch.length);
    expect([...batches]).toEqual([]);
  }
  expect(batchesOf(batch.subarray(0, offsetOf.magic)).firstBatchBytes).toBeNull();
});

test.each([3, -1, 127])("message format %i is a DecodeError that names it and the batch", async (magic) => {
  const batch = await batchOf([{ value: "a" }]);
  batch.writeInt8(magic, offsetOf.magic);
  batch.writeBigInt64BE(77n, offsetOf.baseOffset);
  const batches = batchesOf(batch);
  const message = `cannot decode record batch with base offset 77 at offset 16: unknown message format ${magic}`;
  expect(() => batches.next()).toThrow(message);
  expect(() => batches.next()).toThrow(DecodeError);
});

test.each([48, 0, -1, -13, -(2 ** 31)])("a batch length of %i is a DecodeError", async (length) => {
  const batch = await batchOf([{ value: "a" }]);
  batch.writeInt32BE(length, offsetOf.batchLength);
  const batches = batchesOf(batch);
  expect(() => batches.next()).toThrow(DecodeError);
  expect(() => batches.next()).toThrow(DecodeError);
  expect(() => batches.firstBatchBytes).toThrow(`${length + 12} bytes, when 61 are the least in message format 2`);
});

test("a batch length that says too much makes the batch one that is not whole", async () => {
  const batch = await batchOf([{ value: "a" }]);
  batch.writeInt32BE(2 ** 31 - 1, offsetOf.batchLength);
  expect([...batchesOf(batch)]).toEqual([]);
  expect(batchesOf(batch).firstBatchBytes).toBe(2 ** 31 + 11);
});

test("a corrupt batch throws once, and the batches behind it can be read", async () => {
  const corrupt = await batchOf([{ value: "a" }, { value: "b" }, { value: "c" }]);
  corrupt.writeBigInt64BE(40n, offsetOf.baseOffset);
  corrupt.writeUInt8(corrupt.readUInt8(corrupt.length - 1) ^ 1, corrupt.length - 1);
  const batches = batchesOf(Buffer.concat([corrupt, await batchOf([{ value: "d" }])]));
  let caught: unknown;
  try {
    batches.next();
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(CorruptRecordError);
  expect(caught).toMatchObject({ code: "CORRUPT_MESSAGE", retriable: true, baseOffset: 40n, nextOffset: 43n });
  expect(String(caught)).toMatch(
    /^CorruptRecordError: the record batch at offset 40 is corrupt: .*its checksum is [0-9a-f]+, and it says [0-9a-f]+; to step over it, go on from offset 43$/,
  );
  expect([...batches].flatMap((batch) => [...batch].map(({ value }) => String(value)))).toEqual(["d"]);
});

test("every bit that flips behind the checksum is found", async () => {
  const batch = await batchOf([{ key: "k", value: "value", headers: [{ key: "h", value: "x" }] }]);
  for (let bit = offsetOf.crc * 8; bit < batch.length * 8; bit++) {
    const flipped = Buffer.from(batch);
    flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
    expect(() => [...batchesOf(flipped)]).toThrow(CorruptRecordError);
  }
});

test("the checksum is not compared when that is not wanted", async () => {
  const batch = await batchOf([{ value: "a" }]);
  batch.writeUInt32BE(1, offsetOf.crc);
  const [read] = batchesOf(batch, { checkCrcs: false });
  expect([...(read ?? [])].map(({ value }) => String(value))).toEqual(["a"]);
});

test("no byte of a batch can be changed so that anything but a typed error comes of it", async () => {
  const batch = await batchOf([
    { key: "k", value: "value", headers: [{ key: "h", value: "x" }] },
    { timestamp: 1, value: "w" },
  ]);
  for (let at = 0; at < batch.length; at++) {
    for (const byte of [0, 1, 0x7f, 0x80, 0xff]) {
      const changed = patched(batch, (bytes) => bytes.writeUInt8(byte, at));
      try {
        for (const record of await readRecords(changed)) void record.headers;
      } catch (error) {
        expect([CorruptRecordError, DecodeError]).toContain(Object(error).constructor);
      }
    }
  }
});
