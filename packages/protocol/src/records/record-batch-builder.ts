import { type CompressionCodec, compressionTypes } from "../compression/codec.ts";
import { EncodeError, KafkaError } from "../errors.ts";
import { crc32c } from "./crc32c.ts";
import {
  type RecordData,
  type RecordHeader,
  recordSizeInBytes,
  sizeOfData,
  sizeOfHeaders,
  writeData,
  writeHeaders,
} from "./record.ts";
import { attribute, logOverheadBytes, offsetOf, recordBatchOverheadBytes } from "./record-batch-header.ts";
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from "./varint.ts";

/** Who wrote a batch, by which a broker knows a batch that it has already. */
export interface ProducerState {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** Sequence number of the first record. */
  readonly baseSequence: number;
  readonly isTransactional: boolean;
}

/** The state of a producer that is not idempotent. */
export const noProducerState: ProducerState = Object.freeze({
  producerId: -1n,
  producerEpoch: -1,
  baseSequence: -1,
  isTransactional: false,
});

export interface BatchCompression {
  readonly codec: CompressionCodec;
  /** @default the codec's own */
  readonly level?: number | undefined;
  /** Compressed by uncompressed bytes, as seen in earlier batches: from it follows how much the batch takes in. */
  readonly ratio: number;
}

/** Where a builder gets larger buffers from, when its records outgrow the one that it was given. */
export interface BatchMemory {
  /** @returns `null` where there is none: the batch takes no more records then */
  take(bytes: number): Buffer | null;
  /** Takes back what `take` gave. */
  release(buffer: Buffer): void;
}

const heap: BatchMemory = Object.freeze({ take: (bytes: number) => Buffer.allocUnsafe(bytes), release: () => {} });

export interface RecordBatchBuilderOptions {
  /** Bytes at which the batch counts as full. @default the length of the buffer */
  readonly writeLimit?: number;
  /** @default none */
  readonly compression?: BatchCompression | null;
  /** For records that outgrow the buffer: a first one that is larger, or those that wait to be compressed. @default the heap */
  readonly memory?: BatchMemory | null;
}

/** Estimates of compressed size are raised by this, because a batch that gets too large must be split. */
const estimationFactor = 1.05;

const noHeaders: readonly RecordHeader[] = Object.freeze([]);

/**
 * `open` takes records. `sealed` takes none and has no header yet. `closed` is whole bytes, of which only the
 * producer's state can still change. The way is one way.
 */
type BuilderState = "open" | "sealed" | "closed";

/** How an attempt to append ended. */
const outcome = { appended: 0, full: 1, notAscii: 2 } as const;
type Outcome = (typeof outcome)[keyof typeof outcome];

/**
 * One record batch of format 2, written record by record straight into the buffer in which it will be sent.
 *
 * The buffer belongs to the builder from the constructor on, and to the bytes that `close` gives afterwards: they are a
 * view of it, as long as they fit. Where they do not (a first record larger than the buffer, records that
 * compress worse than estimated), they are a view of what the builder took from `memory`, until `release`. It allocates
 * nothing else itself: what no buffer at hand has room for once it is compressed is sent as it is.
 *
 * @see MemoryRecordsBuilder (apache/kafka clients/common/record), whose rules for a full batch these are
 */
export class RecordBatchBuilder {
  /** What is written after compression. */
  readonly #target: Buffer;
  readonly #writeLimit: number;
  readonly #compression: BatchCompression | null;
  readonly #memory: BatchMemory;
  #state: BuilderState = "open";
  /** The records behind room for the header. It is `#target` until that is too small, then taken from `#memory`. */
  #buffer: Buffer;
  /** Where the next record goes. */
  #end = recordBatchOverheadBytes;
  #recordCount = 0;
  #baseTimestamp = -1;
  #maxTimestamp = -1;
  #compressionRatio = 1;
  /** The records, once they were compressed in the background. */
  #compressed: Buffer | null = null;
  #batch: Buffer | null = null;
  /** Whether the closed batch is compressed. */
  #isCompressed = false;
  /** Whether all texts so far were ASCII. */
  #assumeAscii = true;

  constructor(buffer: Buffer, options: RecordBatchBuilderOptions = {}) {
    this.#target = buffer;
    this.#buffer = buffer;
    this.#writeLimit = options.writeLimit ?? buffer.length;
    this.#compression = options.compression ?? null;
    this.#memory = options.memory ?? heap;
  }

  get recordCount(): number {
    return this.#recordCount;
  }

  /** Timestamp of the latest record, -1 without records. */
  get maxTimestamp(): number {
    return this.#maxTimestamp;
  }

  /** Bytes of the records as they were written, before compression. */
  get uncompressedBytes(): number {
    return this.#end - recordBatchOverheadBytes;
  }

  /** Bytes of the batch as it would be sent now: exact without compression, a careful guess with it. */
  get estimatedBytes(): number {
    const compression = this.#compression;
    if (compression === null) return this.#end;
    return recordBatchOverheadBytes + Math.trunc(this.uncompressedBytes * compression.ratio * estimationFactor);
  }

