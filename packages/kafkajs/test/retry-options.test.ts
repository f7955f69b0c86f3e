import { afterEach, describe, expect, test, vi } from "vitest";
import { firstRetryMs, lastRetryMs, nextRetryMs, resolveRetryOptions, totalRetryMs } from "../src/retry-options.ts";

afterEach(() => vi.unstubAllEnvs());

const options = { maxRetryTime: 30_000, initialRetryTime: 300, factor: 0.2, multiplier: 2, retries: 5 };

describe("defaults", () => {
  test("are kafkajs' own", () => {
    vi.stubEnv("NODE_ENV", "production");
    expect(resolveRetryOptions()).toEqual(options);
  });

  test("are shorter with NODE_ENV=test", () => {
    vi.stubEnv("NODE_ENV", "test");
    expect(resolveRetryOptions()).toEqual({
      maxRetryTime: 1_000,
      initialRetryTime: 50,
      factor: 0.02,
      multiplier: 1.5,
      retries: 15,
    });
  });

  test("what comes later wins", () => {
    expect(resolveRetryOptions({ retries: 1, factor: 0 }, undefined, { retries: 2 })).toMatchObject({
      retries: 2,
      factor: 0,
    });
  });
});

test("a wait is off by up to a factor, and the next is longer, up to the maximum", () => {
  expect([0, 0.5, 1].map((random) => firstRetryMs(options, () => random))).toEqual([240, 300, 360]);
  expect(nextRetryMs(300, options, () => 0.5)).toBe(600);
  expect(nextRetryMs(20_000, options, () => 0.5)).toBe(30_000);
});

test("all the waits together", () => {
  expect(totalRetryMs(options)).toBe(300 + 600 + 1_200 + 2_400 + 4_800);
  expect(totalRetryMs({ ...options, maxRetryTime: 1_000 })).toBe(300 + 600 + 3 * 1_000);
  expect(totalRetryMs({ ...options, retries: 0 })).toBe(0);
  // Without an end: known at once, and not counted up to.
  expect(totalRetryMs({ ...options, retries: Number.MAX_SAFE_INTEGER })).toBeGreaterThan(1e18);
  expect(lastRetryMs(options)).toBe(9_600);
});
