import { ClosedError, Deadline } from "@odradek/network";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { ConsumerLoop } from "../src/consumer-loop.ts";
import type { Due, OutgoingRequest } from "../src/outgoing-request.ts";

const never = Number.POSITIVE_INFINITY;
const nothing: Due = { requests: [], nextMs: never };
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A loop, what it is told to send next, and how often it has asked. */
function fixture() {
  const clock = new ManualClock();
  const asked: number[] = [];
  let onWake = () => {};
  const state = { due: [nothing] as Due[] };
  const network = {
    send: () => Promise.reject(new Error("requests of this test send themselves")),
    onWake: (listener: () => void) => {
      onWake = listener;
      return () => {
        onWake = () => {};
      };
    },
  };
  const loop = new ConsumerLoop(network, clock, (nowMs) => {
    asked.push(nowMs);
    return state.due.splice(0, state.due.length, nothing);
  });
  const wait = <T>(timeoutMs: number, find: () => T | null) =>
    loop.wait(new Deadline(clock, timeoutMs), undefined, find);
  return { clock, loop, asked, state, wait, wake: () => onWake() };
}

const request = (sent: string[], name: string, answer = Promise.resolve()): OutgoingRequest => ({
  nodeId: 1,
  purpose: "main",
  send: () => {
    sent.push(name);
    return answer;
  },
});

describe("ConsumerLoop", () => {
  test("ends a call that finds at once what it looks for", async () => {
    const { wait, loop } = fixture();
    expect(await wait(100, () => "there")).toBe("there");
    expect(loop.isAwaited).toBe(false);
  });

  test("looks, then asks what is due, and looks again", () => {
    const { wait, asked } = fixture();
    const seen: number[] = [];
    void wait(100, () => {
      seen.push(asked.length);
      return null;
    });
    expect(seen).toEqual([0, 1]);
  });

  test("sends what is due, and runs again when an answer was taken in", async () => {
    const { wait, state, asked } = fixture();
    const sent: string[] = [];
    let answered = () => {};
    const answer = new Promise<void>((resolve) => {
      answered = resolve;
    });
    state.due = [
      { requests: [request(sent, "first", answer), request(sent, "second", answer)], nextMs: never },
      { requests: [request(sent, "third", answer)], nextMs: never },
    ];
    let found: string | null = null;
    const call = wait(100, () => found);
    expect(sent).toEqual(["first", "second", "third"]);
    expect(asked).toHaveLength(1);
    found = "answer";
    answered();
    expect(await call).toBe("answer");
  });

  test("runs once for many events of one turn", async () => {
    const { loop, asked } = fixture();
    for (let events = 0; events < 5; events++) loop.wake();
    expect(asked).toHaveLength(0);
    await turn();
    expect(asked).toHaveLength(1);
  });

  test("runs when the network has news", () => {
    const { wake, asked } = fixture();
    wake();
    expect(asked).toHaveLength(1);
  });

  test("sleeps until the nearest of all that is due, and without a timer when nothing is", () => {
    const { wait, state, clock, asked } = fixture();
    expect(clock.timers).toBe(0);
    state.due = [
      { requests: [], nextMs: 1_400 },
      { requests: [], nextMs: 1_050 },
    ];
    void wait(500, () => null);
    expect(clock.timers).toBe(1);
    clock.advance(49);
    expect(asked).toEqual([1_000]);
    clock.advance(1);
    expect(asked).toEqual([1_000, 1_050]);
    clock.advance(450);
    expect(asked).toEqual([1_000, 1_050, 1_500]);
    expect(clock.timers).toBe(0);
  });

  test("ends a call with nothing when its time is over", async () => {
    const { wait, clock } = fixture();
    const call = wait(100, () => null);
    clock.advance(100);
    expect(await call).toBeNull();
  });

  test("ends all calls with an error, and goes on", async () => {
    const { wait, loop } = fixture();
    const calls = [wait(100, () => null), wait(100, () => null)];
    loop.interrupt(new Error("wake up"));
    for (const call of calls) await expect(call).rejects.toThrow("wake up");
    expect(await wait(100, () => "there")).toBe("there");
  });

  test("never runs again once it is closed, and leaves no timer", async () => {
    const { wait, loop, clock, asked, wake } = fixture();
    const call = wait(100, () => null);
    loop.wake();
    loop.close(new ClosedError("consumer"));
    await expect(call).rejects.toThrow(ClosedError);
    wake();
    await turn();
    expect(asked).toHaveLength(1);
    expect(clock.timers).toBe(0);
  });
});
