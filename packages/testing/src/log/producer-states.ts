import { AppendError, type LogBatch } from "./log-batch.ts";

/** How many batches of a producer a partition remembers, so that one that comes again is known. */
const rememberedBatches = 5;

const maxSequence = 0x7fff_ffff;

interface RememberedBatch {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly baseOffset: bigint;
  readonly timestamp: number;
}

interface ProducerEntry {
  readonly producerId: bigint;
  epoch: number;
  /** The latest comes last. */
  batches: RememberedBatch[];
  lastTimestamp: number;
  coordinatorEpoch: number;
  /** Where the open transaction begins; `null` without one. */
  currentTxnFirstOffset: bigint | null;
}

/** What is checked of a batch before it has an offset. */
export interface ProducedSequence {
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
  readonly isTransactional: boolean;
}

/** A transaction that was aborted, by which a reader knows what to leave out. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
  /** Of the marker. */
  readonly lastOffset: bigint;
}

/** What DescribeProducers tells of a producer. */
export type ProducerDescription = Readonly<
  Omit<ProducerEntry, "batches"> & {
    /** -1 before the first batch of its epoch. */
    lastSequence: number;
  }
>;

const lastOf = (first: number, count: number): number => {
  const last = first + count - 1;
  return last > maxSequence ? last - maxSequence - 1 : last;
};

/**
 * Who wrote to a partition, and how far each has come: idempotence and transactions are decided here.
 *
 * @see ProducerStateManager, ProducerAppendInfo (apache/kafka)
 */
export class ProducerStates {
  readonly #entries = new Map<bigint, ProducerEntry>();
  /** Those in a transaction, in the order in which it began: the first has the lowest offset. */
  readonly #ongoing = new Set<ProducerEntry>();
  #aborted: AbortedTransaction[] = [];

  /** The batch that this one repeats; `null` for news. */
  duplicateOf(batch: ProducedSequence): { readonly baseOffset: bigint; readonly timestamp: number } | null {
    const entry = this.#entries.get(batch.producerId);
    if (entry === undefined || entry.epoch !== batch.producerEpoch) return null;
    const last = lastOf(batch.baseSequence, batch.recordCount);
    const isSame = (known: RememberedBatch) =>
      known.firstSequence === batch.baseSequence && known.lastSequence === last;
    return entry.batches.find(isSame) ?? null;
  }

  /** @throws AppendError where the batch is not the producer's next */
  check(batch: ProducedSequence): void {
    const { producerId, producerEpoch, baseSequence } = batch;
    const entry = this.#entries.get(producerId);
    if (entry === undefined) return;
    this.checkEpoch(producerId, producerEpoch);
    const about = `producer ${producerId}: ${baseSequence} (incoming seq. number)`;
    if (producerEpoch !== entry.epoch) {
      if (baseSequence !== 0) {
        throw new AppendError("OUT_OF_ORDER_SEQUENCE_NUMBER", `Invalid sequence number for new epoch of ${about}`);
      }
    } else {
      const lastSequence = entry.batches.at(-1)?.lastSequence ?? -1;
      const isNext = baseSequence === lastSequence + 1 || (baseSequence === 0 && lastSequence === maxSequence);
      if (!isNext) {
        const known = `${lastSequence} (current end sequence number)`;
        throw new AppendError("OUT_OF_ORDER_SEQUENCE_NUMBER", `Out of order sequence number for ${about}, ${known}`);
      }
    }
    if (entry.currentTxnFirstOffset !== null && !batch.isTransactional) {
      throw new AppendError("INVALID_TXN_STATE", `Expected transactional write from producer ${producerId}`);
    }
  }

  /** @throws AppendError for an epoch that has been replaced */
  checkEpoch(producerId: bigint, producerEpoch: number): void {
    const known = this.#entries.get(producerId)?.epoch ?? -1;
    if (producerEpoch >= known) return;
    const reason = `${producerEpoch}, which is smaller than the last seen epoch ${known}`;
    throw new AppendError("INVALID_PRODUCER_EPOCH", `Epoch of producer ${producerId} is ${reason}`);
  }

  /** Whether a transaction of the producer is open in this partition, in this epoch. */
  isInTransaction(producerId: bigint, producerEpoch: number): boolean {
    const entry = this.#entries.get(producerId);
    return entry !== undefined && entry.currentTxnFirstOffset !== null && entry.epoch === producerEpoch;
  }

  /** Takes note of a batch that is in the log now. */
  update(batch: LogBatch): void {
    if (batch.producerId < 0n) return;
    const entry = this.#entryOf(batch);
    entry.lastTimestamp = batch.maxTimestamp;
    if (batch.producerEpoch !== entry.epoch) {
      entry.epoch = batch.producerEpoch;
      entry.batches = [];
    }
    if (batch.marker === null) this.#onRecords(entry, batch);
    else this.#onMarker(entry, batch, batch.marker.type, batch.marker.coordinatorEpoch);
  }

  /** The first offset that belongs to an open transaction; `null` where none is open. */
  firstUnstableOffset(): bigint | null {
    const [first] = this.#ongoing;
    return first?.currentTxnFirstOffset ?? null;
  }

  /** The aborted transactions that have records from `from` on and below `to`. */
  abortedBetween(from: bigint, to: bigint): AbortedTransaction[] {
    return this.#aborted.filter(({ firstOffset, lastOffset }) => lastOffset >= from && firstOffset < to);
  }

  /** Forgets the aborted transactions of which nothing is left. */
  forgetBelow(logStartOffset: bigint): void {
    if (this.#aborted.length === 0) return;
    this.#aborted = this.#aborted.filter(({ lastOffset }) => lastOffset >= logStartOffset);
  }

  /** The producers that wrote, in the order in which they came. */
  active(): ProducerDescription[] {
    return [...this.#entries.values()].map(({ batches, ...entry }) => ({
      ...entry,
      lastSequence: batches.at(-1)?.lastSequence ?? -1,
    }));
  }

  #entryOf({ producerId, producerEpoch }: LogBatch): ProducerEntry {
    const known = this.#entries.get(producerId);
    if (known !== undefined) return known;
    const entry: ProducerEntry = {
      producerId,
      epoch: producerEpoch,
      batches: [],
      lastTimestamp: -1,
      coordinatorEpoch: -1,
      currentTxnFirstOffset: null,
    };
    this.#entries.set(producerId, entry);
    return entry;
  }

  #onRecords(entry: ProducerEntry, batch: LogBatch): void {
    entry.batches.push({
      firstSequence: batch.baseSequence,
      // Compaction takes records, and leaves the numbers that they had.
      lastSequence: lastOf(batch.baseSequence, Number(batch.lastOffset - batch.baseOffset) + 1),
      baseOffset: batch.baseOffset,
      timestamp: batch.maxTimestamp,
    });
    if (entry.batches.length > rememberedBatches) entry.batches.shift();
    if (!batch.isTransactional) return;
    entry.currentTxnFirstOffset ??= batch.baseOffset;
    this.#ongoing.add(entry);
  }

  #onMarker(entry: ProducerEntry, batch: LogBatch, type: "commit" | "abort", coordinatorEpoch: number): void {
    entry.coordinatorEpoch = coordinatorEpoch;
    const firstOffset = entry.currentTxnFirstOffset;
    entry.currentTxnFirstOffset = null;
    this.#ongoing.delete(entry);
    if (type === "abort" && firstOffset !== null) {
      this.#aborted.push({ producerId: entry.producerId, firstOffset, lastOffset: batch.baseOffset });
    }
  }
}
