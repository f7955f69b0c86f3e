import { describe, expect, onTestFinished, test } from "vitest";
import { WakeSignal } from "../src/wake-signal.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a wake signal", () => {
  test("calls its listeners after the turn in which something changed, once for many changes", async () => {
    const signal = new WakeSignal();
    const calls: string[] = [];
    signal.onWake(() => calls.push("first"));
    signal.onWake(() => calls.push("second"));
    for (let i = 0; i < 5; i++) signal.wake();
    expect(calls).toEqual([]);
    await turn();
    expect(calls).toEqual(["first", "second"]);
  });

  test("is not lost where it comes while listeners are called", async () => {
    const signal = new WakeSignal();
    let calls = 0;
    signal.onWake(() => {
      calls += 1;
      if (calls < 3) signal.wake();
    });
    signal.wake();
    await turn();
    expect(calls).toBe(3);
  });

  test("does not reach who stopped listening, not even in the same turn", async () => {
    const signal = new WakeSignal();
    const calls: string[] = [];
    let stopSecond = () => {};
    signal.onWake(() => {
      calls.push("first");
      stopSecond();
    });
    stopSecond = signal.onWake(() => calls.push("second"));
    signal.wake();
    await turn();
    expect(calls).toEqual(["first"]);
  });

  test("reaches who listens twice twice, and who ends one of them once", async () => {
    const signal = new WakeSignal();
    let calls = 0;
    const listener = () => {
      calls += 1;
    };
    const stop = signal.onWake(listener);
    signal.onWake(listener);
    signal.wake();
    await turn();
    expect(calls).toBe(2);
    stop();
    signal.wake();
    await turn();
    expect(calls).toBe(3);
  });

  test("reaches the others where one throws, and what it throws is not swallowed", async () => {
    const catchers = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    onTestFinished(() => {
      process.removeAllListeners("uncaughtException");
      for (const catcher of catchers) process.on("uncaughtException", catcher);
    });
    const uncaught: unknown[] = [];
    process.on("uncaughtException", (error) => uncaught.push(error));

    const signal = new WakeSignal();
    const calls: string[] = [];
    signal.onWake(() => {
      throw new Error("a defect");
    });
    signal.onWake(() => calls.push("second"));
    signal.wake();
    await turn();
    signal.wake();
    await turn();
    expect(calls).toEqual(["second", "second"]);
    expect(uncaught).toEqual([new Error("a defect"), new Error("a defect")]);
  });
});
