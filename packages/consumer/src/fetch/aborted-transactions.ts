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
  /** By their first offset. */
  readonly #transactions: readonly AbortedTransaction[];
  /** How many were reached. The list is not shortened: taking the first of a million away moves all others. */
  #reached = 0;
  /** Producers that are within an aborted transaction at the place that was reached. */
  readonly #aborted = new Set<bigint>();

  constructor(transactions: readonly AbortedTransaction[]) {
    this.#transactions = [...transactions].sort((a, b) => Number(a.firstOffset - b.firstOffset));
  }

  /** Whether the records of the next batch must not be seen. @throws CorruptRecordError for a marker that makes no sense */
  hides(batch: RecordBatch): boolean {
    const { lastOffset } = batch;
    let next = this.#transactions[this.#reached];
    while (next !== undefined && next.firstOffset <= lastOffset) {
      this.#aborted.add(next.producerId);
      this.#reached += 1;
      next = this.#transactions[this.#reached];
    }
    if (!batch.isControl) return batch.isTransactional && this.#aborted.has(batch.producerId);
    if (batch.controlType === "abort") this.#aborted.delete(batch.producerId);
    return true;
  }
}
