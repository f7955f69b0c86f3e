import { EncodeError } from "./errors.ts";

/** Payloads from this size on are handed to the socket as they are; smaller ones are cheaper to copy. */
const referenceBytes = 512;

/**
 * A growing cursor. Large payloads are not copied: they stand as chunks of their own between the chunks that the
 * writer filled, and all chunks go to the socket in one `writev`.
 */
export class Writer {
  #buffer: Buffer;
  #offset = 0;
  /** Start of the part of `#buffer` that is not yet in `#chunks`. */
  #chunkStart = 0;
  readonly #chunks: Buffer[] = [];
  /** Bytes in `#chunks`. */
  #chunkedBytes = 0;

  constructor(initialBytes = 256) {
    this.#buffer = Buffer.allocUnsafe(initialBytes);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#chunkedBytes + this.#offset - this.#chunkStart;
  }

  bool(value: boolean): void {
    this.int8(value ? 1 : 0);
  }

  int8(value: number): void {
    const start = this.#claim(1);
    this.#buffer.writeInt8(value, start);
  }

  int16(value: number): void {
    const start = this.#claim(2);
    this.#buffer.writeInt16BE(value, start);
  }

  uint16(value: number): void {
    const start = this.#claim(2);
    this.#buffer.writeUInt16BE(value, start);
  }

  int32(value: number): void {
    const start = this.#claim(4);
    this.#buffer.writeInt32BE(value, start);
  }

  int64(value: bigint): void {
    const start = this.#claim(8);
    this.#buffer.writeBigInt64BE(value, start);
  }

  float64(value: number): void {
    const start = this.#claim(8);
    this.#buffer.writeDoubleBE(value, start);
  }

  uuid(value: string): void {
    const start = this.#claim(16);
    if (value.length !== 22 || this.#buffer.write(value, start, 16, "base64url") !== 16) {
      throw new EncodeError(`${JSON.stringify(value)} is not a UUID of 22 base64url characters`);
    }
  }

  uvarint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      const start = this.#claim(1);
      this.#buffer.writeUInt8((rest & 0x7f) | 0x80, start);
      rest >>>= 7;
    }
    const start = this.#claim(1);
    this.#buffer.writeUInt8(rest, start);
  }

  /** Text of `byteLength` bytes in UTF-8. */
  text(value: string, byteLength: number): void {
    const start = this.#claim(byteLength);
    this.#buffer.write(value, start, byteLength, "utf8");
  }

  /** A copy of `value`. */
  copy(value: Uint8Array): void {
    const start = this.#claim(value.length);
    this.#buffer.set(value, start);
  }

  /** `value` itself where it is large, so it must not change until the chunks were written; else a copy. */
  reference(value: Buffer): void {
    if (value.length < referenceBytes) {
      this.copy(value);
      return;
    }
    this.#closeChunk();
    this.#chunks.push(value);
    this.#chunkedBytes += value.length;
  }

  /** What `write` writes, behind its length as an unsigned varint. */
  sized(write: (writer: Writer) => void): void {
    const inner = new Writer();
    write(inner);
    this.uvarint(inner.length);
    for (const chunk of inner.finish()) this.reference(chunk);
  }

  /** Ends the writing: the chunks in order. */
  finish(): Buffer[] {
    this.#closeChunk();
    return this.#chunks;
  }

  #closeChunk(): void {
    if (this.#offset === this.#chunkStart) return;
    const chunk = this.#buffer.subarray(this.#chunkStart, this.#offset);
    this.#chunks.push(chunk);
    this.#chunkedBytes += chunk.length;
    this.#chunkStart = this.#offset;
  }

  /** Makes room for `size` bytes and gives the offset at which they go; it may replace `#buffer`, so it is called first. */
  #claim(size: number): number {
    const start = this.#offset;
    if (start + size > this.#buffer.length) return this.#grow(size);
    this.#offset = start + size;
    return start;
  }

  /** Moves the open chunk, and only it, into a buffer twice as large; closed chunks stay where they are. */
  #grow(size: number): number {
    const open = this.#offset - this.#chunkStart;
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, open + size));
    this.#buffer.copy(grown, 0, this.#chunkStart, this.#offset);
    this.#buffer = grown;
    this.#chunkStart = 0;
    this.#offset = open + size;
    return open;
  }
}
