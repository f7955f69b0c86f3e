import type { RecordBatch } from "@odradek/protocol";

/** What a broker lists beside the records: a producer whose records, from an offset to its abort marker, never became valid. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

/**
 * Tells which batches of one answer belong to aborted transactions, given the batches in order. The broker itself
 * ends the answer before the first transaction that is still open. Source: Kafka's `CompletedFetch`, `read_committed`.
 */
export class AbortedTransactions {
  /** Not reached yet, by their first offset. */
  readonly #upcoming: AbortedTransaction[];
  /** Producers that are within an aborted transaction at the place that was reached. */
  readonly #aborted = new Set<bigint>();

  constructor(transactions: readonly AbortedTransaction[]) {
    this.#upcoming = [...transactions].sort((a, b) => Number(a.firstOffset - b.firstOffset));
  }

  /** Whether the records of the next batch must not be seen. @throws CorruptRecordError for a marker that makes no sense */
  hides(batch: RecordBatch): boolean {
    for (let next = this.#upcoming[0]; next && next.firstOffset <= batch.lastOffset; next = this.#upcoming[0]) {
      this.#upcoming.shift();
      this.#aborted.add(next.producerId);
    }
    if (!batch.isControl) return batch.isTransactional && this.#aborted.has(batch.producerId);
    if (batch.controlType === "abort") this.#aborted.delete(batch.producerId);
    return true;
  }
}
