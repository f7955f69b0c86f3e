import { describe, expect, test } from "vitest";
import { checkTopicName } from "../src/topic-name.ts";
import { WantedTopics } from "../src/wanted-topics.ts";
import { ManualClock } from "./manual-clock.ts";

const names = ["orders", "A-z_0.9", "...", "-", "a".repeat(249)];
const noNames = ["", ".", "..", "a b", "a/b", "orders\n", "ä", "\ud800", "a".repeat(250), undefined, null, 7, {}];

describe("the name of a topic", () => {
  test.each(names)("may be %s", (name) => {
    expect(() => checkTopicName(name)).not.toThrow();
  });

  test.each(noNames)("may not be %j", (name) => {
    expect(() => checkTopicName(name)).toThrow(expect.objectContaining({ code: "INVALID_TOPIC_EXCEPTION" }));
  });

  test("is not shown as a whole where it is far too long", () => {
    expect(() => checkTopicName("a".repeat(40_000))).toThrow(`topic "${"a".repeat(80)}…": 1 to 249 characters`);
  });
});

test("no topic is wanted whose name a request could not hold", () => {
  const topics = new WantedTopics(new ManualClock(), 1_000);
  expect(topics.add(["a".repeat(40_000)])).toBe(false);
  expect(topics.retain(["orders", "\ud800", "not a name"])).toBe(true);
  expect([...topics.names]).toEqual(["orders", "not a name"]);
  expect(topics.takeNew()).toEqual(["orders", "not a name"]);
});
