import { readFileSync } from "node:fs";
import type { Metric, MetricDefinition } from "@odradek/network";
import { describe, expect, test } from "vitest";
import { groupChannels } from "../../src/group/group-diagnostics.ts";
import { ConsumerMetrics, consumerMetrics } from "../../src/metrics/consumer-metrics.ts";
import { CoordinatorMetrics, coordinatorMetrics } from "../../src/metrics/coordinator-metrics.ts";
import { FetchMetrics, fetchMetrics } from "../../src/metrics/fetch-metrics.ts";
import { PartitionState } from "../../src/positions/partition-state.ts";
import { SubscriptionState } from "../../src/positions/subscription-state.ts";
import { measured } from "./measured.ts";

const toldOf = (metrics: readonly MetricDefinition[]) =>
  metrics.map(({ name, description }) => ({ name, description }));

const namesOf = (metrics: readonly MetricDefinition[]) => metrics.map(({ name }) => name).sort();

describe("the tables of a consumer's metrics", () => {
  test("have Kafka's names of a consumer", () => {
    expect(namesOf(consumerMetrics)).toEqual([
      "commit-sync-time-ns-total",
      "committed-time-ns-total",
      "last-poll-seconds-ago",
      "poll-idle-ratio-avg",
      "time-between-poll-avg",
      "time-between-poll-max",
    ]);
  });

  test("have Kafka's names of fetches", () => {
    expect(namesOf(fetchMetrics.client)).toEqual([
      "bytes-consumed-rate",
      "bytes-consumed-total",
      "fetch-latency-avg",
      "fetch-latency-max",
      "fetch-rate",
      "fetch-size-avg",
      "fetch-size-max",
      "fetch-throttle-time-avg",
      "fetch-throttle-time-max",
      "fetch-total",
      "records-consumed-rate",
      "records-consumed-total",
      "records-lag-max",
      "records-lead-min",
      "records-per-request-avg",
    ]);
    expect(namesOf(fetchMetrics.topic)).toEqual([
      "bytes-consumed-rate",
      "bytes-consumed-total",
      "fetch-size-avg",
      "fetch-size-max",
      "records-consumed-rate",
      "records-consumed-total",
      "records-per-request-avg",
    ]);
    expect(namesOf(fetchMetrics.partition)).toEqual([
      "preferred-read-replica",
      "records-lag",
      "records-lag-avg",
      "records-lag-max",
      "records-lead",
      "records-lead-avg",
      "records-lead-min",
    ]);
  });

  test("have Kafka's names of a group", () => {
    expect(namesOf(coordinatorMetrics)).toEqual([
      "assigned-partitions",
      "commit-latency-avg",
      "commit-latency-max",
      "commit-rate",
      "commit-total",
      "failed-rebalance-rate-per-hour",
      "failed-rebalance-total",
      "heartbeat-rate",
      "heartbeat-response-time-max",
      "heartbeat-total",
      "join-rate",
      "join-time-avg",
      "join-time-max",
      "join-total",
      "last-heartbeat-seconds-ago",
      "last-rebalance-seconds-ago",
      "partition-assigned-latency-avg",
      "partition-assigned-latency-max",
      "partition-lost-latency-avg",
      "partition-lost-latency-max",
      "partition-revoked-latency-avg",
      "partition-revoked-latency-max",
      "rebalance-latency-avg",
      "rebalance-latency-max",
      "rebalance-latency-total",
      "rebalance-rate-per-hour",
      "rebalance-total",
      "sync-rate",
      "sync-time-avg",
      "sync-time-max",
      "sync-total",
    ]);
  });

  test("are what there is: of a consumer from its start, of topics and partitions from the first answer on", () => {
    const { clock, registry } = measured();
    const fetches = new FetchMetrics(registry, clock, "read_uncommitted", new SubscriptionState());
    new ConsumerMetrics(registry, clock);
    new CoordinatorMetrics(registry, clock, { size: 0 });
    const of = (group: string, ...tags: readonly string[]) => {
      const isOf = (metric: Metric) =>
        metric.group === group && Object.keys(metric.tags).join() === ["client-id", ...tags].join();
      return toldOf(registry.metrics().filter(isOf));
    };
    expect(of("consumer-metrics")).toEqual(toldOf(consumerMetrics));
    expect(of("consumer-coordinator-metrics")).toEqual(toldOf(coordinatorMetrics));
    expect(of("consumer-fetch-manager-metrics")).toEqual(toldOf(fetchMetrics.client));
    expect(of("consumer-fetch-manager-metrics", "topic")).toEqual([]);
    const state = new PartitionState({ topic: "orders", partition: 0 });
    state.seek({ offset: 0n, leaderEpoch: -1 });
    state.saw({ highWatermark: 1n, lastStableOffset: 1n, logStartOffset: 0n });
    fetches.drained(state, 1);
    expect(of("consumer-fetch-manager-metrics", "topic")).toEqual(toldOf(fetchMetrics.topic));
    expect(of("consumer-fetch-manager-metrics", "topic", "partition")).toEqual(toldOf(fetchMetrics.partition));
  });
});

describe("OBSERVABILITY.md", () => {
  const page = readFileSync(new URL("../../OBSERVABILITY.md", import.meta.url), "utf8");
  /** First and second cell of the rows under a heading. */
  const rows = (heading: string) => {
    const [section = ""] = page.slice(page.indexOf(`${heading}\n`) + heading.length).split(/^#/m);
    return [...section.matchAll(/^\| `([^`]+)` \| ([^|]+) \|/gm)].map(([, name, what]) => [name, what]);
  };

  test.each([
    ["## `consumer-metrics`, tag `client-id`", consumerMetrics],
    ["## `consumer-fetch-manager-metrics`, tag `client-id`", fetchMetrics.client],
    ["## The same, tags `client-id` and `topic`", fetchMetrics.topic],
    ["## The same, tags `client-id`, `topic` and `partition`", fetchMetrics.partition],
    ["## `consumer-coordinator-metrics`, tag `client-id`", coordinatorMetrics],
  ] as const)("lists under %s what the table says", (heading, metrics) => {
    expect(rows(heading)).toEqual(metrics.map(({ name, description }) => [name, description]));
  });

  test("lists every channel that connections do not have", () => {
    expect(rows("## Diagnostics channels").map(([name]) => name)).toEqual(Object.keys(groupChannels));
  });
});
