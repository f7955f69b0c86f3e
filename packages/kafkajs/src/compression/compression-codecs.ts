import { type CompressionCodec, codecsWith } from "odradek";
import { CompressionTypes } from "../constants.ts";

/** A codec as kafkajs has it. */
export interface RegistrableCodec {
  /** @param encoder holds the records of a batch as `buffer` */
  compress(encoder: { readonly buffer: Buffer }): Promise<Uint8Array> | Uint8Array;
  decompress(buffer: Buffer): Promise<Uint8Array> | Uint8Array;
}

/** What a batch may become when it is decompressed, bytes: as in odradek's consumer. */
const maxDecompressedBytes = 67_108_864;

const builtInCodecs = codecsWith({});

const registrable = (codec: CompressionCodec): (() => RegistrableCodec) => {
  const made: RegistrableCodec = {
    compress: async ({ buffer }) => codec.compress(buffer),
    decompress: async (buffer) => codec.decompress(buffer, maxDecompressedBytes),
  };
  return () => made;
};

const builtIn = Object.freeze({
  [CompressionTypes.GZIP]: registrable(builtInCodecs.gzip),
  [CompressionTypes.Snappy]: registrable(builtInCodecs.snappy),
  [CompressionTypes.LZ4]: registrable(builtInCodecs.lz4),
  [CompressionTypes.ZSTD]: registrable(builtInCodecs.zstd),
});

type Registry = Record<keyof typeof builtIn, () => RegistrableCodec>;

/**
 * The codecs of the process, by their number in `CompressionTypes`. All are built in, and any may be replaced, by what the packages for
 * kafkajs export or by one's own. It is looked into at every batch.
 *
 * @example CompressionCodecs[CompressionTypes.Snappy] = SnappyCodec; // what kafkajs-snappy exports
 */
export const CompressionCodecs: Registry = { ...builtIn };

/** The codecs of the layer below: what is registered, and where that is what was built in, its shortest way. */
export const registeredCodecs = codecsWith({
  gzip: registered(CompressionTypes.GZIP, builtInCodecs.gzip),
  snappy: registered(CompressionTypes.Snappy, builtInCodecs.snappy),
  lz4: registered(CompressionTypes.LZ4, builtInCodecs.lz4),
  zstd: registered(CompressionTypes.ZSTD, builtInCodecs.zstd),
});

function registered(type: keyof Registry, original: CompressionCodec): CompressionCodec {
  const { name, levels } = original;
  const isOriginal = () => CompressionCodecs[type] === builtIn[type];
  return Object.freeze<CompressionCodec>({
    name,
    levels,
    async compress(input, level) {
      if (isOriginal()) return original.compress(input, level);
      return bufferOf(await CompressionCodecs[type]().compress({ buffer: input }), name);
    },
    async decompress(input, maxOutputBytes) {
      if (isOriginal()) return original.decompress(input, maxOutputBytes);
      return bufferOf(await CompressionCodecs[type]().decompress(input), name);
    },
    // What is registered may take its time.
    get compressSync() {
      return isOriginal() ? original.compressSync : undefined;
    },
    get decompressSync() {
      return isOriginal() ? original.decompressSync : undefined;
    },
  });
}

function bufferOf(bytes: unknown, name: string): Buffer {
  if (bytes instanceof Buffer) return bytes;
  if (bytes instanceof Uint8Array) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  throw new TypeError(`The codec in CompressionCodecs for ${name} gave no Buffer but ${typeof bytes}`);
}
