import {
  avgAndMax,
  type Clock,
  countMeter,
  type MetricDefinition,
  type MetricRegistry,
  measures,
  type SensorMetric,
  type Sensors,
  State,
} from "@odradek/network";
import { secondsAgo } from "./seconds-ago.ts";

/** By what is recorded. */
const sensorMetrics = Object.freeze({
  heartbeatMs: [
    {
      name: "heartbeat-response-time-max",
      description: "Maximum time from a heartbeat to its answer, milliseconds",
      measure: measures.max,
    },
    ...countMeter("heartbeat", "Heartbeats answered"),
  ],
  joinMs: [
    ...avgAndMax("join-time", "time from a JoinGroup request to its answer, milliseconds"),
    ...countMeter("join", "JoinGroup requests that gave a place in the group"),
  ],
  syncMs: [
    ...avgAndMax("sync-time", "time from a SyncGroup request to its answer, milliseconds"),
    ...countMeter("sync", "SyncGroup requests that gave an assignment"),
  ],
  rebalanceMs: [
    ...avgAndMax("rebalance-latency", "time of a rebalance, attempts that failed included, milliseconds"),
    {
      name: "rebalance-latency-total",
      description: "Time of rebalances, in all, milliseconds",
      measure: measures.total,
    },
    { name: "rebalance-total", description: "Rebalances, in all", measure: measures.totalCount },
    { name: "rebalance-rate-per-hour", description: "Rebalances, per hour", measure: measures.countRatePerHour },
  ],
  rebalanceFailed: [
    {
      name: "failed-rebalance-total",
      description: "Attempts at a rebalance that failed, in all",
      measure: measures.totalCount,
    },
    {
      name: "failed-rebalance-rate-per-hour",
      description: "Attempts at a rebalance that failed, per hour",
      measure: measures.countRatePerHour,
    },
  ],
  commitMs: [
    ...avgAndMax("commit-latency", "time from an OffsetCommit request to its answer, milliseconds"),
    ...countMeter("commit", "OffsetCommit requests answered"),
  ],
  revokedMs: avgAndMax("partition-revoked-latency", "time that onPartitionsRevoked took, milliseconds"),
  assignedMs: avgAndMax("partition-assigned-latency", "time that onPartitionsAssigned took, milliseconds"),
  lostMs: avgAndMax("partition-lost-latency", "time that the listener took for lost partitions, milliseconds"),
}) satisfies Readonly<Record<string, readonly SensorMetric[]>>;

/** Looked up, in the same group. */
const gauges = Object.freeze({
  lastHeartbeat: {
    name: "last-heartbeat-seconds-ago",
    description: "Seconds since a heartbeat was last sent, -1 before the first",
  },
  lastRebalance: {
    name: "last-rebalance-seconds-ago",
    description: "Seconds since a rebalance last ended well, -1 before the first",
  },
  assignedPartitions: { name: "assigned-partitions", description: "Partitions that are assigned now" },
}) satisfies Readonly<Record<string, MetricDefinition>>;

/** All of the group `consumer-coordinator-metrics`, with the tag `client-id`, as documentation and tests want them. */
export const coordinatorMetrics: readonly MetricDefinition[] = Object.freeze([
  ...Object.values(sensorMetrics).flat(),
  ...Object.values(gauges),
]);

/** What a rebalance listener is told of. */
export type ListenerCall = "assigned" | "lost" | "revoked";

const rebalanceStates = () =>
  new State("none", {
    none: ["tried"], // nothing changes hands
    tried: ["tried", "failed", "none"], // an attempt is under way
    failed: ["tried", "none"], // it came to nothing, and another is to follow
  });

/**
 * What a consumer measures of its place in a group, whatever the protocol of the group. Source: Kafka's
 * `GroupCoordinatorMetrics`, `ConsumerRebalanceMetricsManager`, `HeartbeatMetricsManager`, `OffsetCommitMetricsManager` and
 * `RebalanceCallbackMetricsManager`.
 */
export class CoordinatorMetrics {
  readonly #clock: Clock;
  readonly #sensors: Sensors<typeof sensorMetrics>;
  readonly #rebalance = rebalanceStates();
  /** When the first attempt of the rebalance that is under way began. */
  #rebalanceBeganMs = 0;
  #rebalanceEndedMs: number | null = null;
  #heartbeatSentMs: number | null = null;

  constructor(registry: MetricRegistry, clock: Clock, assignment: { readonly size: number }) {
    this.#clock = clock;
    const group = registry.group("coordinator-metrics");
    this.#sensors = group.sensors(sensorMetrics);
    group.gauge(gauges.lastHeartbeat, (nowMs) => secondsAgo(this.#heartbeatSentMs, nowMs));
    group.gauge(gauges.lastRebalance, (nowMs) => secondsAgo(this.#rebalanceEndedMs, nowMs));
    group.gauge(gauges.assignedPartitions, () => assignment.size);
  }

  heartbeatSent(nowMs: number): void {
    this.#heartbeatSentMs = nowMs;
  }

  /** A heartbeat has its answer, whatever that says. */
  heartbeatAnswered(sentAtMs: number): void {
    this.#took("heartbeatMs", sentAtMs);
  }

  /** A JoinGroup has given the member a place. */
  joined(sentAtMs: number): void {
    this.#took("joinMs", sentAtMs);
  }

  /** A SyncGroup has given the member its assignment. */
  synced(sentAtMs: number): void {
    this.#took("syncMs", sentAtMs);
  }

  /** An OffsetCommit has its answer, whatever that says. */
  commitAnswered(sentAtMs: number): void {
    this.#took("commitMs", sentAtMs);
  }

  /** An attempt at a rebalance begins: with it the rebalance, unless another attempt failed before. */
  rebalanceTried(nowMs: number): void {
    if (this.#rebalance.is("none")) this.#rebalanceBeganMs = nowMs;
    this.#rebalance.to("tried");
  }

  /** The attempt that is under way, if one is, has come to nothing. */
  rebalanceFailed(): void {
    if (!this.#rebalance.is("tried")) return;
    this.#rebalance.to("failed");
    this.#sensors.rebalanceFailed.record(1, this.#clock.now());
  }

  /** The rebalance that is under way has ended well. */
  rebalanceEnded(): void {
    this.#rebalance.to("none");
    this.#rebalanceEndedMs = this.#clock.now();
    this.#took("rebalanceMs", this.#rebalanceBeganMs);
  }

  /** The member has left: what it was at has neither ended nor failed. */
  rebalanceGivenUp(): void {
    if (!this.#rebalance.is("none")) this.#rebalance.to("none");
  }

  /** Has the time counted that a listener takes, unless it throws. */
  async listenerCall(call: ListenerCall, run: () => void | Promise<void>): Promise<void> {
    const sinceMs = this.#clock.now();
    await run();
    this.#took(`${call}Ms`, sinceMs);
  }

  #took(sensor: keyof typeof sensorMetrics, sinceMs: number): void {
    const nowMs = this.#clock.now();
    this.#sensors[sensor].record(nowMs - sinceMs, nowMs);
  }
}
