import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { type CompressionCodec, chunkBytes, refusal } from "./codec.ts";

const compress = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gzip);
const decompress = promisify<Buffer, zlib.ZlibOptions, Buffer>(zlib.gunzip);

const defaultLevel = -1;

/** RFC 1952, one or more members, from `node:zlib`. */
export const gzip: CompressionCodec = Object.freeze<CompressionCodec>({
  name: "gzip",
  levels: { min: 1, max: 9, default: defaultLevel },
  compress: (input, level = defaultLevel) => compress(input, { level }),
  compressSync: (input, level = defaultLevel) => zlib.gzipSync(input, { level }),
  async decompress(input, maxOutputBytes) {
    try {
      return await decompress(input, { maxOutputLength: maxOutputBytes, chunkSize: chunkBytes });
    } catch (error) {
      throw refusal("gzip", error, maxOutputBytes);
    }
  },
  decompressSync(input, maxOutputBytes) {
    try {
      return zlib.gunzipSync(input, { maxOutputLength: maxOutputBytes, chunkSize: chunkBytes });
    } catch (error) {
      throw refusal("gzip", error, maxOutputBytes);
    }
  },
});
