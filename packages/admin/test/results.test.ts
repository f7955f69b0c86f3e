import { BrokerError } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { Results } from "../src/results.ts";

const taken = new BrokerError(36, "creating topic b");
const results = new Results([
  { key: "a", value: 1, error: null },
  { key: "b", value: null, error: taken },
  { key: "c", value: 3, error: null },
]);

describe("results", () => {
  test("keep the order of asking", () => {
    expect([...results].map(({ key }) => key)).toEqual(["a", "b", "c"]);
    expect(results.size).toBe(3);
  });

  test("keep what worked beside what failed", () => {
    expect(results.get("a")).toEqual({ key: "a", value: 1, error: null });
    expect(results.get("b")?.error).toBe(taken);
    expect(results.get("d")).toBeUndefined();
  });

  test("throw the first error for who wants all or nothing", () => {
    expect(() => results.orThrow()).toThrow(taken);
    expect(new Results([{ key: "a", value: 1, error: null }]).orThrow()).toEqual([1]);
  });
});
