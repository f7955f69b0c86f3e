import { defaultRecordBatchesOptions, KafkaError, RecordBatches } from "@odradek/protocol";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { BufferPool } from "../src/buffer-pool.ts";
import type { Delivery } from "../src/delivery.ts";
import type { ProducerBatch } from "../src/producer-batch.ts";
import { RecordAccumulator } from "../src/record-accumulator.ts";
import { clusterOf } from "./cluster.ts";
import { recordOf } from "./told.ts";

const bufferMemory = 3_000;
const cluster = clusterOf({ orders: [1, 2, 1] });
const topic = cluster.topics.get("orders")!;
const error = new KafkaError("not now", { code: "NOT_ENOUGH_REPLICAS", retriable: true });

/** How a request ends: whether its batches reach the log, and what is answered. */
type Ending = "acknowledged" | "refused" | "failed" | "lost before the log" | "lost behind the log";

/**
 * An accumulator between a caller, a sender in its smallest form, and the logs of three partitions. Values are the
 * numbers of the sends.
 */
class Model {
  /** What is in the log of each partition. */
  readonly logs: readonly string[][] = [[], [], []];
  /** What was told to be there, in the order of the telling. */
  readonly acknowledged: readonly string[][] = [[], [], []];
  /** What was told not to be in any log. */
  readonly surelyNot = new Set<string>();
  readonly #memory = new BufferPool(bufferMemory, 200, new ManualClock());
  readonly #accumulator = new RecordAccumulator(
    {
      batchSize: 200,
      lingerMs: 10,
      deliveryTimeoutMs: 1_000,
      retryBackoffMs: 100,
      retryBackoffMaxMs: 400,
      compression: null,
      acks: -1,
      requestTimeoutMs: 30_000,
      partitionerAdaptivePartitioningEnable: false,
      partitionerAvailabilityTimeoutMs: 0,
    },
    this.#memory,
    () => 0.5,
  );
  readonly #inFlight: ProducerBatch[] = [];
  #nowMs = 0;
  #sendCount = 0;

  /** Sends a record, unless memory is used up: then nobody is told anything of it. */
  send(partition: number): void {
    const position = this.#sendCount++;
    const value = String(position);
    const record = recordOf(0, { delivery: this.#deliveryTo(partition), partition, value, position, boundBytes: 100 });
    if (this.#accumulator.append(record, topic) !== null) return;
    const buffer = this.#memory.take(this.#accumulator.batchBytes(record));
    if (buffer !== null) this.#accumulator.open(record, topic, buffer, this.#nowMs);
  }

  pass(ms: number): void {
    this.#nowMs += ms;
    for (const batch of this.#accumulator.expired(this.#nowMs)) {
      if (batch.state === "inFlight") {
        batch.abandon(error);
      } else {
        this.#accumulator.release(batch);
        batch.fail(error, "no");
      }
    }
  }

  drain(): void {
    const { nodeIds } = this.#accumulator.ready(cluster, this.#nowMs);
    for (const batch of [...this.#accumulator.drain(cluster, nodeIds, 500, this.#nowMs).values()].flat()) {
      expect(this.#inFlight.some(({ partition }) => partition === batch.partition)).toBe(false);
      this.#accumulator.mute(batch);
      this.#inFlight.push(batch);
    }
  }

  /** Ends one of the requests under way. */
  end(index: number, ending: Ending): void {
    const [batch] = this.#inFlight.splice(index % Math.max(1, this.#inFlight.length), 1);
    if (batch === undefined) return;
    if (ending === "acknowledged" || ending === "lost behind the log") this.#log(batch);
    this.#accumulator.unmute(batch);
    const isFinal = ending === "acknowledged" || ending === "failed";
    if (batch.state === "inFlight" && !isFinal) {
      this.#accumulator.reenqueue(batch, this.#nowMs, error, ending !== "refused");
      return;
    }
    this.#accumulator.release(batch);
    if (batch.state === "abandoned") batch.letGo();
    else if (ending === "acknowledged") batch.complete(0n, -1);
    else batch.fail(error, "no");
  }

  /** Lets everything that is left arrive. */
  finish(): void {
    for (let round = 0; round < 200; round++) {
      this.pass(20);
      this.drain();
      while (this.#inFlight.length > 0) this.end(0, "acknowledged");
    }
    expect(this.#memory.availableBytes).toBe(bufferMemory);
  }

  #log(batch: ProducerBatch): void {
    for (const read of new RecordBatches(Buffer.from(batch.build()), defaultRecordBatchesOptions)) {
      for (const { value } of read) this.logs[batch.partition]!.push(String(value));
    }
  }

  #deliveryTo(partition: number): Delivery {
    return {
      delivered: (_, position) => this.acknowledged[partition]!.push(String(position)),
      failed: ({ persisted }, position) => {
        if (persisted === "no") this.surelyNot.add(String(position));
      },
    };
  }
}

/** Any run of a model in which requests end in these ways, to its end. */
const runsWith = (...endings: readonly Ending[]): fc.Arbitrary<Model> =>
  fc
    .array(
      fc.oneof(
        {
          weight: 6,
          arbitrary: fc.integer({ min: 0, max: 2 }).map((partition) => (model: Model) => model.send(partition)),
        },
        { weight: 2, arbitrary: fc.integer({ min: 1, max: 120 }).map((ms) => (model: Model) => model.pass(ms)) },
        { weight: 3, arbitrary: fc.constant((model: Model) => model.drain()) },
        {
          weight: 3,
          arbitrary: fc.tuple(fc.nat(5), fc.constantFrom(...endings)).map(
            ([index, ending]) =>
              (model: Model) =>
                model.end(index, ending),
          ),
        },
      ),
      { maxLength: 200 },
    )
    .map((steps) => {
      const model = new Model();
      for (const step of steps) step(model);
      model.finish();
      return model;
    });

const inOrder = (values: readonly string[]): string[] => [...values].sort((a, b) => Number(a) - Number(b));

test("each acknowledged record is in its log once, and in order, whatever is answered when", () => {
  fc.assert(
    fc.property(runsWith("acknowledged", "refused", "failed"), ({ logs, acknowledged, surelyNot }) => {
      logs.forEach((log, partition) => {
        const told = acknowledged[partition]!;
        expect(new Set(log).size).toBe(log.length);
        expect(log).toEqual(inOrder(log));
        // What was given up while its request was under way may be there without having been told.
        expect(log.filter((value) => told.includes(value))).toEqual(told);
        expect(log.filter((value) => surelyNot.has(value))).toEqual([]);
      });
    }),
    { numRuns: 300 },
  );
});

test("where answers get lost, records may be there twice, but none before its elder, and none that was told not to be", () => {
  fc.assert(
    fc.property(
      runsWith("acknowledged", "refused", "failed", "lost before the log", "lost behind the log"),
      ({ logs, acknowledged, surelyNot }) => {
        logs.forEach((log, partition) => {
          const told = acknowledged[partition]!;
          const first = [...new Set(log)];
          expect(first).toEqual(inOrder(first));
          expect(first.filter((value) => told.includes(value))).toEqual(told);
          expect(log.filter((value) => surelyNot.has(value))).toEqual([]);
        });
      },
    ),
    { numRuns: 300 },
  );
});
