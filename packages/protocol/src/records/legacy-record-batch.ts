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
import { attribute } from "./record-batch-header.ts";
import { nowhere, RecordView } from "./record-view.ts";

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
    const views =
      compressed === null
        ? viewsOf(this.#bytes, [this.#message], 0n)
        : this.#guard(() => this.#setViews(compressed.bytes()));
    return views[Symbol.iterator]();
  }

  #compressedSet(type: CodecName, options: RecordBatchesOptions): CompressedRecords {
    const { valueStart, valueSize } = this.#message;
    const value = this.#bytes.subarray(valueStart, valueStart + Math.max(valueSize, 0));
    const set = type === "lz4" ? this.#guard(() => withLz4HeaderChecksum(value)) : value;
    return new CompressedRecords(options.codecs[type], set, options.maxDecompressedBytes);
  }

  /** In format 1 the offsets of a set count from its first message on, and only the last one is known as it really is. */
  #setViews(set: Buffer): RecordView[] {
    const messages = readLegacyMessages(set, this.magic, this.#checkCrcs);
    const last = messages.at(-1);
    if (last === undefined) throw new DecodeError("compressed set without messages", 0);
    if (this.magic === 0) return viewsOf(set, messages, 0n);
    // Some producers left the offset of the set at 0, which brokers of that time kept.
    const shift = this.lastOffset === 0n ? 0n : this.lastOffset - last.offset;
    if (shift < 0n) throw new DecodeError(`offset ${last.offset} in a set that ends at ${this.lastOffset}`, 0);
    const stamped = this.timestampType === "logAppendTime" ? this.maxTimestamp : null;
    return viewsOf(set, messages, shift, stamped);
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

function compressionOf({ attributes }: LegacyMessage): CompressionType {
  const id = attributes & attribute.compression;
  const compression = compressionTypes[id];
  if (compression === undefined) throw new DecodeError(`unknown compression type ${id}`, 0);
  return compression;
}

/**
 * @param shift from the offsets that the messages state to their real ones
 * @param timestamp that of all messages, `null` for their own
 */
function viewsOf(
  buffer: Buffer,
  messages: readonly LegacyMessage[],
  shift: bigint,
  timestamp: number | null = null,
): RecordView[] {
  const first = messages[0]?.offset ?? 0n;
  const source = { buffer, baseOffset: first + shift, baseTimestamp: 0 };
  let previous = first - 1n;
  return messages.map((message) => {
    if (message.offset <= previous)
      throw new DecodeError(`offset ${message.offset} after ${previous}`, message.keyStart);
    if (compressionOf(message) !== "none")
      throw new DecodeError("compressed set in a compressed set", message.keyStart);
    previous = message.offset;
    return new RecordView(
      source,
      Number(message.offset - first),
      timestamp ?? message.timestamp,
      message.keyStart,
      message.keySize,
      message.valueStart,
      message.valueSize,
      nowhere,
    );
  });
}
