import { describe, expect, test } from "vitest";
import { codecsWith } from "../../src/compression/codecs.ts";
import { gzip } from "../../src/compression/gzip.ts";
import { lz4 } from "../../src/compression/lz4.ts";
import { CorruptRecordError } from "../../src/records/corrupt-record-error.ts";
import { crc32 } from "../../src/records/crc32.ts";
import { batchesOf, inBackground, readRecords, t0 } from "./batches.ts";

interface Fields {
  readonly offset?: bigint;
  readonly magic?: 0 | 1;
  readonly attributes?: number;
  readonly timestamp?: number;
  readonly key?: Buffer | null;
  readonly value?: Buffer | null;
}

const sized = (bytes: Buffer | null): Buffer => {
  const size = Buffer.alloc(4);
  size.writeInt32BE(bytes?.length ?? -1);
  return bytes === null ? size : Buffer.concat([size, bytes]);
};

/** An entry as the documentation of the formats has it. */
function message({ offset = 0n, magic = 1, attributes = 0, timestamp = t0, key = null, value = null }: Fields): Buffer {
  const head = Buffer.alloc(magic === 0 ? 18 : 26);
  head.writeBigInt64BE(offset, 0);
  head.writeInt8(magic, 16);
  head.writeInt8(attributes, 17);
  if (magic === 1) head.writeBigInt64BE(BigInt(timestamp), 18);
  const bytes = Buffer.concat([head, sized(key), sized(value)]);
  bytes.writeInt32BE(bytes.length - 12, 8);
  return withCrc(bytes);
}

function withCrc(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32(bytes, 16, bytes.length), 12);
  return bytes;
}

/** A compressed set: gzip unless told otherwise. */
function set(wrapper: Fields, ...messages: readonly Buffer[]): Buffer {
  return message({ attributes: 1, ...wrapper, value: gzip.compressSync?.(Buffer.concat(messages)) ?? null });
}

const value = (text: string) => ({ value: Buffer.from(text) });
const offsets = async (bytes: Buffer) => (await readRecords(bytes)).map(({ offset }) => offset);

describe("a message that makes no sense is corrupt", () => {
  const sound = message({ key: Buffer.from("k"), value: Buffer.from("v") });

  const changed = (at: number, int: number) => {
    const bytes = Buffer.from(sound);
    bytes.writeInt32BE(int, at);
    return withCrc(bytes);
  };

  test.each([
    ["a key size below -1", 26, -2],
    ["a key past the end", 26, 5],
    ["a key past the end of everything", 26, 2 ** 31 - 1],
    ["a key that leaves no room for the size of the value", 26, 3],
    ["a value size below -1", 31, -2],
    ["a value that ends early", 31, 0],
    ["a value past the end", 31, 2],
    ["a value past the end of everything", 31, 2 ** 31 - 1],
  ])("%s", (_, at, int) => {
    expect(() => batchesOf(changed(at, int)).next()).toThrow(CorruptRecordError);
  });

  test.each([5, 6, 7])("compression type %i", (id) => {
    expect(() => batchesOf(message({ attributes: id })).next()).toThrow(`unknown compression type ${id}`);
  });

  test("a bit that flips behind the checksum, and in it", () => {
    for (let bit = 12 * 8; bit < sound.length * 8; bit++) {
      // Another magic makes another format of it.
      if (bit >> 3 === 16) continue;
      const flipped = Buffer.from(sound);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => batchesOf(flipped).next()).toThrow(CorruptRecordError);
    }
  });

  test("a checksum, which may be fetched again", () => {
    const bytes = Buffer.from(sound);
    bytes.writeUInt32BE(1, 12);
    bytes.writeBigInt64BE(40n, 0);
    expect(() => batchesOf(bytes).next()).toThrow(
      expect.objectContaining({ retriable: true, baseOffset: 40n, nextOffset: 41n }),
    );
    expect([...batchesOf(bytes, { checkCrcs: false })]).toHaveLength(1);
  });

  test.each([-1n, 2n ** 63n - 1n])("offset %i, behind which no log goes on", (offset) => {
    expect(() => batchesOf(message({ offset })).next()).toThrow(CorruptRecordError);
    expect(() => batchesOf(message({ offset })).next()).toThrow(`offset ${offset}`);
  });

  test.each([0, 1] as const)("a size below that of the smallest message of format %i", (magic) => {
    const bytes = message({ magic });
    bytes.writeInt32BE(bytes.length - 13, 8);
    expect(() => batchesOf(bytes).next()).toThrow(`${bytes.length - 1} bytes, when ${bytes.length} are the least`);
  });
});

