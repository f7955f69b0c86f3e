import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EncodeError } from "../src/errors.ts";
import { Writer } from "../src/writer.ts";
import { uvarint } from "./schema/layout.ts";
import { textOf } from "./text-arbitrary.ts";

/** One call of a writer, and the bytes that it has to add. */
interface Step {
  readonly run: (writer: Writer) => void;
  readonly bytes: Buffer;
}

/** Any length is as likely as any other; by itself fast-check would keep to a few bytes. */
const bytesOf = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc
    .tuple(fc.integer({ min: 0, max: maxLength }), fc.integer({ min: 0, max: 255 }))
    .map(([length, fill]) => Buffer.alloc(length, fill));

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.integer({ min: -0x80, max: 0x7f }).map((value): Step => {
    return { run: (writer) => writer.int8(value), bytes: Buffer.from([value]) };
  }),
  fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }).map((value): Step => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return { run: (writer) => writer.int32(value), bytes };
  }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value): Step => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(value);
    return { run: (writer) => writer.int64(value), bytes };
  }),
  fc.integer({ min: 0, max: 0xffff_ffff }).map((value): Step => {
    return { run: (writer) => writer.uvarint(value), bytes: uvarint(value) };
  }),
  textOf(40).map((value): Step => {
    const bytes = Buffer.from(value);
    return { run: (writer) => writer.text(value, bytes.length), bytes };
  }),
  bytesOf(300).map((bytes): Step => ({ run: (writer) => writer.copy(bytes), bytes })),
  bytesOf(1_500).map((bytes): Step => ({ run: (writer) => writer.reference(bytes), bytes })),
  bytesOf(1_500).map((bytes): Step => {
    const run = (writer: Writer): void =>
      writer.sized((inner) => {
        inner.copy(bytes.subarray(0, 7));
        inner.reference(bytes.subarray(7));
      });
    return { run, bytes: Buffer.concat([uvarint(bytes.length), bytes]) };
  }),
);

describe("a writer", () => {
  test("gives what was written in order, however it grew and whatever it refers to", () => {
    const property = fc.property(
      fc.array(step, { maxLength: 30, size: "max" }),
      fc.integer({ min: 1, max: 64 }),
      (steps, initial) => {
        const writer = new Writer(initial);
        const expected: Buffer[] = [];
        for (const { run, bytes } of steps) {
          run(writer);
          expected.push(bytes);
          expect(writer.length).toBe(Buffer.concat(expected).length);
        }
        expect(Buffer.concat(writer.finish()).toString("hex")).toBe(Buffer.concat(expected).toString("hex"));
      },
    );
    fc.assert(property, { numRuns: 300 });
  });

  test("writes the ends of every range", () => {
    const writer = new Writer();
    for (const value of [-0x80, 0x7f]) writer.int8(value);
    for (const value of [-0x8000, 0x7fff]) writer.int16(value);
    for (const value of [0, 0xffff]) writer.uint16(value);
    for (const value of [true, false]) writer.bool(value);
    writer.float64(-1.5);
    writer.uuid("AAAAAAAAAAEAAAAAAAAAAg");
    expect(Buffer.concat(writer.finish()).toString("hex")).toBe(
      "807f" + "80007fff" + "0000ffff" + "0100" + "bff8000000000000" + "0000000000000001" + "0000000000000002",
    );
  });

  test.each([
    [0, "00"],
    [127, "7f"],
    [128, "8001"],
    [300, "ac02"],
    [0x7fff_ffff, "ffffffff07"],
    [0xffff_ffff, "ffffffff0f"],
  ])("writes %i as the varint %s", (value, bytes) => {
    const writer = new Writer();
    writer.uvarint(value);
    expect(Buffer.concat(writer.finish()).toString("hex")).toBe(bytes);
  });

  test("refuses what does not fit", () => {
    const writer = new Writer();
    expect(() => writer.int8(128)).toThrow(RangeError);
    expect(() => writer.int16(-0x8001)).toThrow(RangeError);
    expect(() => writer.uint16(-1)).toThrow(RangeError);
    expect(() => writer.int32(2 ** 31)).toThrow(RangeError);
    expect(() => writer.int64(2n ** 63n)).toThrow(RangeError);
    expect(() => writer.uvarint(-1)).toThrow(RangeError);
    expect(() => writer.uuid("not a uuid")).toThrow(EncodeError);
  });
});

describe("what a writer refers to", () => {
  const large = Buffer.alloc(64 * 1024, 7);

  test("is not copied: it stands between the chunks around it", () => {
    const writer = new Writer();
    writer.int8(1);
    writer.reference(large);
    writer.int8(2);
    writer.reference(large);
    const chunks = writer.finish();
    expect(chunks.map((chunk) => chunk.length)).toEqual([1, large.length, 1, large.length]);
    expect(chunks[1]).toBe(large);
    expect(chunks[3]).toBe(large);
  });

  test("is not copied inside something with a size of its own either", () => {
    const writer = new Writer();
    writer.sized((inner) => inner.reference(large));
    expect(writer.finish()).toContain(large);
  });

  test("is copied where it is small, so that there are few chunks", () => {
    const small = Buffer.of(1, 2, 3);
    const writer = new Writer();
    writer.int8(9);
    writer.reference(small);
    small.fill(0);
    expect(writer.finish().map((chunk) => [...chunk])).toEqual([[9, 1, 2, 3]]);
  });
});
