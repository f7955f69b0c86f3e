import { bytes, string } from "@odradek/network";
import { defaultCodecs } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import type { IsolationLevel } from "../../src/consumer-options.ts";
import { CorruptLogError } from "../../src/errors.ts";
import type { AbortedTransaction } from "../../src/fetch/aborted-transactions.ts";
import { CompletedFetch } from "../../src/fetch/completed-fetch.ts";
import { BackgroundDecompression, DecompressionTally } from "../../src/fetch/decompression.ts";
import { PartitionState } from "../../src/positions/partition-state.ts";
import type { ConsumerRecord } from "../../src/records/consumer-record.ts";
import { batch, counted, damaged, emptied, marker } from "../log.ts";

interface Given {
  readonly offset?: number;
  readonly aborted?: readonly AbortedTransaction[];
  readonly checkCrcs?: boolean;
  readonly maxDecompressedBytes?: number;
  readonly isolationLevel?: IsolationLevel;
  readonly receiveMessageMaxBytes?: number;
  readonly onReady?: () => void;
  readonly onStalled?: () => void;
}

/** An answer for `orders-2` that was asked for from `offset` on. */
function completed(records: Buffer, given: Given = {}): CompletedFetch<Uint8Array, string> {
  const { offset = 0, aborted = null, onReady = () => {}, onStalled = () => {}, ...options } = given;
  const state = new PartitionState({ topic: "orders", partition: 2 });
  const position = { offset: BigInt(offset), leaderEpoch: -1 };
  state.seek(position);
  const defaults = {
    checkCrcs: true,
    maxDecompressedBytes: 1_000_000,
    codecs: defaultCodecs,
    isolationLevel: "read_uncommitted",
    receiveMessageMaxBytes: 1_000_000,
  } as const;
  const deserializers = { keyDeserializer: bytes, valueDeserializer: string };
  const fetched = { state, position, records, abortedTransactions: aborted };
  return new CompletedFetch(
    fetched,
    { ...defaults, ...deserializers, ...options },
    new BackgroundDecompression(onReady),
    onStalled,
  );
}

function taken(fetch: CompletedFetch<Uint8Array, string>, limit = 100): string[] {
  const into: ConsumerRecord<Uint8Array, string>[] = [];
  fetch.take(limit, into, new DecompressionTally());
  return into.map(({ offset, value }) => `${offset}:${value}`);
}

const errorOf = (run: () => unknown): unknown => {
  try {
    run();
  } catch (error) {
    return error;
  }
  return null;
};

