import { type CompressionCodec, tooLarge, unreadable } from "./codec.ts";
import { lazily } from "./library.ts";
import { lz4FrameBytes } from "./lz4-frame.ts";

const library = lazily("lz4-napi", (): typeof import("lz4-napi") => require("lz4-napi"));

/**
 * LZ4 frames from the package `lz4-napi`: written as Kafka writes them (independent blocks, no checksums, no content
 * size), read in every form of the format except with a dictionary. The library has one speed, so the levels that
 * Kafka allows are taken and change nothing.
 */
export const lz4: CompressionCodec = Object.freeze<CompressionCodec>({
  name: "lz4",
  levels: { min: 1, max: 17, default: 9 },
  compress: (input) => library().compressFrame(input),
  compressSync: (input) => library().compressFrameSync(input),
  async decompress(input, maxOutputBytes) {
    const { decompressFrame } = library();
    guard(input, maxOutputBytes);
    try {
      return await decompressFrame(input);
    } catch (error) {
      throw unreadable("lz4", error);
    }
  },
  decompressSync(input, maxOutputBytes) {
    const { decompressFrameSync } = library();
    guard(input, maxOutputBytes);
    try {
      return decompressFrameSync(input);
    } catch (error) {
      throw unreadable("lz4", error);
    }
  },
});

/** The library has no limit of its own, so the frame is measured before it gets it. */
function guard(input: Buffer, maxOutputBytes: number): void {
  if (lz4FrameBytes(input, maxOutputBytes) > maxOutputBytes) throw tooLarge("lz4", maxOutputBytes);
}
