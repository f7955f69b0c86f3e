import { type CodecName, type CompressionType, compressionTypes } from "../compression/codec.ts";
import { withLz4HeaderChecksum } from "../compression/lz4-frame.ts";
import { DecodeError, isCodecError } from "../errors.ts";
import { CompressedRecords } from "./compressed-records.ts";
import { CorruptRecordError } from "./corrupt-record-error.ts";
import {
  checkLegacyCrc,
  type LegacyMagic,
  type LegacyMessage,
  readLegacyMessage,
  readLegacyMessages,
} from "./legacy-message.ts";
import type { RecordBatch, RecordBatchesOptions, TimestampType } from "./record-batch.ts";
import { attribute, isRangeOfOffsets, offsetOf } from "./record-batch-header.ts";
import { nowhere, type RecordSource, RecordView } from "./record-view.ts";

/**
 * A message of format 0 or 1, or a compressed set of them: a message whose value is the set, and whose offset is that
 * of the last in it.
 */
export class LegacyRecordBatch implements RecordBatch {
  readonly partitionLeaderEpoch = -1;
  readonly producerId = -1n;
  readonly producerEpoch = -1;
  readonly baseSequence = -1;
  readonly isTransactional = false;
  readonly isControl = false;
  readonly controlType = null;
  readonly count = null;
  readonly magic: LegacyMagic;
  readonly compression: CompressionType;
  readonly lastOffset: bigint;
  readonly #bytes: Buffer;
  readonly #checkCrcs: boolean;
  readonly #message: LegacyMessage;
  readonly #compressed: CompressedRecords | null;

  /**
   * @param bytes exactly one entry, not shorter than the smallest of its format
   * @throws CorruptRecordError where the checksum or a field is wrong
   */
  constructor(bytes: Buffer, magic: LegacyMagic, options: RecordBatchesOptions) {
    this.#bytes = bytes;
    this.#checkCrcs = options.checkCrcs;
    this.magic = magic;
    this.lastOffset = bytes.readBigInt64BE(0);
    if (options.checkCrcs) this.#guard(() => checkLegacyCrc(bytes, 0, bytes.length), true);
    this.#guard(() => checkOffset(this.lastOffset));
    this.#message = this.#guard(() => readLegacyMessage(bytes, 0, bytes.length, magic));
    this.compression = this.#guard(() => compressionOf(this.#message));
    this.#compressed = this.compression === "none" ? null : this.#compressedSet(this.compression, options);
  }

  get baseOffset(): bigint {
    return this.lastOffset;
  }

  get nextOffset(): bigint {
    return this.lastOffset + 1n;
  }

  get timestampType(): TimestampType {
    if (this.magic === 0) return "noTimestamp";
    return this.#message.attributes & attribute.logAppendTime ? "logAppendTime" : "createTime";
  }

  get maxTimestamp(): number {
    return this.#message.timestamp;
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
      throw this.#corrupt(error);
    }
  }

  [Symbol.iterator](): IterableIterator<RecordView, undefined> {
    const compressed = this.#compressed;
    if (compressed !== null) return this.#guard(() => this.#setViews(compressed.bytes()));
    const { offset } = this.#message;
    return viewsOf({ buffer: this.#bytes, baseOffset: offset, baseTimestamp: 0 }, [this.#message], offset);
  }

  #compressedSet(type: CodecName, options: RecordBatchesOptions): CompressedRecords {
    const { valueStart, valueSize } = this.#message;
    const value = this.#bytes.subarray(valueStart, valueStart + Math.max(valueSize, 0));
    const set = type === "lz4" ? this.#guard(() => withLz4HeaderChecksum(value)) : value;
    return new CompressedRecords(options.codecs[type], set, options.maxDecompressedBytes);
  }

  /**
   * In format 1 the offsets of a set count from its first message on, and only the last one is known as it really is.
   * So the set is gone through twice: checked to its end, then read message by message, without holding all of them.
   */
  #setViews(set: Buffer): IterableIterator<RecordView, undefined> {
    const { first, last } = rangeOf(readLegacyMessages(set, this.magic, this.#checkCrcs));
    // Some producers left the offset of the set at 0, which brokers of that time kept.
    const shift = this.magic === 0 || this.lastOffset === 0n ? 0n : this.lastOffset - last;
    if (shift < 0n) throw new DecodeError(`offset ${last} in a set that ends at ${this.lastOffset}`, 0);
    if (!isRangeOfOffsets(first, last)) throw new DecodeError(`offsets ${first} to ${last} in a set`, 0);
    const source = { buffer: set, baseOffset: first + shift, baseTimestamp: 0 };
    const stamped = this.timestampType === "logAppendTime" ? this.maxTimestamp : null;
    return viewsOf(source, readLegacyMessages(set, this.magic, false), first, stamped);
  }

  #guard<T>(read: () => T, retriable = false): T {
    try {
      return read();
    } catch (error) {
      throw this.#corrupt(error, retriable);
    }
  }

  /** What is wrong with the bytes becomes an error of the batch; what is wrong here, such as no library, stays. */
  #corrupt(error: unknown, retriable = false): unknown {
    if (!isCodecError(error)) return error;
    const { baseOffset, nextOffset } = this;
    return new CorruptRecordError({ baseOffset, nextOffset, cause: error, retriable });
  }
}

function checkOffset(offset: bigint): void {
  if (!isRangeOfOffsets(offset, offset)) throw new DecodeError(`offset ${offset}`, offsetOf.baseOffset);
}

function compressionOf({ attributes }: LegacyMessage): CompressionType {
  const id = attributes & attribute.compression;
  const compression = compressionTypes[id];
  if (compression === undefined) throw new DecodeError(`unknown compression type ${id}`, 0);
  return compression;
}

/**
 * The offsets of the first and last message of a set, as they state them.
 *
 * @throws DecodeError where they do not ascend, where one is a set itself, and where there is none
 */
function rangeOf(messages: Iterable<LegacyMessage>): { readonly first: bigint; readonly last: bigint } {
  let first: bigint | null = null;
  let last = 0n;
  for (const message of messages) {
    const { offset, keyStart } = message;
    if (first !== null && offset <= last) throw new DecodeError(`offset ${offset} after ${last}`, keyStart);
    if (compressionOf(message) !== "none") throw new DecodeError("compressed set in a compressed set", keyStart);
    first ??= offset;
    last = offset;
  }
  if (first === null) throw new DecodeError("compressed set without messages", 0);
  return { first, last };
}

/**
 * @param first the offset that the first of the messages states
 * @param timestamp that of all messages, `null` for their own
 */
function* viewsOf(
  source: RecordSource,
  messages: Iterable<LegacyMessage>,
  first: bigint,
  timestamp: number | null = null,
): Generator<RecordView, undefined, void> {
  for (const message of messages) {
    yield new RecordView(
      source,
      Number(message.offset - first),
      timestamp ?? message.timestamp,
      message.keyStart,
      message.keySize,
      message.valueStart,
      message.valueSize,
      nowhere,
    );
  }
}
