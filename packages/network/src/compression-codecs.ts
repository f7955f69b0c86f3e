import { type CodecName, type CompressionCodec, type CompressionCodecs, codecsWith } from "@odradek/protocol";
import type { OptionReader } from "./option-reader.ts";

/** Reads the option `compressionCodecs`. @throws OptionsError for what is no codec, or stands under another name than its own */
export function readCompressionCodecs(reader: OptionReader): CompressionCodecs {
  const allowed = `an object whose ${names.join(", ")}, where given, are codecs of that name with compress() and decompress()`;
  return codecsWith(reader.value<Partial<CompressionCodecs>>("compressionCodecs", {}, areCodecs, allowed));
}

const names = ["gzip", "snappy", "lz4", "zstd"] as const satisfies readonly CodecName[];

function areCodecs(value: unknown): value is Partial<CompressionCodecs> {
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).every(([name, codec]) => names.some((known) => known === name) && isCodec(codec, name));
}

function isCodec(value: unknown, name: string): value is CompressionCodec {
  if (typeof value !== "object" || value === null) return false;
  return (
    Reflect.get(value, "name") === name &&
    typeof Reflect.get(value, "compress") === "function" &&
    typeof Reflect.get(value, "decompress") === "function"
  );
}
