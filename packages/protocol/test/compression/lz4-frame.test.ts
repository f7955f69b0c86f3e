import { compressFrameSync } from "lz4-napi";
import { describe, expect, test } from "vitest";
import { lz4 } from "../../src/compression/lz4.ts";
import { lz4FrameBytes, withLz4HeaderChecksum } from "../../src/compression/lz4-frame.ts";
import { DecodeError } from "../../src/errors.ts";

const bytes = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");
const decompress = (input: Buffer, max = 1 << 20) => String(lz4.decompressSync?.(input, max));

/** A frame with the checksum that its header should have. */
const frame = (header: string, body: string) => withLz4HeaderChecksum(bytes(`04224d18 ${header} 00 ${body}`));

/** "hello" as it is. */
const stored = "05000080 68656c6c6f";
/** "A", a match of 15 more of it, and five literals, which a block has to end with. */
const run = "0a000000 1b 41 0100 50 4242424242";
/** A match with what the block before it ended with: "hello" again, and five literals. */
const dependent = "09000000 01 0500 50 4343434343";

describe("every form of the format is read", () => {
  test.each([
    ["stored blocks", "60 40", `${stored} ${stored} 00000000`, "hellohello"],
    ["compressed blocks", "60 40", `${run} ${stored} 00000000`, `${"A".repeat(16)}BBBBBhello`],
    ["dependent blocks", "40 40", `${stored} ${dependent} 00000000`, "hellohelloCCCCC"],
    ["blocks of 4 MiB", "60 70", `${stored} 00000000`, "hello"],
    ["a content size", "68 40 0500000000000000", `${stored} 00000000`, "hello"],
  ])("%s", (_, header, body, text) => {
    const input = frame(header, body);
    expect(decompress(input, text.length)).toBe(text);
    expect(() => decompress(input, text.length - 1)).toThrow(DecodeError);
  });

  test.each([{ contentChecksum: true }, { blockChecksums: true }, { contentChecksum: true, blockChecksums: true }])(
    "checksums: %j",
    (options) => {
      const text = "the quick brown fox jumps over the lazy dog. ".repeat(3000);
      const input = compressFrameSync(Buffer.from(text), options);
      expect(decompress(input)).toBe(text);
      input.writeUInt8(input.readUInt8(50) ^ 1, 50);
      expect(() => decompress(input)).toThrow(DecodeError);
    },
  );
});

describe("a frame that makes no sense is a DecodeError", () => {
  test.each([
    ["another magic", bytes("04224d19 60 40 82 00000000"), "no lz4 frame starts here"],
    ["less than a header", bytes("04224d18 60 40"), "no lz4 frame starts here"],
    ["less than a header with a content size", bytes("04224d18 68 40 0500000000"), "ends within its header"],
    ["another version", bytes("04224d18 a0 40 82 00000000"), "unknown version"],
    ["a dictionary", bytes("04224d18 61 40 00000000 82 00000000"), "needs a dictionary"],
    ["an unknown block size", bytes("04224d18 60 30 82 00000000"), "unknown block size 3"],
    ["a wrong header checksum", bytes(`04224d18 60 40 83 ${stored} 00000000`), "HeaderChecksum"],
    ["no end mark", frame("60 40", stored), "without an end mark"],
    ["half an end mark", frame("60 40", `${stored} 0000`), "without an end mark"],
    ["bytes behind it", frame("60 40", `${stored} 00000000 00`), "1 bytes behind an lz4 frame"],
    ["a second frame behind it", frame("60 40", `${stored} 00000000 04224d18604082 00000000`), "11 bytes behind"],
    ["a block past the end", frame("60 40", "06000080 68656c6c6f"), "lz4 block of 6 bytes, 5 left"],
    ["a block above the size of the frame's blocks", frame("60 40", `01000180 ${"00".repeat(65_537)}`), "65537 bytes"],
    ["a match from before the start", frame("60 40", "0a000000 1b 41 0200 50 4242424242 00000000"), "be decompressed"],
    ["a match from nowhere", frame("60 40", "0a000000 1b 41 0000 50 4242424242 00000000"), "be decompressed"],
    [
      "a match of another block in independent ones",
      frame("60 40", `${stored} ${dependent} 00000000`),
      "be decompressed",
    ],
    ["literals past the end of the block", frame("60 40", "02000000 f0 41 00000000"), "be decompressed"],
    ["another content size", frame("68 40 0600000000000000", `${stored} 00000000`), "be decompressed"],
  ])("%s", (_, input, reason) => {
    expect(() => decompress(input)).toThrow(DecodeError);
    expect(() => decompress(input)).toThrow(reason);
  });
});

describe("the size of a frame", () => {
  const text = Buffer.from("0123456789".repeat(20_000));
  const input = lz4.compressSync?.(text) ?? Buffer.alloc(0);

  test("is a bound where that is within the limit", () => {
    expect(lz4FrameBytes(input, 10 ** 9)).toBeGreaterThanOrEqual(text.length);
    expect(lz4FrameBytes(input, 10 ** 9)).toBeLessThan(2 * text.length);
  });

  test("is exact where the bound is not within the limit", () => {
    expect(lz4FrameBytes(input, text.length)).toBe(text.length);
    expect(decompress(input, text.length)).toHaveLength(text.length);
  });

  test("is told as too large as soon as it is", () => {
    expect(lz4FrameBytes(input, 1000)).toBeGreaterThan(1000);
    expect(() => decompress(input, 1000)).toThrow("lz4 data of more than 1000 bytes when decompressed");
  });
});

test("a header checksum that is right is left alone, and another is put right in a copy", () => {
  const right = frame("60 40", "00000000");
  expect(right.toString("hex")).toBe("04224d1860408200000000");
  expect(withLz4HeaderChecksum(right)).toBe(right);
  const wrong = bytes("04224d18 60 40 1a 00000000");
  expect(withLz4HeaderChecksum(wrong)).toEqual(right);
  expect(wrong.readUInt8(6)).toBe(0x1a);
});
