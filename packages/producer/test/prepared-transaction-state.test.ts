import { KafkaError } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { PreparedTransactionState } from "../src/prepared-transaction-state.ts";

describe("the state of a prepared transaction", () => {
  test.each(["0:0", "42:7", "9223372036854775807:32767", ""])("comes back from its text: %o", (text) => {
    const state = PreparedTransactionState.parse(text);
    expect([state.toString(), `${state}`, JSON.stringify({ state })]).toEqual([
      text,
      text,
      JSON.stringify({ state: text }),
    ]);
    expect(state.hasTransaction).toBe(text !== "");
    expect(PreparedTransactionState.parse(text).equals(state)).toBe(true);
  });

  test("has its parts", () => {
    expect(PreparedTransactionState.parse("42:7")).toMatchObject({ producerId: 42n, epoch: 7 });
    expect(PreparedTransactionState.parse("")).toMatchObject({ producerId: -1n, epoch: -1 });
  });

  test.each([
    "42",
    "42:",
    ":7",
    "42:7:1",
    "-1:-1",
    "42:-1",
    "42:32768",
    "9223372036854775808:0",
    " 42:7",
    "42:7\n",
    "a:b",
  ])("is not read from %o", (text) => {
    const reading = () => PreparedTransactionState.parse(text);
    expect(reading).toThrow(KafkaError);
    expect(reading).toThrow("producerId:epoch, as toString() gave it, is expected");
  });

  test("is not read from what is no text", () => {
    // @ts-expect-error who has no types may pass anything
    expect(() => PreparedTransactionState.parse(null)).toThrow("prepared transaction null");
  });

  test.each(["42:8", "43:7", ""])("differs from %o", (text) => {
    expect(PreparedTransactionState.parse("42:7").equals(PreparedTransactionState.parse(text))).toBe(false);
  });
});