  /** Compressed by uncompressed bytes of what was closed, for the estimate of the next batch; 1 without compression. */
  get compressionRatio(): number {
    return this.#compressionRatio;
  }

  /** Whether no record will be taken any more, whatever its size. */
  get isFull(): boolean {
    return this.#state !== "open" || (this.#recordCount > 0 && this.#writeLimit <= this.estimatedBytes);
  }

  /** Whether every text so far was ASCII, so that its characters are its bytes. */
  get isAscii(): boolean {
    return this.#assumeAscii;
  }

  /** Whether `close` can compress without `compress` before it. */
  get canCompressSync(): boolean {
    return this.#compression === null || this.#compression.codec.compressSync !== undefined;
  }

  /** Whether `append` would take the record, as long as there is memory. The first one always has room. */
  hasRoomFor(
    timestampMs: number,
    key: RecordData,
    value: RecordData,
    headers: readonly RecordHeader[] = noHeaders,
  ): boolean {
    const timestampDelta = this.#recordCount === 0 ? 0 : timestampMs - this.#baseTimestamp;
    return this.#hasRoom(recordSizeInBytes(this.#recordCount, timestampDelta, key, value, headers));
  }

  /**
   * Writes a record at the end of the batch. Its offset in the batch is `recordCount` as it was before.
   *
   * @param timestampMs whole milliseconds since the epoch
   * @returns false where the batch has no room for it; nothing changed then
   * @throws EncodeError when the timestamp, or its distance from the first, is not a safe integer
   */
  append(
    timestampMs: number,
    key: RecordData,
    value: RecordData,
    headers: readonly RecordHeader[] = noHeaders,
  ): boolean {
    // Text is taken for ASCII, where characters are bytes. If it is not, that shows while it is copied, which is
    // cheaper than to count the bytes before. From the first other text on, they are counted in this batch.
    if (this.#assumeAscii) {
      const result = this.#append(timestampMs, key, value, headers, true);
      if (result !== outcome.notAscii) return result === outcome.appended;
      this.#assumeAscii = false;
    }
    return this.#append(timestampMs, key, value, headers, false) === outcome.appended;
  }

