import type { RecordBatch } from "@odradek/protocol";
import type { Clock } from "../clock.ts";
import { LeaderEpochs } from "./leader-epochs.ts";
import {
  AppendError,
  type LogBatch,
  type Marker,
  markerBatch,
  readableBatch,
  stamped,
  withLogAppendTime,
} from "./log-batch.ts";
import type { Cleaning } from "./log-cleaner.ts";
import { LogSegments, type SegmentLimits } from "./log-segments.ts";
import { type AbortedTransaction, type ProducedSequence, ProducerStates } from "./producer-states.ts";

/** What the topic's configuration says about a log; it may change meanwhile. */
export interface LogConfig extends SegmentLimits {
  /** Whether `cleanup.policy` has `delete`: what is too old or too much goes. */
  readonly isDeleted: boolean;
  /** Whether it has `compact`. */
  readonly isCompacted: boolean;
  /** `retention.bytes`: batches at the front go when the log is larger. `Infinity` for no limit. */
  readonly retentionBytes: number;
  /** `retention.ms`: segments at the front go when all of their records are older. `Infinity` for no limit. */
  readonly retentionMs: number;
  /** `min.cleanable.dirty.ratio`: how much of the log has to be new for it to be compacted. */
  readonly minCleanableDirtyRatio: number;
  /** `min.compaction.lag.ms`: how long a record stays, whatever comes behind it. */
  readonly minCompactionLagMs: number;
  /** `max.compaction.lag.ms`: how old a record may become before the log is compacted, however little is new. */
  readonly maxCompactionLagMs: number;
  /** `delete.retention.ms` */
  readonly deleteRetentionMs: number;
  /** `max.message.bytes` */
  readonly maxMessageBytes: number;
  /** `message.timestamp.type` */
  readonly isLogAppendTime: boolean;
}

export interface Appended {
  readonly baseOffset: bigint;
  /** The broker's time where the topic has that, else -1. */
  readonly logAppendTimeMs: number;
}

/** A record by its time. */
export interface TimestampAndOffset {
  readonly timestamp: number;
  readonly offset: bigint;
  readonly leaderEpoch: number;
}

/** Bytes by which a log may be over its retention before batches go, so that it happens seldom. */
const slackOf = (retentionBytes: number): number => retentionBytes / 16;

const bytesOf = (batches: readonly LogBatch[]): number => batches.reduce((sum, { bytes }) => sum + bytes.length, 0);

const largestTimestamp = (batches: readonly LogBatch[]): number =>
  batches.reduce((largest, { maxTimestamp }) => Math.max(largest, maxTimestamp), -1);

/**
 * The log of a partition: batches as they came, each with its offsets. All replicas share it, so that what is appended
 * is replicated, and the high watermark is the end of the log.
 */
export class PartitionLog {
  readonly #clock: Clock;
  readonly #config: () => LogConfig;
  readonly #watchers = new Set<() => void>();
  readonly #epochs = new LeaderEpochs();
  readonly #segments = new LogSegments();
  #batches: LogBatch[] = [];
  #producers = new ProducerStates();
  #logStartOffset = 0n;
  #logEndOffset = 0n;
  #sizeInBytes = 0;
  /** What is below it was compacted. */
  #firstDirtyOffset = 0n;

  constructor(clock: Clock, config: () => LogConfig) {
    this.#clock = clock;
    this.#config = config;
  }

  get batches(): readonly LogBatch[] {
    return this.#batches;
  }

  get producers(): ProducerStates {
    return this.#producers;
  }

  get epochs(): LeaderEpochs {
    return this.#epochs;
  }

  get logStartOffset(): bigint {
    return this.#logStartOffset;
  }

  get logEndOffset(): bigint {
    return this.#logEndOffset;
  }

  get highWatermark(): bigint {
    return this.#logEndOffset;
  }

  /** Every transaction below it has ended. */
  get lastStableOffset(): bigint {
    return this.#producers.firstUnstableOffset() ?? this.#logEndOffset;
  }

  get sizeInBytes(): number {
    return this.#sizeInBytes;
  }

