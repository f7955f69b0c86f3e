import { describe, expect, test } from "vitest";
import type { IsolationLevel } from "../../src/consumer-options.ts";
import { FetchMetrics } from "../../src/metrics/fetch-metrics.ts";
import type { LogEnds } from "../../src/positions/partition-state.ts";
import { SubscriptionState } from "../../src/positions/subscription-state.ts";
import { named } from "../group/scripted-group.ts";
import { measured } from "./measured.ts";

/** A consumer of `orders-0`, `orders-1` and `bills-0`. */
function setUp(isolationLevel: IsolationLevel = "read_uncommitted") {
  const { clock, registry, values } = measured();
  const assignment = new SubscriptionState();
  const metrics = new FetchMetrics(registry, clock, isolationLevel, assignment);
  assignment.assign(named("orders-0", "orders-1", "bills-0"));
  /** A partition at an offset of its log, which begins at 10 and ends at 100, unless said otherwise. */
  const at = (name: string, offset: bigint, ends: Partial<LogEnds> = {}) => {
    const [partition = { topic: "", partition: 0 }] = named(name);
    const state = assignment.get(partition);
    state.seek({ offset, leaderEpoch: -1 });
    state.saw({ highWatermark: 100n, lastStableOffset: 80n, logStartOffset: 10n, ...ends });
    return state;
  };
  return { clock, registry, values, metrics, assignment, at };
}

const fetched = (topic: string, bytes: number) => ({ topic, bytes });

describe("FetchMetrics", () => {
  test("measures answers: how long they took, what they made the consumer wait, and their bytes", () => {
    const { clock, metrics, values } = setUp();
    const sentAtMs = clock.now();
    clock.advance(20);
    metrics.answered(sentAtMs, 0, [fetched("orders", 100), fetched("orders", 200), fetched("bills", 50)]);
    clock.advance(20);
    metrics.answered(sentAtMs, 6, [fetched("orders", 150)]);
    expect(values()).toMatchObject({
      "fetch-latency-avg": 30,
      "fetch-latency-max": 40,
      "fetch-rate": 2 / 30.02,
      "fetch-total": 2,
      "fetch-throttle-time-avg": 3,
      "fetch-throttle-time-max": 6,
      "fetch-size-avg": 250,
      "fetch-size-max": 350,
      "bytes-consumed-rate": 500 / 30.02,
      "bytes-consumed-total": 500,
    });
    expect(values({ topic: "orders" })).toMatchObject({
      "fetch-size-avg": 225,
      "fetch-size-max": 300,
      "bytes-consumed-rate": 450 / 30.02,
      "bytes-consumed-total": 450,
    });
    expect(values({ topic: "bills" })).toMatchObject({ "fetch-size-avg": 50, "bytes-consumed-total": 50 });
  });

  test("counts an answer that brought nothing as one, and leaves it out of what answers bring", () => {
    const { clock, metrics, values } = setUp();
    metrics.answered(clock.now() - 500, 0, []);
    metrics.answered(clock.now() - 100, 0, [fetched("orders", 80)]);
    expect(values()).toMatchObject({ "fetch-total": 2, "fetch-latency-avg": 300, "fetch-size-avg": 80 });
  });

  test("counts records when a poll takes them, in all and by topic", () => {
    const { clock, metrics, values, at } = setUp();
    metrics.answered(clock.now(), 0, [fetched("orders", 100), fetched("bills", 50)]);
    metrics.answered(clock.now(), 0, [fetched("orders", 100)]);
    clock.advance(1_000);
    metrics.drained(at("orders-0", 15n), 5);
    metrics.drained(at("orders-0", 20n), 5);
    metrics.drained(at("bills-0", 11n), 1);
    expect(values()).toMatchObject({
      "records-consumed-rate": 11 / 30,
      "records-consumed-total": 11,
      "records-per-request-avg": 11 / 2,
    });
    expect(values({ topic: "orders" })).toMatchObject({ "records-consumed-total": 10, "records-per-request-avg": 5 });
    expect(values({ topic: "bills" })).toMatchObject({ "records-consumed-total": 1, "records-per-request-avg": 1 });
  });

  test("has no number of records of an answer before one brought some", () => {
    const { clock, metrics, values } = setUp();
    metrics.answered(clock.now(), 0, []);
    expect(values()["records-per-request-avg"]).toBeNaN();
  });

  test("measures lag and lead of a partition, and the worst of all partitions", () => {
    const { metrics, values, at } = setUp();
    metrics.drained(at("orders-0", 40n), 30);
    metrics.drained(at("orders-0", 90n), 50);
    metrics.sawEnds(at("orders-1", 12n));
    expect(values({ topic: "orders", partition: 0 })).toEqual({
      "records-lag": 10,
      "records-lag-avg": 35,
      "records-lag-max": 60,
      "records-lead": 80,
      "records-lead-avg": 55,
      "records-lead-min": 30,
      "preferred-read-replica": -1,
    });
    expect(values({ topic: "orders", partition: 1 })).toMatchObject({ "records-lag": 88, "records-lead": 2 });
    expect(values()).toMatchObject({ "records-lag-max": 88, "records-lead-min": 2 });
  });

  test("measures lag up to the last stable offset where no more can be read", () => {
    const { metrics, values, at } = setUp("read_committed");
    metrics.drained(at("orders-0", 70n), 1);
    expect(values({ topic: "orders", partition: 0 })["records-lag"]).toBe(10);
  });

  test("looks up which replica a partition is read from, as long as one is preferred to the leader", () => {
    const { clock, assignment, metrics, values, at } = setUp();
    metrics.sawEnds(at("orders-0", 40n));
    const preferred = () => values({ topic: "orders", partition: 0 })["preferred-read-replica"];
    expect(preferred()).toBe(-1);
    at("orders-0", 40n).prefer(3, clock.now() + 1_000);
    expect(preferred()).toBe(3);
    clock.advance(1_000);
    expect(preferred()).toBe(-1);
    assignment.assign([]);
    expect(preferred()).toBe(-1);
  });

  test("says nothing of ends that the broker did not tell", () => {
    const { metrics, values, at } = setUp();
    metrics.sawEnds(at("orders-0", 70n, { logStartOffset: -1n }));
    metrics.sawEnds(at("orders-1", 70n, { highWatermark: -1n, logStartOffset: -1n }));
    expect(values({ topic: "orders", partition: 0 })).toMatchObject({
      "records-lag": 30,
      "records-lead-min": Number.NaN,
    });
    expect(values({ topic: "orders", partition: 1 })).toEqual({});
  });

  test("forgets what lies behind all windows, and knows totals and the last value for ever", () => {
    const { clock, metrics, values, at } = setUp();
    metrics.answered(clock.now() - 5, 1, [fetched("orders", 100)]);
    metrics.drained(at("orders-0", 40n), 30);
    clock.advance(60_000);
    expect(values()).toMatchObject({
      "records-lag-max": Number.NaN,
      "fetch-size-max": Number.NaN,
      "records-per-request-avg": Number.NaN,
      "records-consumed-rate": 0,
      "records-consumed-total": 30,
      "bytes-consumed-total": 100,
    });
    expect(values({ topic: "orders", partition: 0 })).toMatchObject({
      "records-lag": 60,
      "records-lag-max": Number.NaN,
    });
  });
});

