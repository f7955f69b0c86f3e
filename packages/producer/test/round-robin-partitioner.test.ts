import { describe, expect, test } from "vitest";
import { RoundRobinPartitioner } from "../src/round-robin-partitioner.ts";
import { topicOf } from "./cluster.ts";

const recordFor = (topic: string, key: string | null = null) => ({
  topic,
  key,
  value: null,
  keyBytes: key,
  valueBytes: null,
});

describe("going round", () => {
  /** Where as many records go. */
  const places = (partitioner: RoundRobinPartitioner, topic: ReturnType<typeof topicOf>, count: number) =>
    Array.from({ length: count }, (_, index) => partitioner.partition(recordFor(topic.name, `${index % 2}`), topic));

  test("goes from one partition to the next, whatever the key", () => {
    expect(places(new RoundRobinPartitioner(), topicOf("orders", [1, 2, 1]), 7)).toEqual([0, 1, 2, 0, 1, 2, 0]);
  });

  test("goes round each topic by itself", () => {
    const partitioner = new RoundRobinPartitioner();
    const orders = topicOf("orders", [1, 1]);
    const bills = topicOf("bills", [1, 1]);
    expect(places(partitioner, orders, 1)).toEqual([0]);
    expect(places(partitioner, bills, 1)).toEqual([0]);
    expect(places(partitioner, orders, 1)).toEqual([1]);
  });

  test("leaves out partitions without a leader, for as long as they have none", () => {
    const partitioner = new RoundRobinPartitioner();
    expect(places(partitioner, topicOf("orders", [1, null, 1]), 4)).toEqual([0, 2, 0, 2]);
    expect(places(partitioner, topicOf("orders", [1, 1, 1]), 3).sort()).toEqual([0, 1, 2]);
  });

  test("goes to all where none has a leader", () => {
    expect(places(new RoundRobinPartitioner(), topicOf("orders", [null, null]), 3)).toEqual([0, 1, 0]);
  });
});
