import { DecodeError } from "./errors.ts";

/**
 * Items of arrays, other than numbers, that a frame may hold unless its reader says otherwise. An item of six bytes
 * becomes an object of eighty or more: without a limit, a frame of 100 MiB that is right in every length takes gigabytes.
 * A partition in a Metadata answer is one item.
 */
const defaultMaxItems = 1_000_000;

/**
 * A cursor over one frame. The frame comes from a peer that may lie: every read is checked against its end,
 * every length and count before anything is sliced or allocated.
 */
export class Reader {
  readonly buffer: Buffer;
  readonly end: number;
  offset: number;
  /**
   * Reads a number in one instruction. `Buffer`'s own methods build it from bytes in JavaScript, an int64 from two
   * bigints: with them, a Metadata response of 6,000 partitions takes 2.5 instead of 1.9 ms, a Produce response of 50
   * partitions 19 instead of 14 us (Node 20).
   */
  readonly #view: DataView;
  readonly #maxItems: number;
  #itemsLeft: number;

  constructor(buffer: Buffer, start = 0, end = buffer.length, maxItems = defaultMaxItems) {
    this.#maxItems = maxItems;
    this.#itemsLeft = maxItems;
    this.buffer = buffer;
    this.offset = start;
    this.end = end;
    this.#view = new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
  }

  get remaining(): number {
    return this.end - this.offset;
  }

  /** Claims the next `size` bytes and gives the offset at which they start. */
  take(size: number): number {
    const start = this.offset;
    if (size > this.end - start) throw new DecodeError(`${size} bytes needed, ${this.end - start} left`, start);
    this.offset = start + size;
    return start;
  }

  bool(): boolean {
    return this.#view.getInt8(this.take(1)) !== 0;
  }

  int8(): number {
    return this.#view.getInt8(this.take(1));
  }

  int16(): number {
    return this.#view.getInt16(this.take(2));
  }

  uint16(): number {
    return this.#view.getUint16(this.take(2));
  }

  int32(): number {
    return this.#view.getInt32(this.take(4));
  }

  int64(): bigint {
    return this.#view.getBigInt64(this.take(8));
  }

  float64(): number {
    return this.#view.getFloat64(this.take(8));
  }

  uuid(): string {
    const start = this.take(16);
    return this.buffer.toString("base64url", start, start + 16);
  }

  /** An unsigned varint of at most five bytes that fits 32 bits. */
  uvarint(): number {
    const start = this.offset;
    // Nearly all are one byte. What is longer, or missing, is for the long way to tell.
    const first = start < this.end ? this.#view.getUint8(start) : 0xff;
    if (first > 0x7f) return this.#longUvarint(start);
    this.offset = start + 1;
    return first;
  }

  #longUvarint(start: number): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#view.getUint8(this.take(1));
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    const last = this.#view.getUint8(this.take(1));
    if (last > 0x0f) throw new DecodeError("varint longer than 32 bits", start);
    return value + last * 0x1000_0000;
  }

  /** `length` bytes as text. */
  text(length: number): string {
    const start = this.take(length);
    return this.buffer.toString("utf8", start, start + length);
  }

  /** `length` bytes, sharing the frame's memory. */
  slice(length: number): Buffer {
    const start = this.take(length);
    return this.buffer.subarray(start, start + length);
  }

  /** The length of something that may be null (-1). */
  nullableLength(length: number, start: number): number {
    if (length < -1) throw new DecodeError(`length ${length} is negative`, start);
    return length;
  }

  /** Takes `count` items, each an object to be, from what the frame may hold of them. */
  spend(count: number, start: number): void {
    this.#itemsLeft -= count;
    if (this.#itemsLeft < 0) {
      throw new DecodeError(`more than ${this.#maxItems} items in one frame (receiveMessageMaxItems)`, start);
    }
  }

  /** Refuses a count of things that could not fit in what is left, each being `itemBytes` long at least. */
  count(count: number, itemBytes: number, start: number): number {
    if (count < 0) throw new DecodeError(`count ${count} is negative`, start);
    if (count * itemBytes > this.remaining) {
      throw new DecodeError(`${count} items announced, ${this.remaining} bytes left`, start);
    }
    return count;
  }

  /**
   * Steps over a tag section. `visit` is called at the first byte of each tag's data and may read it;
   * tags must ascend, and each must end where its size says.
   */
  tags(visit?: (tag: number, size: number) => void): void {
    const start = this.offset;
    const count = this.uvarint();
    if (count === 0) return;
    this.count(count, 2, start);
    let previous = -1;
    for (let i = 0; i < count; i++) {
      const at = this.offset;
      const tag = this.uvarint();
      if (tag <= previous) throw new DecodeError(`tag ${tag} after tag ${previous}`, at);
      previous = tag;
      const size = this.uvarint();
      const body = this.take(size);
      if (visit === undefined) continue;
      this.offset = body;
      visit(tag, size);
      this.offset = body + size;
    }
  }
}
