import { describe, expect, test } from "vitest";
import { Alarm, type Clock, systemClock } from "../src/clock.ts";
import { ManualClock } from "./manual-clock.ts";

const alarmOf = (clock: Clock) => {
  const rungAtMs: number[] = [];
  return { alarm: new Alarm(clock, () => rungAtMs.push(clock.now())), rungAtMs };
};

describe("an alarm", () => {
  test("rings once, at the time it was set to", () => {
    const clock = new ManualClock(0);
    const { alarm, rungAtMs } = alarmOf(clock);
    alarm.set(50);
    clock.advance(49);
    expect(rungAtMs).toEqual([]);
    clock.advance(1_000);
    expect(rungAtMs).toEqual([50]);
    expect(clock.timers).toBe(0);
  });

  test("that is set again forgets the time before, later or earlier", () => {
    const clock = new ManualClock(0);
    const { alarm, rungAtMs } = alarmOf(clock);
    alarm.set(50);
    alarm.set(80);
    alarm.set(70);
    alarm.set(20);
    clock.advance(1_000);
    expect(rungAtMs).toEqual([20]);
  });

  test("that is moved later rings only then", () => {
    const clock = new ManualClock(0);
    const { alarm, rungAtMs } = alarmOf(clock);
    alarm.set(50);
    alarm.set(80);
    clock.advance(1_000);
    expect(rungAtMs).toEqual([80]);
    expect(clock.timers).toBe(0);
  });

  test("that is set to a time that is over rings in a turn of its own, not inside `set`", () => {
    const clock = new ManualClock(100);
    const { alarm, rungAtMs } = alarmOf(clock);
    alarm.set(20);
    expect(rungAtMs).toEqual([]);
    clock.advance(0);
    expect(rungAtMs).toEqual([100]);
  });

  test.each(["set to Infinity", "cancelled"])("that is %s leaves no timer", (how) => {
    const clock = new ManualClock(0);
    const { alarm, rungAtMs } = alarmOf(clock);
    alarm.set(50);
    if (how === "cancelled") alarm.cancel();
    else alarm.set(Number.POSITIVE_INFINITY);
    expect(clock.timers).toBe(0);
    clock.advance(1_000);
    expect(rungAtMs).toEqual([]);
  });

  test("can be set by its own ring", () => {
    const clock = new ManualClock(0);
    const rungAtMs: number[] = [];
    const alarm = new Alarm(clock, () => {
      rungAtMs.push(clock.now());
      if (rungAtMs.length < 3) alarm.set(clock.now() + 10);
    });
    alarm.set(10);
    clock.advance(1_000);
    expect(rungAtMs).toEqual([10, 20, 30]);
  });
});

describe("the system's clock", () => {
  test("never runs a timer before its time, fractions of a millisecond included", async () => {
    const waits = Array.from({ length: 40 }, (_, i) => 1 + i * 0.37);
    const early = await Promise.all(
      waits.map(
        (delayMs) =>
          new Promise<number>((resolve) => {
            const startMs = systemClock.now();
            systemClock.after(delayMs, () => resolve(delayMs - (systemClock.now() - startMs)));
          }),
      ),
    );
    expect(Math.max(...early)).toBeLessThanOrEqual(0);
  });

  test.each([0, -5])("runs what is due in %i ms in the next turn of the event loop", async (delayMs) => {
    let ran = false;
    systemClock.after(delayMs, () => {
      ran = true;
    });
    await Promise.resolve();
    expect(ran).toBe(false);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ran).toBe(true);
  });

  test.each([0, 1])("runs nothing that was cancelled before its %i ms", async (delayMs) => {
    let ran = false;
    systemClock
      .after(delayMs, () => {
        ran = true;
      })
      .cancel();
    await new Promise<void>((resolve) => systemClock.after(5, resolve));
    expect(ran).toBe(false);
  });

  test("tells records the time of day", () => {
    const beforeMs = Date.now();
    const toldMs = systemClock.wallTimeMs();
    expect(toldMs).toBeGreaterThanOrEqual(beforeMs);
    expect(toldMs).toBeLessThanOrEqual(Date.now());
  });
});
