import {
  avgAndMax,
  type Clock,
  countMeter,
  type MetricDefinition,
  type MetricRegistry,
  measures,
  meter,
  type SensorMetric,
  type Sensors,
} from "@odradek/network";

/** Of a producer, by what is recorded: the group `producer-metrics`, with the tag `client-id`. */
const clientMetrics = Object.freeze({
  batchBytes: avgAndMax("batch-size", "size of a batch as it was sent, bytes"),
  compressionRate: [
    {
      name: "compression-rate-avg",
      description: "Average of compressed by uncompressed bytes of a batch",
      measure: measures.avg,
    },
  ],
  queueMs: avgAndMax("record-queue-time", "time from the first record of a batch until it was sent, milliseconds"),
  largestRecordBytes: avgAndMax("record-size", "size of the largest record of a batch, uncompressed bytes"),
  latencyMs: avgAndMax("request-latency", "time from a Produce request to its answer, milliseconds"),
  throttleMs: avgAndMax(
    "produce-throttle-time",
    "time that an answer made the producer wait for its quota, milliseconds",
  ),
  requestRecords: [
    ...meter("record-send", "Records sent"),
    {
      name: "records-per-request-avg",
      description: "Average number of records in a Produce request",
      measure: measures.avg,
    },
  ],
  retried: meter("record-retry", "Records sent again"),
  failed: meter("record-error", "Records that failed"),
  split: countMeter("batch-split", "Batches that were split because a broker found them too large"),
  memoryWaitNs: [
    {
      name: "bufferpool-wait-ratio",
      description: "Share of the time in which records waited for memory",
      measure: measures.ratioOfNs,
    },
    {
      name: "bufferpool-wait-time-ns-total",
      description: "Time that records waited for memory, in all, nanoseconds",
      measure: measures.total,
    },
  ],
  memoryExhausted: countMeter("buffer-exhausted", "Records that failed because there was no memory for them in time"),
  flushNs: [total("flush-time-ns-total", "Time spent in flush, in all, nanoseconds")],
  metadataWaitNs: [
    total("metadata-wait-time-ns-total", "Time that calls waited for the metadata of a topic, in all, nanoseconds"),
  ],
  initNs: [total("txn-init-time-ns-total", "Time spent in initTransactions, in all, nanoseconds")],
  beginNs: [total("txn-begin-time-ns-total", "Time spent in beginTransaction, in all, nanoseconds")],
  sendOffsetsNs: [
    total("txn-send-offsets-time-ns-total", "Time spent in sendOffsetsToTransaction, in all, nanoseconds"),
  ],
  commitNs: [total("txn-commit-time-ns-total", "Time spent in commitTransaction, in all, nanoseconds")],
  abortNs: [total("txn-abort-time-ns-total", "Time spent in abortTransaction, in all, nanoseconds")],
  prepareNs: [total("txn-prepare-time-ns-total", "Time spent in prepareTransaction, in all, nanoseconds")],
}) satisfies Readonly<Record<string, readonly SensorMetric[]>>;

/** Looked up, in the same group. */
const gauges = Object.freeze({
  requestsInFlight: { name: "requests-in-flight", description: "Produce requests under way" },
  metadataAge: { name: "metadata-age", description: "Age of the metadata, seconds" },
  waitingThreads: { name: "waiting-threads", description: "Records that wait for memory, each with those behind it" },
  bufferTotalBytes: { name: "buffer-total-bytes", description: "Memory for records, in use or not, bytes" },
  bufferAvailableBytes: { name: "buffer-available-bytes", description: "Memory for records that is not in use, bytes" },
}) satisfies Readonly<Record<string, MetricDefinition>>;

/** Of one topic: the group `producer-topic-metrics`, with the tags `client-id` and `topic`. */
const topicMetrics = Object.freeze({
  records: meter("record-send", "Records sent to the topic"),
  bytes: meter("byte", "Bytes of batches sent to the topic"),
  compressionRate: [
    {
      name: "compression-rate",
      description: "Average of compressed by uncompressed bytes of a batch for the topic",
      measure: measures.avg,
    },
  ],
  retried: meter("record-retry", "Records sent to the topic again"),
  failed: meter("record-error", "Records for the topic that failed in a batch"),
}) satisfies Readonly<Record<string, readonly SensorMetric[]>>;

/** All metrics of a producer by group, without the kind of client, as documentation and tests want them. */
export const producerMetrics: Readonly<Record<"metrics" | "topic-metrics", readonly MetricDefinition[]>> =
  Object.freeze({
    metrics: Object.freeze([...Object.values(clientMetrics).flat(), ...Object.values(gauges)]),
    "topic-metrics": Object.freeze(Object.values(topicMetrics).flat()),
  });

/** Calls whose time is counted, by the name of what counts it. */
export type TimedCall = "flush" | "metadataWait" | "init" | "begin" | "sendOffsets" | "commit" | "abort" | "prepare";

