/** What producers are asked to do: how records are handed over, and what they look like. */
export interface Workload {
  /** On the command line. */
  readonly name: string;
  readonly title: string;
  /** How many records one call gets. */
  readonly recordsPerCall: number;
  /** How many calls wait for their outcome at any time. */
  readonly outstandingCalls: number;
  readonly valueBytes: number;
  readonly partitions: number;
  readonly compression: "none" | "lz4" | "zstd";
  /** What a round trip to the brokers takes longer than over loopback. */
  readonly addedMs: number;
  /** How many records Java's tool sends, for which it takes seconds. */
  readonly javaRecords: number;
}

const oneByOne: Omit<Workload, "name" | "title"> = {
  recordsPerCall: 1,
  outstandingCalls: 1_000,
  valueBytes: 100,
  partitions: 6,
  compression: "none",
  addedMs: 0,
  javaRecords: 2_000_000,
};
const inHundreds = { ...oneByOne, recordsPerCall: 100, outstandingCalls: 10 };
const compressed = { ...inHundreds, valueBytes: 1_024, javaRecords: 300_000 };

export const workloads: readonly Workload[] = [
  { ...oneByOne, name: "one", title: "one record a call, 1,000 calls outstanding" },
  { ...inHundreds, name: "batch", title: "100 records a call, 10 calls outstanding" },
  { ...oneByOne, name: "distant", title: "one record a call, 1,000 outstanding, 5 ms away", addedMs: 5 },
  { ...compressed, name: "zstd", title: "1 KiB with zstd, 100 records a call, 10 outstanding", compression: "zstd" },
  { ...compressed, name: "lz4", title: "1 KiB with lz4, 100 records a call, 10 outstanding", compression: "lz4" },
  { ...oneByOne, name: "partitions", title: "200 partitions, one record a call, 1,000 outstanding", partitions: 200 },
  {
    ...oneByOne,
    name: "large",
    title: "10 KiB, one record a call, 1,000 outstanding",
    valueBytes: 10_240,
    javaRecords: 50_000,
  },
];

/** @throws Error where there is no such workload */
export function workloadNamed(name: string): Workload {
  const found = workloads.find((workload) => workload.name === name);
  if (found === undefined)
    throw new Error(`no workload ${name}, only ${workloads.map((each) => each.name).join(", ")}`);
  return found;
}
