import { bytes, string } from "@odradek/network";
import { defaultCodecs, zeroUuid } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { CorruptLogError } from "../../src/errors.ts";
import { CompletedFetch } from "../../src/fetch/completed-fetch.ts";
import { BackgroundDecompression } from "../../src/fetch/decompression.ts";
import { FetchBuffer } from "../../src/fetch/fetch-buffer.ts";
import type { PartitionState } from "../../src/positions/partition-state.ts";
import { SubscriptionState } from "../../src/positions/subscription-state.ts";
import { batch, counted, damaged, emptied } from "../log.ts";

const options = {
  checkCrcs: true,
  codecs: defaultCodecs,
  isolationLevel: "read_uncommitted",
  keyDeserializer: bytes,
  valueDeserializer: string,
  receiveMessageMaxBytes: 1_000_000,
} as const;

/** A buffer, and three partitions at offset 0. */
function fixture({ maxDecompressedBytes = 1_000_000 } = {}) {
  const subscription = new SubscriptionState();
  subscription.assign([0, 1, 2].map((partition) => ({ topic: "orders", partition })));
  const [p0, p1, p2] = [...subscription.partitions()];
  if (p0 === undefined || p1 === undefined || p2 === undefined) throw new Error("three were assigned");
  for (const state of [p0, p1, p2]) state.seek({ offset: 0n, leaderEpoch: -1 });
  const buffer = new FetchBuffer<Uint8Array, string>(subscription);
  const background = new BackgroundDecompression(() => {});
  const arrive = (state: PartitionState, records: Buffer) => {
    const position = state.position ?? { offset: 0n, leaderEpoch: -1 };
    const fetched = { state, position, records, abortedTransactions: null };
    buffer.add(new CompletedFetch(fetched, { ...options, maxDecompressedBytes }, background, () => {}));
  };
  const drained = (maxRecords = 100) =>
    buffer.drain(maxRecords)?.records.map(({ partition, value }) => `${partition}:${value}`) ?? null;
  return { subscription, buffer, p0, p1, p2, arrive, drained };
}

