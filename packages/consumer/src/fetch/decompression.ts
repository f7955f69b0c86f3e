import type { RecordBatch } from "@odradek/protocol";

/** Of what one batch may become, the part up to which a poll goes on: the collector leaves as much again, and again. */
const pollShare = 4;

/**
 * How much one poll has decompressed. A record keeps alive all that its batch became, so that five hundred records of as
 * many small batches could fill any memory.
 */
export class DecompressionTally {
  #bytes = 0;
  #lastBytes = 0;
  #isFull = false;

  /** Whether a batch had to wait for the next poll. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /**
   * Whether another batch may be opened, each of which may become `maxBytes`; the first one always may. What it becomes
   * nobody knows before: the best guess is what the last one became.
   */
  admits(maxBytes: number): boolean {
    this.#isFull = this.#bytes > 0 && this.#bytes + this.#lastBytes > maxBytes / pollShare;
    return !this.#isFull;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    this.#lastBytes = bytes;
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
