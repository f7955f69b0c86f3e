import { describe, expect, test } from "vitest";
import { partitionOfKey, StickyPartitioner } from "../src/partitioner.ts";
import { topicOf } from "./cluster.ts";

/** Gives these numbers, one after the other and again from the start. */
function sequence(...numbers: readonly number[]): () => number {
  let index = 0;
  return () => numbers[index++ % numbers.length] ?? 0;
}

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

describe("records without a key", () => {
  const topic = topicOf("orders", [1, 2, 3]);

  test("stay with a partition until about a batch was produced to it", () => {
    const sticky = new StickyPartitioner(100, sequence(0.5, 0.9));
    expect(sticky.current(topic)).toBe(1);
    sticky.produced(99, true, topic);
    expect(sticky.current(topic)).toBe(1);
    sticky.produced(1, true, topic);
    expect(sticky.current(topic)).toBe(2);
  });

  test("leave no half batch behind: they stay until it is full, up to twice the bytes", () => {
    const sticky = new StickyPartitioner(100, sequence(0.5, 0.9));
    sticky.current(topic);
    sticky.produced(150, false, topic);
    expect(sticky.current(topic)).toBe(1);
    sticky.produced(49, false, topic);
    expect(sticky.current(topic)).toBe(1);
    sticky.produced(1, false, topic);
    expect(sticky.current(topic)).toBe(2);
  });

  test("start counting anew after a switch", () => {
    const sticky = new StickyPartitioner(100, sequence(0, 0.5, 0.9));
    sticky.current(topic);
    sticky.produced(200, false, topic);
    expect(sticky.current(topic)).toBe(1);
    sticky.produced(99, true, topic);
    expect(sticky.current(topic)).toBe(1);
  });

  test("go only to partitions that have a leader", () => {
    const someLeaderless = topicOf("orders", [null, 2, null]);
    for (const random of [0, 0.4, 0.99]) {
      expect(new StickyPartitioner(100, () => random).current(someLeaderless)).toBe(1);
    }
  });

  test("go to any partition where none has a leader", () => {
    expect(new StickyPartitioner(100, () => 0.99).current(topicOf("orders", [null, null]))).toBe(1);
  });

  test("leave a partition that the topic, created anew, does not have any more", () => {
    const sticky = new StickyPartitioner(100, sequence(0.9, 0));
    expect(sticky.current(topic)).toBe(2);
    expect(sticky.current(topicOf("orders", [1]))).toBe(0);
  });
});
