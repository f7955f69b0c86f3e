import type { RecordHeader } from "./record.ts";
import { VarintReader } from "./varint.ts";

/** What the records of a batch have in common. */
export interface RecordSource {
  /** The records, decompressed. */
  readonly buffer: Buffer;
  readonly baseOffset: bigint;
  /** Milliseconds. */
  readonly baseTimestamp: number;
}

/** Stands for a place that a record of an old format does not have. */
export const nowhere = -1;

/**
 * A record of a batch, as places in the bytes it came in. Key, value and headers are cut out when asked for, anew each
 * time; they share memory with the batch, and keep alive the whole frame it came in, or what it was decompressed to.
 * What has to outlive that is copied.
 *
 * The batch checked all places before it made the view, so that nothing in here throws.
 */
export class RecordView {
  readonly #source: RecordSource;
  readonly #offsetDelta: number;
  readonly #timestampDelta: number;
  readonly #keyStart: number;
  readonly #keySize: number;
  readonly #valueStart: number;
  readonly #valueSize: number;
  readonly #headersStart: number;

  constructor(
    source: RecordSource,
    offsetDelta: number,
    timestampDelta: number,
    keyStart: number,
    keySize: number,
    valueStart: number,
    valueSize: number,
    headersStart: number,
  ) {
    this.#source = source;
    this.#offsetDelta = offsetDelta;
    this.#timestampDelta = timestampDelta;
    this.#keyStart = keyStart;
    this.#keySize = keySize;
    this.#valueStart = valueStart;
    this.#valueSize = valueSize;
    this.#headersStart = headersStart;
  }

  /** The record's offset in its partition. Each call makes a bigint; `offsetDelta` does not. */
  get offset(): bigint {
    return this.#source.baseOffset + BigInt(this.#offsetDelta);
  }

  /** The record's offset, counted from that of the batch. */
  get offsetDelta(): number {
    return this.#offsetDelta;
  }

  /** Milliseconds since the epoch, of the producer or of the broker's log, as the batch says; -1 for none. */
  get timestamp(): number {
    return this.#source.baseTimestamp + this.#timestampDelta;
  }

  /** Bytes of the key, -1 for `null`. */
  get keySize(): number {
    return this.#keySize;
  }

  /** Bytes of the value, -1 for `null`. */
  get valueSize(): number {
    return this.#valueSize;
  }

  get key(): Buffer | null {
    if (this.#keySize < 0) return null;
    return this.#source.buffer.subarray(this.#keyStart, this.#keyStart + this.#keySize);
  }

  get value(): Buffer | null {
    if (this.#valueSize < 0) return null;
    return this.#source.buffer.subarray(this.#valueStart, this.#valueStart + this.#valueSize);
  }

  /** In the order in which they were written; a key may stand there more than once. */
  get headers(): RecordHeader<Buffer | null>[] {
    const headers: RecordHeader<Buffer | null>[] = [];
    if (this.#headersStart === nowhere) return headers;
    const { buffer } = this.#source;
    const reader = new VarintReader(buffer, this.#headersStart);
    for (let left = reader.varint(); left > 0; left--) {
      const keySize = reader.varint();
      const keyStart = reader.offset;
      reader.offset += keySize;
      const valueSize = reader.varint();
      const valueStart = reader.offset;
      reader.offset += Math.max(valueSize, 0);
      headers.push({
        key: buffer.toString("utf8", keyStart, keyStart + keySize),
        value: valueSize < 0 ? null : buffer.subarray(valueStart, valueStart + valueSize),
      });
    }
    return headers;
  }
}
