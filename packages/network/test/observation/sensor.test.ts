import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Measure, measures } from "../../src/observation/metric-definition.ts";
import { Sensor } from "../../src/observation/sensor.ts";

/** As golden/java/SampledMetrics.java prints them. */
interface GoldenCase {
  readonly case: string;
  readonly numSamples: number;
  readonly sampleWindowMs: number;
  readonly steps: readonly {
    readonly atMs: number;
    readonly record?: number;
    readonly read?: Readonly<Record<string, number | "NaN">>;
  }[];
}

const goldenCases: readonly GoldenCase[] = readFileSync(
  new URL("golden/sampled-metrics.jsonl", import.meta.url),
  "utf8",
)
  .trim()
  .split("\n")
  .map((line): GoldenCase => JSON.parse(line));

const kafkaSampling = { numSamples: 2, sampleWindowMs: 30_000 };

const read = (sensor: Sensor, nowMs: number, ...names: readonly (keyof typeof measures)[]): number[] => {
  const summary = sensor.summary(nowMs);
  return names.map((name) => measures[name](summary));
};

describe("every measure says what Kafka's own class says", () => {
  test.each(goldenCases)(
    "$case, $numSamples windows of $sampleWindowMs ms",
    ({ numSamples, sampleWindowMs, steps }) => {
      const sensor = new Sensor({ numSamples, sampleWindowMs });
      const ours = steps.map(({ atMs, record, read }) => {
        if (record !== undefined) sensor.record(record, atMs);
        if (read === undefined) return null;
        const summary = sensor.summary(atMs);
        return Object.fromEntries(
          Object.entries<Measure>(measures).map(([name, measure]) => [name, measure(summary)] as const),
        );
      });
      const kafkas = steps.map(({ read }) =>
        read === undefined
          ? null
          : Object.fromEntries(
              Object.entries(read).map(([name, value]) => [name, value === "NaN" ? Number.NaN : value]),
            ),
      );
      expect(ours).toEqual(kafkas);
      expect(kafkas.filter((values) => values !== null).length).toBeGreaterThan(5);
    },
  );
});

describe("a sensor", () => {
  test("that saw nothing has rates of 0, and neither average nor extremes", () => {
    const sensor = new Sensor(kafkaSampling);
    expect(read(sensor, 0, "rate", "countRate", "ratioOfNs", "total", "totalCount", "last")).toEqual([
      0, 0, 0, 0, 0, 0,
    ]);
    expect(read(sensor, 5_000, "avg", "max", "min")).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  });

  test("takes the first window as complete, so that a burst makes no huge rate", () => {
    const sensor = new Sensor(kafkaSampling);
    sensor.record(600, 0);
    expect(read(sensor, 1_000, "rate")).toEqual([600 / 31]);
    expect(read(sensor, 29_999, "rate")).toEqual([600 / 59.999]);
    expect(read(sensor, 30_000, "rate")).toEqual([600 / 30]);
    expect(read(sensor, 59_999, "rate")).toEqual([600 / 59.999]);
  });

  test("forgets a value when all windows have passed since, not a millisecond earlier", () => {
    const sensor = new Sensor(kafkaSampling);
    sensor.record(8, 0);
    expect(read(sensor, 59_999, "avg", "max", "min")).toEqual([8, 8, 8]);
    expect(read(sensor, 60_000, "avg", "max", "min", "rate")).toEqual([Number.NaN, Number.NaN, Number.NaN, 0]);
    expect(read(sensor, 60_000, "total", "totalCount", "last")).toEqual([8, 1, 8]);
  });

  test("keeps the window that overlaps the beginning as long as its last value counts", () => {
    const sensor = new Sensor(kafkaSampling);
    sensor.record(1, 0);
    sensor.record(3, 29_999);
    sensor.record(5, 30_000);
    expect(read(sensor, 89_998, "avg")).toEqual([3]);
    expect(read(sensor, 89_999, "avg")).toEqual([5]);
  });

  test("begins its windows when it is read first, as Rate does", () => {
    const sensor = new Sensor(kafkaSampling);
    expect(read(sensor, 0, "rate")).toEqual([0]);
    sensor.record(110, 20_000);
    expect(read(sensor, 25_000, "rate")).toEqual([110 / 55]);
  });

  test("measures fractions of milliseconds, as its clock does", () => {
    const sensor = new Sensor(kafkaSampling);
    sensor.record(1, 0.25);
    sensor.record(2, 30_000.125);
    sensor.record(3, 30_000.25);
    expect(read(sensor, 90_000.1, "avg")).toEqual([2]);
    expect(read(sensor, 90_000.125, "avg")).toEqual([3]);
  });
});
