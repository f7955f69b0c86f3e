import { getEventListeners } from "node:events";
import { Deadline } from "@odradek/network";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { WaitingCalls } from "../src/waiting-calls.ts";

function fixture() {
  const clock = new ManualClock();
  const calls = new WaitingCalls();
  return { calls, deadline: (timeoutMs: number) => new Deadline(clock, timeoutMs), clock };
}

describe("WaitingCalls", () => {
  test("a call ends when it finds what it looks for", async () => {
    const { calls, deadline } = fixture();
    let there: string | null = null;
    const call = calls.wait(deadline(100), undefined, () => there);
    calls.look();
    expect(calls.size).toBe(1);
    there = "found";
    calls.look();
    expect(calls.size).toBe(0);
    expect(await call).toBe("found");
  });

  test("a call ends with what its look throws", async () => {
    const { calls, deadline } = fixture();
    const call = calls.wait(deadline(100), undefined, () => {
      throw new Error("broken");
    });
    calls.look();
    await expect(call).rejects.toThrow("broken");
  });

  test("a call ends with nothing when its time is over, and the next one's is known", async () => {
    const { calls, deadline, clock } = fixture();
    expect(calls.nextMs).toBe(Number.POSITIVE_INFINITY);
    const short = calls.wait(deadline(100), undefined, () => null);
    const long = calls.wait(deadline(200), undefined, () => null);
    expect(calls.nextMs).toBe(1_100);
    clock.advance(100);
    calls.expire(clock.now());
    expect(await short).toBeNull();
    expect(calls.nextMs).toBe(1_200);
    calls.rejectAll(new Error("end"));
    await expect(long).rejects.toThrow("end");
  });

  test("a call ends with the reason of its signal, before or while it waits", async () => {
    const { calls, deadline } = fixture();
    const controller = new AbortController();
    const waiting = calls.wait(deadline(100), controller.signal, () => null);
    controller.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await expect(calls.wait(deadline(100), controller.signal, () => "found")).rejects.toThrow("enough");
    expect(calls.size).toBe(0);
  });

  test("a signal that outlives many calls gathers no listeners", async () => {
    const { calls, deadline } = fixture();
    const { signal } = new AbortController();
    const call = calls.wait(deadline(100), signal, () => "found");
    expect(getEventListeners(signal, "abort")).toHaveLength(1);
    calls.look();
    await call;
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});