  /** Takes no more records. */
  seal(): void {
    if (this.#state === "open") this.#state = "sealed";
  }

  /** Compresses in the background, once, what `close` would else compress on this thread. It seals the batch. */
  async compress(): Promise<void> {
    this.seal();
    if (this.#compression === null || this.#compressed !== null || this.#state === "closed") return;
    const { codec, level } = this.#compression;
    const compressed = await codec.compress(this.#records(), level);
    if (this.#state === "sealed") this.#compressed = compressed;
  }

  /**
   * Ends the batch: compresses the records, unless `compress` did, and writes header and checksum.
   *
   * @returns the batch, ready to be sent; the same bytes at every call
   * @throws KafkaError with code STATE for a batch without records, or for a codec that needs `compress` first
   */
  close(producer: ProducerState, partitionLeaderEpoch = -1): Buffer {
    const batch = this.#batch ?? this.#finish(partitionLeaderEpoch);
    this.setProducerState(producer);
    return batch;
  }

  /**
   * Changes the producer's state in the closed batch, as after a bump of the epoch. Nobody may be sending it meanwhile.
   *
   * @throws KafkaError with code STATE before `close`
   */
  setProducerState(state: ProducerState): void {
    const batch = this.#batch;
    if (batch === null) {
      throw new KafkaError("the producer's state is written into a closed batch", { code: "STATE" });
    }
    const codec = this.#isCompressed ? compressionTypes.indexOf(this.#compression?.codec.name ?? "none") : 0;
    batch.writeInt16BE(codec | (state.isTransactional ? attribute.transactional : 0), offsetOf.attributes);
    batch.writeBigInt64BE(state.producerId, offsetOf.producerId);
    batch.writeInt16BE(state.producerEpoch, offsetOf.producerEpoch);
    batch.writeInt32BE(state.baseSequence, offsetOf.baseSequence);
    batch.writeUInt32BE(crc32c(batch, offsetOf.attributes, batch.length), offsetOf.crc);
  }

  /** Gives back what was taken from `memory`. The bytes of the batch must not be used afterwards. */
  release(): void {
    if (this.#buffer === this.#target) return;
    this.#memory.release(this.#buffer);
    this.#buffer = this.#target;
  }

  #hasRoom(size: number): boolean {
    if (this.#state !== "open") return false;
    return this.#recordCount === 0 || this.#writeLimit >= this.estimatedBytes + size;
  }

  #append(
    timestampMs: number,
    key: RecordData,
    value: RecordData,
    headers: readonly RecordHeader[],
    assumeAscii: boolean,
  ): Outcome {
    const offsetDelta = this.#recordCount;
    const baseTimestamp = offsetDelta === 0 ? timestampMs : this.#baseTimestamp;
    const timestampDelta = timestampMs - baseTimestamp;
    if (timestampDelta !== (timestampDelta | 0) || offsetDelta === 0) checkTimestamp(timestampMs, timestampDelta);
    const keySize = sizeOfData(key, assumeAscii);
    const valueSize = sizeOfData(value, assumeAscii);
    const bodyBytes =
      1 +
      sizeOfVarlong(timestampDelta) +
      sizeOfVarint(offsetDelta) +
      sizeOfVarint(keySize) +
      Math.max(keySize, 0) +
      sizeOfVarint(valueSize) +
      Math.max(valueSize, 0) +
      (headers.length === 0 ? 1 : sizeOfHeaders(headers, assumeAscii));
    const size = sizeOfVarint(bodyBytes) + bodyBytes;
    if (!this.#hasRoom(size)) return outcome.full;

    const start = this.#end;
    if (start + size > this.#buffer.length && !this.#grow(start + size)) return outcome.full;
    const buffer = this.#buffer;
    let offset = writeVarint(buffer, start, bodyBytes);
    buffer[offset++] = 0;
    offset = writeVarlong(buffer, offset, timestampDelta);
    offset = writeVarint(buffer, offset, offsetDelta);
    offset = writeVarint(buffer, offset, keySize);
    if (key !== null) {
      if (!writeData(buffer, offset, key, keySize)) return outcome.notAscii;
      offset += keySize;
    }
    offset = writeVarint(buffer, offset, valueSize);
    if (value !== null) {
      if (!writeData(buffer, offset, value, valueSize)) return outcome.notAscii;
      offset += valueSize;
    }
    if (headers.length === 0) {
      buffer[offset++] = 0;
    } else {
      offset = writeHeaders(buffer, offset, headers, assumeAscii);
      if (offset < 0) return outcome.notAscii;
    }

    this.#end = offset;
    this.#recordCount = offsetDelta + 1;
    this.#baseTimestamp = baseTimestamp;
    if (timestampMs > this.#maxTimestamp || offsetDelta === 0) this.#maxTimestamp = timestampMs;
    return outcome.appended;
  }

  /** Moves the records into a buffer of at least `size` bytes; false where there is no memory for it. */
  #grow(size: number): boolean {
    const grown = this.#memory.take(Math.max(size, this.#buffer.length * 2));
    if (grown === null) return false;
    this.#buffer.copy(grown, recordBatchOverheadBytes, recordBatchOverheadBytes, this.#end);
    this.release();
    this.#buffer = grown;
    return true;
  }

  #finish(partitionLeaderEpoch: number): Buffer {
    if (this.#recordCount === 0) throw new KafkaError("a record batch needs a record", { code: "STATE" });
    const batch = this.#compression === null ? this.#buffer.subarray(0, this.#end) : this.#place(this.#compression);
    batch.writeInt32BE(batch.length - logOverheadBytes, offsetOf.batchLength);
    batch.writeInt32BE(partitionLeaderEpoch, offsetOf.partitionLeaderEpoch);
    batch.writeInt8(2, offsetOf.magic);
    batch.writeInt32BE(this.#recordCount - 1, offsetOf.lastOffsetDelta);
    batch.writeInt32BE(this.#recordCount, offsetOf.count);
    writeInt64(batch, 0, offsetOf.baseOffset);
    writeInt64(batch, this.#baseTimestamp, offsetOf.baseTimestamp);
    writeInt64(batch, this.#maxTimestamp, offsetOf.maxTimestamp);
    this.#state = "closed";
    this.#batch = batch;
    this.#compressed = null;
    return batch;
  }

  /** Puts the compressed records where they will be sent from. The memory in which they grew is free where it is not that. */
  #place(compression: BatchCompression): Buffer {
    const compressed = this.#compressed ?? this.#compressSync(compression);
    this.#compressionRatio = compressed.length / this.uncompressedBytes;
    const size = recordBatchOverheadBytes + compressed.length;
    if (size > this.#target.length && size > this.#buffer.length) return this.#buffer.subarray(0, this.#end);
    this.#isCompressed = true;
    if (size <= this.#target.length) this.release();
    compressed.copy(this.#buffer, recordBatchOverheadBytes);
    return this.#buffer.subarray(0, size);
  }

  #compressSync({ codec, level }: BatchCompression): Buffer {
    if (codec.compressSync !== undefined) return codec.compressSync(this.#records(), level);
    throw new KafkaError(`${codec.name} compresses in the background only: await compress() before close()`, {
      code: "STATE",
    });
  }

  #records(): Buffer {
    return this.#buffer.subarray(recordBatchOverheadBytes, this.#end);
  }
}

function checkTimestamp(timestampMs: number, timestampDelta: number): void {
  if (Number.isSafeInteger(timestampMs) && Number.isSafeInteger(timestampDelta)) return;
  throw new EncodeError(`timestamp ${timestampMs} is not a whole number of milliseconds near those of the batch`);
}

/** An int64 that is a safe integer: a quarter of what it costs to make a bigint of it. */
function writeInt64(buffer: Buffer, value: number, offset: number): void {
  buffer.writeInt32BE(Math.floor(value / 0x1_0000_0000), offset);
  buffer.writeInt32BE(value | 0, offset + 4);
}
