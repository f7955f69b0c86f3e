import { describe, expect, test } from "vitest";
import { parseAutoOffsetReset, timestampOf } from "../../src/positions/auto-offset-reset.ts";

const hourMs = 3_600_000;

describe("parseAutoOffsetReset", () => {
  test.each(["earliest", "latest", "none"] as const)("takes %s by its name", (name) => {
    expect(parseAutoOffsetReset(name)).toEqual({ kind: name });
  });

  test.each([
    ["by_duration:P1D", 24 * hourMs],
    ["by_duration:PT12H", 12 * hourMs],
    ["by_duration:PT90M", 90 * 60_000],
    ["by_duration:PT1.5S", 1_500],
    ["by_duration:P2DT3H4M5S", 2 * 24 * hourMs + 3 * hourMs + 4 * 60_000 + 5_000],
    ["by_duration:PT0S", 0],
  ])("reads %s as a time span", (text, durationMs) => {
    expect(parseAutoOffsetReset(text)).toEqual({ kind: "by_duration", durationMs });
  });

  test.each([
    "",
    "newest",
    "by_duration:",
    "by_duration:P",
    "by_duration:PT",
    "by_duration:P1DT",
    "by_duration:-PT1H",
    "by_duration:1h",
  ])("refuses %j", (text) => {
    expect(parseAutoOffsetReset(text)).toBeNull();
  });
});

describe("timestampOf", () => {
  test("names the ends of the log as ListOffsets does", () => {
    expect(timestampOf({ kind: "earliest" }, 1_000)).toBe(-2n);
    expect(timestampOf({ kind: "latest" }, 1_000)).toBe(-1n);
  });

  test("counts a duration back from now, and no further than 1970", () => {
    expect(timestampOf({ kind: "by_duration", durationMs: 400.5 }, 1_000)).toBe(599n);
    expect(timestampOf({ kind: "by_duration", durationMs: 4_000 }, 1_000)).toBe(0n);
  });
});
