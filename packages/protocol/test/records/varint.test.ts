import fc from "fast-check";
import Long from "long";
import { describe, expect, test } from "vitest";
import { DecodeError } from "../../src/errors.ts";
import { sizeOfVarint, sizeOfVarlong, VarintReader, writeVarint, writeVarlong } from "../../src/records/varint.ts";

const int32 = fc.oneof(
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  fc.constantFrom(0, -1, 1, 63, 64, -64, -65, 8191, 8192, -8193, 2 ** 27, -(2 ** 27) - 1, 2 ** 31 - 1, -(2 ** 31)),
);
const safeInteger = fc.oneof(int32, fc.maxSafeInteger());

/** What an int64 looks like as a varlong, computed without any of the code under test. */
function varlongBytes(value: bigint): Buffer {
  let bits = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const bytes: number[] = [];
  for (; bits > 0x7fn; bits >>= 7n) bytes.push(Number(bits & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(bits)]);
}

const reader = (hex: string) => new VarintReader(Buffer.from(hex, "hex"));

describe("varint", () => {
  test.each([
    [0, "00"],
    [-1, "01"],
    [1, "02"],
    [63, "7e"],
    [-64, "7f"],
    [64, "8001"],
    [8191, "fe7f"],
    [-8193, "818001"],
    [2 ** 31 - 1, "feffffff0f"],
    [-(2 ** 31), "ffffffff0f"],
  ])("%i is %s", (value, hex) => {
    const buffer = Buffer.alloc(6);
    const end = writeVarint(buffer, 1, value);
    expect(buffer.toString("hex", 1, end)).toBe(hex);
    expect(sizeOfVarint(value)).toBe(hex.length / 2);
    expect(reader(hex).varint()).toBe(value);
  });

  test("is what Kafka's algorithm gives for every int32, and comes back", () => {
    fc.assert(
      fc.property(int32, (value) => {
        const expected = varlongBytes(BigInt(value));
        const buffer = Buffer.alloc(5);
        const end = writeVarint(buffer, 0, value);
        expect(buffer.subarray(0, end)).toEqual(expected);
        expect(sizeOfVarint(value)).toBe(expected.length);
        const varints = new VarintReader(buffer);
        expect(varints.varint()).toBe(value);
        expect(varints.offset).toBe(end);
      }),
    );
  });

  test("may be padded with zero bits up to five bytes", () => {
    const varints = reader("8280808000");
    expect(varints.varint()).toBe(1);
    expect(varints.offset).toBe(5);
  });

  test("of more than five bytes is a DecodeError at its first byte", () => {
    const varints = reader("0082808080800000");
    varints.varint();
    expect(() => varints.varint()).toThrow(new DecodeError("varint of more than 5 bytes", 1));
  });

  test.each(["", "80", "ffffffff"])("that ends early (%s) is a DecodeError", (hex) => {
    expect(() => reader(hex).varint()).toThrow(DecodeError);
  });
});

describe("varlong", () => {
  test("is what Kafka's algorithm gives for every safe integer, and comes back", () => {
    fc.assert(
      fc.property(safeInteger, (value) => {
        const expected = varlongBytes(BigInt(value));
        const buffer = Buffer.alloc(10);
        const end = writeVarlong(buffer, 0, value);
        expect(buffer.subarray(0, end)).toEqual(expected);
        expect(sizeOfVarlong(value)).toBe(expected.length);
        const varlongs = new VarintReader(buffer);
        expect(varlongs.varlong()).toBe(value);
        expect(varlongs.offset).toBe(end);
      }),
      { numRuns: 1000 },
    );
  });

  test("of any int64 is read as the nearest number", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const varlongs = new VarintReader(varlongBytes(value));
        expect(varlongs.varlong()).toBe(Number(value));
      }),
      { examples: [[2n ** 63n - 1n], [-(2n ** 63n)], [2n ** 53n + 1n], [-(2n ** 53n) - 1n], [2n ** 62n]] },
    );
  });

  test("of a number beyond the safe integers is that of the same int64", () => {
    for (const value of [2 ** 53, 2 ** 60, -(2 ** 62), 2 ** 53 + 2, -(2 ** 63)]) {
      const buffer = Buffer.alloc(10);
      const end = writeVarlong(buffer, 0, value);
      expect(buffer.subarray(0, end)).toEqual(varlongBytes(BigInt(Long.fromNumber(value).toString())));
      expect(sizeOfVarlong(value)).toBe(end);
    }
  });

  test("of more than ten bytes is a DecodeError at its first byte", () => {
    const varlongs = reader("00ffffffffffffffffffff01");
    varlongs.varint();
    expect(() => varlongs.varlong()).toThrow(new DecodeError("varlong of more than 10 bytes", 1));
  });

  test.each(["", "80", "ffffffffffffffffff"])("that ends early (%s) is a DecodeError", (hex) => {
    expect(() => reader(hex).varlong()).toThrow(DecodeError);
  });
});