/** A batch in a request. */
export interface SentBatch {
  readonly batch: {
    readonly topic: string;
    readonly recordCount: number;
    readonly createdAtMs: number;
    readonly compressionRatio: number;
    readonly largestRecordBytes: number;
  };
  readonly records: { readonly length: number };
}

/** What is looked up when somebody asks. */
export interface ProducerGauges {
  readonly memory: { readonly totalBytes: number; readonly availableBytes: number; readonly waiterCount: number };
  readonly metadata: { readonly updatedAtMs: number };
}

const nsPerMs = 1_000_000;

/**
 * What a producer measures of itself, beyond its connections. Nothing is recorded for a single record, unless it failed or
 * waited: batches are, when they are sent. Source: Kafka's `SenderMetricsRegistry`, `KafkaProducerMetrics` and `BufferPool`.
 */
export class ProducerMetrics {
  readonly #registry: MetricRegistry;
  readonly #clock: Clock;
  readonly #client: Sensors<typeof clientMetrics>;
  readonly #topics = new Map<string, Sensors<typeof topicMetrics>>();
  #requestsInFlight = 0;

  constructor(registry: MetricRegistry, clock: Clock, { memory, metadata }: ProducerGauges) {
    this.#registry = registry;
    this.#clock = clock;
    const group = registry.group("metrics");
    this.#client = group.sensors(clientMetrics);
    group.gauge(gauges.requestsInFlight, () => this.#requestsInFlight);
    group.gauge(gauges.metadataAge, (nowMs) => (nowMs - metadata.updatedAtMs) / 1_000);
    group.gauge(gauges.waitingThreads, () => memory.waiterCount);
    group.gauge(gauges.bufferTotalBytes, () => memory.totalBytes);
    group.gauge(gauges.bufferAvailableBytes, () => memory.availableBytes);
  }

  /** One Produce request was written, with these batches. */
  requestSent(batches: readonly SentBatch[], nowMs: number): void {
    this.#requestsInFlight += 1;
    let recordCount = 0;
    for (const { batch, records } of batches) {
      recordCount += batch.recordCount;
      const topic = this.#topic(batch.topic);
      topic.records.record(batch.recordCount, nowMs);
      topic.bytes.record(records.length, nowMs);
      topic.compressionRate.record(batch.compressionRatio, nowMs);
      this.#client.batchBytes.record(records.length, nowMs);
      this.#client.compressionRate.record(batch.compressionRatio, nowMs);
      this.#client.queueMs.record(nowMs - batch.createdAtMs, nowMs);
      this.#client.largestRecordBytes.record(batch.largestRecordBytes, nowMs);
    }
    this.#client.requestRecords.record(recordCount, nowMs);
  }

  /** A Produce request has its answer. @param throttleMs what the answer makes the producer wait, 0 for nothing */
  requestAnswered(latencyMs: number, throttleMs: number, nowMs: number): void {
    this.#requestsInFlight -= 1;
    this.#client.latencyMs.record(latencyMs, nowMs);
    this.#client.throttleMs.record(throttleMs, nowMs);
  }

  /** A Produce request will have no answer: none was asked for, or it was lost. */
  requestEnded(): void {
    this.#requestsInFlight -= 1;
  }

  /** A batch will be sent again. */
  batchRetried(topic: string, recordCount: number, nowMs: number): void {
    this.#client.retried.record(recordCount, nowMs);
    this.#topic(topic).retried.record(recordCount, nowMs);
  }

  /** A batch failed for good. */
  batchFailed(topic: string, recordCount: number, nowMs: number): void {
    this.#client.failed.record(recordCount, nowMs);
    this.#topic(topic).failed.record(recordCount, nowMs);
  }

  batchSplit(nowMs: number): void {
    this.#client.split.record(1, nowMs);
  }

  /** A record failed before it was in a batch. */
  sendFailed(): void {
    this.#client.failed.record(1, this.#clock.now());
  }

  /** A record waited for memory. @param isInVain whether its time was over before there was any */
  memoryAwaited(sinceMs: number, isInVain: boolean): void {
    const nowMs = this.#clock.now();
    this.#client.memoryWaitNs.record((nowMs - sinceMs) * nsPerMs, nowMs);
    if (isInVain) this.#client.memoryExhausted.record(1, nowMs);
  }

  /** A call has ended, well or not. */
  called(call: TimedCall, sinceMs: number): void {
    const nowMs = this.#clock.now();
    this.#client[`${call}Ns`].record((nowMs - sinceMs) * nsPerMs, nowMs);
  }

  #topic(name: string): Sensors<typeof topicMetrics> {
    let topic = this.#topics.get(name);
    if (topic === undefined) {
      topic = this.#registry.group("topic-metrics", { topic: name }).sensors(topicMetrics);
      this.#topics.set(name, topic);
    }
    return topic;
  }
}

function total(name: string, description: string): SensorMetric {
  return { name, description, measure: measures.total };
}
