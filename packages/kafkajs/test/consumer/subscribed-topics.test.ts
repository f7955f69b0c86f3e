import { describe, expect, test } from "vitest";
import { SubscribedTopics } from "../../src/consumer/subscribed-topics.ts";

const patternOf = ({ topics }: SubscribedTopics): RegExp => {
  if (topics instanceof RegExp) return topics;
  throw new Error("no pattern");
};

describe("topics", () => {
  test("add up, and the last word on where one begins counts", () => {
    const topics = new SubscribedTopics();
    topics.add({ topics: ["a", "b"], fromBeginning: true });
    topics.add({ topic: "a" });
    expect(topics.topics).toEqual(["a", "b"]);
    expect([topics.isFromBeginning("a"), topics.isFromBeginning("b")]).toEqual([false, true]);
    expect(topics.allFromBeginning).toBe(null);
  });

  test("begin at the end unless they say otherwise", () => {
    const topics = new SubscribedTopics();
    topics.add({ topics: ["a"] });
    expect(topics.allFromBeginning).toBe(false);
    const others = new SubscribedTopics();
    others.add({ topics: ["a"], fromBeginning: true });
    expect(others.allFromBeginning).toBe(true);
  });
});

test("that are none are a pattern that nothing matches", () => {
  const topics = new SubscribedTopics();
  topics.add({ topics: [] });
  expect([patternOf(topics).test("a"), patternOf(topics).test("")]).toEqual([false, false]);
});

describe("patterns", () => {
  test("with flags of their own, and names beside them, are one", () => {
    const topics = new SubscribedTopics();
    topics.add({ topics: [/^ORDERS-/i, "a.b"], fromBeginning: true });
    topics.add({ topics: [/^x$/g] });
    const pattern = patternOf(topics);
    const names = ["orders-1", "a.b", "a-b", "x", "x", "X"];
    expect(names.map((name) => pattern.test(name))).toEqual([true, true, false, true, true, false]);
    expect(["orders-1", "x", "a.b"].map((name) => topics.isFromBeginning(name))).toEqual([true, false, true]);
  });
});
