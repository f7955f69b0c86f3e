import { randomBytes } from "node:crypto";
import { type ClusterSnapshot, Deadline } from "@odradek/network";
import { defaultCodecs, KafkaError } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { BufferPool } from "../src/buffer-pool.ts";
import type { ProducerBatch } from "../src/producer-batch.ts";
import { type AccumulatorOptions, type Appended, RecordAccumulator } from "../src/record-accumulator.ts";
import { clusterOf } from "./cluster.ts";
import { recordOf, Told } from "./told.ts";

const batchSize = 1_000;
const refused = new KafkaError("refused", { code: "NOT_LEADER_OR_FOLLOWER", retriable: true });

interface Given extends Partial<AccumulatorOptions> {
  readonly bufferMemory?: number;
  readonly random?: number;
  /** Of the partitions of `orders`. */
  readonly leaders?: readonly number[];
}

/** An accumulator over a cluster in which broker 1 leads `orders-0` and `orders-2`, broker 2 `orders-1`. */
function setUp({ bufferMemory = 100_000, random = 0.5, leaders = [1, 2, 1], ...options }: Given = {}) {
  const memory = new BufferPool(bufferMemory, batchSize, new ManualClock());
  const accumulator = new RecordAccumulator(
    {
      batchSize,
      lingerMs: 10,
      deliveryTimeoutMs: 1_000,
      retryBackoffMs: 100,
      retryBackoffMaxMs: 400,
      compression: null,
      acks: -1,
      requestTimeoutMs: 30_000,
      partitionerAdaptivePartitioningEnable: false,
      partitionerAvailabilityTimeoutMs: 0,
      ...options,
    },
    memory,
    () => random,
  );
  const told = new Told();
  const cluster = clusterOf({ orders: leaders, loose: [null] });
  let position = 0;
  /** Appends a record as the producer does; throws where there is no memory. */
  const append = (partition: number | null, valueBytes: number, nowMs = 0, topic = "orders"): Appended => {
    const snapshot = cluster.topics.get(topic)!;
    const record = recordOf(valueBytes, { topic, partition, delivery: told, position: position++ });
    const joined = accumulator.append(record, snapshot);
    if (joined !== null) return joined;
    return accumulator.open(record, snapshot, memory.take(accumulator.batchBytes(record))!, nowMs);
  };
  const readyAt = (nowMs: number, at: ClusterSnapshot = cluster) => {
    const { nodeIds, nextCheckAtMs } = accumulator.ready(at, nowMs);
    return { nodes: [...nodeIds], nextCheckAtMs };
  };
  const drain = (nowMs: number, nodes = [1, 2], maxBytes = 1_000_000): ProducerBatch[] =>
    [...accumulator.drain(cluster, new Set(nodes), maxBytes, nowMs).values()].flat();
  return { accumulator, memory, told, cluster, append, readyAt, drain };
}

const places = (batches: readonly ProducerBatch[]): string[] =>
  batches.map(({ topic, partition, recordCount }) => `${topic}-${partition} x${recordCount}`);

const never = Number.POSITIVE_INFINITY;

describe("appending", () => {
  test("opens a batch, then fills it, then says that it is full", () => {
    const { append } = setUp();
    expect(append(0, 300)).toEqual({ full: false, opened: true });
    expect(append(0, 300)).toEqual({ full: false, opened: false });
    expect(append(0, 300)).toEqual({ full: false, opened: false });
    expect(append(0, 300)).toEqual({ full: true, opened: true });
  });

  test("says that a batch is full with the record that fills it", () => {
    const { append, readyAt } = setUp();
    append(0, 400);
    // 61 bytes of the batch's own, and 9 of each record's.
    expect(append(0, batchSize - 61 - 409 - 9)).toEqual({ full: true, opened: false });
    expect(readyAt(0).nodes).toEqual([1]);
  });

  test("takes a record that is larger than a batch alone", () => {
    const { append, drain, memory } = setUp();
    append(0, 10);
    expect(append(0, 5_000)).toEqual({ full: true, opened: true });
    expect(memory.availableBytes).toBe(100_000 - batchSize - 5_100);
    expect(places(drain(0))).toEqual(["orders-0 x1"]);
    append(0, 10);
    expect(places(drain(0))).toEqual(["orders-0 x1"]);
  });

  test("is refused without a batch that has room, and takes no memory by itself", () => {
    const { accumulator, cluster, memory, told } = setUp();
    const record = recordOf(10, { delivery: told });
    expect(accumulator.append(record, cluster.topics.get("orders")!)).toBeNull();
    expect(memory.availableBytes).toBe(100_000);
  });

  test("closes a batch that had no room for a record: what comes later must not get in before it", () => {
    const { accumulator, append, cluster, readyAt, told } = setUp();
    append(0, 500);
    const record = recordOf(500, { delivery: told });
    expect(accumulator.append(record, cluster.topics.get("orders")!)).toBeNull();
    expect(accumulator.append(recordOf(1, { delivery: told }), cluster.topics.get("orders")!)).toBeNull();
    expect(readyAt(0).nodes).toEqual([1]);
  });

  test("gives the memory back that it turns out not to need", () => {
    const { accumulator, append, cluster, memory, told } = setUp();
    append(0, 10);
    const before = memory.availableBytes;
    const record = recordOf(10, { delivery: told });
    const buffer = memory.take(batchSize)!;
    expect(accumulator.open(record, cluster.topics.get("orders")!, buffer, 0)).toEqual({
      full: false,
      opened: false,
    });
    expect(memory.availableBytes).toBe(before);
  });

  test("gives the memory back of a record that cannot be encoded", () => {
    const { accumulator, cluster, memory, told } = setUp();
    const record = recordOf(10, { delivery: told, timestampMs: 0.5 });
    const buffer = memory.take(batchSize)!;
    expect(() => accumulator.open(record, cluster.topics.get("orders")!, buffer, 0)).toThrow(/timestamp 0.5/);
    expect(memory.availableBytes).toBe(100_000);
  });

  test("without a partition keeps to one until its batch is full, then takes another", () => {
    let index = 0;
    const { drain, append } = setUp({ random: 0 });
    for (; index < 12; index++) append(null, 100);
    expect(places(drain(0))).toEqual(["orders-0 x8"]);
  });
});

