import {
  avgAndMax,
  type Clock,
  countMeter,
  type MetricDefinition,
  type MetricGroup,
  type MetricRegistry,
  measures,
  meter,
  type Sensor,
  type SensorMetric,
  type Sensors,
  type TopicPartition,
} from "@odradek/network";
import type { IsolationLevel } from "../consumer-options.ts";
import type { PartitionState } from "../positions/partition-state.ts";
import type { SubscriptionState } from "../positions/subscription-state.ts";

/** By what is recorded. */
const clientMetrics = Object.freeze({
  answerBytes: [
    ...avgAndMax("fetch-size", "size of the batches in an answer, bytes"),
    ...meter("bytes-consumed", "Bytes of batches fetched"),
  ],
  records: meter("records-consumed", "Records that polls gave"),
  latencyMs: [
    ...avgAndMax("fetch-latency", "time from a Fetch request to its answer, milliseconds"),
    ...countMeter("fetch", "Fetch requests answered"),
  ],
  throttleMs: avgAndMax(
    "fetch-throttle-time",
    "time that an answer made the consumer wait for its quota, milliseconds",
  ),
  lag: [
    {
      name: "records-lag-max",
      description: "Most records that any partition was behind the end of its log",
      measure: measures.max,
    },
  ],
  lead: [
    {
      name: "records-lead-min",
      description: "Fewest records that any partition was ahead of the beginning of its log",
      measure: measures.min,
    },
  ],
}) satisfies Readonly<Record<string, readonly SensorMetric[]>>;

/** The same of one topic. */
const topicMetrics = Object.freeze({
  answerBytes: [
    ...avgAndMax("fetch-size", "size of the topic's batches in an answer, bytes"),
    ...meter("bytes-consumed", "Bytes of the topic's batches fetched"),
  ],
  records: meter("records-consumed", "Records of the topic that polls gave"),
}) satisfies Readonly<Record<string, readonly SensorMetric[]>>;

/** Of what two sensors have seen, in both groups. */
const recordsPerRequest: MetricDefinition = Object.freeze({
  name: "records-per-request-avg",
  description: "Records that polls gave, by answers that brought some",
});

/** Of one partition. */
const partitionMetrics = Object.freeze({
  lag: [
    {
      name: "records-lag",
      description: "Records from the position to the end of the log, as last known",
      measure: measures.last,
    },
    ...avgAndMax("records-lag", "number of records from the position to the end of the log"),
  ],
  lead: [
    {
      name: "records-lead",
      description: "Records from the beginning of the log to the position, as last known",
      measure: measures.last,
    },
    {
      name: "records-lead-avg",
      description: "Average number of records from the beginning of the log to the position",
      measure: measures.avg,
    },
    {
      name: "records-lead-min",
      description: "Minimum number of records from the beginning of the log to the position",
      measure: measures.min,
    },
  ],
}) satisfies Readonly<Record<string, readonly SensorMetric[]>>;

/** Looked up, in the same group. */
const preferredReplica: MetricDefinition = Object.freeze({
  name: "preferred-read-replica",
  description: "Broker that is read from instead of the leader, -1 where that is read from",
});

/**
 * All of the group `consumer-fetch-manager-metrics` by what they are of, which their tags say, as documentation and tests want
 * them.
 */
export const fetchMetrics: Readonly<Record<"client" | "topic" | "partition", readonly MetricDefinition[]>> =
  Object.freeze({
    client: Object.freeze([...Object.values(clientMetrics).flat(), recordsPerRequest]),
    topic: Object.freeze([...Object.values(topicMetrics).flat(), recordsPerRequest]),
    partition: Object.freeze([...Object.values(partitionMetrics).flat(), preferredReplica]),
  });

/** Batches of one partition in an answer. */
export interface FetchedBytes {
  readonly topic: string;
  readonly bytes: number;
}

/** A partition as far as it is measured. */
type MeasuredPartition = Pick<PartitionState, "topic" | "partition" | "key" | "lag" | "lead">;

interface TopicSensors {
  readonly group: MetricGroup;
  readonly sensors: Sensors<typeof topicMetrics>;
}

interface PartitionSensors {
  readonly of: TopicPartition;
  readonly group: MetricGroup;
  readonly sensors: Sensors<typeof partitionMetrics>;
}

const groupName = "fetch-manager-metrics";

/**
 * What a consumer measures of its fetching. Nothing is recorded for a single record: answers are, and what a poll takes of one
 * partition. Source: Kafka's `FetchMetricsManager` and `FetchMetricsRegistry`.
 */
