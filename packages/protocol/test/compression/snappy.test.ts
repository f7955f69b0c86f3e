import { describe, expect, test } from "vitest";
import { snappy } from "../../src/compression/snappy.ts";
import { DecodeError } from "../../src/errors.ts";

const compress = (text: string | Buffer) => snappy.compressSync?.(Buffer.from(text)) ?? Buffer.alloc(0);
const decompress = (bytes: Buffer, max = 1 << 20) => String(snappy.decompressSync?.(bytes, max));
const bytes = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");

const header = "82534e4150505900 00000001 00000001";
/** "hello" as a raw block. */
const hello = "05 10 68656c6c6f";

test("the stream is that of snappy-java: its header, then blocks of 32 KiB behind their lengths", () => {
  const stream = compress(Buffer.alloc(70_000, "abc"));
  expect(stream.toString("hex", 0, 16)).toBe(header.replaceAll(" ", ""));
  const starts: string[] = [];
  for (let at = 16; at < stream.length; at += 4 + stream.readInt32BE(at))
    starts.push(stream.toString("hex", at + 4, at + 7));
  // Each block says first what it becomes: 32768 twice, then the 4464 bytes that are left.
  expect(starts[0]).toBe("808002");
  expect(starts[1]).toBe("808002");
  expect(starts[2]?.slice(0, 4)).toBe("f022");
  expect(starts).toHaveLength(3);
});

test("what has no header is one raw block", () => {
  expect(decompress(bytes(hello))).toBe("hello");
});

test("streams may stand one behind the other, each with its header", () => {
  expect(decompress(Buffer.concat([compress("one "), compress("two "), compress("three")]))).toBe("one two three");
});

test("blocks without content add nothing", () => {
  expect(decompress(bytes(`${header} 00000001 00 00000007 ${hello} 00000001 00`))).toBe("hello");
});

describe("a stream that makes no sense is a DecodeError", () => {
  test.each([
    ["a block length of 0", `${header} 00000000`, "snappy block of 0 bytes"],
    ["a negative block length", `${header} ffffffff 00`, "snappy block of -1 bytes, 1 left"],
    ["a block length past the end", `${header} 00000008 ${hello}`, "snappy block of 8 bytes, 7 left"],
    ["a huge block length", `${header} 7fffffff ${hello}`, "snappy block of 2147483647 bytes"],
    ["half a block length", `${header} 00000007 ${hello} 0000`, "ends within the length of a block"],
    ["a block that says it becomes more than it can", "ffffffff0f 00 41", "states 4294967295 when decompressed"],
    ["a block that says it becomes somewhat too much", "a001 00 41", "states 160 when decompressed"],
    ["a block whose size does not end", "ffffffffff00 00 41", "without a valid size"],
    ["a block that is all size", "ff", "without a valid size"],
    ["a block that becomes less than it says", "06 10 68656c6c6f", "cannot be decompressed"],
    ["a copy from before the start", "0a 00 41 16 05 00", "cannot be decompressed"],
    ["a copy from nowhere", "0a 00 41 16 00 00", "cannot be decompressed"],
  ])("%s", (_, hex, reason) => {
    expect(() => decompress(bytes(hex))).toThrow(DecodeError);
    expect(() => decompress(bytes(hex))).toThrow(reason);
  });
});

test("blocks that are small each and large together are refused before any is decompressed", () => {
  const stream = bytes(header + ` 00000007 ${hello}`.repeat(1000));
  expect(decompress(stream, 5000)).toHaveLength(5000);
  expect(() => decompress(stream, 4999)).toThrow("snappy data of more than 4999 bytes when decompressed");
});

test("blocks are no more than 65536, because each takes its time however small it is", () => {
  const streamOf = (blocks: number) => Buffer.concat([bytes(header), Buffer.alloc(blocks * 5, bytes("00000001 00"))]);
  expect(decompress(streamOf(65_536))).toBe("");
  expect(() => decompress(streamOf(65_537))).toThrow(DecodeError);
  expect(() => decompress(streamOf(65_537))).toThrow("more than 65536 snappy blocks in a row");
});