describe("with compression", () => {
  const gzip = { codec: defaultCodecs.gzip, level: 1 };

  /** An accumulator that has seen records of its topic compress to a few percent. */
  function setUpCompressing(bufferMemory: number) {
    const set = setUp({ bufferMemory, compression: gzip });
    for (let batches = 0; batches < 200; batches++) {
      set.append(0, 800);
      for (const batch of set.drain(0)) {
        batch.build();
        set.accumulator.observeCompression(batch);
        set.accumulator.release(batch);
      }
    }
    /** Appends to one partition after the other until there is no memory; gives the bytes that were taken in. */
    const fill = (valueBytes: number): number => {
      let bytes = 0;
      for (let count = 0; count < 10_000; count++) {
        const record = recordOf(valueBytes, { partition: count % 3, delivery: set.told });
        const snapshot = set.cluster.topics.get("orders")!;
        if (set.accumulator.append(record, snapshot) === null) {
          const buffer = set.memory.take(set.accumulator.batchBytes(record));
          if (buffer === null) break;
          set.accumulator.open(record, snapshot, buffer, 0);
        }
        bytes += valueBytes;
      }
      return bytes;
    };
    return { ...set, fill };
  }

  test("records that are not compressed yet take no more than bufferMemory, however well they will compress", () => {
    const { fill, memory } = setUpCompressing(50_000);
    const bytes = fill(100);
    expect(bytes).toBeGreaterThan(20_000);
    expect(bytes).toBeLessThanOrEqual(50_000);
    expect(memory.availableBytes).toBeGreaterThanOrEqual(0);
  });

  test("the memory for a batch's growth is back when it is built, the rest when it is done", () => {
    const { accumulator, append, drain, memory } = setUpCompressing(100_000);
    for (let record = 0; record < 50; record++) append(0, 100);
    expect(memory.availableBytes).toBeLessThan(100_000 - 5_000 - batchSize);
    const [batch] = drain(0);
    expect(batch?.recordCount).toBe(50);
    batch?.build();
    expect(memory.availableBytes).toBe(100_000 - batchSize);
    accumulator.release(batch!);
    expect(memory.availableBytes).toBe(100_000);
  });

  test("a batch that is never built gives back all of its memory", () => {
    const { accumulator, append, memory } = setUpCompressing(100_000);
    for (let record = 0; record < 50; record++) append(0, 100);
    for (const batch of accumulator.expired(1_000)) accumulator.release(batch);
    expect(memory.availableBytes).toBe(100_000);
  });

  test("records that compress worse than expected are sent from the memory in which they grew", () => {
    const { accumulator, append, cluster, drain, memory, told } = setUpCompressing(100_000);
    append(0, 100);
    for (let record = 0; record < 20; record++) {
      const value = randomBytes(100);
      accumulator.append(recordOf(0, { value, delivery: told }), cluster.topics.get("orders")!);
    }
    const before = memory.availableBytes;
    const [batch] = drain(0);
    expect(batch?.build().length).toBeGreaterThan(2_000);
    expect(memory.availableBytes).toBe(before);
    accumulator.release(batch!);
    expect(memory.availableBytes).toBe(100_000);
  });
});

