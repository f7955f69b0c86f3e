import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { type CompressionCodec, refusal, tooLarge, unreadable } from "./codec.ts";
import { lazily } from "./library.ts";
import { maxZstdBlockBytes, zstdFrames } from "./zstd-frame.ts";

/** Least that Node takes. */
const minChunkBytes = 64;

const levels = { min: -131_072, max: 22, default: 3 } as const;

/** Node has zstd of its own since 22.15 and 23.8. */
const isBuiltIn = typeof zlib.zstdCompress === "function";

/** Zstandard from `node:zlib` where Node has it, else from the package `@mongodb-js/zstd`. */
export const zstd: CompressionCodec = isBuiltIn ? builtInZstd() : packagedZstd();

function builtInZstd(): CompressionCodec {
  const compress = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdCompress);
  const decompress = promisify<Buffer, zlib.ZstdOptions, Buffer>(zlib.zstdDecompress);
  return Object.freeze<CompressionCodec>({
    name: "zstd",
    levels,
    compress: (input, level = levels.default) => compress(input, atLevel(level)),
    compressSync: (input, level = levels.default) => zlib.zstdCompressSync(input, atLevel(level)),
    async decompress(input, maxOutputBytes) {
      const output = new Output(maxOutputBytes);
      for (const { start, end, statedBytes } of zstdFrames(input)) {
        const part = decompress(input.subarray(start, end), output.options(statedBytes));
        output.add(await part.catch((error: unknown) => output.refuse(error)));
      }
      return output.finish();
    },
    decompressSync(input, maxOutputBytes) {
      const output = new Output(maxOutputBytes);
      for (const { start, end, statedBytes } of zstdFrames(input)) {
        try {
          output.add(zlib.zstdDecompressSync(input.subarray(start, end), output.options(statedBytes)));
        } catch (error) {
          output.refuse(error);
        }
      }
      return output.finish();
    },
  });
}

function atLevel(level: number): zlib.ZstdOptions {
  return { params: { [zlib.constants.ZSTD_c_compressionLevel]: level } };
}

/** Puts together what the frames become. Node reads one frame, and drops in silence what comes behind it. */
class Output {
  readonly #maxBytes: number;
  readonly #parts: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Where a frame becomes what it says, one chunk holds all of it, and nothing is put together: 66 kB take 70 instead of 100 us,
   * 1 MB 0.4 instead of 0.9 ms (Node 24). Where that is a lie, most of the chunk is never touched, or there are more of them.
   */
  options(statedBytes: number): zlib.ZstdOptions {
    // Node takes no limit below one byte.
    const maxOutputLength = Math.max(1, this.#maxBytes - this.#bytes);
    // A byte more: a chunk that is full to its end asks for another.
    return { maxOutputLength, chunkSize: Math.max(minChunkBytes, Math.min(statedBytes, maxOutputLength) + 1) };
  }

  add(part: Buffer): void {
    this.#bytes += part.length;
    if (this.#bytes > this.#maxBytes) throw tooLarge("zstd", this.#maxBytes);
    this.#parts.push(part);
  }

  refuse(error: unknown): never {
    throw refusal("zstd", error, this.#maxBytes);
  }

  finish(): Buffer {
    const [first] = this.#parts;
    return first !== undefined && this.#parts.length === 1 ? first : Buffer.concat(this.#parts);
  }
}

/** Zstandard from `@mongodb-js/zstd`. It works in the background only, so there are no `Sync` forms. */
export function packagedZstd(): CompressionCodec {
  // The package's own entry forgets the level. Its binding, which has the same two functions, does not.
  const library = lazily("@mongodb-js/zstd", (): typeof import("@mongodb-js/zstd") =>
    require("@mongodb-js/zstd/bindings"),
  );
  return Object.freeze<CompressionCodec>({
    name: "zstd",
    levels,
    async compress(input, level = levels.default) {
      return await library().compress(input, level);
    },
    async decompress(input, maxOutputBytes) {
      const { decompress } = library();
      // The library has no limit of its own. The last block of a frame is seldom full: hence one block more than
      // allowed, and the exact answer afterwards.
      let bound = -maxZstdBlockBytes;
      for (const frame of zstdFrames(input)) bound += frame.maxBytes;
      if (bound > maxOutputBytes) throw tooLarge("zstd", maxOutputBytes);
      const output = await decompress(input).catch((error: unknown) => {
        throw unreadable("zstd", error);
      });
      if (output.length > maxOutputBytes) throw tooLarge("zstd", maxOutputBytes);
      return output;
    },
  });
}
