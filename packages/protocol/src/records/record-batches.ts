import { DecodeError } from "../errors.ts";
import { DefaultRecordBatch } from "./default-record-batch.ts";
import { type LegacyMagic, minEntryBytes } from "./legacy-message.ts";
import { LegacyRecordBatch } from "./legacy-record-batch.ts";
import type { RecordBatch, RecordBatchesOptions } from "./record-batch.ts";
import { logOverheadBytes, offsetOf, recordBatchOverheadBytes } from "./record-batch-header.ts";

/**
 * The batches of one partition in a Fetch response, one after the other, in any mix of message formats. Nothing is
 * copied: the batches share memory with `records`, and keep alive the frame that it is part of.
 *
 * Each batch is checked when it is its turn. One that cannot be read throws a CorruptRecordError, once; the iteration
 * can go on with the next. After a DecodeError it is unknown where the next starts, so that the error repeats.
 *
 * Brokers end a response at a number of bytes, so that the last batch is often not whole. It is left out, silently.
 */
export class RecordBatches implements IterableIterator<RecordBatch, undefined> {
  readonly #records: Buffer;
  readonly #options: RecordBatchesOptions;
  #offset = 0;

  constructor(records: Buffer, options: RecordBatchesOptions) {
    this.#records = records;
    this.#options = options;
  }

  /** Bytes of all batches, whole or not. */
  get sizeInBytes(): number {
    return this.#records.length;
  }

  /**
   * Bytes that the first batch takes by its own account, `null` where not even that is there. When it is more than
   * `sizeInBytes`, the fetch size was too small for the batch.
   *
   * @throws DecodeError where it states a size that no batch can have
   */
  get firstBatchBytes(): number | null {
    return this.#batchBytes(0);
  }

  [Symbol.iterator](): this {
    return this;
  }

  /** @throws CorruptRecordError or DecodeError */
  next(): IteratorResult<RecordBatch, undefined> {
    const start = this.#offset;
    const size = this.#batchBytes(start);
    if (size === null || size > this.#records.length - start) return { done: true, value: undefined };
    const magic = this.#magic(start);
    const bytes = this.#records.subarray(start, start + size);
    // What throws from here on knows where it ends, so that the next call goes on behind it.
    this.#offset = start + size;
    const value =
      magic === 2 ? new DefaultRecordBatch(bytes, this.#options) : new LegacyRecordBatch(bytes, magic, this.#options);
    return { done: false, value };
  }

  /** The size that the batch at `start` states, where enough of it is there to know its format. */
  #batchBytes(start: number): number | null {
    if (this.#records.length - start <= offsetOf.magic) return null;
    const magic = this.#magic(start);
    const size = this.#records.readInt32BE(start + offsetOf.batchLength) + logOverheadBytes;
    const least = magic === 2 ? recordBatchOverheadBytes : minEntryBytes[magic];
    if (size >= least) return size;
    const reason = `${size} bytes, when ${least} are the least in message format ${magic}`;
    throw this.#refusal(reason, start, offsetOf.batchLength);
  }

  #magic(start: number): LegacyMagic | 2 {
    const magic = this.#records.readInt8(start + offsetOf.magic);
    if (magic === 0 || magic === 1 || magic === 2) return magic;
    throw this.#refusal(`unknown message format ${magic}`, start, offsetOf.magic);
  }

  #refusal(reason: string, start: number, field: number): DecodeError {
    const baseOffset = this.#records.readBigInt64BE(start + offsetOf.baseOffset);
    return new DecodeError(reason, start + field).of(`record batch with base offset ${baseOffset}`);
  }
}
