import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { sequenceAfter, sequenceBefore } from "../src/sequence.ts";

const last = 0x7fff_ffff;

describe("a sequence number", () => {
  test.each([
    [0, 1, 1],
    [last - 1, 1, last],
    [last, 1, 0],
    [last - 2, 5, 2],
    [0, 0, 0],
  ])("%i with %i records more is %i", (sequence, count, expected) => {
    expect(sequenceAfter(sequence, count)).toBe(expected);
    expect(sequenceBefore(expected, count)).toBe(sequence);
  });

  test("goes there and back, and stays one that fits", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: last }), fc.integer({ min: 0, max: 1_000_000 }), (sequence, count) => {
        const after = sequenceAfter(sequence, count);
        expect(after).toBe((sequence + count) % (last + 1));
        expect(sequenceBefore(after, count)).toBe(sequence);
      }),
    );
  });
});