describe("FetchBuffer", () => {
  test("has nothing to hand out before anything came", () => {
    expect(fixture().drained()).toBeNull();
  });

  test("hands out answers in the order in which they came, up to the limit, across partitions", async () => {
    const { p0, p1, arrive, drained } = fixture();
    arrive(p1, await counted(2));
    arrive(p0, await counted(3));
    expect(drained(3)).toEqual(["1:v0", "1:v1", "0:v0"]);
    expect(drained(3)).toEqual(["0:v1", "0:v2"]);
    expect(drained(3)).toBeNull();
  });

  test("moves the positions behind what it hands out, and says where each partition goes on", async () => {
    const { buffer, p0, p1, arrive } = fixture();
    arrive(p0, await counted(2, { lastOffsetDelta: 4 }));
    arrive(p1, await counted(2));
    expect(buffer.drain(3)?.spans).toMatchObject([
      { topic: "orders", partition: 0, start: 0, end: 2, next: { offset: 5n } },
      { topic: "orders", partition: 1, start: 2, end: 3, next: { offset: 1n } },
    ]);
    expect([p0.position?.offset, p1.position?.offset]).toEqual([5n, 1n]);
  });

  test("has a partition until the last of its records is handed out", async () => {
    const { buffer, p0, arrive, drained } = fixture();
    expect(buffer.has(p0)).toBe(false);
    arrive(p0, await counted(2));
    expect(buffer.has(p0)).toBe(true);
    drained(1);
    expect(buffer.has(p0)).toBe(true);
    drained(1);
    expect(buffer.has(p0)).toBe(false);
  });

  test("keeps what is paused for later, and hands out the others", async () => {
    const { p0, p1, arrive, drained, buffer } = fixture();
    arrive(p0, await counted(3));
    arrive(p1, await counted(1));
    expect(drained(1)).toEqual(["0:v0"]);
    p0.pause();
    expect(drained()).toEqual(["1:v0"]);
    expect(drained()).toBeNull();
    expect(buffer.has(p0)).toBe(true);
    p0.resume();
    expect(drained()).toEqual(["0:v1", "0:v2"]);
  });

  test("drops what a seek has made void, even while it is paused", async () => {
    const { p0, p1, arrive, drained, buffer } = fixture();
    arrive(p0, await counted(3));
    arrive(p1, await counted(3));
    drained(1);
    p0.seek({ offset: 2n, leaderEpoch: -1 });
    expect(buffer.has(p0)).toBe(false);
    p1.pause();
    p1.seek({ offset: 1n, leaderEpoch: -1 });
    p1.resume();
    expect(drained()).toBeNull();
  });

  test("drops what came of a leader that leads no more, once another's log has what was read before", async () => {
    const { buffer, p0, arrive, drained } = fixture();
    const log = (leaderEpoch: number) => ({ topicId: zeroUuid, leaderEpoch });
    p0.seek({ offset: 0n, leaderEpoch: 5 }, log(5));
    arrive(p0, await counted(2));
    p0.ledBy(log(5));
    expect(drained(1)).toEqual(["0:v0"]);
    p0.ledBy(log(6));
    expect(buffer.has(p0)).toBe(false);
    p0.validated();
    expect(drained()).toBeNull();
    expect(p0.position?.offset).toBe(1n);
    arrive(p0, await counted(2));
    expect(drained()).toEqual(["0:v1"]);
  });

  test("takes what comes after a seek in place of what came before it", async () => {
    const { p0, arrive, drained } = fixture();
    arrive(p0, await counted(3));
    p0.seek({ offset: 2n, leaderEpoch: -1 });
    arrive(p0, await counted(3));
    expect(drained()).toEqual(["0:v2"]);
  });

  test("drops what is not assigned any more, also when it is assigned anew", async () => {
    const { subscription, p0, p1, arrive, drained } = fixture();
    arrive(p0, await counted(3));
    arrive(p1, await counted(1));
    subscription.assign([{ topic: "orders", partition: 1 }]);
    subscription.assign([0, 1].map((partition) => ({ topic: "orders", partition })));
    expect(drained()).toEqual(["1:v0"]);
  });

  test("steps over an answer in which there is nothing to see", async () => {
    const { p0, p1, arrive, buffer, drained } = fixture();
    arrive(p0, await emptied({ lastOffsetDelta: 3 }));
    arrive(p1, await counted(1));
    expect(drained()).toEqual(["1:v0"]);
    expect(p0.position?.offset).toBe(4n);
    expect(buffer.has(p0)).toBe(false);
  });

  test("counts the bytes that wait, those of paused partitions aside", async () => {
    const { p0, p1, arrive, buffer, drained } = fixture();
    const records = await counted(3);
    arrive(p0, records);
    arrive(p1, records);
    expect(buffer.fetchableBytes).toBe(2 * records.length);
    p0.pause();
    expect(buffer.fetchableBytes).toBe(records.length);
    drained();
    expect(buffer.fetchableBytes).toBe(0);
  });

  test("ends a poll once what it has decompressed is a quarter of what one batch may become", async () => {
    const { arrive, drained, p0, p1 } = fixture();
    const batchOf = (baseOffset: number) => batch([{ value: "x".repeat(60_000) }], { codec: "gzip", baseOffset });
    arrive(p0, Buffer.concat(await Promise.all([0, 1, 2, 3, 4, 5].map(batchOf))));
    arrive(p1, await counted(1));
    const sizes = () => drained()?.map((record) => record.length) ?? null;
    // Five of them would be more than a quarter of a million bytes.
    expect(sizes()).toEqual([60_002, 60_002, 60_002, 60_002]);
    expect(sizes()).toEqual([60_002, 60_002, 4]);
    expect(drained()).toBeNull();
  });

  test("counts what an earlier poll decompressed and did not hand out in full", async () => {
    const { arrive, drained, p0 } = fixture({ maxDecompressedBytes: 200_000 });
    const two = [{ value: "x".repeat(22_500) }, { value: "y".repeat(22_500) }];
    const next = await batch([{ value: "next" }], { codec: "gzip", baseOffset: 2 });
    const last = await batch([{ value: "last" }], { codec: "gzip", baseOffset: 3 });
    arrive(p0, Buffer.concat([await batch(two, { codec: "gzip" }), next, last]));
    expect(drained(1)).toHaveLength(1);
    expect(drained()).toHaveLength(1);
    expect(drained()).toEqual(["0:next", "0:last"]);
  });

  test("hands out nothing, and says so, where all that it has decompressed cannot be seen", async () => {
    const { arrive, buffer, drained, p0 } = fixture();
    // Each says that it reaches to where the next begins, and has one record far before the position.
    p0.seek({ offset: 500n, leaderEpoch: -1 });
    const bombOf = (lastOffsetDelta: number) =>
      batch([{ value: "x".repeat(900_000) }], { codec: "gzip", lastOffsetDelta });
    const bombs = await Promise.all([600, 700, 800].map(bombOf));
    arrive(p0, Buffer.concat([...bombs, await counted(1, { baseOffset: 801 })]));
    expect(buffer.drain(100)).toEqual({ records: [], spans: [] });
    expect(p0.position?.offset).toBe(601n);
    expect(buffer.drain(100)).toEqual({ records: [], spans: [] });
    expect(p0.position?.offset).toBe(701n);
    expect(drained()).toEqual(["0:v801"]);
  });

  test("hands out what comes before corrupt bytes first, and then their error", async () => {
    const { p0, p1, arrive, buffer, drained } = fixture();
    arrive(p1, await counted(1));
    arrive(p0, Buffer.concat([await counted(1), damaged(await counted(1, { baseOffset: 1 }))]));
    expect(drained()).toEqual(["1:v0", "0:v0"]);
    expect(() => drained()).toThrow(CorruptLogError);
    expect(p0.position?.offset).toBe(1n);
    expect(buffer.has(p0)).toBe(false);
  });

  test("hands out other partitions while one of them is corrupt, however often it comes again", async () => {
    const { arrive, drained, p0, p1 } = fixture();
    for (let baseOffset = 0; baseOffset < 6; baseOffset += 2) {
      arrive(p0, damaged(await counted(2)));
      arrive(p1, await counted(2, { baseOffset }));
      expect(() => drained()).toThrow(CorruptLogError);
      expect(drained()).toEqual([`1:v${baseOffset}`, `1:v${baseOffset + 1}`]);
    }
  });

  test("hands out records behind corrupt bytes after a seek to where their error says", async () => {
    const { p0, arrive, drained } = fixture();
    arrive(p0, damaged(await counted(4)));
    expect(() => drained()).toThrow("seek to 4");
    p0.seek({ offset: 4n, leaderEpoch: -1 });
    arrive(p0, await counted(1, { baseOffset: 4 }));
    expect(drained()).toEqual(["0:v4"]);
  });
});
