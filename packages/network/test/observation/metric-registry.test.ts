import { beforeEach, describe, expect, test } from "vitest";
import { avgAndMax, countMeter, measures, meter } from "../../src/observation/metric-definition.ts";
import { MetricRegistry } from "../../src/observation/metric-registry.ts";
import { ManualClock } from "../manual-clock.ts";

let clock: ManualClock;
let registry: MetricRegistry;

beforeEach(() => {
  clock = new ManualClock();
  registry = new MetricRegistry("consumer", "billing", clock, { numSamples: 2, sampleWindowMs: 30_000 });
});

const values = () => Object.fromEntries(registry.metrics().map(({ name, value }) => [name, value]));

describe("a registry", () => {
  test("gives flat objects with name, group, description, tags and value", () => {
    const group = registry.group("fetch-manager-metrics", { topic: "orders", partition: "0" });
    group.sensor([{ name: "records-lag", description: "Records behind", measure: measures.last }]).record(7, 1_000);
    expect(registry.metrics()).toEqual([
      {
        name: "records-lag",
        group: "consumer-fetch-manager-metrics",
        description: "Records behind",
        tags: { "client-id": "billing", topic: "orders", partition: "0" },
        value: 7,
      },
    ]);
  });

  test("computes values when it is asked, at the time of its clock", () => {
    const sensor = registry.group("metrics").sensor([...meter("bytes", "Bytes"), ...avgAndMax("size", "size")]);
    sensor.record(100, clock.now());
    sensor.record(300, clock.now());
    clock.advance(30_000);
    expect(values()).toEqual({ "bytes-rate": 400 / 30, "bytes-total": 400, "size-avg": 200, "size-max": 300 });
    clock.advance(30_000);
    expect(values()).toEqual({ "bytes-rate": 0, "bytes-total": 400, "size-avg": Number.NaN, "size-max": Number.NaN });
    expect(clock.timers).toBe(0);
  });

  test("counts events whatever their values, where a metric is of events", () => {
    const sensor = registry.group("metrics").sensor(countMeter("fetch", "Fetches"));
    for (const value of [10, 20, 30]) sensor.record(value, clock.now());
    clock.advance(10_000);
    expect(values()).toEqual({ "fetch-rate": 3 / 40, "fetch-total": 3 });
  });

  test("looks up a gauge when it is asked, with the time", () => {
    registry.group("metrics").gauge({ name: "age", description: "Milliseconds since 0" }, (nowMs) => nowMs);
    expect(values()).toEqual({ age: 1_000 });
    clock.advance(500);
    expect(values()).toEqual({ age: 1_500 });
  });

  test("has one group for the same name and tags, in whatever order they are given", () => {
    const group = registry.group("x", { topic: "a", partition: "1" });
    expect(registry.group("x", { partition: "1", topic: "a" })).toBe(group);
    expect(registry.group("x", { partition: "1" })).not.toBe(group);
    expect(registry.group("y", { topic: "a", partition: "1" })).not.toBe(group);
  });

  test("refuses a second metric of the same name in a group, and leaves the first", () => {
    const group = registry.group("metrics");
    group.gauge({ name: "lag", description: "" }, () => 1);
    const again = () => group.sensor([{ name: "lag", description: "", measure: measures.last }]);
    expect(again).toThrow("metric lag is already in consumer-metrics");
    expect(values()).toEqual({ lag: 1 });
  });
});

describe("a group that is removed", () => {
  const lag = [{ name: "records-lag", description: "Records behind", measure: measures.last }];
  const topics = () => registry.metrics().map(({ tags, value }) => [tags["topic"], value]);

  test("is gone with its metrics, and others stay", () => {
    registry.group("topic-metrics", { topic: "kept" }).sensor(lag).record(1, 0);
    const gone = registry.group("topic-metrics", { topic: "gone" });
    const sensor = gone.sensor(lag);
    gone.remove();
    sensor.record(2, 0);
    expect(topics()).toEqual([["kept", 1]]);
  });

  test("begins anew when it is asked for again, and is not touched by whoever still holds the old one", () => {
    const old = registry.group("topic-metrics", { topic: "orders" });
    old.sensor(lag).record(5, 0);
    old.remove();
    registry.group("topic-metrics", { topic: "orders" }).sensor(lag).record(6, 0);
    old.remove();
    expect(topics()).toEqual([["orders", 6]]);
  });
});