describe("what is ready", () => {
  test("nothing, while batches linger; then the brokers of those that have", () => {
    const { append, readyAt } = setUp();
    append(0, 10, 0);
    append(1, 10, 4);
    expect(readyAt(9)).toEqual({ nodes: [], nextCheckAtMs: 10 });
    expect(readyAt(10)).toEqual({ nodes: [1], nextCheckAtMs: 14 });
    expect(readyAt(14)).toEqual({ nodes: [1, 2], nextCheckAtMs: never });
  });

  test("a full batch does not linger", () => {
    const { append, readyAt } = setUp();
    append(1, 2_000, 0);
    expect(readyAt(0).nodes).toEqual([2]);
  });

  test("a batch behind which another was opened does not linger", () => {
    const { append, readyAt } = setUp();
    append(1, 500, 0);
    append(1, 500, 0);
    expect(readyAt(0).nodes).toEqual([2]);
  });

  test("with lingerMs 0 everything is", () => {
    const { append, readyAt } = setUp({ lingerMs: 0 });
    append(0, 10, 7);
    expect(readyAt(7).nodes).toEqual([1]);
  });

  test("everything is while somebody waits for memory", () => {
    const { accumulator, append, memory, readyAt } = setUp({ bufferMemory: batchSize });
    append(0, 10, 0);
    expect(readyAt(0).nodes).toEqual([]);
    void memory.wait(batchSize, new Deadline(new ManualClock(), 1));
    expect(readyAt(0).nodes).toEqual([1]);
    for (const batch of accumulator.abort()) accumulator.release(batch);
  });

  test("everything is while a flush is under way, and nothing that comes after it", async () => {
    const { accumulator, append, drain, readyAt } = setUp();
    append(0, 10, 0);
    const flushed = accumulator.flush();
    expect(readyAt(0).nodes).toEqual([1]);
    for (const batch of drain(0)) batch.complete(0n, -1);
    await flushed;
    append(0, 10, 0);
    expect(readyAt(0).nodes).toEqual([]);
  });

  test("everything is once it is closed", () => {
    const { accumulator, append, readyAt } = setUp();
    append(0, 10, 0);
    accumulator.close();
    expect(readyAt(0).nodes).toEqual([1]);
  });

  test("not what has no leader", () => {
    const { append, readyAt } = setUp();
    append(0, 2_000, 0, "loose");
    expect(readyAt(0)).toEqual({ nodes: [], nextCheckAtMs: never });
  });

  test("not what is muted, nor does it set a time", () => {
    const { accumulator, append, drain, readyAt } = setUp();
    append(0, 10, 0);
    const [batch] = drain(0);
    accumulator.mute(batch!);
    append(0, 2_000, 0);
    expect(readyAt(50)).toEqual({ nodes: [], nextCheckAtMs: never });
    expect(drain(50)).toEqual([]);
    accumulator.unmute(batch!);
    expect(readyAt(50).nodes).toEqual([1]);
  });
});

describe("draining", () => {
  test("takes at most one batch of a partition, the oldest", () => {
    const { append, drain } = setUp();
    for (let record = 0; record < 4; record++) append(0, 500);
    append(2, 10);
    expect(places(drain(0, [1]))).toEqual(["orders-0 x1", "orders-2 x1"]);
    expect(places(drain(0, [1]))).toEqual(["orders-0 x1"]);
  });

  test("takes only what the brokers lead that it is for", () => {
    const { append, drain } = setUp();
    for (const partition of [0, 1, 2]) append(partition, 10);
    expect(places(drain(0, [2]))).toEqual(["orders-1 x1"]);
  });

  test("takes small batches along with one that is ready", () => {
    const { append, drain, readyAt } = setUp();
    append(0, 2_000);
    append(2, 10);
    expect(readyAt(0).nodes).toEqual([1]);
    expect(places(drain(0, [1]))).toEqual(["orders-0 x1", "orders-2 x1"]);
  });

  test("stops at maxRequestSize, and lets those go first next time that had no room", () => {
    const { append, drain } = setUp();
    for (const partition of [0, 2]) for (let record = 0; record < 3; record++) append(partition, 600);
    const turns = [drain(0, [1], 1_000), drain(0, [1], 1_000), drain(0, [1], 1_000), drain(0, [1], 1_000)];
    expect(turns.map(places)).toEqual([["orders-0 x1"], ["orders-2 x1"], ["orders-0 x1"], ["orders-2 x1"]]);
  });

  test("lets no smaller batch pass one that had no room", () => {
    const { append, drain } = setUp({ leaders: [1, 1, 1] });
    append(0, 600);
    append(1, 600);
    append(2, 10);
    expect(places(drain(0, [1], 1_000))).toEqual(["orders-0 x1"]);
    expect(places(drain(0, [1], 1_000))).toEqual(["orders-1 x1", "orders-2 x1"]);
  });

  test("sends a batch that is larger than maxRequestSize alone", () => {
    const { append, drain } = setUp();
    append(0, 5_000);
    append(2, 10);
    expect(places(drain(0, [1], 1_000))).toEqual(["orders-0 x1"]);
    expect(places(drain(0, [1], 1_000))).toEqual(["orders-2 x1"]);
  });

  test("closes the batch: records that come later begin another", () => {
    const { append, drain } = setUp();
    append(0, 10);
    const [batch] = drain(0);
    expect(append(0, 10)).toEqual({ full: false, opened: true });
    expect([batch?.state, batch?.recordCount]).toEqual(["inFlight", 1]);
  });
});

