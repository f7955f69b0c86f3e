import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BuiltInPartitioner, cumulativeWeights, type PartitionLoads } from "../src/built-in-partitioner.ts";
import { topicOf } from "./cluster.ts";

/** Gives these numbers, one after the other and again from the start. */
function sequence(...numbers: readonly number[]): () => number {
  let index = 0;
  return () => numbers[index++ % numbers.length] ?? 0;
}

describe("records without a key", () => {
  const topic = topicOf("orders", [1, 2, 3]);

  test("stay with a partition until about a batch was produced to it", () => {
    const sticky = new BuiltInPartitioner(100, null, sequence(0.5, 0.9));
    expect(sticky.current(topic)).toBe(1);
    sticky.produced(99, true, topic);
    expect(sticky.current(topic)).toBe(1);
    sticky.produced(1, true, topic);
    expect(sticky.current(topic)).toBe(2);
  });

  test("leave no half batch behind: they stay until it is full, up to twice the bytes", () => {
    const sticky = new BuiltInPartitioner(100, null, sequence(0.5, 0.9));
    sticky.current(topic);
    sticky.produced(150, false, topic);
    expect(sticky.current(topic)).toBe(1);
    sticky.produced(49, false, topic);
    expect(sticky.current(topic)).toBe(1);
    sticky.produced(1, false, topic);
    expect(sticky.current(topic)).toBe(2);
  });

  test("start counting anew after a switch", () => {
    const sticky = new BuiltInPartitioner(100, null, sequence(0, 0.5, 0.9));
    sticky.current(topic);
    sticky.produced(200, false, topic);
    expect(sticky.current(topic)).toBe(1);
    sticky.produced(99, true, topic);
    expect(sticky.current(topic)).toBe(1);
  });

  test("go only to partitions that have a leader", () => {
    const someLeaderless = topicOf("orders", [null, 2, null]);
    for (const random of [0, 0.4, 0.99]) {
      expect(new BuiltInPartitioner(100, null, () => random).current(someLeaderless)).toBe(1);
    }
  });

  test("go to any partition where none has a leader", () => {
    expect(new BuiltInPartitioner(100, null, () => 0.99).current(topicOf("orders", [null, null]))).toBe(1);
  });

  test("leave a partition that the topic, created anew, does not have any more", () => {
    const sticky = new BuiltInPartitioner(100, null, sequence(0.9, 0));
    expect(sticky.current(topic)).toBe(2);
    expect(sticky.current(topicOf("orders", [1]))).toBe(0);
  });
});

describe("the weights of partitions", () => {
  test.each([
    // The example of Kafka's own source.
    [
      [0, 3, 1],
      [4, 5, 8],
    ],
    [
      [0, 4, 2, 1, 1],
      [5, 6, 9, 13, 17],
    ],
    [[7], [1]],
    [
      [2, 2],
      [1, 2],
    ],
  ])("of queues of %j add up to %j", (sizes, sums) => {
    expect(cumulativeWeights(sizes)).toEqual(sums);
  });

  test("are at least 1, and more for shorter queues", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { minLength: 1 }), (sizes) => {
        const sums = cumulativeWeights(sizes);
        const weights = sums.map((sum, index) => sum - (sums[index - 1] ?? 0));
        expect(Math.min(...weights)).toBe(1);
        for (const [a, size] of sizes.entries()) {
          for (const [b, other] of sizes.entries()) expect(weights[a]! - weights[b]!).toBe(other - size);
        }
      }),
    );
  });
});

describe("records without a key, where queues have different lengths", () => {
  /** What is told of partitions: the batches that wait in each, and the brokers that take nothing. */
  const loadsOf = (sizes: readonly (number | null)[], stuck: readonly number[] = []): PartitionLoads => ({
    queueSize: (partition) => sizes[partition] ?? null,
    isAvailable: (brokerId) => !stuck.includes(brokerId),
  });

  /** How often each partition is chosen when `random` goes once through `steps` numbers that are evenly apart. */
  function counts(leaders: readonly (number | null)[], loads: PartitionLoads | null, steps: number): number[] {
    const topic = topicOf("orders", leaders);
    const found = leaders.map(() => 0);
    for (let step = 0; step < steps; step++) {
      const partition = new BuiltInPartitioner(100, loads, () => (step + 0.5) / steps).current(topic);
      found[partition] = (found[partition] ?? 0) + 1;
    }
    return found;
  }

  test("go to partitions by their weights", () => {
    expect(counts([1, 2, 3], loadsOf([0, 3, 1]), 8)).toEqual([4, 1, 3]);
  });

  test("go to all of them alike while nothing was sent to one, or adaptive partitioning is off", () => {
    expect(counts([1, 2, 3], loadsOf([0, 3, null]), 6)).toEqual([2, 2, 2]);
    expect(counts([1, 2, 3], null, 6)).toEqual([2, 2, 2]);
  });

  test("go to all of them alike where all queues are", () => {
    expect(counts([1, 2, 3], loadsOf([5, 5, 5]), 6)).toEqual([2, 2, 2]);
  });

  test("leave out brokers that take nothing, and partitions without a leader", () => {
    expect(counts([1, 2, 3], loadsOf([0, 0, 0], [2]), 6)).toEqual([3, 0, 3]);
    expect(counts([1, null, 3], loadsOf([1, 0, 0]), 6)).toEqual([2, 0, 4]);
    expect(counts([1, 2], loadsOf([9, 0], [2]), 6)).toEqual([6, 0]);
  });

  test("go to any that has a leader where no broker takes anything", () => {
    expect(counts([1, 2, null], loadsOf([3, 1, 0], [1, 2]), 6)).toEqual([3, 3, 0]);
  });

  test("look at the queues anew at each switch", () => {
    const sizes = [0, 1];
    const topic = topicOf("orders", [1, 2]);
    const sticky = new BuiltInPartitioner(100, loadsOf(sizes), () => 0.6);
    expect(sticky.current(topic)).toBe(0);
    sizes[0] = 2;
    sizes[1] = 0;
    sticky.produced(200, true, topic);
    expect(sticky.current(topic)).toBe(1);
  });

  test("reach every available partition, as often as its weight says", () => {
    const partitions = fc.record({
      size: fc.nat(20),
      leader: fc.option(fc.integer({ min: 1, max: 4 }), { freq: 5 }),
    });
    fc.assert(
      fc.property(
        fc.array(partitions, { minLength: 2, maxLength: 12 }),
        fc.uniqueArray(fc.integer({ min: 1, max: 4 }), { maxLength: 2 }),
        (given, stuck) => {
          const isAvailable = ({ leader }: (typeof given)[number]) => leader !== null && !stuck.includes(leader);
          const available = given.filter(isAvailable);
          fc.pre(available.length > 0);
          const sizes = given.map(({ size }) => size);
          const longest = Math.max(...available.map(({ size }) => size));
          const weights = given.map((one) => (isAvailable(one) ? longest + 1 - one.size : 0));
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          const leaders = given.map(({ leader }) => leader);
          // As many steps as let uniform choice come out even too.
          const found = counts(leaders, loadsOf(sizes, stuck), total * given.length);
          expect(found).toEqual(weights.map((weight) => weight * given.length));
        },
      ),
    );
  });
});
