import { DecodeError } from "../errors.ts";
import { xxh32OfShort } from "./xxh32.ts";

const frameMagic = 0x184d2204;

/** The bits of the flag byte behind the magic. */
const flag = {
  version: 0b1100_0000,
  blockChecksum: 0b1_0000,
  contentSize: 0b1000,
  contentChecksum: 0b100,
  dictionary: 0b1,
} as const;

const version1 = 0b0100_0000;

/** The bit in a block's size that says that it is stored as it is. */
const storedBit = 0x8000_0000;

/** No block grows more than this: a byte of a length stands for 255 at most. */
const maxGrowth = 255;

interface Header {
  /** The largest decompressed block. */
  readonly blockBytes: number;
  readonly blockChecksumBytes: 0 | 4;
  readonly contentChecksumBytes: 0 | 4;
  /** Of the header, its magic and checksum included. */
  readonly bytes: number;
}

interface Block {
  readonly start: number;
  readonly end: number;
  readonly isStored: boolean;
}

/**
 * How many bytes an LZ4 frame can become: a bound that costs next to nothing, and only where that passes `limit` the
 * exact number, for which the sequences are walked through. Nothing is decompressed.
 *
 * @throws DecodeError for what is not one whole frame, with the offset in `input`
 */
export function lz4FrameBytes(input: Buffer, limit: number): number {
  const header = headerOf(input);
  let bound = 0;
  for (const block of blocksOf(input, header)) bound += boundOf(block, header.blockBytes);
  if (bound <= limit) return bound;
  let exact = 0;
  for (const block of blocksOf(input, header)) {
    exact += block.isStored ? block.end - block.start : exactSizeOf(input, block);
    if (exact > limit) break;
  }
  return exact;
}

/**
 * The frame with the header checksum that the format asks for: a copy, where it has another. Kafka's clients before
 * 0.10 counted the magic in.
 */
export function withLz4HeaderChecksum(input: Buffer): Buffer {
  const { bytes } = headerOf(input);
  const checksum = (xxh32OfShort(input, 4, bytes - 1) >>> 8) & 0xff;
  if (input[bytes - 1] === checksum) return input;
  const repaired = Buffer.from(input);
  repaired.writeUInt8(checksum, bytes - 1);
  return repaired;
}

function headerOf(input: Buffer): Header {
  if (input.length < 7 || input.readUInt32LE(0) !== frameMagic) throw new DecodeError("no lz4 frame starts here", 0);
  const flags = input.readUInt8(4);
  const sizeCode = (input.readUInt8(5) >>> 4) & 0b111;
  if ((flags & flag.version) !== version1) throw new DecodeError("unknown version of the lz4 frame format", 4);
  if (flags & flag.dictionary) throw new DecodeError("lz4 frame that needs a dictionary", 4);
  if (sizeCode < 4) throw new DecodeError(`unknown block size ${sizeCode} of an lz4 frame`, 5);
  const bytes = flags & flag.contentSize ? 15 : 7;
  if (input.length < bytes) throw new DecodeError("lz4 frame ends within its header", input.length);
  return {
    blockBytes: 1 << (8 + 2 * sizeCode),
    blockChecksumBytes: flags & flag.blockChecksum ? 4 : 0,
    contentChecksumBytes: flags & flag.contentChecksum ? 4 : 0,
    bytes,
  };
}

function* blocksOf(input: Buffer, header: Header): Generator<Block, void, void> {
  const end = input.length - header.contentChecksumBytes;
  let at = header.bytes;
  for (;;) {
    if (end - at < 4) throw new DecodeError("lz4 frame without an end mark", at);
    const word = input.readUInt32LE(at);
    at += 4;
    if (word === 0) break;
    const isStored = word >= storedBit;
    const size = isStored ? word - storedBit : word;
    const left = end - at - header.blockChecksumBytes;
    if (size > header.blockBytes || size > left)
      throw new DecodeError(`lz4 block of ${size} bytes, ${left} left`, at - 4);
    yield { start: at, end: at + size, isStored };
    at += size + header.blockChecksumBytes;
  }
  if (at !== end) throw new DecodeError(`${end - at} bytes behind an lz4 frame`, at);
}

function boundOf({ start, end, isStored }: Block, blockBytes: number): number {
  return isStored ? end - start : Math.min(blockBytes, (end - start) * maxGrowth);
}

/**
 * What a compressed block becomes: the sum of its sequences, each a token, literals, and except for the last one an
 * offset and a match. What makes no sense is left for the decompressor to refuse.
 */
function exactSizeOf(input: Buffer, { start, end }: Block): number {
  let size = 0;
  let at = start;
  const length = (nibble: number): number => {
    let sum = nibble;
    if (nibble < 15) return sum;
    for (let byte = 255; byte === 255 && at < end; at++) {
      byte = input.readUInt8(at);
      sum += byte;
    }
    return sum;
  };
  while (at < end) {
    const token = input.readUInt8(at++);
    const literals = length(token >>> 4);
    size += literals;
    at += literals;
    if (at >= end) break;
    at += 2;
    size += length(token & 0xf) + 4;
  }
  return size;
}
