import type { RecordHeader } from "@odradek/protocol";
import { type LogBatch, readableBatch } from "./log/log-batch.ts";
import type { Partition } from "./topics/partition.ts";

/** A record as it lies in a log. */
export interface LoggedRecord {
  readonly offset: bigint;
  /** Ms since 1970. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader<Buffer | null>[];
}

/** A batch as it lies in a log, without its records. */
export type LoggedBatch = Omit<LogBatch, "bytes"> & { readonly sizeInBytes: number };

/** What a test sees of a partition, without a consumer. It is the moment's: it does not change afterwards. */
export interface PartitionView {
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly logStartOffset: bigint;
  readonly highWatermark: bigint;
  readonly lastStableOffset: bigint;
  readonly sizeInBytes: number;
  /** With those that mark the end of a transaction. */
  readonly batches: readonly LoggedBatch[];
  /** The records, those of open and aborted transactions too, without markers. */
  records(): Promise<LoggedRecord[]>;
}

export function viewOf({ leaderId, leaderEpoch, replicas, log }: Partition): PartitionView {
  const batches = [...log.batches];
  const { logStartOffset, highWatermark, lastStableOffset, sizeInBytes } = log;
  return {
    ...{ leader: leaderId, leaderEpoch, replicas, logStartOffset, highWatermark, lastStableOffset, sizeInBytes },
    batches: batches.map(({ bytes, ...batch }) => ({ ...batch, sizeInBytes: bytes.length })),
    records: () => recordsOf(batches, logStartOffset),
  };
}

/** The records of these batches, from `logStartOffset` on, without markers. */
export async function recordsOf(batches: readonly LogBatch[], logStartOffset: bigint): Promise<LoggedRecord[]> {
  const records: LoggedRecord[] = [];
  for (const batch of batches) {
    if (batch.marker !== null) continue;
    for (const { offset, timestamp, key, value, headers } of await readableBatch(batch)) {
      if (offset >= logStartOffset) records.push({ offset, timestamp, key, value, headers });
    }
  }
  return records;
}