export class FetchMetrics {
  readonly #registry: MetricRegistry;
  readonly #clock: Clock;
  readonly #isolationLevel: IsolationLevel;
  readonly #assignment: SubscriptionState;
  readonly #client: Sensors<typeof clientMetrics>;
  readonly #topics = new Map<string, TopicSensors>();
  readonly #partitions = new Map<string, PartitionSensors>();
  /** The assignment that topics and partitions were last compared with. */
  #assignmentChanges = 0;

  constructor(registry: MetricRegistry, clock: Clock, isolationLevel: IsolationLevel, assignment: SubscriptionState) {
    this.#registry = registry;
    this.#clock = clock;
    this.#isolationLevel = isolationLevel;
    this.#assignment = assignment;
    const group = registry.group(groupName);
    this.#client = group.sensors(clientMetrics);
    addRecordsPerRequest(group, this.#client);
  }

  /**
   * A Fetch request has its answer.
   *
   * @param throttleMs what the answer makes the consumer wait, 0 for nothing
   * @param fetched what it brought of each partition that had something
   */
  answered(sentAtMs: number, throttleMs: number, fetched: readonly FetchedBytes[]): void {
    const nowMs = this.#clock.now();
    this.#client.latencyMs.record(nowMs - sentAtMs, nowMs);
    this.#client.throttleMs.record(throttleMs, nowMs);
    if (fetched.length === 0) return;
    let sum = 0;
    const sums = new Map<string, number>();
    for (const { topic, bytes } of fetched) {
      sum += bytes;
      sums.set(topic, (sums.get(topic) ?? 0) + bytes);
    }
    this.#client.answerBytes.record(sum, nowMs);
    for (const [topic, bytes] of sums) this.#topic(topic).answerBytes.record(bytes, nowMs);
  }

  /** A poll has taken records of a partition, whose position lies behind them. */
  drained(state: MeasuredPartition, recordCount: number): void {
    const nowMs = this.#clock.now();
    this.#client.records.record(recordCount, nowMs);
    this.#topic(state.topic).records.record(recordCount, nowMs);
    this.#recordEnds(state, nowMs);
  }

  /** An answer said where the log of a partition ends, and nothing of it waits to be polled. */
  sawEnds(state: MeasuredPartition): void {
    this.#recordEnds(state, this.#clock.now());
  }

  /** Lets go of the metrics of partitions, and of topics, that are not assigned any more. */
  retain(): void {
    const assignment = this.#assignment;
    if (assignment.changes === this.#assignmentChanges) return;
    this.#assignmentChanges = assignment.changes;
    for (const [key, { of, group }] of this.#partitions) {
      if (assignment.find(of) !== undefined) continue;
      group.remove();
      this.#partitions.delete(key);
    }
    const { topics } = assignment;
    for (const [name, { group }] of this.#topics) {
      if (topics.has(name)) continue;
      group.remove();
      this.#topics.delete(name);
    }
  }

  #recordEnds(state: MeasuredPartition, nowMs: number): void {
    const lag = state.lag(this.#isolationLevel);
    const { lead } = state;
    if (lag === null && lead === null) return;
    const sensors = this.#partition(state);
    if (lag !== null) {
      this.#client.lag.record(Number(lag), nowMs);
      sensors.lag.record(Number(lag), nowMs);
    }
    if (lead !== null) {
      this.#client.lead.record(Number(lead), nowMs);
      sensors.lead.record(Number(lead), nowMs);
    }
  }

  #topic(name: string): TopicSensors["sensors"] {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      const group = this.#registry.group(groupName, { topic: name });
      topic = { group, sensors: group.sensors(topicMetrics) };
      addRecordsPerRequest(group, topic.sensors);
      this.#topics.set(name, topic);
    }
    return topic.sensors;
  }

  #partition({ topic, partition, key }: MeasuredPartition): PartitionSensors["sensors"] {
    let found = this.#partitions.get(key);
    if (found === undefined) {
      const of = { topic, partition };
      const group = this.#registry.group(groupName, { topic, partition: String(partition) });
      found = { of, group, sensors: group.sensors(partitionMetrics) };
      group.gauge(preferredReplica, (nowMs) => this.#assignment.find(of)?.preferredReplica(nowMs) ?? -1);
      this.#partitions.set(key, found);
    }
    return found.sensors;
  }
}

/**
 * Java waits until all of an answer was polled, and records its number of records then. Both sums come to the same, and here
 * no answer need know what has become of its parts.
 */
function addRecordsPerRequest(
  group: MetricGroup,
  { answerBytes, records }: { readonly answerBytes: Sensor; readonly records: Sensor },
): void {
  group.gauge(recordsPerRequest, (nowMs) => {
    const { count } = answerBytes.summary(nowMs);
    return count === 0 ? Number.NaN : records.summary(nowMs).sum / count;
  });
}
