import { compactedBatch, type RecordBatch } from "@odradek/protocol";
import { type LogBatch, readableBatch } from "./log-batch.ts";
import type { PartitionLog } from "./partition-log.ts";

/** What is compacted, and as of when. */
export interface Cleaning {
  /** Of the first batch that stays as it is. */
  readonly upTo: bigint;
  readonly nowMs: number;
  /** `delete.retention.ms`: how long a tombstone is left to be seen, from its first cleaning on. */
  readonly deleteRetentionMs: number;
}

/**
 * Compacts a log: of the records of a key only the last is left. One without a value goes at the first cleaning that comes
 * `deleteRetentionMs` after one that found it. Records of aborted transactions go, markers stay.
 *
 * @see Cleaner.doClean (apache/kafka)
 */
export async function clean(log: PartitionLog, { upTo, nowMs, deleteRetentionMs }: Cleaning): Promise<void> {
  const readable = new Map<LogBatch, RecordBatch>();
  for (const batch of log.batches) {
    if (batch.lastOffset < upTo && batch.marker === null) readable.set(batch, await readableBatch(batch));
  }
  // While records were decompressed the log may have been cut; from here on it stands still.
  const batches = log.batches.filter(({ lastOffset }) => lastOffset < upTo);
  const latest = latestOffsets(log, batches, readable);
  const compacted = batches.flatMap((batch, index) => {
    const records = readable.get(batch);
    if (records === undefined) return [batch];
    const isAborted = log.isAborted(batch);
    const isTombstoneLeft = nowMs < (batch.compaction?.deleteHorizonMs ?? Number.POSITIVE_INFINITY);
    const retained = [...records].filter(({ key, value, offset }) => {
      const isLatest = key !== null && latest.get(key.toString("latin1")) === offset;
      return isLatest && !isAborted && (value !== null || isTombstoneLeft);
    });
    // The last tells where the log goes on, also when nothing is left in it.
    if (retained.length === 0 && index < batches.length - 1) return [];
    const hasTombstone = retained.some(({ value }) => value === null);
    const deleteHorizonMs = batch.compaction?.deleteHorizonMs ?? (hasTombstone ? nowMs + deleteRetentionMs : null);
    const offsets = retained.map(({ offset }) => offset);
    if (retained.length === records.count) return [{ ...batch, compaction: { offsets, deleteHorizonMs } }];
    const bytes = compactedBatch(batch.bytes, retained);
    const maxTimestamp = retained.reduce((max, { timestamp }) => Math.max(max, timestamp), -1);
    const recordCount = retained.length;
    return [{ ...batch, bytes, maxTimestamp, recordCount, compaction: { offsets, deleteHorizonMs } }];
  });
  log.replaceCleaned(compacted, upTo);
}

/** Where the last record of each key is, those of aborted transactions aside. */
function latestOffsets(
  log: PartitionLog,
  batches: readonly LogBatch[],
  readable: ReadonlyMap<LogBatch, RecordBatch>,
): ReadonlyMap<string, bigint> {
  const latest = new Map<string, bigint>();
  for (const batch of batches) {
    if (log.isAborted(batch)) continue;
    for (const { key, offset } of readable.get(batch) ?? []) {
      if (key !== null) latest.set(key.toString("latin1"), offset);
    }
  }
  return latest;
}
