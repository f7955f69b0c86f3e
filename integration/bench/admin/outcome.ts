/** What one kind of call took in a process, over the calls that it made one after the other. */
export interface Calls {
  /** Of the first one, from a client that is connected. */
  readonly firstMs: number;
  /** The median of those behind it. */
  readonly laterMs: number;
  /** CPU time of the process for each of those. */
  readonly cpuMs: number;
}

/** What a client told of the topics, and what it took to. */
export interface Outcome {
  readonly described: { readonly topics: number; readonly ledPartitions: number };
  readonly listed: { readonly partitions: number; readonly records: number };
  readonly describe: Calls;
  readonly offsets: Calls;
  /** The most memory that the process ever had. */
  readonly peakMib: number | null;
}
