/** What is in a topic that is read. Topics with the same content are one. */
export interface Content {
  /** At least so many: each partition has as many whole batches as all the others. */
  readonly records: number;
  readonly valueBytes: number;
  readonly partitions: number;
  readonly compression: "none" | "lz4" | "zstd";
  /** How large a batch is in the log, bytes; with 1, it is one record. */
  readonly batchBytes: number;
}

/**
 * What is measured. `rate`: how fast what is in a topic is read. `latency`: how long records take from a producer to a
 * consumer in the same process. `first`: how long a new member of a new group takes to its first record.
 */
export type Measure = "rate" | "latency" | "first";

/** How records are handed over: many at a time, as the client is fastest, or each by itself. */
export type Style = "batch" | "each";

/** What consumers are asked to do. */
export interface Workload {
  /** On the command line. */
  readonly name: string;
  readonly title: string;
  readonly measure: Measure;
  /** `latency` begins with an empty topic of as many partitions. */
  readonly content: Content;
  readonly style: Style;
  /** How long the application takes for each record, during which it waits, milliseconds. */
  readonly handlerMs: number;
}

const bulk: Content = {
  records: 3_000_000,
  valueBytes: 100,
  partitions: 6,
  compression: "none",
  batchBytes: 65_536,
};
const large: Content = { ...bulk, records: 60_000, valueBytes: 10_240 };
const compressed: Content = { ...bulk, records: 600_000, valueBytes: 1_024 };

const read: Omit<Workload, "name" | "title" | "content"> = { measure: "rate", style: "batch", handlerMs: 0 };

export const workloads: readonly Workload[] = [
  { ...read, name: "bulk", title: "100 B in batches of 64 KiB", content: bulk },
  {
    ...read,
    name: "single",
    title: "100 B in batches of one record",
    content: { ...bulk, records: 300_000, batchBytes: 1 },
  },
  { ...read, name: "zstd", title: "1 KiB with zstd", content: { ...compressed, compression: "zstd" } },
  { ...read, name: "lz4", title: "1 KiB with lz4", content: { ...compressed, compression: "lz4" } },
  { ...read, name: "large", title: "10 KiB", content: large },
  { ...read, name: "partitions", title: "100 B in 200 partitions", content: { ...bulk, partitions: 200 } },
  { ...read, name: "each", title: "as bulk, record by record", content: bulk, style: "each" },
  {
    ...read,
    name: "slow",
    title: "10 KiB, record by record, 2 ms for each",
    content: large,
    style: "each",
    handlerMs: 2,
  },
  {
    name: "latency",
    title: "1,000 records a second, sent and read by one process",
    measure: "latency",
    content: { ...bulk, records: 0 },
    style: "batch",
    handlerMs: 0,
  },
  {
    name: "first",
    title: "a new group, from the client's constructor to its first record",
    measure: "first",
    content: bulk,
    style: "batch",
    handlerMs: 0,
  },
];

/** @throws Error where there is no such workload */
export function workloadNamed(name: string): Workload {
  const found = workloads.find((workload) => workload.name === name);
  if (found === undefined)
    throw new Error(`no workload ${name}, only ${workloads.map((each) => each.name).join(", ")}`);
  return found;
}
