import type { CompressionType } from "../compression/codec.ts";
import { type CompressionCodecs, defaultCodecs } from "../compression/codecs.ts";
import type { RecordView } from "./record-view.ts";

/** Whose clock made the timestamps of a batch; messages of format 0 have none. */
export type TimestampType = "createTime" | "logAppendTime" | "noTimestamp";

/** What the record of a control batch marks: the end of a transaction, or what only brokers are concerned with. */
export type ControlRecordType = "abort" | "commit" | "other";

/**
 * A batch of records of a partition, as a Fetch response has it. Everything but the records is known without
 * decompressing them. Iterating gives the records; it can be repeated.
 *
 * Iterating throws a CorruptRecordError where a record makes no sense; those before it were given by then.
 */
export interface RecordBatch extends Iterable<RecordView> {
  /** The message format. */
  readonly magic: 0 | 1 | 2;
  /** Offset of the first record that the batch once had. Compressed sets of format 0 and 1 only know their last. */
  readonly baseOffset: bigint;
  /** Offset of the last record that the batch once had. It stays when compaction took the record. */
  readonly lastOffset: bigint;
  /** Where the next batch can start. */
  readonly nextOffset: bigint;
  /** Records to come, `null` in format 0 and 1, which do not say. A batch that compaction emptied has 0. */
  readonly count: number | null;
  /** Epoch of the leader that wrote the batch, -1 where not known. */
  readonly partitionLeaderEpoch: number;
  /** -1 without idempotence. */
  readonly producerId: bigint;
  /** -1 without idempotence. */
  readonly producerEpoch: number;
  /** Sequence number of the first record, -1 without idempotence. */
  readonly baseSequence: number;
  readonly isTransactional: boolean;
  /** Whether it holds a control record, which applications do not get to see. */
  readonly isControl: boolean;
  /** Of the first record of a control batch, else `null`. */
  readonly controlType: ControlRecordType | null;
  readonly compression: CompressionType;
  readonly timestampType: TimestampType;
  /** Milliseconds since the epoch of the latest record, -1 without timestamps. */
  readonly maxTimestamp: number;
  /** Bytes in the response, with all overhead. */
  readonly sizeInBytes: number;
  /** Memory that its records take beside the response: 0 where they are not compressed, and before they are decompressed. */
  readonly decompressedBytes: number;
  /** Whether iterating works without `decompress` before it. */
  readonly isReadable: boolean;
  /**
   * Decompresses the records in the background, for later iteration; does nothing for what is not compressed. It has
   * to be used where the codec cannot work on this thread (`isReadable` says so), and is kind for large batches.
   *
   * @throws CorruptRecordError
   */
  decompress(): Promise<void>;
}

export interface RecordBatchesOptions {
  /** Whether the checksum of each batch is compared. `check.crcs` in Kafka. */
  readonly checkCrcs: boolean;
  /** The most that one batch may become when it is decompressed, bytes. */
  readonly maxDecompressedBytes: number;
  readonly codecs: CompressionCodecs;
}

/** 64 MiB a batch is far above what producers write, and may be there three times for a moment. */
export const defaultRecordBatchesOptions: RecordBatchesOptions = Object.freeze({
  checkCrcs: true,
  maxDecompressedBytes: 64 * 1024 * 1024,
  codecs: defaultCodecs,
});
