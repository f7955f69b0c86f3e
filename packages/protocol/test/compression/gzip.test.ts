import { describe, expect, test } from "vitest";
import { gzip } from "../../src/compression/gzip.ts";
import { DecodeError } from "../../src/errors.ts";

const mebibyte = 1_048_576;
const limit = 64 * mebibyte;

const compressed = (size: number): Buffer =>
  gzip.compressSync?.(Buffer.alloc(size, "the quick brown fox ")) ?? Buffer.alloc(0);
const decompressed = (bytes: Buffer): Buffer => gzip.decompressSync?.(bytes, limit) ?? Buffer.alloc(0);

/** The same member, which says that it becomes something else. */
function stating(member: Buffer, size: number): Buffer {
  const copy = Buffer.from(member);
  copy.writeUInt32LE(size, copy.length - 4);
  return copy;
}

describe("the size that a member states", () => {
  test.each([100_000, 5 * mebibyte])("is what its %i bytes take, without a copy", (size) => {
    const output = decompressed(compressed(size));
    expect(output).toHaveLength(size);
    // One more, since a chunk that is full asks for another.
    expect(output.buffer.byteLength).toBeLessThanOrEqual(size + 8);
  });

  test.each([0, 1, 999_999, 1_000_001, 0xffff_ffff])("is a lie when it is %i, and refused", (stated) => {
    const lying = stating(compressed(1_000_000), stated);
    const before = process.memoryUsage().rss;
    expect(() => decompressed(lying)).toThrow(DecodeError);
    expect(() => decompressed(lying)).toThrow("gzip data cannot be decompressed");
    expect(process.memoryUsage().rss - before).toBeLessThan(32 * mebibyte);
  });

  test("is that of the last member where there are more, which are all read", () => {
    const members = [compressed(300_000), compressed(0), compressed(200_000), compressed(7)];
    expect(decompressed(Buffer.concat(members))).toHaveLength(500_007);
  });
});