  /** Calls `onChange` after every append, truncation or deletion, until the returned function is called. */
  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange);
    return () => this.#watchers.delete(onChange);
  }

  /** Wakes those that wait for news, as for a change of the leader. */
  wake(): void {
    for (const onChange of [...this.#watchers]) onChange();
  }

  /**
   * Appends a batch that a producer sent, or finds it where it was appended before.
   *
   * @throws AppendError where it is too large, or not the producer's next
   */
  append(batch: RecordBatch, bytes: Buffer, leaderEpoch: number): Appended {
    const config = this.#config();
    if (bytes.length > config.maxMessageBytes) {
      const limit = `which exceeds the maximum configured value of ${config.maxMessageBytes}`;
      throw new AppendError("MESSAGE_TOO_LARGE", `The record batch size is ${bytes.length} bytes, ${limit}`);
    }
    if (batch.producerId >= 0n) {
      const sequence: ProducedSequence = {
        producerId: batch.producerId,
        producerEpoch: batch.producerEpoch,
        baseSequence: batch.baseSequence,
        recordCount: batch.count ?? 0,
        isTransactional: batch.isTransactional,
      };
      const duplicate = this.#producers.duplicateOf(sequence);
      if (duplicate !== null) {
        return { baseOffset: duplicate.baseOffset, logAppendTimeMs: config.isLogAppendTime ? duplicate.timestamp : -1 };
      }
      this.#producers.check(sequence);
    }
    const nowMs = this.#clock.now();
    if (config.isLogAppendTime) withLogAppendTime(bytes, nowMs);
    const appended = stamped(batch, bytes, this.#logEndOffset, leaderEpoch);
    this.#add(config.isLogAppendTime ? { ...appended, maxTimestamp: nowMs } : appended, config);
    return { baseOffset: appended.baseOffset, logAppendTimeMs: config.isLogAppendTime ? nowMs : -1 };
  }

  /** Ends a producer's transaction here. */
  appendMarker(
    marker: Marker,
    producer: { readonly producerId: bigint; readonly producerEpoch: number },
    leaderEpoch: number,
  ): void {
    this.#producers.checkEpoch(producer.producerId, producer.producerEpoch);
    const at = { offset: this.#logEndOffset, leaderEpoch, nowMs: this.#clock.now() };
    this.#add(markerBatch(marker, producer, at), this.#config());
  }

  /**
   * Batches from the one with `fromOffset` on and below `endOffset`, of `maxBytes` together. The first comes whole, however
   * large, where `minOneBatch` says so.
   */
  read(fromOffset: bigint, endOffset: bigint, maxBytes: number, minOneBatch: boolean): LogBatch[] {
    const read: LogBatch[] = [];
    let bytes = 0;
    for (let index = this.#indexOf(fromOffset); index < this.#batches.length; index++) {
      const batch = this.#batches[index];
      if (batch === undefined || batch.baseOffset >= endOffset) break;
      bytes += batch.bytes.length;
      if (bytes > maxBytes && !(minOneBatch && read.length === 0)) break;
      read.push(batch);
    }
    return read;
  }

  abortedTransactions(from: bigint, to: bigint): AbortedTransaction[] {
    return this.#producers.abortedBetween(from, to);
  }

  /** Whether the records of a batch are those of a transaction that was aborted. */
  isAborted({ isTransactional, producerId, baseOffset, lastOffset, marker }: LogBatch): boolean {
    if (!isTransactional || marker !== null) return false;
    return this.abortedTransactions(baseOffset, lastOffset + 1n).some((aborted) => aborted.producerId === producerId);
  }

  /** The first record of `timestamp` or later; `null` where there is none. */
  async offsetForTimestamp(timestamp: number): Promise<TimestampAndOffset | null> {
    for (const batch of this.#batches) {
      if (batch.maxTimestamp < timestamp) continue;
      for (const record of await readableBatch(batch)) {
        if (record.timestamp >= timestamp && record.offset >= this.#logStartOffset) {
          return { timestamp: record.timestamp, offset: record.offset, leaderEpoch: batch.leaderEpoch };
        }
      }
    }
    return null;
  }

  /** The first record of those with the largest timestamp; `null` for an empty log. */
  async offsetOfMaxTimestamp(): Promise<TimestampAndOffset | null> {
    const largest = this.#batches.reduce((max, { maxTimestamp }) => Math.max(max, maxTimestamp), -1);
    return largest < 0 ? null : this.offsetForTimestamp(largest);
  }

  /** The epoch of the batch that has `offset`, -1 where there is none. */
  leaderEpochAt(offset: bigint): number {
    return this.#batches[this.#indexOf(offset)]?.leaderEpoch ?? -1;
  }

  /** Drops what is below `offset`: the DeleteRecords API. Batches go when all of their records are below. */
  deleteRecordsBelow(offset: bigint): void {
    if (offset <= this.#logStartOffset) return;
    this.#logStartOffset = offset;
    this.#dropFront(this.#indexOf(offset));
    this.#segments.dropBelow(offset);
    this.#producers.forgetBelow(offset);
    this.wake();
  }

  /** Closes the active segment: what is in it may be compacted from now on. */
  roll(): void {
    this.#segments.roll(this.#logEndOffset);
  }

  /**
   * Deletes the segments at the front whose records are all older than `retention.ms`; the active one too.
   *
   * @see UnifiedLog.deleteRetentionMsBreachedSegments (apache/kafka)
   */
  deleteOldSegments(): void {
    const { isDeleted, retentionMs } = this.#config();
    if (!isDeleted || this.#batches.length === 0) return;
    const oldestMs = this.#clock.now() - retentionMs;
    const segments = this.#segments.split(this.#batches);
    const kept = segments.findIndex(({ batches }) => batches.length > 0 && largestTimestamp(batches) >= oldestMs);
    if (kept < 0) this.roll();
    const logStartOffset = kept < 0 ? this.#logEndOffset : (segments[kept]?.baseOffset ?? 0n);
    this.deleteRecordsBelow(logStartOffset);
  }

  /** Whether there is enough that is new for the log to be compacted. */
  isDirty(): boolean {
    const { isCompacted, minCleanableDirtyRatio, maxCompactionLagMs } = this.#config();
    if (!isCompacted) return false;
    const upTo = this.#firstUncleanableOffset();
    const cleaned = this.#batches.filter(({ lastOffset }) => lastOffset < this.#firstDirtyOffset);
    const dirty = this.#batches.filter(
      ({ baseOffset, lastOffset }) => baseOffset >= this.#firstDirtyOffset && lastOffset < upTo,
    );
    const [first] = dirty;
    if (first === undefined) return false;
    if (this.#clock.now() - first.maxTimestamp > maxCompactionLagMs) return true;
    const dirtyBytes = bytesOf(dirty);
    return dirtyBytes / (bytesOf(cleaned) + dirtyBytes) > minCleanableDirtyRatio;
  }

  /** What may be compacted; `null` where the topic is not compacted. */
  cleaning(): Cleaning | null {
    const { isCompacted, deleteRetentionMs } = this.#config();
    if (!isCompacted) return null;
    return { upTo: this.#firstUncleanableOffset(), nowMs: this.#clock.now(), deleteRetentionMs };
  }

  /** Has these batches, and no others, below `upTo`. */
  replaceCleaned(batches: readonly LogBatch[], upTo: bigint): void {
    this.#batches = [...batches, ...this.#batches.filter(({ lastOffset }) => lastOffset >= upTo)];
    this.#sizeInBytes = bytesOf(this.#batches);
    this.#firstDirtyOffset = upTo;
    this.wake();
  }

  /**
   * Loses the records from `offset` on, with the rest of their batches, as after an unclean election. The log ends at `offset`,
   * also where nothing is left of the batch before it.
   *
   * @see UnifiedLog.truncateTo (apache/kafka)
   */
  truncateTo(offset: bigint): void {
    if (offset >= this.#logEndOffset) return;
    const kept = this.#batches.filter(({ lastOffset }) => lastOffset < offset);
    this.#batches = kept;
    this.#sizeInBytes = bytesOf(kept);
    this.#segments.truncateTo(offset, kept);
    if (offset < this.#firstDirtyOffset) this.#firstDirtyOffset = offset;
    this.#logEndOffset = offset;
    if (offset < this.#logStartOffset) this.#logStartOffset = offset;
    this.#epochs.truncateTo(offset);
    this.#producers = new ProducerStates();
    for (const batch of kept) this.#producers.update(batch);
    this.wake();
  }

  #add(batch: LogBatch, config: LogConfig): void {
    this.#epochs.assign(batch.leaderEpoch, batch.baseOffset);
    this.#segments.add(batch, config);
    this.#batches.push(batch);
    this.#sizeInBytes += batch.bytes.length;
    this.#logEndOffset = batch.lastOffset + 1n;
    this.#producers.update(batch);
    if (config.isDeleted) this.#retain(config.retentionBytes);
    this.wake();
  }

  #retain(retentionBytes: number): void {
    if (this.#sizeInBytes <= retentionBytes + slackOf(retentionBytes)) return;
    let bytes = this.#sizeInBytes;
    let count = 0;
    // The last batch stays, as the active segment does.
    while (bytes > retentionBytes && count < this.#batches.length - 1) {
      bytes -= this.#batches[count]?.bytes.length ?? 0;
      count += 1;
    }
    this.#dropFront(count);
    this.#logStartOffset = this.#batches[0]?.baseOffset ?? this.#logEndOffset;
    this.#segments.dropBelow(this.#logStartOffset);
    this.#producers.forgetBelow(this.#logStartOffset);
  }

  /**
   * Where what may be compacted ends: at the active segment, at an open transaction, or at the first segment that has a
   * record younger than `min.compaction.lag.ms`.
   *
   * @see LogCleanerManager.cleanableOffsets (apache/kafka)
   */
  #firstUncleanableOffset(): bigint {
    const { minCompactionLagMs } = this.#config();
    const oldEnoughMs = this.#clock.now() - minCompactionLagMs;
    const young =
      minCompactionLagMs === 0
        ? undefined
        : this.#segments.split(this.#batches).find(({ batches }) => largestTimestamp(batches) > oldEnoughMs);
    let offset = this.#segments.activeOffset;
    if (this.lastStableOffset < offset) offset = this.lastStableOffset;
    if (young !== undefined && young.baseOffset < offset) offset = young.baseOffset;
    return offset;
  }

  #dropFront(count: number): void {
    for (const { bytes } of this.#batches.splice(0, count)) this.#sizeInBytes -= bytes.length;
  }

  /** Index of the batch that has `offset`, or of the first behind it. */
  #indexOf(offset: bigint): number {
    let low = 0;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const batch = this.#batches[middle];
      if (batch !== undefined && batch.lastOffset < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