describe("a compressed set", () => {
  test("of format 1 counts its offsets from its first message on", async () => {
    const bytes = set({ offset: 17n }, message({ offset: 0n }), message({ offset: 3n }), message({ offset: 7n }));
    expect(await offsets(bytes)).toEqual([10n, 13n, 17n]);
    const [batch] = batchesOf(bytes);
    expect(batch).toMatchObject({ magic: 1, baseOffset: 17n, lastOffset: 17n, nextOffset: 18n, count: null });
  });

  test("of format 1 whose own offset was left at 0 has the offsets that its messages state", async () => {
    expect(await offsets(set({ offset: 0n }, message({ offset: 0n }), message({ offset: 1n })))).toEqual([0n, 1n]);
  });

  test("of format 0 states its offsets as they are", async () => {
    const messages = [message({ magic: 0, offset: 10n }), message({ magic: 0, offset: 12n })];
    expect(await offsets(set({ magic: 0, offset: 12n }, ...messages))).toEqual([10n, 12n]);
  });

  test("with the broker's time has it for all messages", async () => {
    const wrapper = { offset: 1n, attributes: 0b1001, timestamp: t0 + 9 };
    const records = await readRecords(set(wrapper, message({ offset: 0n }), message({ offset: 1n })));
    expect(records.map(({ timestamp }) => timestamp)).toEqual([t0 + 9, t0 + 9]);
  });

  test("in lz4 is read when its header checksum counts the magic in, as old clients had it", async () => {
    const messages = Buffer.concat([message({ ...value("a"), offset: 0n }), message({ ...value("b"), offset: 1n })]);
    const frame = lz4.compressSync?.(messages) ?? Buffer.alloc(0);
    frame.writeUInt8(0x1a, 6);
    const records = await readRecords(message({ offset: 1n, attributes: 3, value: frame }));
    expect(records.map((record) => String(record.value))).toEqual(["a", "b"]);
  });

  test("is decompressed in the background where its codec wants that", async () => {
    const bytes = set({ offset: 0n }, message({ offset: 0n, ...value("a") }));
    const [batch] = batchesOf(bytes, { codecs: codecsWith({ gzip: inBackground(gzip) }) });
    expect(batch?.isReadable).toBe(false);
    await batch?.decompress();
    expect([...(batch ?? [])].map((record) => String(record.value))).toEqual(["a"]);
  });

  const inner = message({ offset: 0n, ...value("a") });

  test.each([
    ["without messages", set({}), "compressed set without messages"],
    ["without a value", message({ attributes: 1 }), "gzip data cannot be decompressed"],
    ["of what is not compressed", message({ attributes: 1, value: Buffer.from("no") }), "cannot be decompressed"],
    ["of what is no lz4 frame", message({ attributes: 3, value: Buffer.from("no") }), "no lz4 frame starts here"],
    ["with a message that is cut off", set({}, inner.subarray(0, -1)), "message of 35 bytes, 34 left"],
    ["with some bytes left over", set({}, inner, Buffer.alloc(5)), "5 bytes behind the last message"],
    ["in a compressed set", set({}, set({}, inner)), "compressed set in a compressed set"],
    ["with a message of another format", set({ magic: 0 }, inner), "message of format 1 in a set of format 0"],
    ["whose offsets do not ascend", set({ offset: 1n }, inner, inner), "offset 0 after 0"],
    ["with an offset below 0", set({ offset: 1n }, message({ offset: -5n }), inner), "offsets -5 to 0 in a set"],
    ["behind which no log goes on", set({}, message({ offset: 2n ** 63n - 1n })), "offsets 9223372036854775807 to"],
    ["that ends before its messages", set({ offset: 1n }, message({ offset: 2n })), "offset 2 in a set that ends at 1"],
  ])("%s is corrupt", (_, bytes, reason) => {
    const read = () => [...batchesOf(bytes)].map((batch) => [...batch]);
    expect(read).toThrow(CorruptRecordError);
    expect(read).toThrow(reason);
  });

  test("with a message whose size or checksum is wrong is corrupt", () => {
    for (const [at, int] of [
      [8, -1],
      [8, 2 ** 31 - 1],
      [12, 1],
    ] as const) {
      const bytes = Buffer.from(inner);
      bytes.writeInt32BE(int, at);
      expect(() => [...batchesOf(set({}, bytes))].map((batch) => [...batch])).toThrow(CorruptRecordError);
    }
  });

  test("of half a million messages is not held in memory as that many objects", () => {
    const one = message({ offset: 0n });
    const messages = Buffer.alloc(500_000 * one.length, one);
    for (let index = 0; index < 500_000; index++) messages.writeBigInt64BE(BigInt(index), index * one.length);
    const [batch] = batchesOf(set({ offset: 499_999n }, messages), { checkCrcs: false });
    const before = process.memoryUsage().heapUsed;
    let count = 0;
    let highest = 0;
    for (const { offsetDelta } of batch ?? []) {
      if (offsetDelta !== count++) throw new Error(`offset delta ${offsetDelta} of message ${count - 1}`);
      if (count % 10_000 === 0) highest = Math.max(highest, process.memoryUsage().heapUsed);
    }
    expect(count).toBe(500_000);
    expect(highest - before).toBeLessThan(64 * 1024 * 1024);
  });

  test("that would become too large is refused", async () => {
    const bytes = set({}, message({ value: Buffer.alloc(100_000) }));
    const [batch] = batchesOf(bytes, { maxDecompressedBytes: 1000 });
    expect(() => [...(batch ?? [])]).toThrow("gzip data of more than 1000 bytes when decompressed");
    await expect(batch?.decompress()).rejects.toThrow(CorruptRecordError);
  });
});

test("no byte of a compressed set can be changed so that anything but a typed error comes of it", () => {
  const inner = [message({ ...value("a"), offset: 0n }), message({ ...value("b"), offset: 1n })];
  const bytes = message({ offset: 1n, attributes: 3, value: lz4.compressSync?.(Buffer.concat(inner)) ?? null });
  for (let at = 17; at < bytes.length; at++) {
    for (const byte of [0, 1, 0x7f, 0x80, 0xff]) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(byte, at);
      withCrc(changed);
      try {
        for (const batch of batchesOf(changed)) void [...batch];
      } catch (error) {
        expect(error).toBeInstanceOf(CorruptRecordError);
      }
    }
  }
});