describe("CompletedFetch", () => {
  test("gives the records of all batches, with their offsets", async () => {
    const fetch = completed(Buffer.concat([await counted(2), await counted(3, { baseOffset: 2 })]));
    expect(taken(fetch)).toEqual(["0:v0", "1:v1", "2:v2", "3:v3", "4:v4"]);
    expect(fetch.position).toEqual({ offset: 5n, leaderEpoch: 0 });
    expect(fetch.isDrained).toBe(true);
  });

  test("gives what a record is besides its value", async () => {
    const headers = [
      { key: "trace", value: "abc" },
      { key: "none", value: null },
    ];
    const records = await batch([{ key: "k", value: null, timestamp: 1_234, headers }], {
      baseOffset: 7,
      leaderEpoch: 4,
    });
    const into: ConsumerRecord<Uint8Array, string>[] = [];
    completed(records).take(1, into, new DecompressionTally());
    expect(into[0]).toMatchObject({
      topic: "orders",
      partition: 2,
      offset: 7n,
      timestamp: 1_234,
      timestampType: "createTime",
      leaderEpoch: 4,
      value: null,
      serializedKeySize: 1,
      serializedValueSize: -1,
    });
    expect(into[0]?.headers).toEqual([
      { key: "trace", value: Buffer.from("abc") },
      { key: "none", value: null },
    ]);
  });

  test("gives no more than asked for, and goes on there", async () => {
    const fetch = completed(Buffer.concat([await counted(3), await counted(3, { baseOffset: 3 })]));
    expect(taken(fetch, 2)).toEqual(["0:v0", "1:v1"]);
    expect(fetch.position.offset).toBe(2n);
    expect(fetch.isDrained).toBe(false);
    expect(taken(fetch, 3)).toEqual(["2:v2", "3:v3", "4:v4"]);
    expect(taken(fetch, 3)).toEqual(["5:v5"]);
    expect(fetch.isDrained).toBe(true);
    expect(taken(fetch, 3)).toEqual([]);
  });

  test("knows that it is drained as soon as its last record is taken, so that more can be fetched", async () => {
    const fetch = completed(await counted(3));
    taken(fetch, 3);
    expect(fetch.isDrained).toBe(true);
  });

  test("leaves out the records before the position, where the batch began earlier", async () => {
    const fetch = completed(await counted(5, { baseOffset: 10 }), { offset: 13 });
    expect(taken(fetch)).toEqual(["13:v13", "14:v14"]);
  });

  test("leaves out whole batches before the position, and never goes back", async () => {
    const records = Buffer.concat([await counted(2, { baseOffset: 1 }), await counted(2, { baseOffset: 8 })]);
    const fetch = completed(records, { offset: 9 });
    expect(taken(fetch)).toEqual(["9:v9"]);
    expect(fetch.position.offset).toBe(10n);
  });

  test("goes on behind what compaction removed from the end of a batch", async () => {
    const fetch = completed(await counted(2, { lastOffsetDelta: 9 }));
    expect(taken(fetch)).toEqual(["0:v0", "1:v1"]);
    expect(fetch.position.offset).toBe(10n);
  });

  test("goes on behind a batch of which compaction left nothing", async () => {
    const fetch = completed(await emptied({ baseOffset: 4, lastOffsetDelta: 5, leaderEpoch: 6 }), { offset: 4 });
    expect(taken(fetch)).toEqual([]);
    expect(fetch.position).toEqual({ offset: 10n, leaderEpoch: 6 });
    expect(fetch.isDrained).toBe(true);
  });

  test("steps over control records", async () => {
    const records = [await counted(1), await marker("commit", 9, 1), await counted(1, { baseOffset: 2 })];
    const fetch = completed(Buffer.concat(records));
    expect(taken(fetch)).toEqual(["0:v0", "2:v2"]);
    expect(fetch.position.offset).toBe(3n);
  });

  test("ignores a last batch that is cut short", async () => {
    const records = Buffer.concat([await counted(2), (await counted(2, { baseOffset: 2 })).subarray(0, 70)]);
    const fetch = completed(records);
    expect(taken(fetch)).toEqual(["0:v0", "1:v1"]);
    expect(fetch.isDrained).toBe(true);
    expect(fetch.state.minFetchBytes).toBe(0);
  });

  test("asks for as many bytes as the first batch has, where that is cut short", async () => {
    const whole = await counted(20);
    const fetch = completed(whole.subarray(0, 100));
    expect(taken(fetch)).toEqual([]);
    expect(fetch.isDrained).toBe(true);
    expect(fetch.state.minFetchBytes).toBe(whole.length);
  });

  test("says that it leads nowhere, where no whole batch reaches beyond the position", async () => {
    let stalls = 0;
    const stalled = async (records: Buffer, offset: number) => {
      stalls = 0;
      const fetch = completed(records, { offset, onStalled: () => stalls++ });
      taken(fetch);
      taken(fetch);
      return stalls;
    };
    expect(await stalled(await counted(3), 3)).toBe(1);
    expect(await stalled((await counted(20)).subarray(0, 100), 0)).toBe(1);
    expect(await stalled(await counted(3), 2)).toBe(0);
    expect(await stalled(await emptied({ lastOffsetDelta: 5 }), 5)).toBe(0);
    expect(await stalled(await marker("commit", 1, 7), 7)).toBe(0);
  });

  test("does not decompress what lies before the position", async () => {
    const bomb = await batch([{ value: "x".repeat(2_000) }], { codec: "gzip", lastOffsetDelta: 9 });
    const records = Buffer.concat([bomb, await counted(1, { baseOffset: 10 })]);
    expect(taken(completed(records, { offset: 10, maxDecompressedBytes: 1_000 }))).toEqual(["10:v10"]);
    expect(() => taken(completed(records, { offset: 9, maxDecompressedBytes: 1_000 }))).toThrow(CorruptLogError);
  });

  test("asks for more where not even the size of the first batch came", async () => {
    const fetch = completed((await counted(20)).subarray(0, 10));
    taken(fetch);
    expect(fetch.state.minFetchBytes).toBe(20);
  });

  test("tells of a batch that no frame may hold", async () => {
    const fetch = completed((await counted(20)).subarray(0, 100), { receiveMessageMaxBytes: 150 });
    expect(errorOf(() => taken(fetch))).toMatchObject({
      code: "MESSAGE_TOO_LARGE",
      message: expect.stringContaining("orders-2 at offset 0"),
    });
  });

  test.each(["gzip", "snappy", "lz4", "zstd"] as const)("reads batches compressed with %s", async (codec) => {
    const records = Buffer.concat([await counted(3, { codec }), await counted(2, { codec, baseOffset: 3 })]);
    let onReady = () => {};
    const fetch = completed(records, { onReady: () => onReady() });
    const got: string[] = [];
    while (!fetch.isDrained) {
      const ready = new Promise<void>((resolve) => {
        onReady = resolve;
      });
      const some = taken(fetch);
      got.push(...some);
      // Nothing came although something is left: it is being decompressed in the background.
      if (some.length === 0 && !fetch.isDrained) await ready;
    }
    expect(got).toEqual(["0:v0", "1:v1", "2:v2", "3:v3", "4:v4"]);
  });
});

