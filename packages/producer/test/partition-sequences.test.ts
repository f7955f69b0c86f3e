import { KafkaError } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { BufferPool } from "../src/buffer-pool.ts";
import { PartitionSequences } from "../src/partition-sequences.ts";
import { ProducerBatch } from "../src/producer-batch.ts";
import { recordOf, Told } from "./told.ts";

const lost = new KafkaError("connection lost", { code: "CONNECTION", retriable: true });
const producer = { producerId: 7n, producerEpoch: 3 };
const next = { producerId: 7n, producerEpoch: 4 };
const memory = new BufferPool(10_000, 1_000, new ManualClock());
let serial = 0;

/** A batch of so many records, about to be sent. */
function batchOf(recordCount = 1, partition = 0): ProducerBatch {
  const batch = new ProducerBatch({
    topic: "orders",
    partition,
    buffer: Buffer.alloc(1_000),
    batchSize: 1_000,
    compression: null,
    settings: null,
    memory,
    createdAtMs: 0,
    serial: serial++,
  });
  for (let index = 0; index < recordCount; index++) batch.tryAppend(recordOf(1, { delivery: new Told() }));
  return batch;
}

/** Sends a batch for the first time. */
function sent(sequences: PartitionSequences, recordCount = 1, by = producer, partition = 0): ProducerBatch {
  const batch = batchOf(recordCount, partition);
  expect(sequences.mayDrain(batch, by)).toBe(true);
  batch.send();
  sequences.number(batch, by, false);
  return batch;
}

/** Sequences of a partition whose leader knows the producer: one record is there. */
function known(): PartitionSequences {
  const sequences = new PartitionSequences();
  sequences.completed(sent(sequences), 0n);
  return sequences;
}

const numbers = (...batches: ProducerBatch[]) =>
  batches.map(({ producerState, baseSequence }) => `${producerState?.producerEpoch}: ${baseSequence}`);

describe("numbers", () => {
  test("go on from batch to batch, in each partition from 0", () => {
    const sequences = known();
    const batches = [sent(sequences, 3), sent(sequences, 2), sent(sequences, 1, producer, 1)];
    expect(numbers(...batches)).toEqual(["3: 1", "3: 4", "3: 0"]);
  });

  test("begin at 0 again after 2^31-1, and order holds across", () => {
    const sequences = known();
    const identified = (baseSequence: number) => {
      const batch = batchOf(2);
      batch.identify({ ...producer, isTransactional: false, baseSequence });
      return batch;
    };
    const atEnd = identified(0x7fff_fffe);
    const wrapped = identified(0);
    for (const near of [0x3fff_fff0, 0x7fff_ffe0]) sequences.completed(identified(near), 1n);
    sequences.completed(atEnd, 6n);
    expect(sequences.isNext(wrapped)).toBe(true);
    expect([atEnd, wrapped].map((batch) => sequences.isKnownToBeInLog(batch))).toEqual([true, false]);
    sequences.completed(wrapped, 8n);
    expect([atEnd, wrapped].map((batch) => sequences.isKnownToBeInLog(batch))).toEqual([true, true]);
    expect(sequences.isNext(identified(2))).toBe(true);
  });

  test("of a new epoch wait until those of the old one are settled, partition by partition", () => {
    const sequences = known();
    const old = sent(sequences);
    const fresh = batchOf();
    expect(sequences.mayDrain(fresh, next)).toBe(false);
    sent(sequences, 1, next, 1);
    sequences.completed(old, 1n);
    expect(sequences.mayDrain(fresh, next)).toBe(true);
    sequences.number(fresh, next, false);
    expect(numbers(fresh)).toEqual(["4: 0"]);
  });

  test("are given to one batch alone until the leader knows the producer", () => {
    const sequences = new PartitionSequences();
    const first = sent(sequences);
    expect(sequences.mayDrain(batchOf(), producer)).toBe(false);
    sequences.completed(first, 0n);
    sent(sequences);
    sent(sequences);
    // It knows the id, whatever the epoch.
    sequences.clear();
    sent(sequences, 1, next);
    sent(sequences, 1, next);
    sequences.clear();
    sent(sequences, 1, { producerId: 8n, producerEpoch: 0 });
    expect(sequences.mayDrain(batchOf(), { producerId: 8n, producerEpoch: 0 })).toBe(false);
  });
});

describe("a batch that is sent again", () => {
  test("goes when it is the first whose fate is open", () => {
    const sequences = known();
    const [first, second] = [sent(sequences), sent(sequences)];
    for (const batch of [first, second]) batch.retry(0, lost, true);
    expect([first, second].map((batch) => sequences.mayDrain(batch, producer))).toEqual([true, false]);
    sequences.completed(first, 1n);
    expect(sequences.mayDrain(second, producer)).toBe(true);
    expect(numbers(second)).toEqual(["3: 2"]);
  });

  test("takes nothing back where one behind it was acknowledged before", () => {
    const sequences = known();
    const [first, second] = [sent(sequences, 2), sent(sequences, 2)];
    sequences.completed(second, 3n);
    expect([first, second].map((batch) => sequences.isKnownToBeInLog(batch))).toEqual([true, true]);
    sequences.completed(first, 1n);
    expect(sequences.lastAckedOffset(first)).toBe(4n);
    const third = sent(sequences);
    expect(sequences.isNext(third)).toBe(true);
    expect(sequences.isKnownToBeInLog(third)).toBe(false);
  });
});

