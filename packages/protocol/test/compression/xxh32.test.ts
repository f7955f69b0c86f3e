import { expect, test } from "vitest";
import { xxh32OfShort } from "../../src/compression/xxh32.ts";

test.each([
  ["", 0x02cc5d05],
  ["a", 0x550d7456],
  ["abc", 0x32d153ff],
])("the hash of %j is the published one", (text, hash) => {
  expect(xxh32OfShort(Buffer.from(`--${text}--`), 2, 2 + text.length)).toBe(hash);
});

test("its second byte is the header checksum of an LZ4 frame as Kafka writes it", () => {
  expect((xxh32OfShort(Buffer.from([0x60, 0x40]), 0, 2) >>> 8) & 0xff).toBe(0x82);
});
