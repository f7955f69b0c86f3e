import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { TransactionalCalls } from "../src/transactional-calls.ts";

/** An operation whose end the test decides. */
class Operation {
  count = 0;
  succeed: () => void = () => {};
  fail: (error: Error) => void = () => {};

  readonly run = (): Promise<void> => {
    this.count += 1;
    return new Promise((resolve, reject) => {
      this.succeed = resolve;
      this.fail = reject;
    });
  };
}

function setUp() {
  const clock = new ManualClock();
  return { clock, calls: new TransactionalCalls(clock), commit: new Operation(), other: new Operation() };
}

const limit = { timeoutMs: 100 };

describe("a transactional call", () => {
  test("ends as its operation does, and leaves no timer behind", async () => {
    const { clock, calls, commit } = setUp();
    const good = calls.call("commit", limit, commit.run);
    commit.succeed();
    await good;
    const bad = calls.call("commit", limit, commit.run);
    commit.fail(new Error("fenced"));
    await expect(bad).rejects.toThrow("fenced");
    expect(clock.timers).toBe(0);
    calls.requireNone("begin");
  });

  test("is refused while another is under way, the same one too", async () => {
    const { calls, commit } = setUp();
    const first = calls.call("commit", limit, commit.run);
    for (const name of ["commit", "abort"]) {
      await expect(calls.call(name, limit, commit.run)).rejects.toMatchObject({ code: "STATE" });
    }
    expect(() => calls.requireNone("begin")).toThrow("begin: commit is under way, await it first");
    commit.succeed();
    await first;
    expect(commit.count).toBe(1);
  });

  test("that ran out of time goes on, and the same call waits for the same outcome", async () => {
    const { clock, calls, commit, other } = setUp();
    const first = calls.call("commit", limit, commit.run);
    clock.advance(100);
    await expect(first).rejects.toMatchObject({ code: "TIMEOUT" });
    await expect(calls.call("abort", limit, other.run)).rejects.toThrow(
      "abort: commit ran out of time and may yet succeed, call it again first",
    );
    const again = calls.call("commit", limit, commit.run);
    commit.succeed();
    await again;
    expect([commit.count, other.count]).toEqual([1, 0]);
    calls.requireNone("begin");
  });

  test("that ran out of time and fails later tells that to the next one, and to nobody else", async () => {
    const { clock, calls, commit } = setUp();
    const first = calls.call("commit", limit, commit.run);
    clock.advance(100);
    await expect(first).rejects.toMatchObject({ code: "TIMEOUT" });
    commit.fail(new Error("fenced"));
    await calls.settled();
    await expect(calls.call("commit", limit, commit.run)).rejects.toThrow("fenced");
    calls.requireNone("abort");
  });

  test("may run out of time again and again", async () => {
    const { clock, calls, commit } = setUp();
    for (let round = 0; round < 3; round++) {
      const call = calls.call("commit", limit, commit.run);
      clock.advance(100);
      await expect(call).rejects.toMatchObject({ code: "TIMEOUT" });
    }
    expect(commit.count).toBe(1);
  });

  test("that moves nothing on may be followed by any, once it ran out of time and has ended", async () => {
    const { clock, calls, commit, other } = setUp();
    const offsets = calls.callBeside("sendOffsets", limit, other.run, () => {});
    clock.advance(100);
    await expect(offsets).rejects.toMatchObject({ code: "TIMEOUT" });
    await expect(calls.call("commit", limit, commit.run)).rejects.toThrow(
      "commit: sendOffsets ran out of time and may yet succeed, call it again first, or abortTransaction",
    );
    other.fail(new Error("nobody is told this"));
    await Promise.resolve();
    const call = calls.call("commit", limit, commit.run);
    commit.succeed();
    await call;
    const again = calls.callBeside("sendOffsets", limit, other.run, () => {});
    other.succeed();
    await again;
    expect(other.count).toBe(2);
  });

  test("that moves nothing on goes beside others of its kind, and comes to nobody's mind when it is given up and ends", async () => {
    const { clock, calls, commit, other } = setUp();
    const reasons: unknown[] = [];
    const onGivenUp = (reason: unknown) => reasons.push(reason);
    const sent = ["a", "b"].map((name) => calls.callBeside(name, limit, other.run, onGivenUp));
    const moved = calls.call("commit", { timeoutMs: 1_000 }, commit.run);
    await expect(calls.callBeside("c", limit, other.run, onGivenUp)).rejects.toMatchObject({ code: "STATE" });
    clock.advance(100);
    const ends = await Promise.allSettled(sent);
    expect(reasons).toEqual(ends.map((end) => end.status === "rejected" && end.reason));
    commit.succeed();
    await moved;
    expect(other.count).toBe(2);
  });

  test("may wait for another that is under way, however that one ends, and does not wait for what was given up", async () => {
    const { clock, calls, commit, other } = setUp();
    const first = calls.call("commit", limit, commit.run);
    const behind = calls.callBehind("abort", { timeoutMs: 1_000 }, other.run);
    await expect(calls.callBehind("abort", limit, other.run)).rejects.toThrow("abort: abort is under way");
    commit.fail(new Error("no"));
    await expect(first).rejects.toThrow("no");
    await Promise.resolve();
    expect(() => calls.requireNone("begin")).toThrow("begin: abort is under way");
    other.succeed();
    await behind;
    calls.requireNone("begin");
    const late = calls.call("commit", limit, commit.run);
    clock.advance(100);
    await expect(late).rejects.toMatchObject({ code: "TIMEOUT" });
    await expect(calls.callBehind("abort", limit, other.run)).rejects.toThrow("call it again first");
    expect(other.count).toBe(1);
  });

  test("ends with the reason of its signal, and goes on", async () => {
    const { clock, calls, commit } = setUp();
    const controller = new AbortController();
    const call = calls.call("commit", { ...limit, signal: controller.signal }, commit.run);
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    const again = calls.call("commit", limit, commit.run);
    commit.succeed();
    await again;
    expect([commit.count, clock.timers]).toEqual([1, 0]);
  });

  test("that was given up by its signal leaves no time behind for the same call, made again", async () => {
    const { clock, calls, commit } = setUp();
    const controller = new AbortController();
    const first = calls.call("commit", { ...limit, signal: controller.signal }, commit.run);
    controller.abort(new Error("enough"));
    await expect(first).rejects.toThrow("enough");
    expect(clock.timers).toBe(0);
    const again = calls.call("commit", { timeoutMs: 1_000 }, commit.run);
    clock.advance(100);
    // It is still waited for.
    expect(() => calls.requireNone("begin")).toThrow("begin: commit is under way, await it first");
    await expect(calls.call("commit", limit, commit.run)).rejects.toThrow("commit is under way, await it first");
    commit.succeed();
    await again;
    expect([commit.count, clock.timers]).toEqual([1, 0]);
  });

  test("that was given up by its signal does not count for the one that follows, when its time is over", async () => {
    const { clock, calls, commit, other } = setUp();
    const controller = new AbortController();
    const offsets = calls.callBeside("sendOffsets", { ...limit, signal: controller.signal }, other.run, () => {});
    controller.abort(new Error("enough"));
    await expect(offsets).rejects.toThrow("enough");
    const call = calls.callBehind("abort", { timeoutMs: 1_000 }, commit.run);
    clock.advance(100);
    commit.fail(new Error("fenced"));
    await expect(call).rejects.toThrow("fenced");
    calls.requireNone("begin");
  });

  test("that ran out of time is not given up once more by its signal", async () => {
    const { clock, calls, commit } = setUp();
    const controller = new AbortController();
    const first = calls.call("commit", { ...limit, signal: controller.signal }, commit.run);
    clock.advance(100);
    await expect(first).rejects.toMatchObject({ code: "TIMEOUT" });
    const again = calls.call("commit", limit, commit.run);
    controller.abort(new Error("enough"));
    expect(() => calls.requireNone("begin")).toThrow("begin: commit is under way, await it first");
    commit.succeed();
    await again;
  });

  test("is not begun where its signal says so before", async () => {
    const { calls, commit } = setUp();
    const signal = AbortSignal.abort(new Error("never"));
    await expect(calls.call("commit", { ...limit, signal }, commit.run)).rejects.toThrow("never");
    expect(commit.count).toBe(0);
    calls.requireNone("abort");
  });
});
