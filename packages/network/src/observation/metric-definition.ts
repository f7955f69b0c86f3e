import type { Summary } from "./sensor.ts";

/** What a metric is called and what it says; group and tags come from where it is registered. */
export interface MetricDefinition {
  readonly name: string;
  readonly description: string;
}

/** How the value of a metric follows from what its sensor has seen. */
export type Measure = (summary: Summary) => number;

/** A metric that follows from recorded values. */
export interface SensorMetric extends MetricDefinition {
  readonly measure: Measure;
}

/**
 * Kafka's ways to measure. Where the windows hold nothing, a rate is 0, and an average, a maximum or a minimum is `NaN`, as in
 * Java.
 */
export const measures = Object.freeze({
  /** Values a second, as `Rate` with `WindowedSum`. */
  rate: ({ sum, elapsedMs }) => sum / (elapsedMs / 1_000),
  /** Events a second, whatever their values, as `Rate` with `WindowedCount`. */
  countRate: ({ count, elapsedMs }) => count / (elapsedMs / 1_000),
  /** Events an hour. */
  countRatePerHour: ({ count, elapsedMs }) => count / (elapsedMs / 3_600_000),
  /** Of values in nanoseconds: the share of the time that they are, as `Rate` by `NANOSECONDS`. */
  ratioOfNs: ({ sum, elapsedMs }) => sum / (elapsedMs * 1_000_000),
  /** As `Avg`. */
  avg: ({ sum, count }) => (count === 0 ? Number.NaN : sum / count),
  /** As `Max`. */
  max: ({ max, count }) => (count === 0 ? Number.NaN : max),
  /** As `Min`. */
  min: ({ min, count }) => (count === 0 ? Number.NaN : min),
  /** Values of all time added up, as `CumulativeSum`. */
  total: ({ totalSum }) => totalSum,
  /** Events of all time, as `CumulativeCount`. */
  totalCount: ({ totalCount }) => totalCount,
  /** The latest value, as `Value`. */
  last: ({ last }) => last,
}) satisfies Readonly<Record<string, Measure>>;

/** `{base}-rate` and `{base}-total` of the values, as Kafka's `Meter`. */
export const meter = (base: string, what: string): readonly SensorMetric[] => [
  { name: `${base}-rate`, description: `${what}, per second`, measure: measures.rate },
  { name: `${base}-total`, description: `${what}, in all`, measure: measures.total },
];

/** The same of the events, whatever their values, as Kafka's `Meter` with `WindowedCount`. */
export const countMeter = (base: string, what: string): readonly SensorMetric[] => [
  { name: `${base}-rate`, description: `${what}, per second`, measure: measures.countRate },
  { name: `${base}-total`, description: `${what}, in all`, measure: measures.totalCount },
];

/** `{base}-avg` and `{base}-max` of the values. */
export const avgAndMax = (base: string, what: string): readonly SensorMetric[] => [
  { name: `${base}-avg`, description: `Average ${what}`, measure: measures.avg },
  { name: `${base}-max`, description: `Maximum ${what}`, measure: measures.max },
];
