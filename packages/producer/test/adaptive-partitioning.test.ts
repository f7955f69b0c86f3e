import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { BufferPool } from "../src/buffer-pool.ts";
import { RecordAccumulator } from "../src/record-accumulator.ts";
import { clusterOf } from "./cluster.ts";
import { recordOf, Told } from "./told.ts";

/** Where a record without a key goes once so many full batches wait in each of three partitions, led by brokers 1, 2 and 3. */
function placeBehind(queues: readonly number[], random: number, { isAdaptive = true, stuckBroker = 0 } = {}): number {
  const batchSize = 100;
  const options = {
    batchSize,
    lingerMs: 10,
    deliveryTimeoutMs: 1_000,
    retryBackoffMs: 100,
    retryBackoffMaxMs: 400,
    compression: null,
    acks: -1 as const,
    requestTimeoutMs: 30_000,
    partitionerAdaptivePartitioningEnable: isAdaptive,
    partitionerAvailabilityTimeoutMs: 50,
  };
  const memory = new BufferPool(10_000, batchSize, new ManualClock());
  const accumulator = new RecordAccumulator(options, memory, () => random);
  const topic = clusterOf({ orders: [1, 2, 3] }).topics.get("orders")!;
  const append = (partition: number | null) => {
    const record = recordOf(10, { delivery: new Told(), partition, boundBytes: batchSize });
    accumulator.open(record, topic, memory.take(batchSize)!, 0);
  };
  // Two of these fill a batch.
  for (const [partition, count] of queues.entries()) for (let each = 0; each < 2 * count; each++) append(partition);
  if (stuckBroker > 0) for (const nowMs of [0, 51]) accumulator.availability.observe(stuckBroker, false, nowMs);
  append(null);
  const batches = accumulator.abort();
  const counts = queues.map((_, index) =>
    batches.reduce((sum, { partition, recordCount }) => sum + (partition === index ? recordCount : 0), 0),
  );
  return counts.findIndex((count, partition) => count > 2 * (queues[partition] ?? 0));
}

/** The same for random numbers that are evenly apart. */
const places = (queues: readonly number[], steps: number, given?: Parameters<typeof placeBehind>[2]): number[] =>
  Array.from({ length: steps }, (_, step) => placeBehind(queues, (step + 0.5) / steps, given));

describe("records without a key", () => {
  test("go less often to partitions that have more waiting", () => {
    expect(places([1, 4, 2], 8)).toEqual([0, 0, 0, 0, 1, 2, 2, 2]);
  });

  test("go evenly where that is wanted, or a partition has had nothing yet", () => {
    expect(places([1, 4, 2], 3, { isAdaptive: false })).toEqual([0, 1, 2]);
    expect(places([1, 4, 0], 3)).toEqual([0, 1, 2]);
  });

  test("go to no broker that has taken nothing for partitionerAvailabilityTimeoutMs", () => {
    expect(places([1, 1, 1], 2, { stuckBroker: 2 })).toEqual([0, 2]);
  });
});
