/** How fast the estimate rises after a batch that compressed worse, and falls after one that compressed better. */
const risePerBatch = 0.05;
const fallPerBatch = 0.005;

/**
 * How well the records of one topic compress, from what was seen: what a batch takes in follows from it. It rises
 * fast, because a batch that becomes too large costs more than one that could have been larger.
 * Source: Kafka's `CompressionRatioEstimator`.
 */
export class CompressionRatio {
  #estimate = 1;

  /** Compressed by uncompressed bytes. */
  get estimate(): number {
    return this.#estimate;
  }

  /** A batch was too large for a broker: its records compress as badly as that, or worse. */
  reset(ratio: number): void {
    this.#estimate = Math.max(1, ratio);
  }

  observe(ratio: number): void {
    if (ratio > this.#estimate) this.#estimate = Math.max(this.#estimate + risePerBatch, ratio);
    else if (ratio < this.#estimate) this.#estimate = Math.max(this.#estimate - fallPerBatch, ratio);
  }
}
