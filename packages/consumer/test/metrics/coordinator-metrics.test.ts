import { describe, expect, test } from "vitest";
import { CoordinatorMetrics } from "../../src/metrics/coordinator-metrics.ts";
import { measured } from "./measured.ts";

function setUp() {
  const { clock, registry, values } = measured();
  const assignment = { size: 0 };
  const metrics = new CoordinatorMetrics(registry, clock, assignment);
  return { clock, values, assignment, metrics };
}

describe("CoordinatorMetrics", () => {
  test("has -1 for what never was", () => {
    expect(setUp().values()).toMatchObject({ "last-heartbeat-seconds-ago": -1, "last-rebalance-seconds-ago": -1 });
  });

  test("measures heartbeats: answers, and the last that was sent", () => {
    const { clock, metrics, values } = setUp();
    metrics.heartbeatSent(clock.now());
    clock.advance(4);
    metrics.heartbeatAnswered(clock.now() - 4);
    metrics.heartbeatAnswered(clock.now() - 9);
    clock.advance(2_000);
    expect(values()).toMatchObject({
      "heartbeat-rate": 2 / 32,
      "heartbeat-total": 2,
      "heartbeat-response-time-max": 9,
      "last-heartbeat-seconds-ago": 2,
    });
  });

  test.each([
    ["joined", "join-time", "join"],
    ["synced", "sync-time", "sync"],
    ["commitAnswered", "commit-latency", "commit"],
  ] as const)("measures with %s how long it took and how often it happened", (call, latency, count) => {
    const { clock, metrics, values } = setUp();
    metrics[call](clock.now() - 10);
    metrics[call](clock.now() - 30);
    expect(values()).toMatchObject({
      [`${latency}-avg`]: 20,
      [`${latency}-max`]: 30,
      [`${count}-rate`]: 2 / 30,
      [`${count}-total`]: 2,
    });
  });

  test("measures a rebalance from its first attempt to its end", () => {
    const { clock, metrics, values } = setUp();
    metrics.rebalanceTried(clock.now());
    clock.advance(100);
    metrics.rebalanceFailed();
    clock.advance(100);
    metrics.rebalanceTried(clock.now());
    clock.advance(100);
    metrics.rebalanceEnded();
    clock.advance(1_000);
    metrics.rebalanceTried(clock.now());
    clock.advance(100);
    metrics.rebalanceEnded();
    clock.advance(5_000);
    expect(values()).toMatchObject({
      "rebalance-latency-avg": 200,
      "rebalance-latency-max": 300,
      "rebalance-latency-total": 400,
      "rebalance-total": 2,
      "rebalance-rate-per-hour": 2 / (36_100 / 3_600_000),
      "failed-rebalance-total": 1,
      "failed-rebalance-rate-per-hour": 1 / (36_300 / 3_600_000),
      "last-rebalance-seconds-ago": 5,
    });
  });

  test("counts a failure once for an attempt, and none where nothing was tried", () => {
    const { clock, metrics, values } = setUp();
    metrics.rebalanceFailed();
    metrics.rebalanceTried(clock.now());
    metrics.rebalanceFailed();
    metrics.rebalanceFailed();
    expect(values()["failed-rebalance-total"]).toBe(1);
  });

  test("forgets a rebalance that was given up: the next one begins by itself", () => {
    const { clock, metrics, values } = setUp();
    metrics.rebalanceTried(clock.now());
    clock.advance(60_000);
    metrics.rebalanceGivenUp();
    metrics.rebalanceFailed();
    metrics.rebalanceTried(clock.now());
    clock.advance(10);
    metrics.rebalanceEnded();
    expect(values()).toMatchObject({ "rebalance-latency-max": 10, "failed-rebalance-total": 0 });
  });

  test.each(["revoked", "assigned", "lost"] as const)(
    "measures how long a listener takes for what is %s",
    async (call) => {
      const { clock, metrics, values } = setUp();
      await metrics.listenerCall(call, () => clock.advance(10));
      await metrics.listenerCall(call, async () => {
        await Promise.resolve();
        clock.advance(30);
      });
      expect(values()).toMatchObject({ [`partition-${call}-latency-avg`]: 20, [`partition-${call}-latency-max`]: 30 });
    },
  );

  test("leaves out a call of a listener that throws, and passes on what it throws", async () => {
    const { metrics, values } = setUp();
    const throwing = () => Promise.reject(new Error("no"));
    await expect(metrics.listenerCall("lost", throwing)).rejects.toThrow("no");
    expect(values()["partition-lost-latency-max"]).toBeNaN();
  });

  test("looks the number of partitions up", () => {
    const { assignment, values } = setUp();
    assignment.size = 3;
    expect(values()["assigned-partitions"]).toBe(3);
  });
});
