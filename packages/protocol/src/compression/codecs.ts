import type { CodecName, CompressionCodec } from "./codec.ts";
import { gzip } from "./gzip.ts";
import { lz4 } from "./lz4.ts";
import { snappy } from "./snappy.ts";
import { zstd } from "./zstd.ts";

/** The codec of each name that a client works with. Frozen: what replaces one is a new value. */
export type CompressionCodecs = Readonly<Record<CodecName, CompressionCodec>>;

/** What a client has unless told otherwise. */
export const defaultCodecs: CompressionCodecs = Object.freeze({ gzip, snappy, lz4, zstd });

/** The default codecs, each of which may be replaced by one of the caller's own. */
export function codecsWith(replacements: Partial<CompressionCodecs>): CompressionCodecs {
  return Object.freeze({ ...defaultCodecs, ...replacements });
}
