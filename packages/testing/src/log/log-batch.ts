import {
  type BrokerErrorName,
  CorruptRecordError,
  crc32c,
  DecodeError,
  defaultRecordBatchesOptions,
  noProducerState,
  type RecordBatch,
  RecordBatchBuilder,
  RecordBatches,
} from "@odradek/protocol";

/** Where a broker writes into a batch of message format 2. */
const offsetOf = { baseOffset: 0, partitionLeaderEpoch: 12, crc: 17, attributes: 21, maxTimestamp: 35 } as const;
const attribute = { logAppendTime: 0b1000, control: 0b10_0000 } as const;

/** A record's worth of room, for a marker. */
const markerBytes = 128;

/** A batch in a log: the bytes as they came, with the offset and the leader epoch that the broker stamped on them. */
export interface LogBatch {
  readonly bytes: Buffer;
  readonly baseOffset: bigint;
  readonly lastOffset: bigint;
  readonly leaderEpoch: number;
  /** Of the latest record, ms since 1970. */
  readonly maxTimestamp: number;
  readonly recordCount: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly isTransactional: boolean;
  /** The end of a transaction that it marks; `null` for a batch of records. */
  readonly marker: Marker | null;
  /** What compaction left of it; `null` before. */
  readonly compaction: Compaction | null;
}

/** What is known of a batch that was compacted. */
export interface Compaction {
  /** Of the records that are left. */
  readonly offsets: readonly bigint[];
  /** When records without a value may go, ms since 1970; `null` where there were none. */
  readonly deleteHorizonMs: number | null;
}

/** How a transaction ended, as the coordinator wrote it. */
export interface Marker {
  readonly type: "commit" | "abort";
  readonly coordinatorEpoch: number;
}

/** Thrown for records that are refused, under Kafka's name for why. */
export class AppendError extends Error {
  readonly code: BrokerErrorName;
  /** Of each record that is to blame, its place in the batch and why. */
  readonly recordErrors: readonly { readonly batchIndex: number; readonly batchIndexErrorMessage: string }[];

  constructor(code: BrokerErrorName, message: string, recordErrors: AppendError["recordErrors"] = []) {
    super(message);
    this.code = code;
    this.recordErrors = recordErrors;
  }
}

/**
 * Reads the records of one partition in a Produce request.
 *
 * @throws AppendError where they are not exactly one batch that a producer may write
 * @see LogValidator, ProduceRequest.validateRecords (apache/kafka)
 */
export function producedBatch(records: Buffer | null): { readonly batch: RecordBatch; readonly bytes: Buffer } {
  const batches = new RecordBatches(records ?? Buffer.alloc(0), defaultRecordBatchesOptions);
  const batch = refusing(() => batches.next()).value;
  if (records === null || batch === undefined) {
    throw new AppendError(
      "INVALID_RECORD",
      "Produce requests with version 3 or above must have at least one record batch",
    );
  }
  if (batch.sizeInBytes !== records.length) {
    throw new AppendError(
      "INVALID_RECORD",
      "Produce requests with version 3 or above must have exactly one record batch",
    );
  }
  if (batch.magic !== 2) {
    throw new AppendError("INVALID_RECORD", "Produce requests with version 3 or above take record batches of magic 2");
  }
  if (batch.baseOffset !== 0n) {
    throw new AppendError(
      "INVALID_RECORD",
      `The baseOffset of the record batch should be 0, but it is ${batch.baseOffset}`,
    );
  }
  if (batch.count === null || batch.count <= 0 || batch.count !== Number(batch.lastOffset) + 1) {
    throw new AppendError("INVALID_RECORD", "The count of records does not agree with the offsets in the batch");
  }
  if (batch.isControl) {
    throw new AppendError("INVALID_RECORD", "Clients are not allowed to write control records");
  }
  if (batch.producerId >= 0n && batch.baseSequence < 0) {
    const about = `in record batch with producerId ${batch.producerId}`;
    throw new AppendError("INVALID_RECORD", `Invalid sequence number ${batch.baseSequence} ${about}`);
  }
  return { batch, bytes: records };
}

function refusing<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof CorruptRecordError || error instanceof DecodeError) {
      throw new AppendError("CORRUPT_MESSAGE", error.message);
    }
    throw error;
  }
}

/** Stamps a batch and takes it into the log. The checksum does not cover offset and epoch. */
export function stamped(batch: RecordBatch, bytes: Buffer, baseOffset: bigint, leaderEpoch: number): LogBatch {
  bytes.writeBigInt64BE(baseOffset, offsetOf.baseOffset);
  bytes.writeInt32BE(leaderEpoch, offsetOf.partitionLeaderEpoch);
  const recordCount = batch.count ?? 0;
  return {
    bytes,
    baseOffset,
    lastOffset: baseOffset + BigInt(recordCount - 1),
    leaderEpoch,
    maxTimestamp: batch.maxTimestamp,
    recordCount,
    producerId: batch.producerId,
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    isTransactional: batch.isTransactional,
    marker: null,
    compaction: null,
  };
}

/** Gives all records of a batch the broker's time, for `message.timestamp.type` LogAppendTime. */
export function withLogAppendTime(bytes: Buffer, nowMs: number): void {
  bytes.writeInt16BE(bytes.readInt16BE(offsetOf.attributes) | attribute.logAppendTime, offsetOf.attributes);
  bytes.writeBigInt64BE(BigInt(nowMs), offsetOf.maxTimestamp);
  bytes.writeUInt32BE(crc32c(bytes, offsetOf.attributes, bytes.length), offsetOf.crc);
}

/** The control batch that ends a producer's transaction in a partition. */
export function markerBatch(
  marker: Marker,
  producer: { readonly producerId: bigint; readonly producerEpoch: number },
  at: { readonly offset: bigint; readonly leaderEpoch: number; readonly nowMs: number },
): LogBatch {
  const key = Buffer.alloc(4);
  key.writeInt16BE(marker.type === "commit" ? 1 : 0, 2);
  const value = Buffer.alloc(6);
  value.writeInt32BE(marker.coordinatorEpoch, 2);
  const builder = new RecordBatchBuilder(Buffer.alloc(markerBytes));
  builder.append(at.nowMs, key, value);
  const bytes = builder.close({ ...noProducerState, ...producer, isTransactional: true }, at.leaderEpoch);
  bytes.writeBigInt64BE(at.offset, offsetOf.baseOffset);
  bytes.writeInt16BE(bytes.readInt16BE(offsetOf.attributes) | attribute.control, offsetOf.attributes);
  bytes.writeUInt32BE(crc32c(bytes, offsetOf.attributes, bytes.length), offsetOf.crc);
  return {
    bytes,
    baseOffset: at.offset,
    lastOffset: at.offset,
    leaderEpoch: at.leaderEpoch,
    maxTimestamp: at.nowMs,
    recordCount: 1,
    producerId: producer.producerId,
    producerEpoch: producer.producerEpoch,
    baseSequence: -1,
    isTransactional: true,
    marker,
    compaction: null,
  };
}

/** The batch as a reader sees it, its records decompressed where they have to be. */
export async function readableBatch(batch: LogBatch): Promise<RecordBatch> {
  const parsed = new RecordBatches(batch.bytes, { ...defaultRecordBatchesOptions, checkCrcs: false }).next().value;
  if (parsed === undefined) throw new Error(`the batch at offset ${batch.baseOffset} is not whole`);
  if (!parsed.isReadable) await parsed.decompress();
  return parsed;
}
