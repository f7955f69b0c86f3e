import { partitionText, type SerdeContext } from "@odradek/network";
import {
  CorruptRecordError,
  DecodeError,
  KafkaError,
  type RecordBatch,
  RecordBatches,
  type RecordView,
} from "@odradek/protocol";
import type { ResolvedConsumerOptions } from "../consumer-options.ts";
import { CorruptLogError } from "../errors.ts";
import type { FetchPosition, PartitionState } from "../positions/partition-state.ts";
import { ConsumerRecord, type RecordOrigin } from "../records/consumer-record.ts";
import { type AbortedTransaction, AbortedTransactions } from "./aborted-transactions.ts";
import type { BackgroundDecompression, DecompressionTally } from "./decompression.ts";

/** What a broker answered about one partition. */
export interface FetchedPartition {
  readonly state: PartitionState;
  /** The position that was asked for. */
  readonly position: FetchPosition;
  readonly records: Buffer;
  readonly abortedTransactions: readonly AbortedTransaction[] | null;
}

type Options<K, V> = Pick<
  ResolvedConsumerOptions<K, V>,
  | "checkCrcs"
  | "maxDecompressedBytes"
  | "codecs"
  | "isolationLevel"
  | "keyDeserializer"
  | "valueDeserializer"
  | "receiveMessageMaxBytes"
>;

/** A batch that is being handed out. */
interface OpenBatch<K, V> {
  readonly batch: RecordBatch;
  readonly origin: RecordOrigin<K, V>;
  readonly views: Iterator<RecordView, undefined>;
  /** Records that have not been looked at yet; infinite where the batch does not tell. */
  left: number;
}

/**
 * The records of one partition in one answer, from the position on that was asked for. Batches are checked,
 * decompressed and walked when it is their turn, so that an answer costs little until somebody wants it.
 */
export class CompletedFetch<K, V> {
  readonly state: PartitionState;
  readonly sizeInBytes: number;
  /** In which the partition was led when this came; `null` where that is not known. */
  readonly leaderEpoch: number | null;
  readonly #options: Options<K, V>;
  readonly #background: BackgroundDecompression;
  readonly #onStalled: () => void;
  /** Where it began: an answer that ends there has led nowhere. */
  readonly #start: FetchPosition;
  readonly #batches: RecordBatches;
  readonly #aborted: AbortedTransactions | null;
  readonly #keyContext: SerdeContext;
  readonly #valueContext: SerdeContext;
  #position: FetchPosition;
  #open: OpenBatch<K, V> | null = null;
  /** Comes next, once it is decompressed and there is room for what it becomes. */
  #upcoming: RecordBatch | null = null;
  #hasBatches = false;
  #isDrained = false;
  #error: unknown = null;

  /** @param onStalled called where nothing in the answer leads on from the position */
  constructor(
    fetched: FetchedPartition,
    options: Options<K, V>,
    background: BackgroundDecompression,
    onStalled: () => void,
  ) {
    this.state = fetched.state;
    this.sizeInBytes = fetched.records.length;
    this.leaderEpoch = fetched.state.log?.leaderEpoch ?? null;
    this.#options = options;
    this.#background = background;
    this.#onStalled = onStalled;
    const { checkCrcs, maxDecompressedBytes, codecs, isolationLevel } = options;
    this.#batches = new RecordBatches(fetched.records, { checkCrcs, maxDecompressedBytes, codecs });
    this.#aborted =
      isolationLevel === "read_committed" ? new AbortedTransactions(fetched.abortedTransactions ?? []) : null;
    const { topic } = fetched.state;
    this.#keyContext = { topic, role: "key" };
    this.#valueContext = { topic, role: "value" };
    this.#start = fetched.position;
    this.#position = fetched.position;
  }

  /** Behind what was taken, or stepped over because nobody gets to see it. */
  get position(): FetchPosition {
    return this.#position;
  }

  /** Whether nothing is left. */
  get isDrained(): boolean {
    return this.#isDrained;
  }

