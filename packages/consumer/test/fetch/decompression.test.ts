import { defaultRecordBatchesOptions, type RecordBatch, RecordBatches } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { BackgroundDecompression, DecompressionTally } from "../../src/fetch/decompression.ts";
import { batch } from "../log.ts";

/** A batch that is decompressed when the test says so. */
async function batchToFinish() {
  const bytes = await batch([{ value: "v" }], { codec: "gzip" });
  const [found] = new RecordBatches(bytes, defaultRecordBatchesOptions);
  if (found === undefined) throw new Error("no batch");
  let settle: { resolve: () => void; reject: (error: Error) => void } | null = null;
  let starts = 0;
  const own: RecordBatch = Object.create(found, {
    decompress: {
      value: () => {
        starts += 1;
        return new Promise<void>((resolve, reject) => {
          settle = { resolve, reject };
        });
      },
    },
  });
  return {
    batch: own,
    finish: () => settle?.resolve(),
    fail: (error: Error) => settle?.reject(error),
    starts: () => starts,
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("BackgroundDecompression", () => {
  test("has one batch under way, and another one when it is asked again after that", async () => {
    let ready = 0;
    const background = new BackgroundDecompression(() => ready++);
    const [first, second] = [await batchToFinish(), await batchToFinish()];
    const unexpected = (error: unknown) => {
      throw error;
    };
    background.start(first.batch, unexpected);
    background.start(second.batch, unexpected);
    background.start(first.batch, unexpected);
    expect([first.starts(), second.starts()]).toEqual([1, 0]);
    first.finish();
    await turn();
    expect(ready).toBe(1);
    background.start(second.batch, unexpected);
    expect([first.starts(), second.starts()]).toEqual([1, 1]);
  });

  test("goes on after one that cannot be decompressed", async () => {
    let ready = 0;
    const errors: unknown[] = [];
    const background = new BackgroundDecompression(() => ready++);
    const [first, second] = [await batchToFinish(), await batchToFinish()];
    background.start(first.batch, (error) => errors.push(error));
    first.fail(new Error("no gzip"));
    await turn();
    expect(errors).toEqual([new Error("no gzip")]);
    expect(ready).toBe(1);
    background.start(second.batch, (error) => errors.push(error));
    expect(second.starts()).toBe(1);
  });
});

describe("DecompressionTally", () => {
  test("admits the first batch whatever there may be", () => {
    expect(new DecompressionTally().admits(1)).toBe(true);
  });

  test("admits batches, if the next is as the last one was, up to a quarter of what one may be", () => {
    const tally = new DecompressionTally();
    expect(tally.admits(400)).toBe(true);
    tally.add(60);
    expect(tally.admits(400)).toBe(false);
    tally.add(20);
    expect(tally.admits(400)).toBe(true);
    tally.add(0);
    expect(tally.admits(400)).toBe(true);
    expect(tally.isFull).toBe(false);
    tally.add(21);
    expect(tally.admits(400)).toBe(false);
    expect(tally.isFull).toBe(true);
  });
});
