import { DecodeError } from "../errors.ts";
import { type CompressionCodec, tooLarge, unreadable } from "./codec.ts";
import { lazily } from "./library.ts";

const library = lazily("snappy", (): typeof import("snappy") => require("snappy"));

/**
 * What Kafka writes is the stream of snappy-java (xerial): this magic, a version and the oldest version that can read
 * it, both 1, then blocks, each a raw snappy block behind its length.
 */
const header = Buffer.from("82534e41505059000000000100000001", "hex");
const magic = header.subarray(0, 8);

/** Bytes that go into one block, as in snappy-java. */
const blockBytes = 32 * 1024;

/**
 * As many as 2 GiB take. Each block costs 2.5 us on this thread and 15 us in the background, however small it is, so
 * that a frame of nothing but tiny blocks would hold up the process for a minute.
 */
const maxBlocks = 65_536;

/** No raw block grows more than this: three bytes can stand for 64 at most. */
const maxGrowth = 22;

/**
 * Snappy in the framing of snappy-java, from the package `snappy`. What has no such framing is read as one raw block,
 * because other clients write that.
 */
export const snappy: CompressionCodec = Object.freeze<CompressionCodec>({
  name: "snappy",
  levels: null,
  async compress(input) {
    const { compress } = library();
    return join(await Promise.all(split(input).map((block) => compress(block))));
  },
  compressSync(input) {
    const { compressSync } = library();
    return join(split(input).map((block) => compressSync(block)));
  },
  async decompress(input, maxOutputBytes) {
    const { uncompress } = library();
    const output = new Assembly(statedBytes(input, maxOutputBytes));
    for (const block of blocksOf(input)) output.add(await uncompress(block, asBuffer).catch(refuse));
    return output.finish();
  },
  decompressSync(input, maxOutputBytes) {
    const { uncompressSync } = library();
    const output = new Assembly(statedBytes(input, maxOutputBytes));
    for (const block of blocksOf(input)) {
      try {
        output.add(uncompressSync(block, asBuffer));
      } catch (error) {
        refuse(error);
      }
    }
    return output.finish();
  },
});

const asBuffer = { asBuffer: true };

function refuse(error: unknown): never {
  throw unreadable("snappy", error);
}

/** Decompressed blocks put one behind the other; a single one, which is what most batches are, is not copied. */
class Assembly {
  readonly #size: number;
  #output: Buffer | null = null;
  #filled = 0;

  constructor(size: number) {
    this.#size = size;
  }

  /** @param part always bytes: the library's types leave open that it gives text, which it does only when asked */
  add(part: string | Buffer): void {
    if (typeof part === "string") throw new TypeError("snappy gave text");
    if (part.length === this.#size) {
      this.#output = part;
    } else {
      this.#output ??= Buffer.allocUnsafe(this.#size);
      part.copy(this.#output, this.#filled);
    }
    this.#filled += part.length;
  }

  /** Nothing of the output that was not filled gets out. */
  finish(): Buffer {
    return (this.#output ?? Buffer.alloc(0)).subarray(0, this.#filled);
  }
}

function split(input: Buffer): Buffer[] {
  const blocks = [];
  for (let at = 0; at < input.length; at += blockBytes) blocks.push(input.subarray(at, at + blockBytes));
  return blocks;
}

function join(blocks: readonly Buffer[]): Buffer {
  const size = blocks.reduce((sum, block) => sum + 4 + block.length, header.length);
  const stream = Buffer.allocUnsafe(size);
  let at = header.copy(stream);
  for (const block of blocks) {
    at = stream.writeInt32BE(block.length, at);
    at += block.copy(stream, at);
  }
  return stream;
}

/**
 * The raw blocks of a stream. Streams may stand one behind the other: each begins with the header again.
 * A generator, because a peer can make a stream of millions of blocks that are empty.
 */
function* blocksOf(input: Buffer): Generator<Buffer, void, void> {
  if (!isHeader(input, 0)) {
    yield input;
    return;
  }
  let at = 0;
  while (at < input.length) {
    if (isHeader(input, at)) {
      at += header.length;
      continue;
    }
    const left = input.length - at - 4;
    if (left < 0) throw new DecodeError("snappy stream ends within the length of a block", at);
    const length = input.readInt32BE(at);
    if (length <= 0 || length > left) throw new DecodeError(`snappy block of ${length} bytes, ${left} left`, at);
    at += 4;
    yield input.subarray(at, at + length);
    at += length;
  }
}

function isHeader(input: Buffer, at: number): boolean {
  return input.length - at >= header.length && input.compare(magic, 0, magic.length, at, at + magic.length) === 0;
}

/** What all blocks together say they become, each of them plausible, their number and the sum within the limits. */
function statedBytes(input: Buffer, maxOutputBytes: number): number {
  let sum = 0;
  let blocks = 0;
  for (const block of blocksOf(input)) {
    if (++blocks > maxBlocks) throw new DecodeError(`more than ${maxBlocks} snappy blocks in a row`, 0);
    sum += statedBlockBytes(block);
    if (sum > maxOutputBytes) throw tooLarge("snappy", maxOutputBytes);
  }
  return sum;
}

/** What a raw block says it becomes: an unsigned varint at its start. */
function statedBlockBytes(block: Buffer): number {
  let size = 0;
  for (let index = 0; index < 5; index++) {
    const byte = block[index];
    if (byte === undefined) break;
    size += (byte & 0x7f) * 0x80 ** index;
    if (byte > 0x7f) continue;
    if (size > block.length * maxGrowth) {
      throw new DecodeError(`snappy block of ${block.length} bytes states ${size} when decompressed`, 0);
    }
    return size;
  }
  throw new DecodeError("snappy block without a valid size", 0);
}
