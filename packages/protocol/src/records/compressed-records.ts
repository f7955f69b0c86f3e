import { type CompressionCodec, tooLarge, unreadable } from "../compression/codec.ts";
import { KafkaError } from "../errors.ts";

/** The records of a compressed batch. They are decompressed once, when first needed, and kept. */
export class CompressedRecords {
  readonly #codec: CompressionCodec;
  readonly #compressed: Buffer;
  readonly #maxBytes: number;
  #bytes: Buffer | null = null;

  constructor(codec: CompressionCodec, compressed: Buffer, maxBytes: number) {
    this.#codec = codec;
    this.#compressed = compressed;
    this.#maxBytes = maxBytes;
  }

  /** Bytes that the records take; 0 before they were decompressed. */
  get size(): number {
    return this.#bytes?.length ?? 0;
  }

  /** Whether `bytes` gives them without `decompress` before it. */
  get isReadable(): boolean {
    return this.#bytes !== null || this.#codec.decompressSync !== undefined;
  }

  /**
   * The records, decompressed.
   *
   * @throws DecodeError for bytes that are not the codec's, or too many
   * @throws KafkaError with code STATE where the codec cannot do it on this thread
   */
  bytes(): Buffer {
    if (this.#bytes !== null) return this.#bytes;
    try {
      const bytes = this.#codec.decompressSync?.(this.#compressed, this.#maxBytes);
      if (bytes !== undefined) return this.#keep(bytes);
    } catch (error) {
      throw this.#reason(error);
    }
    const reason = `${this.#codec.name} decompresses in the background only: await decompress() before iterating`;
    throw new KafkaError(reason, { code: "STATE" });
  }

  /** Decompresses in the background. @throws DecodeError for bytes that are not the codec's, or too many */
  async decompress(): Promise<void> {
    if (this.#bytes !== null) return;
    try {
      this.#keep(await this.#codec.decompress(this.#compressed, this.#maxBytes));
    } catch (error) {
      throw this.#reason(error);
    }
  }

  /** A codec of the user's own may not look at the limit. */
  #keep(bytes: Buffer): Buffer {
    if (bytes.length > this.#maxBytes) throw tooLarge(this.#codec.name, this.#maxBytes);
    this.#bytes = bytes;
    return bytes;
  }

  /** A codec of the user's own may throw anything. */
  #reason(error: unknown): KafkaError {
    return error instanceof KafkaError ? error : unreadable(this.#codec.name, error);
  }
}
