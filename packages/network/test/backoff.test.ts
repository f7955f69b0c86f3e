import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { exponentialBackoff } from "../src/backoff.ts";

/** The middle of the jitter: waits are what the doubling says. */
const middle = () => 0.5;

describe("an exponential back-off", () => {
  test("doubles from the first wait to the longest", () => {
    const backoff = exponentialBackoff(50, 1_000, middle);
    expect([0, 1, 2, 3, 4, 5, 6, 100].map(backoff)).toEqual([50, 100, 200, 400, 800, 1_000, 1_000, 1_000]);
  });

  test("moves each wait by up to a fifth either way", () => {
    expect(exponentialBackoff(100, 1_000, () => 0)(1)).toBe(160);
    expect(exponentialBackoff(100, 1_000, () => 0.999_999)(1)).toBe(240);
  });

  test("never exceeds the longest wait, jitter included", () => {
    expect(exponentialBackoff(100, 1_000, () => 0.999_999)(10)).toBe(1_000);
  });

  test("waits the first wait where the longest is shorter", () => {
    expect(exponentialBackoff(100, 20, middle)(7)).toBe(100);
  });

  test("does not wait at all where it is told 0", () => {
    expect(exponentialBackoff(0, 0)(5)).toBe(0);
  });

  test("is whole milliseconds within its bounds for any attempt", () => {
    fc.assert(
      fc.property(
        fc.nat(10_000),
        fc.nat(100_000),
        fc.nat(),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        (initialMs, maxMs, attempt, random) => {
          const waitMs = exponentialBackoff(initialMs, maxMs, () => random)(attempt);
          expect(Number.isInteger(waitMs)).toBe(true);
          expect(waitMs).toBeGreaterThanOrEqual(Math.round(initialMs * 0.8));
          expect(waitMs).toBeLessThanOrEqual(Math.max(initialMs, maxMs));
        },
      ),
    );
  });
});