describe("a batch that was given up and may be in the log", () => {
  test("has new ones wait, and leaves no gap where one behind it is acknowledged", () => {
    const sequences = known();
    const [lostOne, behind] = [sent(sequences), sent(sequences)];
    sequences.markUnresolved(lostOne);
    sequences.remove(lostOne);
    expect(sequences.mayDrain(batchOf(), producer)).toBe(false);
    expect(sequences.isNextBehindUnresolved(behind)).toBe(true);
    expect(sequences.takeGaps()).toEqual([]);
    sequences.completed(behind, 2n);
    expect(sequences.takeGaps()).toEqual([]);
    expect(sequences.hasUnresolved).toBe(false);
    sent(sequences);
  });

  test("leaves a gap where no answer comes", () => {
    const sequences = known();
    const lostOne = sent(sequences);
    sequences.markUnresolved(lostOne);
    expect(sequences.takeGaps()).toEqual([]);
    sequences.remove(lostOne);
    expect(sequences.takeGaps()).toMatchObject([{ topic: "orders", partition: 0 }]);
    expect(sequences.takeGaps()).toEqual([]);
  });

  test("leaves none where its answer comes after all", () => {
    const sequences = known();
    const late = sent(sequences);
    sequences.markUnresolved(late);
    sequences.completed(late, 1n);
    expect(sequences.takeGaps()).toEqual([]);
    expect(numbers(sent(sequences))).toEqual(["3: 2"]);
  });

  test("is told from an earlier one: the last of them counts", () => {
    const sequences = known();
    const [first, second, third] = [sent(sequences), sent(sequences), sent(sequences)];
    for (const batch of [second, first]) sequences.markUnresolved(batch);
    expect(sequences.isNextBehindUnresolved(third)).toBe(true);
    expect(sequences.isNextBehindUnresolved(second)).toBe(false);
  });
});

describe("a restart", () => {
  test("has open batches begin at 0 under the new epoch, but for those that were given up", () => {
    const sequences = known();
    const [abandoned, ...others] = [sent(sequences), sent(sequences, 2), sent(sequences)];
    sequences.markUnresolved(abandoned!);
    abandoned!.abandon(lost);
    sequences.restart(abandoned!, next);
    expect(numbers(abandoned!, ...others)).toEqual(["3: 1", "4: 0", "4: 2"]);
    expect(others.every(({ isRenumbered }) => isRenumbered)).toBe(true);
    expect(sequences.hasUnresolved).toBe(false);
    expect(numbers(sent(sequences, 1, next))).toEqual(["4: 3"]);
    // A late answer is that of the epoch before.
    sequences.completed(abandoned!, 1n);
    expect(sequences.isNext(others[0]!)).toBe(true);
  });
});

describe("a gap that is closed", () => {
  test("has those behind it move up, and those before it stay", () => {
    const sequences = known();
    const [before, failed, behind] = [sent(sequences), sent(sequences, 5), sent(sequences, 2)];
    sequences.closeGap(failed);
    sequences.remove(failed);
    expect(numbers(before, behind)).toEqual(["3: 1", "3: 2"]);
    expect([before.isRenumbered, behind.isRenumbered]).toEqual([false, true]);
    expect(numbers(sent(sequences))).toEqual(["3: 4"]);
  });

  test("closes nothing where the batch is of another epoch", () => {
    const sequences = known();
    const failed = sent(sequences);
    sequences.restart(failed, next);
    const other = batchOf();
    other.identify({ ...producer, baseSequence: 0, isTransactional: false });
    sequences.closeGap(other);
    expect(numbers(failed)).toEqual(["4: 0"]);
  });
});

describe("a batch that is split", () => {
  test("gives its numbers to its parts, in its place", () => {
    const sequences = known();
    const [large, behind] = [sent(sequences, 5), sent(sequences)];
    const parts = [batchOf(2), batchOf(2), batchOf(1)];
    sequences.split(large, parts);
    expect(numbers(...parts, behind)).toEqual(["3: 1", "3: 3", "3: 5", "3: 6"]);
    expect(parts.map((part) => sequences.isFirst(part))).toEqual([true, false, false]);
    for (const part of parts) {
      expect(sequences.mayDrain(part, producer)).toBe(true);
      sequences.completed(part, 1n);
    }
    expect(sequences.isFirst(behind)).toBe(true);
  });

  test("gives nothing where it was given up meanwhile", () => {
    const sequences = known();
    const large = sent(sequences, 2);
    sequences.remove(large);
    const parts = [batchOf(), batchOf()];
    sequences.split(large, parts);
    expect(parts.map(({ hasSequence }) => hasSequence)).toEqual([false, false]);
  });
});

test("a new epoch for all partitions forgets what was open, and remembers who is known", () => {
  const sequences = known();
  const old = sent(sequences);
  sequences.markUnresolved(old);
  sequences.clear();
  expect(sequences.hasUnresolved).toBe(false);
  const fresh = sent(sequences, 1, next);
  sequences.completed(old, 1n);
  expect(numbers(fresh)).toEqual(["4: 0"]);
  expect(sequences.isNext(fresh)).toBe(true);
});
