import { type CompressionType, compressionTypes } from "../compression/codec.ts";
import { DecodeError, isCodecError } from "../errors.ts";
import { CompressedRecords } from "./compressed-records.ts";
import { CorruptRecordError } from "./corrupt-record-error.ts";
import { crc32c } from "./crc32c.ts";
import type { ControlRecordType, RecordBatch, RecordBatchesOptions, TimestampType } from "./record-batch.ts";
import { attribute, isRangeOfOffsets, offsetOf } from "./record-batch-header.ts";
import { minRecordBytes, RecordIterator } from "./record-iterator.ts";

/** What a control record takes is some dozens of bytes, and brokers do not compress it. It is read without being asked for. */
const maxControlBytes = 64 * 1024;

const controlTypes: Readonly<Record<number, ControlRecordType>> = { 0: "abort", 1: "commit" };

/** A batch of format 2, which is what brokers have written since 0.11. The header is read where it lies. */
export class DefaultRecordBatch implements RecordBatch {
  readonly magic = 2;
  readonly baseOffset: bigint;
  readonly count: number;
  readonly compression: CompressionType;
  readonly #bytes: Buffer;
  readonly #attributes: number;
  readonly #lastOffsetDelta: number;
  /** `null` where there is nothing to decompress. */
  readonly #compressed: CompressedRecords | null;

  /**
   * @param bytes exactly one batch, not shorter than its header
   * @throws CorruptRecordError where checksum or header are wrong
   */
  constructor(bytes: Buffer, options: RecordBatchesOptions) {
    this.#bytes = bytes;
    this.baseOffset = bytes.readBigInt64BE(offsetOf.baseOffset);
    this.#attributes = bytes.readInt16BE(offsetOf.attributes);
    this.#lastOffsetDelta = bytes.readInt32BE(offsetOf.lastOffsetDelta);
    this.count = bytes.readInt32BE(offsetOf.count);
    if (options.checkCrcs) this.#checkCrc();
    this.compression = this.#checkHeader();
    // Compaction may leave a batch without records, whatever its attributes say about them.
    this.#compressed =
      this.compression === "none" || this.count === 0
        ? null
        : new CompressedRecords(
            options.codecs[this.compression],
            bytes.subarray(offsetOf.records),
            this.isControl ? Math.min(maxControlBytes, options.maxDecompressedBytes) : options.maxDecompressedBytes,
          );
  }

  get lastOffset(): bigint {
    return this.baseOffset + BigInt(this.#lastOffsetDelta);
  }

  get nextOffset(): bigint {
    return this.lastOffset + 1n;
  }

  get partitionLeaderEpoch(): number {
    return this.#bytes.readInt32BE(offsetOf.partitionLeaderEpoch);
  }

  get producerId(): bigint {
    return this.#bytes.readBigInt64BE(offsetOf.producerId);
  }

  get producerEpoch(): number {
    return this.#bytes.readInt16BE(offsetOf.producerEpoch);
  }

  get baseSequence(): number {
    return this.#bytes.readInt32BE(offsetOf.baseSequence);
  }

  get isTransactional(): boolean {
    return (this.#attributes & attribute.transactional) !== 0;
  }

  get isControl(): boolean {
    return (this.#attributes & attribute.control) !== 0;
  }

  get controlType(): ControlRecordType | null {
    if (!this.isControl) return null;
    const [record] = this;
    if (record === undefined) return "other";
    const { key } = record;
    // Two int16: the version of the key, and the type. What a newer version adds comes behind them.
    if (key === null || key.length < 4) {
      throw this.#corrupt(new DecodeError("control record without a type", offsetOf.records));
    }
    return controlTypes[key.readInt16BE(2)] ?? "other";
  }

  get timestampType(): TimestampType {
    return this.#attributes & attribute.logAppendTime ? "logAppendTime" : "createTime";
  }

  get maxTimestamp(): number {
    return Number(this.#bytes.readBigInt64BE(offsetOf.maxTimestamp));
  }

  get sizeInBytes(): number {
    return this.#bytes.length;
  }

  get decompressedBytes(): number {
    return this.#compressed?.size ?? 0;
  }

  get isReadable(): boolean {
    return this.#compressed === null || this.#compressed.isReadable;
  }

  async decompress(): Promise<void> {
    try {
      await this.#compressed?.decompress();
    } catch (error) {
      throw isCodecError(error) ? this.#corrupt(error) : error;
    }
  }

  [Symbol.iterator](): RecordIterator {
    const isLogAppendTime = this.timestampType === "logAppendTime";
    const timestamp = this.#bytes.readBigInt64BE(isLogAppendTime ? offsetOf.maxTimestamp : offsetOf.baseTimestamp);
    const buffer = this.#compressed === null ? this.#bytes : this.#decompressed(this.#compressed);
    return new RecordIterator(
      { buffer, baseOffset: this.baseOffset, baseTimestamp: Number(timestamp) },
      {
        start: this.#compressed === null ? offsetOf.records : 0,
        end: buffer.length,
        count: this.count,
        lastOffsetDelta: this.#lastOffsetDelta,
        nextOffset: this.nextOffset,
        isLogAppendTime,
      },
    );
  }

  #decompressed(compressed: CompressedRecords): Buffer {
    try {
      return compressed.bytes();
    } catch (error) {
      throw isCodecError(error) ? this.#corrupt(error) : error;
    }
  }

  #checkCrc(): void {
    const stated = this.#bytes.readUInt32BE(offsetOf.crc);
    const computed = crc32c(this.#bytes, offsetOf.attributes, this.#bytes.length);
    if (stated === computed) return;
    const reason = `its checksum is ${computed.toString(16)}, and it says ${stated.toString(16)}`;
    throw this.#corrupt(new DecodeError(reason, offsetOf.crc), true);
  }

  /** Checks what everything else relies on, and gives the type of compression. */
  #checkHeader(): CompressionType {
    const { count } = this;
    const id = this.#attributes & attribute.compression;
    const compression = compressionTypes[id];
    if (compression === undefined) {
      throw this.#corrupt(new DecodeError(`unknown compression type ${id}`, offsetOf.attributes));
    }
    if (this.#lastOffsetDelta < 0) {
      throw this.#corrupt(new DecodeError(`last offset delta ${this.#lastOffsetDelta}`, offsetOf.lastOffsetDelta));
    }
    if (!isRangeOfOffsets(this.baseOffset, this.lastOffset)) {
      throw this.#corrupt(new DecodeError(`offsets ${this.baseOffset} to ${this.lastOffset}`, offsetOf.baseOffset));
    }
    const recordsBytes = this.#bytes.length - offsetOf.records;
    const isTooMany = compression === "none" && count * minRecordBytes > recordsBytes;
    if (count < 0 || count > this.#lastOffsetDelta + 1 || isTooMany) {
      const reason = `count ${count} for ${this.#lastOffsetDelta + 1} offsets and ${recordsBytes} bytes`;
      throw this.#corrupt(new DecodeError(reason, offsetOf.count));
    }
    return compression;
  }

  #corrupt(cause: Error, retriable = false): CorruptRecordError {
    const { baseOffset } = this;
    const nextOffset = baseOffset + BigInt(Math.max(this.#lastOffsetDelta, 0)) + 1n;
    return new CorruptRecordError({ baseOffset, nextOffset, cause, retriable });
  }
}
