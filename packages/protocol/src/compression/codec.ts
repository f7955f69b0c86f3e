import { DecodeError } from "../errors.ts";

/** Kafka's names of what a batch can be compressed with. The index is the id in a batch's attributes. */
export const compressionTypes = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

export type CompressionType = (typeof compressionTypes)[number];

/** What has a codec. */
export type CodecName = Exclude<CompressionType, "none">;

/** The levels that a codec takes, from fast to small. */
export interface CompressionLevels {
  readonly min: number;
  readonly max: number;
  /** Used where no level is given. It may lie outside of `min` and `max`, and is allowed then too. */
  readonly default: number;
}

/**
 * Compresses and decompresses the records of a batch. The promises do their work off the main thread where the
 * library can; the `Sync` forms are faster for small batches, and absent where the library only works in the background.
 *
 * Decompression refuses input that would grow past `maxOutputBytes`, before it takes the memory.
 */
export interface CompressionCodec {
  readonly name: CodecName;
  /** `null` where there is nothing to choose. */
  readonly levels: CompressionLevels | null;
  compress(input: Buffer, level?: number): Promise<Buffer>;
  readonly compressSync?: ((input: Buffer, level?: number) => Buffer) | undefined;
  /** @throws DecodeError for bytes that are not this codec's, or too many when decompressed */
  decompress(input: Buffer, maxOutputBytes: number): Promise<Buffer>;
  /** @throws DecodeError for bytes that are not this codec's, or too many when decompressed */
  readonly decompressSync?: ((input: Buffer, maxOutputBytes: number) => Buffer) | undefined;
}

/** Input that would become larger than allowed. */
export function tooLarge(name: CodecName, maxOutputBytes: number): DecodeError {
  return new DecodeError(
    `${name} data of more than ${maxOutputBytes} bytes when decompressed (maxDecompressedBytes)`,
    0,
  );
}

/** What a library says about input that it cannot read. */
export function unreadable(name: CodecName, cause: unknown): DecodeError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new DecodeError(`${name} data cannot be decompressed: ${reason}`, 0, { cause });
}

/** What `node:zlib` says about input that it cannot read, or that reached the limit. */
export function refusal(name: CodecName, cause: unknown, maxOutputBytes: number): DecodeError {
  if (cause instanceof DecodeError) return cause;
  const isFull = cause instanceof Error && "code" in cause && cause.code === "ERR_BUFFER_TOO_LARGE";
  return isFull ? tooLarge(name, maxOutputBytes) : unreadable(name, cause);
}
