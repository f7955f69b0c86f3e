import { OptionsError, StateError } from "@odradek/network";
import { describe, expect, test } from "vitest";
import { checkedListener } from "../../src/group/rebalance-listener.ts";
import { checkedTopics, Subscription, SubscriptionPattern } from "../../src/group/subscription.ts";
import { TestCluster, topicLedBy } from "../test-cluster.ts";

const topicsOf = ({ topics }: Subscription) => [...topics];

/** A subscription, and a cluster that is asked for all topics. */
function fixture(options = { excludeInternalTopics: true }) {
  const subscription = new Subscription(options);
  const cluster = new TestCluster();
  cluster.metadata.retainAll(() => true);
  const names = ["orders", "orders-dlq", "refunds"];
  const learn = (...more: string[]) => {
    cluster.clock.advance(1);
    cluster.metadata.started();
    const internal = { ...topicLedBy("__consumer_offsets", [1]), isInternal: true };
    cluster.learn([...[...names, ...more].map((name) => topicLedBy(name, [1])), internal]);
    subscription.match(cluster.metadata);
  };
  const subscribe = (pattern: RegExp) => subscription.subscribePattern(pattern, null, cluster.metadata.updatedAtMs);
  return { subscription, cluster, learn, subscribe };
}

describe("Subscription", () => {
  test("is of nothing at first, and again after clear", () => {
    const { subscription, subscribe } = fixture();
    expect([subscription.type, subscription.isAutomatic, subscription.isKnown]).toEqual(["NONE", false, false]);
    const listener = {};
    subscription.subscribe(["orders"], listener);
    expect([subscription.type, subscription.isAutomatic, subscription.isKnown]).toEqual(["AUTO_TOPICS", true, true]);
    expect([topicsOf(subscription), subscription.listener]).toEqual([["orders"], listener]);
    subscription.clear();
    expect([subscription.type, topicsOf(subscription), subscription.listener]).toEqual(["NONE", [], null]);
    subscribe(/./);
    subscription.clear();
    expect([subscription.concernsAllTopics, subscription.isKnown]).toEqual([false, false]);
  });

  test("has another set of topics exactly when they change", () => {
    const { subscription } = fixture();
    subscription.subscribe(["orders", "refunds"], null);
    const { topics } = subscription;
    subscription.subscribe(["refunds", "orders"], null);
    expect(subscription.topics).toBe(topics);
    subscription.subscribe(["refunds", "invoices"], null);
    expect(subscription.topics).not.toBe(topics);
    expect(topicsOf(subscription)).toEqual(["refunds", "invoices"]);
  });

  test("takes the listener of the last call", () => {
    const { subscription } = fixture();
    const [first, second] = [{}, {}];
    subscription.subscribe(["orders"], first);
    subscription.subscribe(["orders"], second);
    expect(subscription.listener).toBe(second);
  });

  test("matches topics anew whenever more is known, and takes none of Kafka's own", () => {
    const { subscription, subscribe, learn } = fixture();
    subscribe(/o(rd|n)/);
    expect([subscription.isAutomatic, subscription.isKnown, topicsOf(subscription)]).toEqual([true, false, []]);
    learn();
    expect([subscription.isKnown, topicsOf(subscription)]).toEqual([true, ["orders", "orders-dlq"]]);
    const { topics } = subscription;
    learn();
    expect(subscription.topics).toBe(topics);
    learn("corders");
    expect(topicsOf(subscription)).toEqual(["orders", "orders-dlq", "corders"]);
  });

  test("takes Kafka's own topics where the user wants that", () => {
    const { subscription, subscribe, learn } = fixture({ excludeInternalTopics: false });
    subscribe(/^__/);
    learn();
    expect(topicsOf(subscription)).toEqual(["__consumer_offsets"]);
  });

  test("is known without a topic where the pattern matches none", () => {
    const { subscription, subscribe, learn } = fixture();
    subscribe(/^nothing$/);
    learn();
    expect([subscription.isKnown, topicsOf(subscription)]).toEqual([true, []]);
  });

  test("does not match against what was known before the pattern, which may be of other topics only", () => {
    const { subscription, cluster, subscribe, learn } = fixture();
    learn();
    subscribe(/^orders$/);
    subscription.match(cluster.metadata);
    expect(subscription.isKnown).toBe(false);
    learn();
    expect(subscription.isKnown).toBe(true);
  });

  test.each([/orders/g, /orders/y])("finds the same topics each time with the pattern %s", (pattern) => {
    const { subscription, subscribe, learn } = fixture();
    subscribe(pattern);
    learn();
    learn();
    expect(topicsOf(subscription)).toEqual(["orders", "orders-dlq"]);
    expect([subscription.concerns("orders", false), subscription.concerns("refunds", false)]).toEqual([true, false]);
  });

  test("leaves a pattern for the broker to the broker, and has to know of all topics", () => {
    const { subscription } = fixture();
    subscription.subscribeServerPattern(new SubscriptionPattern("ord.*"), null);
    expect([subscription.type, subscription.isKnown, subscription.serverPattern]).toEqual([
      "AUTO_PATTERN_RE2J",
      true,
      "ord.*",
    ]);
    expect(subscription.concerns("refunds", true)).toBe(true);
    expect(() => new SubscriptionPattern("")).toThrow(OptionsError);
  });

  const ways: Readonly<Record<string, (subscription: Subscription) => void>> = {
    topics: (subscription) => subscription.subscribe(["orders"], null),
    pattern: (subscription) => subscription.subscribePattern(/orders/, null, 0),
    "server pattern": (subscription) => subscription.subscribeServerPattern(new SubscriptionPattern("o"), null),
    assign: (subscription) => subscription.assign(),
  };
  const pairs = Object.keys(ways).flatMap((one) => Object.keys(ways).map((other) => [one, other] as const));
  test.each(pairs)("by %s goes together with one by %s only where that is the same", (one, other) => {
    const subscription = new Subscription({ excludeInternalTopics: true });
    ways[one]?.(subscription);
    const again = () => ways[other]?.(subscription);
    if (one === other) expect(again).not.toThrow();
    else expect(again).toThrow(StateError);
    subscription.clear();
    expect(again).not.toThrow();
  });
});

/** What JavaScript lets through. */
const untyped = (topics: unknown) => {
  if (!Array.isArray(topics)) throw new Error("an array");
  return () => checkedTopics(topics);
};

test.each([[[]], [[""]], [["orders", " "]], [["orders", 7]], [[null]]])("%j names no topics", (topics) => {
  expect(untyped(topics)).toThrow(OptionsError);
});

test("topics that are named are taken as they are", () => {
  expect(checkedTopics(["orders", "refunds"])).toEqual(["orders", "refunds"]);
});

test.each<[unknown, string]>([
  [{ onPartitionsRevoked: 7 }, "listener.onPartitionsRevoked"],
  [{ onPartitionsAssigned: "x" }, "listener.onPartitionsAssigned"],
  [null, "listener"],
  [() => {}, "listener"],
])("%o is no listener", (given, option) => {
  // What JavaScript lets through.
  const listener: Parameters<typeof checkedListener>[0] = JSON.parse("null") ?? given;
  expect(() => checkedListener(listener)).toThrow(`option ${option}:`);
});

test("a listener may have any of the calls, or none", () => {
  const listener = { onPartitionsLost: () => {} };
  expect(checkedListener(listener)).toBe(listener);
  expect(() => checkedListener({})).not.toThrow();
});
