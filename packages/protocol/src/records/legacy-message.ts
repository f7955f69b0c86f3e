import { DecodeError } from "../errors.ts";
import { crc32 } from "./crc32.ts";
import { logOverheadBytes, offsetOf } from "./record-batch-header.ts";

/*
 * Messages of format 0 and 1, from before Kafka 0.11, each an entry of its own with its offset and size in front:
 *
 *    0 offset  8      12 crc  4      17 attributes  1
 *    8 size    4      16 magic  1    18 timestamp   8, in format 1 only
 *
 * then key and value, each behind its size as int32. The checksum is over everything behind it.
 */

const crcOffset = 12;
const attributesOffset = 17;
const timestampOffset = 18;

/** The two formats. */
export type LegacyMagic = 0 | 1;

/** Bytes of the smallest entry, which has neither key nor value. */
export const minEntryBytes: Readonly<Record<LegacyMagic, number>> = { 0: 26, 1: 34 };

/** One entry, its key and value as places in the buffer that it was read from. */
export interface LegacyMessage {
  readonly offset: bigint;
  readonly attributes: number;
  /** Milliseconds, -1 in format 0. */
  readonly timestamp: number;
  readonly keyStart: number;
  /** -1 for `null`. */
  readonly keySize: number;
  readonly valueStart: number;
  /** -1 for `null`. */
  readonly valueSize: number;
}

/**
 * Reads the entry that fills `buffer[start..end)`, which is not shorter than the smallest.
 *
 * @throws DecodeError
 */
export function readLegacyMessage(buffer: Buffer, start: number, end: number, magic: LegacyMagic): LegacyMessage {
  const hasTimestamp = magic === 1;
  const keySizeAt = start + timestampOffset + (hasTimestamp ? 8 : 0);
  const keySize = buffer.readInt32BE(keySizeAt);
  const keyStart = keySizeAt + 4;
  const valueSizeAt = keyStart + Math.max(keySize, 0);
  if (keySize < -1 || valueSizeAt > end - 4) throw new DecodeError(`key of ${keySize} bytes`, keySizeAt);
  const valueSize = buffer.readInt32BE(valueSizeAt);
  const valueStart = valueSizeAt + 4;
  if (valueSize < -1 || valueStart + Math.max(valueSize, 0) !== end) {
    throw new DecodeError(`value of ${valueSize} bytes, ${end - valueStart} left`, valueSizeAt);
  }
  return {
    offset: buffer.readBigInt64BE(start + offsetOf.baseOffset),
    attributes: buffer.readInt8(start + attributesOffset),
    timestamp: hasTimestamp ? Number(buffer.readBigInt64BE(start + timestampOffset)) : -1,
    keyStart,
    keySize,
    valueStart,
    valueSize,
  };
}

/** @throws DecodeError where the entry in `buffer[start..end)` has another checksum than it says */
export function checkLegacyCrc(buffer: Buffer, start: number, end: number): void {
  const stated = buffer.readUInt32BE(start + crcOffset);
  const computed = crc32(buffer, start + offsetOf.magic, end);
  if (stated === computed) return;
  throw new DecodeError(
    `its checksum is ${computed.toString(16)}, and it says ${stated.toString(16)}`,
    start + crcOffset,
  );
}

/**
 * Reads a decompressed set: entries of one format, one behind the other, with nothing left over. A generator, because a
 * set of some megabytes on the wire can hold millions of them.
 *
 * @throws DecodeError
 */
export function* readLegacyMessages(
  buffer: Buffer,
  magic: LegacyMagic,
  checkCrcs: boolean,
): Generator<LegacyMessage, void, void> {
  for (let start = 0; start < buffer.length; ) {
    const left = buffer.length - start;
    if (left < minEntryBytes[magic]) throw new DecodeError(`${left} bytes behind the last message of the set`, start);
    const size = buffer.readInt32BE(start + offsetOf.batchLength) + logOverheadBytes;
    if (size < minEntryBytes[magic] || size > left) {
      throw new DecodeError(`message of ${size} bytes, ${left} left`, start);
    }
    const innerMagic = buffer.readInt8(start + offsetOf.magic);
    if (innerMagic !== magic) {
      throw new DecodeError(`message of format ${innerMagic} in a set of format ${magic}`, start + offsetOf.magic);
    }
    const end = start + size;
    if (checkCrcs) checkLegacyCrc(buffer, start, end);
    yield readLegacyMessage(buffer, start, end, magic);
    start = end;
  }
}
