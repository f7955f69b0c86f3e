import { describe, expect, test } from "vitest";
import { Deadline } from "../src/deadline.ts";
import { ManualClock } from "./manual-clock.ts";

describe("a deadline", () => {
  test("counts down to 0 and stays there", () => {
    const clock = new ManualClock();
    const deadline = new Deadline(clock, 100);
    expect(deadline.remainingMs).toBe(100);
    clock.advance(60);
    expect(deadline.remainingMs).toBe(40);
    clock.advance(60);
    expect(deadline.remainingMs).toBe(0);
    expect(deadline.timeoutMs).toBe(100);
  });

  test("is over in the very moment that it names", () => {
    const clock = new ManualClock();
    const deadline = new Deadline(clock, 100);
    expect(deadline.atMs).toBe(clock.now() + 100);
    clock.advance(99);
    expect(deadline.isOver).toBe(false);
    clock.advance(1);
    expect(deadline.isOver).toBe(true);
  });

  test("may have begun before it was made", () => {
    const clock = new ManualClock();
    const sinceMs = clock.now();
    clock.advance(60);
    const deadline = new Deadline(clock, 100, sinceMs);
    expect([deadline.remainingMs, deadline.timeoutMs]).toEqual([40, 100]);
  });

  test("of 0 ms is over at once", () => {
    expect(new Deadline(new ManualClock(), 0).isOver).toBe(true);
  });
});
