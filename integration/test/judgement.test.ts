import { expect, test } from "vitest";
import { allIsWell, judge, type SentRecord } from "./judgement.ts";

const record = (value: string, rest: Partial<SentRecord> = {}): SentRecord => ({
  writer: "writer",
  partition: 0,
  value,
  fate: "present",
  ...rest,
});

/** A log of one partition. */
const logOf = (...values: readonly string[]) => [values.map((value, index) => ({ offset: BigInt(index), value }))];

const three = [record("a"), record("b"), record("c")];

test.each([
  ["nothing", three, logOf("a", "b", "c"), {}],
  ["what is lost", three, logOf("a", "c"), { lost: ["b"] }],
  ["what is there twice", three, logOf("a", "b", "b", "c"), { duplicated: ["b@0:2"] }],
  ["what was overtaken", three, logOf("b", "a", "c"), { reordered: ["a@0:1"] }],
  ["nothing in the order of two writers", [record("a"), record("b", { writer: "other" })], logOf("b", "a"), {}],
  ["what was never sent", three, logOf("a", "b", "x", "c"), { foreign: ["x@0:2"] }],
  ["what is in another partition", [record("a", { partition: 1 })], logOf("a"), { foreign: ["a@0:0"], lost: ["a"] }],
  ["what must not be there", [record("a", { fate: "absent" })], logOf("a"), { unwanted: ["a@0:0"] }],
  ["nothing in what may be there", [record("a", { fate: "either" }), record("b", { fate: "either" })], logOf("a"), {}],
  ["what is elsewhere than was told", [record("a", { offset: 7n })], logOf("a"), { misplaced: ["a@0:0, not 7"] }],
  [
    "half a transaction",
    ["a", "b"].map((value) => record(value, { fate: "either", transaction: "torn" })),
    logOf("b"),
    { torn: ["torn"] },
  ],
] as const)("the judge finds %s", (_what, sent, log, found) => {
  expect(judge(sent, log)).toEqual({ ...allIsWell, ...found });
});
