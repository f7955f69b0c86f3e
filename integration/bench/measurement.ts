/** What one peer took for one kind of work, over the rounds of a run. */
export interface Measurement {
  /** The run that it is from: numbers of different runs are not compared. */
  readonly runId: string;
  readonly nodeVersion: string;
  readonly peer: string;
  readonly work: string;
  /** One per round, in the unit of the work. */
  readonly values: readonly number[];
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new Error("there is no median of nothing");
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** @returns `null` where there is nothing */
export function percentile(sorted: Float64Array, share: number): number | null {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? null;
}

/** `118 (112-131)`: the median, and from the least to the most. */
export function summary(values: readonly number[]): string {
  const range = `${threeDigits(Math.min(...values))}-${threeDigits(Math.max(...values))}`;
  return values.length === 1 ? threeDigits(median(values)) : `${threeDigits(median(values))} (${range})`;
}

/** Nothing here is known to more than three digits. */
export function threeDigits(value: number): string {
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
