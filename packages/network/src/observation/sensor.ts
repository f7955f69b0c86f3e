/** How long what was recorded counts. */
export interface Sampling {
  /** Windows of which a sampled metric speaks (Kafka's `metrics.num.samples`). */
  readonly numSamples: number;
  /** How long each of them lasts, milliseconds (Kafka's `metrics.sample.window.ms`). */
  readonly sampleWindowMs: number;
}

/** What a sensor has seen: in the windows that count, and of all time. */
export interface Summary {
  /** Values added up, in the windows that count. */
  readonly sum: number;
  /** How many values those are. */
  readonly count: number;
  /** The largest of them; `-Infinity` where there is none. */
  readonly max: number;
  /** The smallest of them; `Infinity` where there is none. */
  readonly min: number;
  /** What `sum` and `count` are to be divided by for a rate: never 0. */
  readonly elapsedMs: number;
  /** Values of all time added up. */
  readonly totalSum: number;
  /** How many values there were. */
  readonly totalCount: number;
  /** The latest value, 0 where there was none. */
  readonly last: number;
}

/** One window. */
class Sample {
  startMs: number;
  lastMs: number;
  sum = 0;
  count = 0;
  max = Number.NEGATIVE_INFINITY;
  min = Number.POSITIVE_INFINITY;

  constructor(nowMs: number) {
    this.startMs = nowMs;
    this.lastMs = nowMs;
  }

  reset(nowMs: number): void {
    this.startMs = nowMs;
    this.lastMs = nowMs;
    this.sum = 0;
    this.count = 0;
    this.max = Number.NEGATIVE_INFINITY;
    this.min = Number.POSITIVE_INFINITY;
  }
}

/**
 * Takes values and keeps of them what metrics are computed from. Recording allocates nothing, and adds and compares;
 * everything else happens when somebody asks. Source: Kafka's `SampledStat` and `Rate`, with one set of windows for all
 * metrics of a sensor, since all of them see the same values at the same moments.
 *
 * A window ends with the first value after its time, and counts as long as its last value is younger than all windows
 * together. So one more than `numSamples` may count, which is the one that overlaps their beginning.
 */
export class Sensor {
  readonly #sampling: Sampling;
  /** A ring: one for each window, and one that overlaps. */
  readonly #samples: Sample[] = [];
  #current: Sample | null = null;
  #index = 0;
  #totalSum = 0;
  #totalCount = 0;
  #last = 0;

  constructor(sampling: Sampling) {
    this.#sampling = sampling;
  }

  /** @param nowMs of the client's clock; given, because asking for it costs more than recording */
  record(value: number, nowMs: number): void {
    const current = this.#current;
    const sample =
      current !== null && nowMs - current.startMs < this.#sampling.sampleWindowMs ? current : this.#begin(nowMs);
    sample.lastMs = nowMs;
    sample.sum += value;
    sample.count += 1;
    if (value > sample.max) sample.max = value;
    if (value < sample.min) sample.min = value;
    this.#totalSum += value;
    this.#totalCount += 1;
    this.#last = value;
  }

  /** As in Kafka, asking lets go of windows that do not count any more: they begin anew. */
  summary(nowMs: number): Summary {
    const { numSamples, sampleWindowMs } = this.#sampling;
    if (this.#current === null) this.#begin(nowMs);
    let sum = 0;
    let count = 0;
    let max = Number.NEGATIVE_INFINITY;
    let min = Number.POSITIVE_INFINITY;
    let oldestMs = nowMs;
    for (const sample of this.#samples) {
      if (nowMs - sample.lastMs >= numSamples * sampleWindowMs) sample.reset(nowMs);
      sum += sample.sum;
      count += sample.count;
      max = Math.max(max, sample.max);
      min = Math.min(min, sample.min);
      oldestMs = Math.min(oldestMs, sample.startMs);
    }
    const elapsedMs = this.#elapsedMs(nowMs - oldestMs);
    return {
      sum,
      count,
      max,
      min,
      elapsedMs,
      totalSum: this.#totalSum,
      totalCount: this.#totalCount,
      last: this.#last,
    };
  }

  /**
   * A rate over the first second of a window would be that of the burst which began it. So all windows but the last count
   * as complete, whatever they are.
   */
  #elapsedMs(sinceOldestMs: number): number {
    const { numSamples, sampleWindowMs } = this.#sampling;
    const missing = numSamples - 1 - Math.floor(sinceOldestMs / sampleWindowMs);
    return Math.max(1, sinceOldestMs + Math.max(0, missing) * sampleWindowMs);
  }

  #begin(nowMs: number): Sample {
    if (this.#current !== null) this.#index = (this.#index + 1) % (this.#sampling.numSamples + 1);
    const old = this.#samples[this.#index];
    const sample = old ?? new Sample(nowMs);
    if (old === undefined) this.#samples.push(sample);
    else old.reset(nowMs);
    this.#current = sample;
    return sample;
  }
}
