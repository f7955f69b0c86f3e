import { DecodeError } from "./errors.ts";

/**
 * Items that a frame may become unless its reader says otherwise. A struct of ten bytes may become an object of three
 * hundred: without a limit, a frame of 100 MiB that is right in every length takes gigabytes.
 */
const defaultMaxItems = 1_000_000;

/** Memory that counts as one item. A partition in a Metadata answer, with three replicas, takes four. */
const itemBytes = 100;

/** Java's readers and writers take no longer text either, whatever form its length has. */
export const maxTextBytes = 0x7fff;

/** One letter outside of Latin-1 has all of them take two bytes; as much again for what the collector has yet to come by. */
const letterBytes = 4;

/** A slot in an array that may have grown by half since it was last full. */
const slotBytes = 12;

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
  #heapLeft: number;

  constructor(buffer: Buffer, start = 0, end = buffer.length, maxItems = defaultMaxItems) {
    this.#maxItems = maxItems;
    this.#heapLeft = maxItems * itemBytes;
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
    if (length > maxTextBytes) throw new DecodeError(`${length} bytes of text, ${maxTextBytes} at most`, this.offset);
    const start = this.take(length);
    this.#spend(length * letterBytes, start);
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

  /** Refuses a count of things that could not fit in what is left, each being `minBytes` long at least. */
  count(count: number, minBytes: number, start: number): number {
    if (count < 0) throw new DecodeError(`count ${count} is negative`, start);
    if (count * minBytes > this.remaining) {
      throw new DecodeError(`${count} items announced, ${this.remaining} bytes left`, start);
    }
    return count;
  }

  /** The same for an array, whose items will take memory: it is taken from what the frame may become. */
  items(count: number, minBytes: number, heapBytes: number): void {
    this.count(count, minBytes, this.offset);
    this.#spend(count * (slotBytes + heapBytes), this.offset);
  }

  #spend(heapBytes: number, start: number): void {
    this.#heapLeft -= heapBytes;
    if (this.#heapLeft >= 0) return;
    const limit = `${this.#maxItems} items of ${itemBytes} bytes each (receiveMessageMaxItems)`;
    throw new DecodeError(`the frame would become more than ${limit}`, start);
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
