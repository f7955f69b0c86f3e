import { defaultRecordBatchesOptions, type RecordBatch, RecordBatches } from "@odradek/protocol";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AbortedTransactions } from "../../src/fetch/aborted-transactions.ts";
import { counted, emptiedMarker, marker } from "../log.ts";

const read = (bytes: Buffer): RecordBatch => {
  const [batch] = new RecordBatches(bytes, defaultRecordBatchesOptions);
  if (batch === undefined) throw new Error("no batch");
  return batch;
};
const of = async (producerId: number, baseOffset: number) =>
  read(await counted(1, { baseOffset, producerId, isTransactional: true }));
const abort = async (producerId: number, baseOffset: number) => read(await marker("abort", producerId, baseOffset));
const commit = async (producerId: number, baseOffset: number) => read(await marker("commit", producerId, baseOffset));

describe("AbortedTransactions", () => {
  test("hides a producer's batches from the first offset of the transaction to its abort marker", async () => {
    const aborted = new AbortedTransactions([{ producerId: 1n, firstOffset: 5n }]);
    expect(aborted.hides(await of(1, 4))).toBe(false);
    expect(aborted.hides(await of(1, 5))).toBe(true);
    expect(aborted.hides(await of(1, 6))).toBe(true);
    expect(aborted.hides(await abort(1, 7))).toBe(true);
    expect(aborted.hides(await of(1, 8))).toBe(false);
  });

  test("hides each of two aborted transactions of one producer, whatever the order of the list", async () => {
    const aborted = new AbortedTransactions([
      { producerId: 1n, firstOffset: 10n },
      { producerId: 1n, firstOffset: 0n },
    ]);
    expect(aborted.hides(await of(1, 0))).toBe(true);
    expect(aborted.hides(await abort(1, 1))).toBe(true);
    expect(aborted.hides(await of(1, 2))).toBe(false);
    expect(aborted.hides(await commit(1, 3))).toBe(true);
    expect(aborted.hides(await of(1, 10))).toBe(true);
  });

  test("hides on to the end of an answer that does not reach the marker", async () => {
    const aborted = new AbortedTransactions([{ producerId: 1n, firstOffset: 0n }]);
    expect(aborted.hides(await of(1, 0))).toBe(true);
    expect(aborted.hides(await of(1, 90))).toBe(true);
  });

  test("hides on behind a second marker of the same transaction", async () => {
    const aborted = new AbortedTransactions([
      { producerId: 1n, firstOffset: 0n },
      { producerId: 1n, firstOffset: 5n },
    ]);
    expect(aborted.hides(await of(1, 0))).toBe(true);
    expect(aborted.hides(await abort(1, 1))).toBe(true);
    expect(aborted.hides(await abort(1, 2))).toBe(true);
    expect(aborted.hides(await of(1, 3))).toBe(false);
    expect(aborted.hides(await of(1, 5))).toBe(true);
  });

  test("hides nothing behind the marker of a transaction of which compaction left nothing else", async () => {
    const aborted = new AbortedTransactions([{ producerId: 1n, firstOffset: 5n }]);
    expect(aborted.hides(await of(2, 6))).toBe(false);
    expect(aborted.hides(await abort(1, 7))).toBe(true);
    expect(aborted.hides(await of(1, 8))).toBe(false);
  });

  test("steps over the place of a marker that compaction has removed", async () => {
    const aborted = new AbortedTransactions([{ producerId: 1n, firstOffset: 0n }]);
    expect(aborted.hides(read(await emptiedMarker(1, 3)))).toBe(true);
    expect(aborted.hides(await of(2, 4))).toBe(false);
  });

  test("goes through a list as long as a broker can send without moving it at each step", async () => {
    const count = 400_000;
    const transactions = Array.from({ length: count }, (_, index) => ({ producerId: BigInt(index), firstOffset: 0n }));
    const aborted = new AbortedTransactions(transactions);
    const last = await of(count - 1, 0);
    const before = process.cpuUsage();
    expect(aborted.hides(last)).toBe(true);
    // Moving the rest by one at each step takes a minute of work.
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(3_000);
  });

  test("never hides what is in no transaction, and always hides markers", async () => {
    const aborted = new AbortedTransactions([{ producerId: 1n, firstOffset: 0n }]);
    expect(aborted.hides(read(await counted(1, { producerId: 1 })))).toBe(false);
    expect(aborted.hides(await commit(2, 1))).toBe(true);
  });

  test("shows exactly the committed records of any interleaving of transactions", async () => {
    const step = fc.record({
      producer: fc.integer({ min: 1, max: 3 }),
      what: fc.constantFrom("write", "commit", "abort"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        const { batches, list, committed } = await history(steps);
        const aborted = new AbortedTransactions(list);
        const shown = batches.filter((batch) => !aborted.hides(batch)).map(({ baseOffset }) => Number(baseOffset));
        expect(shown).toEqual(committed);
      }),
      { numRuns: 60 },
    );
  });
});

interface Step {
  readonly producer: number;
  readonly what: string;
}

/** A log, one offset a step, and what a broker would list beside it. What is still open at the end is aborted. */
async function history(steps: readonly Step[]) {
  const open = new Map<number, number[]>();
  const batches: RecordBatch[] = [];
  const list: { producerId: bigint; firstOffset: bigint }[] = [];
  const committed: number[] = [];
  const end = async (producer: number, what: string) => {
    const offsets = open.get(producer);
    if (offsets === undefined) return;
    open.delete(producer);
    if (what === "commit") committed.push(...offsets);
    else list.push({ producerId: BigInt(producer), firstOffset: BigInt(offsets[0] ?? 0) });
    batches.push(await (what === "commit" ? commit : abort)(producer, batches.length));
  };
  for (const { producer, what } of steps) {
    if (what !== "write") await end(producer, what);
    else {
      open.set(producer, [...(open.get(producer) ?? []), batches.length]);
      batches.push(await of(producer, batches.length));
    }
  }
  for (const producer of [...open.keys()]) await end(producer, "abort");
  return { batches, list, committed: committed.sort((a, b) => a - b) };
}
