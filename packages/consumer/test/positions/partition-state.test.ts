import { zeroUuid } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { PartitionState } from "../../src/positions/partition-state.ts";

const at = (offset: bigint) => ({ offset, leaderEpoch: 3 });
const fresh = () => new PartitionState({ topic: "orders", partition: 2 });
const log = (leaderEpoch: number) => ({ topicId: zeroUuid, leaderEpoch });
const ends = { highWatermark: 100n, lastStableOffset: 90n, logStartOffset: 0n };

describe("PartitionState", () => {
  test("begins without a position, and cannot be fetched", () => {
    const state = fresh();
    expect(state).toMatchObject({ state: "INITIALIZING", position: null, resetTo: null, isFetchable: false });
  });

  test("can be fetched once it has a position", () => {
    const state = fresh();
    state.seek(at(5n));
    expect(state).toMatchObject({ state: "FETCHING", position: at(5n), isFetchable: true });
  });

  test("has no position while it awaits a reset, and what it was to be set to is forgotten by a seek", () => {
    const state = fresh();
    state.seek(at(5n));
    state.requestReset({ kind: "earliest" });
    expect(state).toMatchObject({
      state: "AWAIT_RESET",
      position: null,
      resetTo: { kind: "earliest" },
      isFetchable: false,
    });
    state.requestReset({ kind: "latest" });
    expect(state.resetTo).toEqual({ kind: "latest" });
    state.seek(at(7n));
    expect(state).toMatchObject({ state: "FETCHING", position: at(7n), resetTo: null });
  });

  test("is not fetched while it is paused, wherever it is sent meanwhile", () => {
    const state = fresh();
    state.pause();
    state.seek(at(5n));
    expect(state.isFetchable).toBe(false);
    state.resume();
    expect(state.isFetchable).toBe(true);
  });

  test("waits longer after each failure in a row, and not at all after a success", () => {
    const state = fresh();
    const backoff = (attempt: number) => 100 * (attempt + 1);
    state.failed(1_000, backoff);
    expect(state.retryAtMs).toBe(1_100);
    state.failed(2_000, backoff);
    expect(state.retryAtMs).toBe(2_200);
    state.succeeded();
    expect(state.retryAtMs).toBe(Number.NEGATIVE_INFINITY);
    state.failed(3_000, backoff);
    expect(state.retryAtMs).toBe(3_100);
  });

  test("waits from the second answer on that leads nowhere, longer each time, until it gets on", () => {
    const state = fresh();
    state.seek(at(5n));
    const backoff = (attempt: number) => 100 * (attempt + 1);
    expect(state.stalled(1_000, backoff)).toBe(1);
    expect(state.retryAtMs).toBe(Number.NEGATIVE_INFINITY);
    expect(state.stalled(2_000, backoff)).toBe(2);
    expect(state.retryAtMs).toBe(2_100);
    // That the leader answers is no news.
    state.succeeded();
    expect(state.stalled(3_000, backoff)).toBe(3);
    expect(state.retryAtMs).toBe(3_200);
    state.advance(at(6n));
    expect(state.stalled(4_000, backoff)).toBe(1);
    state.seek(at(9n));
    expect(state.stalled(5_000, backoff)).toBe(1);
  });

  test("forgets a wait when it is sent elsewhere", () => {
    const state = fresh();
    state.failed(1_000, () => 100);
    state.seek(at(1n));
    expect(state.retryAtMs).toBe(Number.NEGATIVE_INFINITY);
  });

  test("needs larger fetches for a large batch only until it is past it", () => {
    const state = fresh();
    state.seek(at(5n));
    state.needs(2_000_000);
    expect(state.minFetchBytes).toBe(2_000_000);
    state.advance(at(6n));
    expect(state).toMatchObject({ minFetchBytes: 0, position: at(6n) });
    state.needs(2_000_000);
    state.seek(at(8n));
    expect(state.minFetchBytes).toBe(0);
  });

  test("lags behind what may be read: the high watermark, or the last stable offset", () => {
    const state = fresh();
    expect(state.lag("read_uncommitted")).toBeNull();
    state.seek(at(40n));
    expect(state.lag("read_uncommitted")).toBeNull();
    state.saw(ends);
    expect(state.lag("read_uncommitted")).toBe(60n);
    expect(state.lag("read_committed")).toBe(50n);
  });

  test("does not lag where it is ahead of the last answer, nor where the broker did not tell", () => {
    const state = fresh();
    state.seek(at(101n));
    state.saw(ends);
    expect(state.lag("read_uncommitted")).toBe(0n);
    state.saw({ ...ends, lastStableOffset: -1n });
    expect(state.lag("read_committed")).toBeNull();
  });

  test("reads from a replica until its time is over, it is told not to, or another leads", () => {
    const state = fresh();
    state.seek(at(5n), log(3));
    state.prefer(9, 1_000);
    expect([state.preferredReplica(999), state.preferredReplica(1_000)]).toEqual([9, null]);
    state.prefer(9, 2_000);
    state.ledBy(log(3));
    expect(state.preferredReplica(1_000)).toBe(9);
    state.preferLeader();
    expect(state.preferredReplica(1_000)).toBeNull();
    state.prefer(9, 2_000);
    state.ledBy(log(4));
    expect(state.preferredReplica(1_000)).toBeNull();
  });

  test("waits until its position was held against the log of a new leader, and remembers of which", () => {
    const state = fresh();
    state.seek(at(5n), log(3));
    state.failed(1_000, () => 100);
    state.ledBy(log(4));
    expect(state).toMatchObject({
      state: "AWAIT_VALIDATION",
      position: at(5n),
      log: log(4),
      awaitsValidation: true,
      isFetchable: false,
      retryAtMs: Number.NEGATIVE_INFINITY,
    });
    state.ledBy(log(5));
    expect(state.awaitsValidation).toBe(true);
    state.validated();
    expect(state).toMatchObject({ state: "FETCHING", position: at(5n), isFetchable: true });
    state.ledBy(log(5));
    expect(state.isFetchable).toBe(true);
  });

  test("does not wait where the epoch of the record before its position, or that of the leader, is unknown", () => {
    const state = fresh();
    state.seek({ offset: 5n, leaderEpoch: -1 });
    state.ledBy(log(4));
    expect(state.isFetchable).toBe(true);
    state.seek(at(5n), log(3));
    state.ledBy(log(-1));
    expect(state.isFetchable).toBe(true);
  });

  test("goes back within the same log, whether or not that was validated", () => {
    const state = fresh();
    state.seek(at(5n), log(3));
    state.rewind(at(4n));
    expect(state).toMatchObject({ state: "FETCHING", position: at(4n), log: log(3) });
    state.ledBy(log(4));
    state.rewind(at(3n));
    expect(state).toMatchObject({ state: "AWAIT_VALIDATION", position: at(3n), log: log(4) });
  });

  test("has no log without a position", () => {
    const state = fresh();
    state.ledBy(log(3));
    expect(state).toMatchObject({ state: "INITIALIZING", log: null });
    state.seek(at(5n), log(3));
    state.requestReset({ kind: "earliest" });
    expect(state.log).toBeNull();
  });
});
