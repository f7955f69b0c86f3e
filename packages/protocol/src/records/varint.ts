import type Long from "long";
import { DecodeError } from "../errors.ts";

/*
 * The zig-zag integers of records: a small magnitude of either sign takes few bytes, seven bits each, lowest first.
 * Varints hold an int32. Varlongs hold an int64, given as a number: they carry times, which are safe integers, and
 * what a peer sends beyond those is rounded as every number is.
 */

/** Arithmetic in 64 bits, loaded by the first varlong that needs it: hardly any does. */
const long = (): typeof Long => require("long");

/** Bytes of an int32 as a varint, 1 to 5. */
export function sizeOfVarint(value: number): number {
  const bits = (value << 1) ^ (value >> 31);
  if (bits >>> 7 === 0) return 1;
  if (bits >>> 14 === 0) return 2;
  if (bits >>> 21 === 0) return 3;
  return bits >>> 28 === 0 ? 4 : 5;
}

/** Bytes of an integer as a varlong, 1 to 10. */
export function sizeOfVarlong(value: number): number {
  if (value === (value | 0)) return sizeOfVarint(value);
  let size = 1;
  let bits = zigZag(value);
  if (bits === null) {
    for (let rest = zigZagLong(value); rest.gt(0x7f); rest = rest.shru(7)) size++;
    return size;
  }
  for (; bits > 0x7f; bits = Math.floor(bits / 0x80)) size++;
  return size;
}

/** Writes an int32 at `offset`, where there must be room, and gives the offset behind it. */
export function writeVarint(buffer: Uint8Array, offset: number, value: number): number {
  let bits = (value << 1) ^ (value >> 31);
  if (bits >>> 7 === 0) {
    buffer[offset] = bits;
    return offset + 1;
  }
  let at = offset;
  for (; bits >>> 7 !== 0; bits >>>= 7) buffer[at++] = bits | 0x80;
  buffer[at++] = bits;
  return at;
}

/** Writes an integer at `offset`, where there must be room, and gives the offset behind it. */
export function writeVarlong(buffer: Uint8Array, offset: number, value: number): number {
  if (value === (value | 0)) return writeVarint(buffer, offset, value);
  let at = offset;
  let bits = zigZag(value);
  if (bits === null) {
    let rest = zigZagLong(value);
    for (; rest.gt(0x7f); rest = rest.shru(7)) buffer[at++] = rest.getLowBits() | 0x80;
    buffer[at++] = rest.getLowBits();
    return at;
  }
  for (; bits > 0x7f; bits = Math.floor(bits / 0x80)) buffer[at++] = (bits % 0x80) | 0x80;
  buffer[at++] = bits;
  return at;
}

/** The zig-zag form as a number, or `null` where it would leave the safe integers. */
function zigZag(value: number): number | null {
  const bits = value < 0 ? -2 * value - 1 : 2 * value;
  return Number.isSafeInteger(bits) ? bits : null;
}

function zigZagLong(value: number): Long {
  const signed = long().fromNumber(value);
  return signed.shl(1).xor(signed.shr(63)).toUnsigned();
}

/**
 * A cursor over varints. Bytes are checked against the end of the buffer, so that nothing is read past it; whoever
 * knows a nearer end compares `offset` with it afterwards, which is enough, because the cursor only goes forward.
 */
export class VarintReader {
  readonly buffer: Uint8Array;
  offset: number;

  constructor(buffer: Uint8Array, offset = 0) {
    this.buffer = buffer;
    this.offset = offset;
  }

  /** An int32. Bits above it are dropped, as Kafka does. @throws DecodeError for more than 5 bytes, or a missing one */
  varint(): number {
    const start = this.offset;
    let bits = 0;
    for (let shift = 0; shift <= 28; shift += 7) {
      const byte = this.#byte();
      bits |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (bits >>> 1) ^ -(bits & 1);
    }
    throw new DecodeError("varint of more than 5 bytes", start);
  }

  /** An int64. @throws DecodeError for more than 10 bytes, or a missing one */
  varlong(): number {
    const start = this.offset;
    // Four bytes are 28 bits and stay within a small integer; the next four, and the last two, go above them.
    let low = 0;
    let middle = 0;
    let high = 0;
    for (let index = 0; index < 10; index++) {
      const byte = this.#byte();
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index < 8) middle |= bits << (7 * (index - 4));
      else high |= bits << (7 * (index - 8));
      if (byte < 0x80) return unZigZag(low, middle, high & 0xff);
    }
    throw new DecodeError("varlong of more than 10 bytes", start);
  }

  #byte(): number {
    const byte = this.buffer[this.offset];
    if (byte === undefined) throw new DecodeError("the bytes end within a varint", this.offset);
    this.offset += 1;
    return byte;
  }
}

/** The integer of three zig-zag parts of 28, 28 and 8 bits. */
function unZigZag(low: number, middle: number, high: number): number {
  if (middle === 0 && high === 0) return (low >>> 1) ^ -(low & 1);
  const bits = low + middle * 0x1000_0000 + high * 0x100_0000_0000_0000;
  if (Number.isSafeInteger(bits)) return low & 1 ? -(bits + 1) / 2 : bits / 2;
  const unsigned = long().fromBits(low | (middle << 28), (middle >>> 4) | (high << 24), true);
  return unsigned.shru(1).xor(unsigned.and(1).neg()).toSigned().toNumber();
}
