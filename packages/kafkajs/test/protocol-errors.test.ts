import { createRequire } from "node:module";
import { expect, test } from "vitest";
import { protocolErrorOfCode } from "../src/errors/protocol-errors.ts";
import { call } from "./libraries.ts";

const original: unknown = createRequire(import.meta.url)("kafkajs/src/protocol/error.js");

const shape = (error: unknown) => {
  if (!(error instanceof Error)) throw new Error("no error");
  const { name } = error;
  return {
    name,
    ...Object.fromEntries(["type", "code", "retriable", "helpUrl"].map((key) => [key, Reflect.get(error, key)])),
  };
};

const codes = Array.from({ length: 90 }, (_, index) => index - 1).filter((code) => code !== 0);

test.each(codes)("code %i has the name, the number and the policy that kafkajs gives it", (code) => {
  expect(shape(protocolErrorOfCode(code))).toEqual(shape(call(original, "createErrorFromCode", code)));
});

test("codes that kafkajs does not know have Kafka's names", () => {
  expect(shape(protocolErrorOfCode(90))).toMatchObject({ type: "PRODUCER_FENCED", code: 90, retriable: false });
});

test("a code that nobody knows says so, in kafkajs' way", () => {
  expect(shape(protocolErrorOfCode(4_000))).toEqual(shape(call(original, "createErrorFromCode", 4_000)));
  expect(protocolErrorOfCode(4_000).message).toBe("Unknown error code 4000");
});
