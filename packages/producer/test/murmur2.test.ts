import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { textOf } from "../../protocol/test/text-arbitrary.ts";
import { murmur2 } from "../src/murmur2.ts";

/** What Kafka's own `Utils.murmur2` gives. */
const vectors: readonly (readonly [string | Buffer, number])[] = [
  ["21", -973_932_308],
  ["foobar", -790_332_482],
  ["a-little-bit-long-string", -985_981_536],
  ["a-little-bit-longer-string", -1_486_304_829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971],
  ["abc", 479_470_107],
  ["", 275_646_681],
  ["a", -1_563_381_124],
  ["ab", 316_155_434],
  ["abcd", -1_323_649_548],
  ["kafka", -798_503_068],
  ["é中", -289_825_924],
  ["123e4567-e89b-12d3-a456-426614174000", 210_376_136],
  [Buffer.from("ff80", "hex"), -442_788_720],
  [Buffer.from("00000000", "hex"), 850_957_120],
  [Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), -1_948_347_274],
];

describe("murmur2", () => {
  test.each(vectors)("of %j is what Kafka's Java client gives", (key, hash) => {
    expect(murmur2(key)).toBe(hash);
  });

  test("of text is that of its UTF-8 bytes", () => {
    fc.assert(
      fc.property(textOf(40), (text) => {
        expect(murmur2(text)).toBe(murmur2(Buffer.from(text)));
      }),
    );
  });

  test("of text with half a character is that of the bytes that are sent for it", () => {
    expect(murmur2("key-\ud800")).toBe(murmur2(Buffer.from("key-\ud800")));
  });

  test("is an int32", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        expect(murmur2(bytes)).toBe(murmur2(bytes) | 0);
      }),
    );
  });
});
