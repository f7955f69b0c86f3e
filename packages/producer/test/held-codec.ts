import { type CompressionCodec, defaultCodecs } from "@odradek/protocol";

/** gzip as a codec that works in the background only, and is done when the test says so. */
export class HeldCodec implements CompressionCodec {
  readonly name = "gzip";
  readonly levels = defaultCodecs.gzip.levels;
  readonly decompress = defaultCodecs.gzip.decompress;
  readonly #held: (() => void)[] = [];

  get heldCount(): number {
    return this.#held.length;
  }

  async compress(input: Buffer): Promise<Buffer> {
    await new Promise<void>((resolve) => this.#held.push(resolve));
    return defaultCodecs.gzip.compress(input);
  }

  letGo(): void {
    for (const resolve of this.#held.splice(0)) resolve();
  }
}