describe("a batch that comes back", () => {
  test("goes first again, after a back-off that grows", () => {
    const { accumulator, append, drain, readyAt } = setUp();
    append(0, 10, 0);
    const [batch] = drain(10);
    append(0, 20, 10);
    accumulator.reenqueue(batch!, 20, refused, false);
    expect(readyAt(119)).toEqual({ nodes: [], nextCheckAtMs: 120 });
    expect(drain(119)).toEqual([]);
    expect(readyAt(120).nodes).toEqual([1]);
    expect(drain(120)).toEqual([batch]);
    accumulator.reenqueue(batch!, 200, refused, false);
    expect(readyAt(200).nextCheckAtMs).toBe(400);
    expect([batch?.attempts, batch?.lastError]).toEqual([2, refused]);
  });

  test("does not linger once more", () => {
    const { accumulator, append, drain, readyAt } = setUp({ lingerMs: 10_000, deliveryTimeoutMs: 60_000 });
    append(0, 2_000, 0);
    const [batch] = drain(0);
    accumulator.reenqueue(batch!, 0, refused, false);
    expect(readyAt(100).nodes).toEqual([1]);
  });

  test("goes at once where its request was never written", () => {
    const { accumulator, append, drain, readyAt } = setUp();
    append(0, 2_000, 0);
    const [batch] = drain(0);
    accumulator.takeBack(batch!);
    expect(readyAt(0).nodes).toEqual([1]);
    expect([batch?.attempts, batch?.state]).toEqual([0, "closed"]);
  });
});

describe("a batch that runs out of time", () => {
  test("is taken out where it waits, the oldest first", () => {
    const { accumulator, append, drain } = setUp();
    append(0, 10, 0);
    append(1, 10, 5);
    expect(accumulator.nextExpiryAtMs).toBe(1_000);
    expect(accumulator.expired(999)).toEqual([]);
    expect(places(accumulator.expired(1_000))).toEqual(["orders-0 x1"]);
    expect(accumulator.nextExpiryAtMs).toBe(1_005);
    expect(places(drain(1_000))).toEqual(["orders-1 x1"]);
  });

  test("is told once where it is in flight, and keeps its memory until it is released", () => {
    const { accumulator, append, drain, memory } = setUp();
    append(0, 10, 0);
    const [batch] = drain(0);
    expect(accumulator.expired(1_000)).toEqual([batch]);
    expect(accumulator.expired(1_000)).toEqual([]);
    expect(accumulator.nextExpiryAtMs).toBe(never);
    expect(memory.availableBytes).toBe(100_000 - batchSize);
    accumulator.release(batch!);
    expect(memory.availableBytes).toBe(100_000);
  });

  test("is found behind another that came back", () => {
    const { accumulator, append, drain } = setUp();
    append(0, 10, 0);
    const [first] = drain(0);
    append(0, 10, 1);
    accumulator.reenqueue(first!, 2, refused, false);
    expect(accumulator.expired(1_001)).toHaveLength(2);
    expect(drain(2_000)).toEqual([]);
  });
});

describe("a flush", () => {
  test("resolves when all that was there is settled, whether good or bad, and waits for nothing newer", async () => {
    const { accumulator, append, drain } = setUp();
    append(0, 10);
    append(1, 10);
    let isFlushed = false;
    const flushed = accumulator.flush().then(() => {
      isFlushed = true;
    });
    const [first, second] = drain(0);
    append(2, 10);
    first!.complete(0n, -1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isFlushed).toBe(false);
    second!.fail(refused, "no");
    await flushed;
    expect(isFlushed).toBe(true);
  });

  test("of nothing resolves", async () => {
    await expect(setUp().accumulator.flush()).resolves.toBeUndefined();
  });
});

test("aborting takes out everything, also what is in flight", () => {
  const { accumulator, append, drain, readyAt } = setUp();
  append(0, 10);
  append(1, 10);
  drain(0, [1]);
  expect(places(accumulator.abort())).toEqual(["orders-0 x1", "orders-1 x1"]);
  expect(readyAt(5_000)).toEqual({ nodes: [], nextCheckAtMs: never });
  expect(accumulator.nextExpiryAtMs).toBe(never);
});
