import type { RecordBatch } from "@odradek/protocol";

/**
 * How much one poll has decompressed. A record keeps alive all that its batch became, so that five hundred records of as
 * many small batches could fill any memory.
 */
export class DecompressionTally {
  #bytes = 0;
  #isFull = false;

  /** Whether a batch had to wait for the next poll. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Whether another batch may be opened where there may be `maxBytes`; the first one always may. */
  admits(maxBytes: number): boolean {
    this.#isFull = this.#bytes >= maxBytes;
    return !this.#isFull;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }
}

/**
 * Decompresses batches off this thread, one at a time for all partitions: each may become as large as a batch may, and
 * waits to be taken with all its bytes.
 */
export class BackgroundDecompression {
  readonly #onReady: () => void;
  #isBusy = false;

  /** @param onReady called when a batch can be taken, and another one can be started */
  constructor(onReady: () => void) {
    this.#onReady = onReady;
  }

  /** Begins, unless a batch is under way; asking again after `onReady` is up to the caller. */
  start(batch: RecordBatch, onError: (error: unknown) => void): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    batch
      .decompress()
      .catch(onError)
      .finally(() => {
        this.#isBusy = false;
        this.#onReady();
      });
  }
}
