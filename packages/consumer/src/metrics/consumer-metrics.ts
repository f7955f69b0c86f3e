import {
  avgAndMax,
  type Clock,
  type MetricDefinition,
  type MetricRegistry,
  measures,
  type SensorMetric,
  type Sensors,
} from "@odradek/network";
import { secondsAgo } from "./seconds-ago.ts";

/** By what is recorded. */
const clientMetrics = Object.freeze({
  betweenPollsMs: avgAndMax("time-between-poll", "time from the beginning of a poll to that of the next, milliseconds"),
  pollIdleRatio: [
    {
      name: "poll-idle-ratio-avg",
      description: "Average share of the time in which polls wait, and the application does not work",
      measure: measures.avg,
    },
  ],
  commitSyncNs: [
    {
      name: "commit-sync-time-ns-total",
      description: "Time spent in commitSync, in all, nanoseconds",
      measure: measures.total,
    },
  ],
  committedNs: [
    {
      name: "committed-time-ns-total",
      description: "Time spent in committed, in all, nanoseconds",
      measure: measures.total,
    },
  ],
}) satisfies Readonly<Record<string, readonly SensorMetric[]>>;

/** Looked up, in the same group. */
const lastPoll: MetricDefinition = Object.freeze({
  name: "last-poll-seconds-ago",
  description: "Seconds since a poll last began, -1 before the first",
});

/** All of the group `consumer-metrics`, with the tag `client-id`, as documentation and tests want them. */
export const consumerMetrics: readonly MetricDefinition[] = Object.freeze([
  ...Object.values(clientMetrics).flat(),
  lastPoll,
]);

/** Calls whose time is counted, by the name of what counts it. */
type TimedCall = "commitSync" | "committed";

const nsPerMs = 1_000_000;

/** What a consumer measures of the calls of its application. Source: Kafka's `KafkaConsumerMetrics`. */
export class ConsumerMetrics {
  readonly #clock: Clock;
  readonly #sensors: Sensors<typeof clientMetrics>;
  #pollBeganMs: number | null = null;
  #sinceLastPollMs = 0;

  constructor(registry: MetricRegistry, clock: Clock) {
    this.#clock = clock;
    const group = registry.group("metrics");
    this.#sensors = group.sensors(clientMetrics);
    group.gauge(lastPoll, (nowMs) => secondsAgo(this.#pollBeganMs, nowMs));
  }

  /** The application polls. */
  pollBegan(): void {
    const nowMs = this.#clock.now();
    this.#sinceLastPollMs = nowMs - (this.#pollBeganMs ?? nowMs);
    this.#pollBeganMs = nowMs;
    this.#sensors.betweenPollsMs.record(this.#sinceLastPollMs, nowMs);
  }

  /** A poll has ended, well or not. As in Kafka, the time from the last one to this one counts from beginning to beginning. */
  pollEnded(): void {
    const nowMs = this.#clock.now();
    const pollMs = nowMs - (this.#pollBeganMs ?? nowMs);
    const wholeMs = pollMs + this.#sinceLastPollMs;
    // Of no time at all there is no share, and `NaN` would make that of all others `NaN` too.
    if (wholeMs > 0) this.#sensors.pollIdleRatio.record(pollMs / wholeMs, nowMs);
  }

  /** A call has ended, well or not. */
  called(call: TimedCall, sinceMs: number): void {
    const nowMs = this.#clock.now();
    this.#sensors[`${call}Ns`].record((nowMs - sinceMs) * nsPerMs, nowMs);
  }
}
