/** Which leader epoch began at which offset, by which a reader finds out that the log was cut behind its back (KIP-320). */
export class LeaderEpochs {
  #entries: { readonly epoch: number; readonly startOffset: bigint }[] = [];

  /** Takes note that records from `startOffset` on are of `epoch`. */
  assign(epoch: number, startOffset: bigint): void {
    const last = this.#entries.at(-1);
    if (last !== undefined && last.epoch >= epoch) return;
    this.truncateTo(startOffset);
    this.#entries.push({ epoch, startOffset });
  }

  /** Forgets the epochs that began at `offset` or later. */
  truncateTo(offset: bigint): void {
    this.#entries = this.#entries.filter(({ startOffset }) => startOffset < offset);
  }

  /**
   * The largest epoch up to `epoch`, and the offset behind its last record; `null` for an epoch that is newer than all.
   *
   * @see LeaderEpochFileCache.endOffsetFor (apache/kafka)
   */
  endOf(epoch: number, logEndOffset: bigint): { readonly epoch: number; readonly endOffset: bigint } | null {
    const latest = this.#entries.at(-1);
    if (latest === undefined || epoch > latest.epoch) return null;
    if (epoch === latest.epoch) return { epoch, endOffset: logEndOffset };
    const next = this.#entries.findIndex((entry) => entry.epoch > epoch);
    const endOffset = this.#entries[next]?.startOffset ?? logEndOffset;
    return { epoch: this.#entries[next - 1]?.epoch ?? epoch, endOffset };
  }
}
