import type { LogBatch } from "./log-batch.ts";

/** When a log goes on in a new segment. */
export interface SegmentLimits {
  /** `segment.bytes` */
  readonly segmentBytes: number;
  /** `segment.ms`, and no more than `max.compaction.lag.ms` where the topic is compacted. */
  readonly segmentMs: number;
}

/** The batches between two places where a log was rolled: it is deleted as a whole, and cleaned once it is closed. */
export interface LogSegment {
  readonly baseOffset: bigint;
  /** None in one that was just begun. */
  readonly batches: readonly LogBatch[];
}

/**
 * Where the segments of a log begin. Batches are added to the last of them, the active one.
 *
 * @see LogSegment.shouldRoll, UnifiedLog.roll (apache/kafka)
 */
export class LogSegments {
  /** There is always one. */
  #baseOffsets: bigint[] = [0n];
  #activeBytes = 0;
  /** Of the first batch in the active segment, by which its age is told; `null` while it is empty. */
  #activeTimestamp: number | null = null;

  /** Where the active segment begins: what is before it is in closed ones. */
  get activeOffset(): bigint {
    return this.#baseOffsets.at(-1) ?? 0n;
  }

  /** Takes a batch that is appended, into a new segment where the active one has no room for it or is too old. */
  add(batch: LogBatch, { segmentBytes, segmentMs }: SegmentLimits): void {
    const isFull = this.#activeBytes > segmentBytes - batch.bytes.length;
    const isOld = this.#activeTimestamp !== null && batch.maxTimestamp - this.#activeTimestamp > segmentMs;
    if (isFull || isOld) this.roll(batch.baseOffset);
    this.#activeBytes += batch.bytes.length;
    this.#activeTimestamp ??= batch.maxTimestamp;
  }

  /** Closes the active segment, unless it is empty. */
  roll(logEndOffset: bigint): void {
    if (this.activeOffset === logEndOffset) return;
    this.#baseOffsets.push(logEndOffset);
    this.#activeBytes = 0;
    this.#activeTimestamp = null;
  }

  /** Forgets the segments of which nothing is left. */
  dropBelow(offset: bigint): void {
    while ((this.#baseOffsets[1] ?? offset + 1n) <= offset) this.#baseOffsets.shift();
  }

  /** Ends the segments where the log ends now; `batches` are those that are left. */
  truncateTo(offset: bigint, batches: readonly LogBatch[]): void {
    const left = this.#baseOffsets.filter((baseOffset) => baseOffset < offset);
    this.#baseOffsets = left.length > 0 ? left : [offset];
    const active = batches.filter(({ baseOffset }) => baseOffset >= this.activeOffset);
    this.#activeBytes = active.reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.#activeTimestamp = active[0]?.maxTimestamp ?? null;
  }

  /** From the oldest to the active one. */
  split(batches: readonly LogBatch[]): LogSegment[] {
    let next = 0;
    return this.#baseOffsets.map((baseOffset, index) => {
      const start = next;
      const end = this.#baseOffsets[index + 1];
      while (next < batches.length && (end === undefined || (batches[next]?.baseOffset ?? end) < end)) next += 1;
      return { baseOffset, batches: batches.slice(start, next) };
    });
  }
}