  /**
   * Appends up to `limit` records to `into`; fewer at the end, before a batch that is still being decompressed, and
   * before one that has no room beside what `decompressed` holds.
   *
   * @throws CorruptLogError where the next record cannot be read, at each further call again. Those before it are in `into`.
   */
  take(limit: number, into: ConsumerRecord<K, V>[], decompressed: DecompressionTally): void {
    if (this.#error !== null) throw this.#error;
    try {
      this.#take(limit, into, decompressed);
    } catch (error) {
      this.#error = this.#located(error);
      throw this.#error;
    }
  }

  #take(limit: number, into: ConsumerRecord<K, V>[], decompressed: DecompressionTally): void {
    const end = into.length + limit;
    if (this.#open !== null) decompressed.add(this.#open.batch.decompressedBytes);
    for (;;) {
      const open = this.#open ?? this.#openNext(decompressed);
      if (open === null) return;
      if (into.length >= end && open.left > 0) return;
      this.#takeFrom(open, end, into);
    }
  }

  /** The hot path: a view and a record for each, and a bigint only for those that are skipped and for the last. */
  #takeFrom(open: OpenBatch<K, V>, end: number, into: ConsumerRecord<K, V>[]): void {
    const { batch, origin, views } = open;
    const { offset } = this.#position;
    // The first batch begins before the position where that lies within it.
    let mayPrecede = batch.baseOffset < offset;
    let last: RecordView | null = null;
    try {
      while (into.length < end || open.left === 0) {
        const { done, value: view } = views.next();
        if (done) {
          this.#close(batch);
          return;
        }
        open.left -= 1;
        if (mayPrecede) {
          if (view.offset < offset) continue;
          mayPrecede = false;
        }
        into.push(new ConsumerRecord(origin, view));
        last = view;
      }
    } finally {
      if (last !== null) this.#moveTo(last.offset + 1n, batch);
    }
  }

  /** Opens the next batch that may be seen; `null` at the end, and while it has to wait. */
  #openNext(decompressed: DecompressionTally): OpenBatch<K, V> | null {
    const batch = this.#upcoming ?? this.#nextVisible();
    this.#upcoming = batch;
    if (batch === null) return null;
    if (batch.compression !== "none" && !decompressed.admits(this.#options.maxDecompressedBytes)) return null;
    if (!batch.isReadable) {
      this.#background.start(batch, (error) => {
        this.#error = this.#located(error);
      });
      return null;
    }
    this.#upcoming = null;
    const views = batch[Symbol.iterator]();
    decompressed.add(batch.decompressedBytes);
    this.#open = { batch, origin: this.#origin(batch), views, left: batch.count ?? Number.POSITIVE_INFINITY };
    return this.#open;
  }

  #nextVisible(): RecordBatch | null {
    for (;;) {
      const batch = this.#next();
      if (batch === null) return null;
      const isHidden = this.#aborted === null ? batch.isControl : this.#aborted.hides(batch);
      if (!isHidden && !this.#isPassed(batch)) return batch;
      this.#close(batch);
    }
  }

  /** Whether all of it lies before the position: it need not be decompressed for that. Older formats may not tell. */
  #isPassed({ magic, nextOffset }: RecordBatch): boolean {
    return magic === 2 && nextOffset <= this.#position.offset;
  }

  #origin({ partitionLeaderEpoch: leaderEpoch, timestampType }: RecordBatch): RecordOrigin<K, V> {
    const { topic, partition } = this.state;
    const { keyDeserializer, valueDeserializer } = this.#options;
    return {
      topic,
      partition,
      leaderEpoch,
      timestampType,
      keyDeserializer,
      valueDeserializer,
      keyContext: this.#keyContext,
      valueContext: this.#valueContext,
    };
  }

  #next(): RecordBatch | null {
    if (this.#isDrained) return null;
    const { done, value } = this.#batches.next();
    if (!done) {
      this.#hasBatches = true;
      return value;
    }
    this.#isDrained = true;
    if (!this.#hasBatches) this.#askForMore();
    if (this.#position === this.#start) this.#onStalled();
    return null;
  }

  /** The next batch alone is larger than what was asked for, and the broker has cut it short. */
  #askForMore(): void {
    const { firstBatchBytes } = this.#batches;
    const { receiveMessageMaxBytes } = this.#options;
    if (firstBatchBytes === null || firstBatchBytes <= receiveMessageMaxBytes) {
      this.state.needs(firstBatchBytes ?? this.sizeInBytes * 2);
      return;
    }
    const place = `${partitionText(this.state)} at offset ${this.#position.offset}`;
    throw new KafkaError(
      `the record batch of ${place} has ${firstBatchBytes} bytes: raise receiveMessageMaxBytes (${receiveMessageMaxBytes})`,
      { code: "MESSAGE_TOO_LARGE" },
    );
  }

  #close(batch: RecordBatch): void {
    this.#open = null;
    this.#moveTo(batch.nextOffset, batch);
  }

  /** Never back: what a batch says of itself must not have records come twice. */
  #moveTo(offset: bigint, { partitionLeaderEpoch: leaderEpoch }: RecordBatch): void {
    if (offset > this.#position.offset) this.#position = { offset, leaderEpoch };
  }

  /** What is wrong with the bytes, with their place; anything else, such as a library that is not there, as it is. */
  #located(error: unknown): unknown {
    if (!(error instanceof CorruptRecordError || error instanceof DecodeError)) return error;
    const { topic, partition } = this.state;
    const { offset } = this.#position;
    const nextOffset = error instanceof CorruptRecordError ? error.nextOffset : offset + 1n;
    return new CorruptLogError({ topic, partition, offset }, nextOffset > offset ? nextOffset : offset + 1n, error);
  }
}
