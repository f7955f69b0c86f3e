import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DecodeError } from "../src/errors.ts";
import { Reader } from "../src/reader.ts";
import { uvarint } from "./schema/layout.ts";

const reader = (hex: string): Reader => new Reader(Buffer.from(hex, "hex"));

/** The error that reading throws. */
function refusal(read: () => unknown): DecodeError {
  try {
    read();
  } catch (error) {
    if (error instanceof DecodeError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

const reads: readonly { what: string; bytes: number; read: (reader: Reader) => unknown }[] = [
  { what: "bool", bytes: 1, read: (r) => r.bool() },
  { what: "int8", bytes: 1, read: (r) => r.int8() },
  { what: "int16", bytes: 2, read: (r) => r.int16() },
  { what: "uint16", bytes: 2, read: (r) => r.uint16() },
  { what: "int32", bytes: 4, read: (r) => r.int32() },
  { what: "int64", bytes: 8, read: (r) => r.int64() },
  { what: "float64", bytes: 8, read: (r) => r.float64() },
  { what: "uuid", bytes: 16, read: (r) => r.uuid() },
  { what: "text of 5 bytes", bytes: 5, read: (r) => r.text(5) },
  { what: "slice of 5 bytes", bytes: 5, read: (r) => r.slice(5) },
];

describe("a reader", () => {
  test.each(reads)("takes $bytes bytes for a $what and none behind its end", ({ bytes, read }) => {
    const memory = Buffer.alloc(64, 1);
    const whole = new Reader(memory, 8, 8 + bytes);
    read(whole);
    expect(whole.offset).toBe(8 + bytes);
    expect(whole.remaining).toBe(0);
    for (let left = 0; left < bytes; left++) {
      const short = new Reader(memory, 8, 8 + left);
      const error = refusal(() => read(short));
      expect(error.offset).toBe(8);
      expect(error.reason).toBe(`${bytes} bytes needed, ${left} left`);
      expect(short.offset).toBe(8);
    }
  });

  test("reads the ends of every range", () => {
    expect(reader("80").int8()).toBe(-0x80);
    expect(reader("8000").int16()).toBe(-0x8000);
    expect(reader("ffff").uint16()).toBe(0xffff);
    expect(reader("80000000").int32()).toBe(-0x8000_0000);
    expect(reader("8000000000000000").int64()).toBe(-(2n ** 63n));
    expect(reader("7fffffffffffffff").int64()).toBe(2n ** 63n - 1n);
    expect(reader("bff8000000000000").float64()).toBe(-1.5);
    expect(reader("00000000000000010000000000000002").uuid()).toBe("AAAAAAAAAAEAAAAAAAAAAg");
    expect([reader("00").bool(), reader("01").bool(), reader("ff").bool()]).toEqual([false, true, true]);
  });

  test("gives slices of its own memory", () => {
    const memory = Buffer.alloc(16);
    const slice = new Reader(memory, 4).slice(8);
    memory.fill(7);
    expect(slice).toEqual(Buffer.alloc(8, 7));
  });

  test("reads text that is not valid UTF-8 with replacement characters, as Java does", () => {
    expect(reader("61ff62").text(3)).toBe("a\ufffdb");
  });
});

describe("a varint", () => {
  test("is read up to 32 bits", () => {
    const property = fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (value) => {
      const bytes = uvarint(value);
      const whole = new Reader(bytes);
      expect(whole.uvarint()).toBe(value);
      expect(whole.remaining).toBe(0);
      expect(refusal(() => new Reader(bytes.subarray(0, -1)).uvarint()).reason).toContain("0 left");
    });
    fc.assert(property, { numRuns: 500 });
  });

  test("may have zeros that it does not need", () => {
    expect(reader("8000").uvarint()).toBe(0);
    expect(reader("8180808000").uvarint()).toBe(1);
  });

  test.each(["ffffffff10", "ffffffff8f00", "808080808001", "ffffffffffffffffffff01"])(
    "of more than 32 bits or five bytes is refused: %s",
    (hex) => {
      const error = refusal(() => reader(hex).uvarint());
      expect(error.reason).toBe("varint longer than 32 bits");
      expect(error.offset).toBe(0);
    },
  );
});

describe("a length and a count", () => {
  test("may be null or zero, and nothing else below", () => {
    const any = reader("");
    expect([any.nullableLength(-1, 0), any.nullableLength(0, 0), any.nullableLength(9, 0)]).toEqual([-1, 0, 9]);
    expect(refusal(() => any.nullableLength(-2, 3)).message).toBe(
      "cannot decode bytes at offset 3: length -2 is negative",
    );
    expect(refusal(() => any.count(-1, 1, 5)).message).toBe("cannot decode bytes at offset 5: count -1 is negative");
  });

  test("of items is held against the bytes that are left", () => {
    const ten = new Reader(Buffer.alloc(100), 0, 10);
    expect(ten.count(5, 2, 0)).toBe(5);
    expect(ten.count(0, 2, 0)).toBe(0);
    expect(refusal(() => ten.count(6, 2, 0)).reason).toBe("6 items announced, 10 bytes left");
    expect(refusal(() => ten.count(0x7fff_ffff, 16, 0)).reason).toContain("10 bytes left");
  });
});

describe("a tag section", () => {
  /** Tags 0, 1 and 300, of 0, 2 and 1 bytes. */
  const section = "03" + "0000" + "0102aabb" + "ac0201cc";

  test("is stepped over", () => {
    const some = reader(`${section}77`);
    some.tags();
    expect(some.int8()).toBe(0x77);
    expect(some.remaining).toBe(0);
  });

  test("is shown tag by tag, and ends where its sizes say, whatever was read of them", () => {
    const seen: [number, number, string][] = [];
    const some = reader(`${section}77`);
    some.tags((tag, size) => seen.push([tag, size, size > 1 ? String(some.int8()) : ""]));
    expect(seen).toEqual([
      [0, 0, ""],
      [1, 2, "-86"],
      [300, 1, ""],
    ]);
    expect(some.int8()).toBe(0x77);
  });

  test.each([
    ["a tag twice", "0201000100", 3, "tag 1 after tag 1"],
    ["tags that descend", "0202000100", 3, "tag 1 after tag 2"],
    ["more tags than bytes", "05010002", 0, "5 items announced, 3 bytes left"],
    ["a tag larger than the frame", "010104ffffff", 3, "4 bytes needed, 3 left"],
    ["no count", "", 0, "1 bytes needed, 0 left"],
  ])("with %s is refused", (_, hex, offset, reason) => {
    const error = refusal(() => reader(hex).tags());
    expect({ offset: error.offset, reason: error.reason }).toEqual({ offset, reason });
  });
});
