/** What a turn gave. What was not measured, or cannot be told, is `null`. */
export interface Outcome {
  /** All that came, also while nothing was measured, up to the end of the turn. */
  readonly readRecords: number;
  /** Of their keys and values; `null` from who does not tell. */
  readonly readBytes: number | null;
  /** Whether the turn ended because everything had been read, and not because its time was over. */
  readonly isWhole: boolean;
  readonly recordsPerSecond: number | null;
  /** CPU time of the process for each record, user and system. */
  readonly cpuMicros: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** From the constructor to the first record. */
  readonly firstMs: number | null;
  /** The most memory that the process ever had. */
  readonly peakMib: number | null;
}

export const nothingMeasured = {
  readBytes: null,
  recordsPerSecond: null,
  cpuMicros: null,
  p50Ms: null,
  p99Ms: null,
  firstMs: null,
  peakMib: null,
} satisfies Partial<Outcome>;

export const peakMib = (): number => process.resourceUsage().maxRSS / 1_024;