describe("CompletedFetch of bytes that are corrupt", () => {
  test("names the partition, the position, and where to go on", async () => {
    const fetch = completed(damaged(await counted(4, { baseOffset: 20 })), { offset: 21 });
    const error = errorOf(() => taken(fetch));
    expect(error).toBeInstanceOf(CorruptLogError);
    expect(error).toMatchObject({
      code: "CORRUPT_MESSAGE",
      topic: "orders",
      partition: 2,
      offset: 21n,
      nextOffset: 24n,
      message: expect.stringMatching(/orders-2@21.*checksum.*seek to 24/),
    });
  });

  test("gives what comes before, then the error at each call", async () => {
    const records = [
      await counted(2),
      damaged(await counted(2, { baseOffset: 2 })),
      await counted(1, { baseOffset: 4 }),
    ];
    const fetch = completed(Buffer.concat(records));
    const into: ConsumerRecord<Uint8Array, string>[] = [];
    expect(() => fetch.take(100, into, new DecompressionTally())).toThrow(CorruptLogError);
    expect(into.map(({ offset }) => offset)).toEqual([0n, 1n]);
    expect(fetch.position.offset).toBe(2n);
    expect(() => fetch.take(100, into, new DecompressionTally())).toThrow(CorruptLogError);
    expect(into).toHaveLength(2);
    expect(fetch.isDrained).toBe(false);
  });

  test("is not noticed in a checksum where checksums are not compared", async () => {
    const records = Buffer.from(await counted(2));
    records.writeUInt32BE(0, 17);
    expect(taken(completed(records, { checkCrcs: false }))).toEqual(["0:v0", "1:v1"]);
  });

  test("goes on one offset further where the batch does not even tell where it ends", async () => {
    const records = Buffer.from(await counted(2));
    records.writeInt8(9, 16);
    expect(errorOf(() => taken(completed(records, { offset: 5 })))).toMatchObject({ offset: 5n, nextOffset: 6n });
  });

  test("keeps the records before a record that contradicts itself", async () => {
    const records = Buffer.from(await counted(3));
    // The third record claims to be longer than the batch.
    records[records.length - 9] = 0x7e;
    const fetch = completed(records, { checkCrcs: false });
    const into: ConsumerRecord<Uint8Array, string>[] = [];
    expect(() => fetch.take(100, into, new DecompressionTally())).toThrow(CorruptLogError);
    expect(into.map(({ offset }) => offset)).toEqual([0n, 1n]);
    expect(fetch.position.offset).toBe(2n);
  });

  test("tells of compressed bytes that mean nothing, also when that is found in the background", async () => {
    const records = Buffer.from(await counted(3, { codec: "zstd" }));
    records.fill(0xff, 61);
    let onReady = () => {};
    const ready = new Promise<void>((resolve) => {
      onReady = resolve;
    });
    const fetch = completed(records, { checkCrcs: false, onReady });
    const first = errorOf(() => taken(fetch));
    if (first === null) await ready;
    expect(first ?? errorOf(() => taken(fetch))).toBeInstanceOf(CorruptLogError);
    expect(fetch.isDrained).toBe(false);
  });
});

describe("CompletedFetch with read_committed", () => {
  const committed = { isolationLevel: "read_committed" } as const;

  test("leaves out the records of an aborted transaction, and those alone", async () => {
    const records = Buffer.concat([
      await counted(2, { producerId: 1, isTransactional: true }),
      await counted(2, { baseOffset: 2, producerId: 2, isTransactional: true }),
      await counted(1, { baseOffset: 4 }),
      await marker("abort", 1, 5),
      await marker("commit", 2, 6),
      await counted(1, { baseOffset: 7, producerId: 1, isTransactional: true }),
      await marker("commit", 1, 8),
    ]);
    const fetch = completed(records, { ...committed, aborted: [{ producerId: 1n, firstOffset: 0n }] });
    expect(taken(fetch)).toEqual(["2:v2", "3:v3", "4:v4", "7:v7"]);
    expect(fetch.position.offset).toBe(9n);
  });

  test("is told nothing of aborted transactions with read_uncommitted, and gives all records", async () => {
    const records = [await counted(2, { producerId: 1, isTransactional: true }), await marker("abort", 1, 2)];
    expect(taken(completed(Buffer.concat(records)))).toEqual(["0:v0", "1:v1"]);
  });
});
