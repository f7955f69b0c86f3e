import { describe, expect, test } from "vitest";
import { ConsumerMetrics } from "../../src/metrics/consumer-metrics.ts";
import { measured } from "./measured.ts";

function setUp() {
  const { clock, registry, values } = measured();
  const metrics = new ConsumerMetrics(registry, clock);
  /** A poll that waits, and an application that works on what it brought. */
  const poll = (waitMs: number, workMs: number) => {
    metrics.pollBegan();
    clock.advance(waitMs);
    metrics.pollEnded();
    clock.advance(workMs);
  };
  return { clock, metrics, values, poll };
}

describe("ConsumerMetrics", () => {
  test("knows nothing of polls before the first", () => {
    expect(setUp().values()).toMatchObject({
      "last-poll-seconds-ago": -1,
      "poll-idle-ratio-avg": Number.NaN,
      "time-between-poll-avg": Number.NaN,
    });
  });

  test("measures from the beginning of a poll to that of the next, the first of which comes after nothing", () => {
    const { poll, values } = setUp();
    poll(100, 400);
    poll(10, 90);
    poll(0, 0);
    expect(values()).toMatchObject({ "time-between-poll-avg": 200, "time-between-poll-max": 500 });
  });

  test("says how many whole seconds ago a poll last began", () => {
    const { poll, values } = setUp();
    poll(1_000, 2_999);
    expect(values()["last-poll-seconds-ago"]).toBe(3);
  });

  test("averages the share of the time that polls wait, each by the time since the one before, as Kafka does", () => {
    const { poll, values } = setUp();
    poll(100, 200);
    poll(100, 0);
    expect(values()["poll-idle-ratio-avg"]).toBe((1 + 100 / 400) / 2);
  });

  test("is not misled by a poll that takes no time", () => {
    const { poll, values } = setUp();
    poll(0, 0);
    poll(50, 0);
    expect(values()["poll-idle-ratio-avg"]).toBe(1);
  });

  test("adds up the time of calls", () => {
    const { clock, metrics, values } = setUp();
    const sinceMs = clock.now();
    clock.advance(2);
    metrics.called("commitSync", sinceMs);
    clock.advance(3);
    metrics.called("commitSync", sinceMs);
    metrics.called("committed", clock.now() - 4);
    expect(values()).toMatchObject({
      "commit-sync-time-ns-total": 7_000_000,
      "committed-time-ns-total": 4_000_000,
    });
  });
});
