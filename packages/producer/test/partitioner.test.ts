import { describe, expect, test } from "vitest";
import { partitionOfKey } from "../src/partitioner.ts";

describe("a key", () => {
  test("goes where Kafka's Java client puts it", () => {
    expect(partitionOfKey("123e4567-e89b-12d3-a456-426614174000", 12)).toBe(8);
    // The hash of these is negative: its sign bit is dropped, not the number negated.
    expect(partitionOfKey("foobar", 6)).toBe((-790_332_482 & 0x7fff_ffff) % 6);
    expect(partitionOfKey("kafka", 100)).toBe((-798_503_068 & 0x7fff_ffff) % 100);
  });

  test("goes to the same partition as text and as bytes", () => {
    for (const key of ["42", "é中", "order-4711"]) {
      expect(partitionOfKey(Buffer.from(key), 7)).toBe(partitionOfKey(key, 7));
    }
  });
});