describe("FetchMetrics.retain", () => {
  /** Whose metrics there are. */
  const left = ({ registry }: ReturnType<typeof setUp>) => [
    ...new Set(registry.metrics().map(({ tags }) => [tags["topic"] ?? "all", tags["partition"] ?? "all"].join("-"))),
  ];

  function measuredAll() {
    const given = setUp();
    for (const name of ["orders-0", "orders-1", "bills-0"]) given.metrics.drained(given.at(name, 40n), 1);
    given.metrics.retain();
    return given;
  }

  test("keeps what is assigned", () => {
    const given = measuredAll();
    expect(left(given).sort()).toEqual(["all-all", "bills-0", "bills-all", "orders-0", "orders-1", "orders-all"]);
  });

  test("lets go of partitions, and of topics of which none is left", () => {
    const given = measuredAll();
    given.assignment.assign(named("orders-1"));
    given.metrics.retain();
    expect(left(given).sort()).toEqual(["all-all", "orders-1", "orders-all"]);
    given.assignment.assign([]);
    given.metrics.retain();
    expect(left(given)).toEqual(["all-all"]);
  });

  test("begins anew with one that comes back, and goes on with one that stayed", () => {
    const given = measuredAll();
    const { assignment, metrics, values, at } = given;
    assignment.assign(named("orders-1"));
    metrics.retain();
    assignment.assign(named("orders-0", "orders-1"));
    metrics.retain();
    metrics.drained(at("orders-0", 100n), 1);
    metrics.drained(at("orders-1", 100n), 1);
    expect(values({ topic: "orders", partition: 0 })).toMatchObject({ "records-lag-max": 0 });
    expect(values({ topic: "orders", partition: 1 })).toMatchObject({ "records-lag-max": 60 });
    expect(values({ topic: "orders" })["records-consumed-total"]).toBe(4);
  });

  test("goes on with one that was given up and came back before the next fetch, as in an eager rebalance", () => {
    const { assignment, metrics, values, at } = measuredAll();
    assignment.assign([]);
    assignment.assign(named("orders-0"));
    metrics.retain();
    metrics.drained(at("orders-0", 100n), 1);
    expect(values({ topic: "orders", partition: 0 })).toMatchObject({ "records-lag": 0, "records-lag-max": 60 });
  });
});
