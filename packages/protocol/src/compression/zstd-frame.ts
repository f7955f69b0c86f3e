import { DecodeError } from "../errors.ts";

const frameMagic = 0xfd2fb528;

/** Sixteen magics that differ in the lowest bits: frames to step over. */
const skippableMagic = 0x184d2a50;

/** The largest decompressed block, whatever the window. */
export const maxZstdBlockBytes = 128 * 1024;

/** Writers make one frame, or a few. Each costs Node 25 us, however small it is. */
const maxFrames = 100;

const blockType = { raw: 0, rle: 1, compressed: 2 } as const;

/** One frame of RFC 8878. */
export interface ZstdFrame {
  readonly start: number;
  readonly end: number;
  /** What it can become at most: the sum of its blocks, the compressed ones counted as full. */
  readonly maxBytes: number;
  /** What it says that it becomes, or else what it can become at most. Nobody has looked whether that is true. */
  readonly statedBytes: number;
}

/**
 * The frames of zstd data, found by stepping from block to block; nothing is decompressed. Frames that hold no data
 * are left out.
 *
 * @throws DecodeError for what is not zstd, with the offset in `input`
 */
export function* zstdFrames(input: Buffer): Generator<ZstdFrame, void, void> {
  let at = 0;
  let frames = 0;
  while (at < input.length) {
    need(input, at, 4);
    const magic = input.readUInt32LE(at);
    if (magic >>> 4 === skippableMagic >>> 4) {
      need(input, at, 8);
      const size = input.readUInt32LE(at + 4);
      need(input, at + 8, size);
      at += 8 + size;
    } else if (magic === frameMagic) {
      if (++frames > maxFrames) throw new DecodeError(`more than ${maxFrames} zstd frames in a row`, at);
      const frame = readFrame(input, at);
      yield frame;
      at = frame.end;
    } else {
      throw new DecodeError("no zstd frame starts here", at);
    }
  }
  if (frames === 0) throw new DecodeError("no zstd frame", 0);
}

function readFrame(input: Buffer, start: number): ZstdFrame {
  need(input, start, 6);
  const descriptor = input.readUInt8(start + 4);
  const isSingleSegment = (descriptor & 0b10_0000) !== 0;
  const hasChecksum = (descriptor & 0b100) !== 0;
  const dictionaryIdBytes = [0, 1, 2, 4][descriptor & 0b11] ?? 0;
  const contentSizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >>> 6] ?? 0;
  let at = start + 5;

  let blockBytes = maxZstdBlockBytes;
  if (!isSingleSegment) {
    blockBytes = Math.min(maxZstdBlockBytes, windowBytes(input.readUInt8(at)));
    at += 1;
  }
  at += dictionaryIdBytes;
  need(input, at, contentSizeBytes);
  const contentBytes = contentSize(input, at, contentSizeBytes);
  at += contentSizeBytes;

  let maxBytes = 0;
  for (let isLast = false; !isLast; ) {
    need(input, at, 3);
    const header = input.readUIntLE(at, 3);
    at += 3;
    isLast = (header & 1) === 1;
    const type = (header >>> 1) & 0b11;
    const size = header >>> 3;
    if (type > blockType.compressed) throw new DecodeError(`zstd block of unknown type ${type}`, at - 3);
    const storedBytes = type === blockType.rle ? 1 : size;
    need(input, at, storedBytes);
    at += storedBytes;
    maxBytes += type === blockType.compressed ? blockBytes : size;
  }
  if (hasChecksum) {
    need(input, at, 4);
    at += 4;
  }
  return { start, end: at, maxBytes, statedBytes: Math.min(contentBytes ?? maxBytes, maxBytes) };
}

/** Two bytes count from 256 on: less takes one. `null` where there are none. */
function contentSize(input: Buffer, at: number, bytes: number): number | null {
  if (bytes === 0) return null;
  if (bytes === 8) return Number(input.readBigUInt64LE(at));
  return input.readUIntLE(at, bytes) + (bytes === 2 ? 256 : 0);
}

/** Three bits of mantissa over an exponent that starts at 1 KiB. */
function windowBytes(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 0b111);
}

function need(input: Buffer, at: number, size: number): void {
  const left = input.length - at;
  if (size > left) throw new DecodeError(`zstd frame ends early: ${size} bytes needed, ${Math.max(left, 0)} left`, at);
}
