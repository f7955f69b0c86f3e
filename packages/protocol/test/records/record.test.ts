import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  recordSizeInBytes,
  sizeInBytesUpperBound,
  sizeOfData,
  sizeOfHeaders,
  writeData,
  writeHeaders,
} from "../../src/records/record.ts";
import { textOf } from "../text-arbitrary.ts";

test("a key of 2 bytes and a value of 5 take a batch of 92 bytes at most", () => {
  expect(sizeInBytesUpperBound("k1", Buffer.from("hello"), [])).toBe(92);
});

test("the bound counts null as one byte, and headers with their sizes", () => {
  expect(sizeInBytesUpperBound(null, null, [])).toBe(61 + 21 + 3);
  const headers = [
    { key: "é", value: null },
    { key: "x".repeat(64), value: Buffer.alloc(1) },
  ];
  expect(sizeInBytesUpperBound(null, null, headers)).toBe(61 + 21 + 2 + 1 + (1 + 2 + 1) + (2 + 64 + 1 + 1));
});

test("a record's size counts its own length", () => {
  // Body: attributes, timestamp, offset, key of 2 and value of 5 with their sizes, count of headers.
  expect(recordSizeInBytes(0, 0, "k1", "hello", [])).toBe(1 + 3 + 3 + 6 + 1);
  // A body of 64 bytes needs two for its length.
  expect(recordSizeInBytes(0, 0, null, "x".repeat(58), [])).toBe(2 + 64);
  expect(recordSizeInBytes(64, 2 ** 40, null, null, [])).toBe(1 + 1 + 6 + 2 + 1 + 1 + 1);
});

test("text has the size of its UTF-8, null has -1", () => {
  expect([null, "", "é中😀", "\ud800", Buffer.alloc(9)].map((data) => sizeOfData(data))).toEqual([-1, 0, 9, 3, 9]);
});

describe("text that is taken for ASCII", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme", maxLength: 40 }),
    textOf(40),
    fc.string({ unit: "grapheme-ascii", maxLength: 40 }),
  );

  test("is written and found to be so, or found not to be so, however much room is behind it", () => {
    fc.assert(
      fc.property(text, fc.nat(8), (value, slack) => {
        const bytes = Buffer.from(value);
        const buffer = Buffer.alloc(3 + value.length + slack);
        const isAscii = bytes.length === value.length;
        expect(writeData(buffer, 3, value, value.length)).toBe(isAscii);
        if (isAscii) expect(buffer.subarray(3, 3 + value.length)).toEqual(bytes);
      }),
      {
        examples: [
          ["éééé", 0],
          ["éééééééééééééééééééé", 0],
          ["aaaaaaaaaaaaaaaaaaaaaaaaé", 1],
          ["a".repeat(17), 0],
        ],
      },
    );
  });

  test("is written as UTF-8 when its size is right", () => {
    fc.assert(
      fc.property(text, (value) => {
        const bytes = Buffer.from(value);
        const buffer = Buffer.alloc(bytes.length);
        expect(writeData(buffer, 0, value, bytes.length)).toBe(true);
        expect(buffer).toEqual(bytes);
      }),
    );
  });

  test("in headers is found too", () => {
    const buffer = Buffer.alloc(100);
    expect(writeHeaders(buffer, 0, [{ key: "a", value: "é" }], true)).toBe(-1);
    expect(writeHeaders(buffer, 0, [{ key: "é", value: "a" }], true)).toBe(-1);
    const headers = [{ key: "é", value: "中" }];
    expect(writeHeaders(buffer, 0, headers, false)).toBe(sizeOfHeaders(headers));
    expect(buffer.toString("hex", 0, 8)).toBe("0204c3a906e4b8ad");
  });
});
