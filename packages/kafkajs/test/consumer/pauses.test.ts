import { expect, test } from "vitest";
import { checkPartitions, Pauses } from "../../src/consumer/pauses.ts";

const assigned = [11, 2, 0].map((partition) => ({ topic: "t", partition }));
const paused = (pauses: Pauses) => pauses.among(assigned).flatMap(({ partitions }) => partitions);

test("partitions by number", () => {
  const pauses = new Pauses();
  pauses.pause([{ topic: "t", partitions: [2, 11] }]);
  expect(paused(pauses)).toEqual([2, 11]);
  pauses.resume([{ topic: "t", partitions: [2] }]);
  expect(paused(pauses)).toEqual([11]);
});

test("a topic is all of its partitions, also those that come later", () => {
  const pauses = new Pauses();
  pauses.pause([{ topic: "t" }]);
  expect(paused(pauses)).toEqual([0, 2, 11]);
  expect(pauses.has({ topic: "t", partition: 99 })).toBe(true);
  expect(pauses.has({ topic: "u", partition: 0 })).toBe(false);
  pauses.resume([{ topic: "t", partitions: [2] }]);
  expect(paused(pauses)).toEqual([0, 11]);
  // kafkajs would resume all others with that.
  pauses.pause([{ topic: "t", partitions: [2] }]);
  expect(paused(pauses)).toEqual([0, 2, 11]);
  pauses.resume([{ topic: "t" }]);
  expect(paused(pauses)).toEqual([]);
});

test("what are no partitions is refused", () => {
  const check = (...topics: readonly unknown[]) => Reflect.apply(checkPartitions, undefined, [topics, "resume"]);
  expect(() => check({ topic: "t" }, { topic: "" })).toThrow("Invalid topic [object Object]");
  expect(() => check(null)).toThrow("Invalid topic null");
  expect(() => check({ topic: "t", partitions: [0, "x"] })).toThrow(
    "Array of valid partitions required to resume specific partitions instead of 0,x",
  );
});
