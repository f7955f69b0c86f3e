import { readFileSync } from "node:fs";
import type { Metric } from "@odradek/network";
import { describe, expect, test } from "vitest";
import { MetricRegistry } from "../../network/src/observation/metric-registry.ts";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { ProducerMetrics, producerMetrics, type SentBatch, type TimedCall } from "../src/producer-metrics.ts";

const rateAndTotal = (...bases: readonly string[]) => bases.flatMap((base) => [`${base}-rate`, `${base}-total`]);
const avgAndMax = (...bases: readonly string[]) => bases.flatMap((base) => [`${base}-avg`, `${base}-max`]);

/** Names that Kafka's Java client gives to what its producer measures. */
const kafkasMetrics = [
  ...avgAndMax("batch-size", "record-queue-time", "request-latency", "produce-throttle-time", "record-size"),
  ...rateAndTotal("batch-split", "record-send", "record-retry", "record-error", "buffer-exhausted"),
  ...["compression-rate-avg", "records-per-request-avg", "requests-in-flight", "metadata-age", "waiting-threads"],
  ...["buffer-total-bytes", "buffer-available-bytes", "bufferpool-wait-ratio", "bufferpool-wait-time-ns-total"],
  ...["flush", "metadata-wait"].map((call) => `${call}-time-ns-total`),
  ...["init", "begin", "send-offsets", "commit", "abort", "prepare"].map((call) => `txn-${call}-time-ns-total`),
];

const kafkasTopicMetrics = [...rateAndTotal("record-send", "byte", "record-retry", "record-error"), "compression-rate"];

const sentBatch = (topic: string, recordCount: number, bytes: number, createdAtMs = 0): SentBatch => ({
  batch: { topic, recordCount, createdAtMs, compressionRatio: 0.5, largestRecordBytes: 40 },
  records: { length: bytes },
});

function setUp() {
  const clock = new ManualClock(0);
  const registry = new MetricRegistry("producer", "p", clock, { numSamples: 2, sampleWindowMs: 30_000 });
  const memory = { totalBytes: 1_000, availableBytes: 700, waiterCount: 2 };
  const metadata = { updatedAtMs: -4_000 };
  const metrics = new ProducerMetrics(registry, clock, { memory, metadata });
  /** Values by name, of a group or of a topic. */
  const values = (topic?: string): Record<string, number> =>
    Object.fromEntries(
      registry
        .metrics()
        .filter(({ tags }: Metric) => tags["topic"] === topic)
        .map(({ name, value }) => [name, value]),
    );
  return { clock, registry, metrics, values };
}

describe("the table of a producer's metrics", () => {
  const names = (group: keyof typeof producerMetrics) => producerMetrics[group].map(({ name }) => name).sort();

  test("has Kafka's names", () => {
    expect(names("metrics")).toEqual(kafkasMetrics.sort());
    expect(names("topic-metrics")).toEqual(kafkasTopicMetrics.sort());
  });

  test("is what a producer has from its start, and for each topic from the first batch on", () => {
    const { registry, metrics } = setUp();
    const of = (group: string) =>
      registry
        .metrics()
        .filter((metric) => metric.group === group)
        .map(({ name, description }) => [name, description]);
    const told = (group: keyof typeof producerMetrics) =>
      producerMetrics[group].map(({ name, description }) => [name, description]);
    expect(of("producer-metrics")).toEqual(told("metrics"));
    expect(of("producer-topic-metrics")).toEqual([]);
    metrics.requestSent([sentBatch("orders", 1, 100)], 0);
    expect(of("producer-topic-metrics")).toEqual(told("topic-metrics"));
  });

  test("is on the page", () => {
    const page = readFileSync(new URL("../OBSERVABILITY.md", import.meta.url), "utf8");
    const rows = (heading: string) => {
      const [section = ""] = page.slice(page.indexOf(`${heading}\n`) + heading.length).split(/^#/m);
      return [...section.matchAll(/^\| `([^`]+)` \| ([^|]+) \|/gm)].map(([, name, what]) => [name, what]);
    };
    const told = (group: keyof typeof producerMetrics) =>
      producerMetrics[group].map(({ name, description }) => [name, description]);
    expect(rows("## `producer-metrics`, tag `client-id`")).toEqual(told("metrics"));
    expect(rows("## `producer-topic-metrics`, tags `client-id` and `topic`")).toEqual(told("topic-metrics"));
  });
});

describe("a producer", () => {
  test("counts records and bytes by batch when a request goes out", () => {
    const { metrics, values } = setUp();
    metrics.requestSent([sentBatch("orders", 3, 100), sentBatch("orders", 1, 300), sentBatch("bills", 2, 80)], 8);
    expect(values()).toMatchObject({
      "record-send-total": 6,
      "records-per-request-avg": 6,
      "batch-size-avg": 160,
      "batch-size-max": 300,
      "compression-rate-avg": 0.5,
      "record-queue-time-max": 8,
      "record-size-max": 40,
      "requests-in-flight": 1,
    });
    expect(values("orders")).toMatchObject({ "record-send-total": 4, "byte-total": 400, "compression-rate": 0.5 });
    expect(values("bills")).toMatchObject({ "record-send-total": 2, "byte-total": 80 });
  });

  test("counts what becomes of requests, batches and records", () => {
    const { metrics, values } = setUp();
    metrics.requestSent([sentBatch("orders", 3, 100)], 0);
    metrics.requestSent([sentBatch("orders", 3, 100)], 0);
    metrics.requestSent([sentBatch("orders", 3, 100)], 0);
    metrics.requestAnswered(12, 5, 12);
    metrics.requestEnded();
    metrics.batchRetried("orders", 3, 12);
    metrics.batchFailed("orders", 2, 12);
    metrics.batchSplit(12);
    metrics.sendFailed();
    expect(values()).toMatchObject({
      "requests-in-flight": 1,
      "request-latency-avg": 12,
      "produce-throttle-time-max": 5,
      "record-retry-total": 3,
      "record-error-total": 3,
      "batch-split-total": 1,
    });
    expect(values("orders")).toMatchObject({ "record-retry-total": 3, "record-error-total": 2 });
  });

  test("looks its memory and its metadata up", () => {
    expect(setUp().values()).toMatchObject({
      "buffer-total-bytes": 1_000,
      "buffer-available-bytes": 700,
      "waiting-threads": 2,
      "metadata-age": 4,
    });
  });

  test("counts waits for memory, and those in vain", () => {
    const { clock, metrics, values } = setUp();
    clock.advance(30);
    metrics.memoryAwaited(20, false);
    metrics.memoryAwaited(10, true);
    expect(values()).toMatchObject({
      "bufferpool-wait-time-ns-total": 30_000_000,
      "bufferpool-wait-ratio": 0.001,
      "buffer-exhausted-total": 1,
    });
  });

  test.each<[TimedCall, string]>([
    ["flush", "flush"],
    ["metadataWait", "metadata-wait"],
    ["init", "txn-init"],
    ["begin", "txn-begin"],
    ["sendOffsets", "txn-send-offsets"],
    ["commit", "txn-commit"],
    ["abort", "txn-abort"],
    ["prepare", "txn-prepare"],
  ])("counts the time of %s", (call, name) => {
    const { clock, metrics, values } = setUp();
    clock.advance(7);
    metrics.called(call, 5);
    expect(values()[`${name}-time-ns-total`]).toBe(2_000_000);
  });
});
