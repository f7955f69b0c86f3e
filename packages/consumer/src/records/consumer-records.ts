import { type OffsetAndMetadata, partitionText, type TopicPartition } from "@odradek/network";
import type { FetchPosition } from "../positions/partition-state.ts";
import { ConsumerRecord } from "./consumer-record.ts";

/** Which of the records of one poll are of one partition. */
export interface PartitionSpan extends TopicPartition {
  /** Index of its first record, and that behind its last; the same where an interceptor has left out all of them. */
  readonly start: number;
  readonly end: number;
  /** Where the partition goes on; may lie further ahead than the last record, where the log has gaps. */
  readonly next: FetchPosition;
}

/** What to commit once the records of a span are done with. */
export const nextOffset = ({ topic, partition, next }: PartitionSpan): OffsetAndMetadata => ({
  topic,
  partition,
  offset: next.offset,
  leaderEpoch: next.leaderEpoch < 0 ? null : next.leaderEpoch,
  metadata: "",
});

/** What one poll brought: records, by partition and in the order of their offsets. */
export class ConsumerRecords<K = Uint8Array, V = Uint8Array> implements Iterable<ConsumerRecord<K, V>> {
  readonly #records: readonly ConsumerRecord<K, V>[];
  readonly #spans: readonly PartitionSpan[];
  /** By the text of the partition; made when somebody asks for one. */
  #byPartition: ReadonlyMap<string, PartitionSpan> | null = null;

  constructor(records: readonly ConsumerRecord<K, V>[], spans: readonly PartitionSpan[]) {
    this.#records = records;
    this.#spans = spans;
  }

  /** How many records there are; 0 after a poll whose time ran out. */
  get count(): number {
    return this.#records.length;
  }

  get isEmpty(): boolean {
    return this.#records.length === 0;
  }

  /** The partitions that records came from. */
  partitions(): TopicPartition[] {
    const withRecords = this.#spans.filter(({ start, end }) => start < end);
    return withRecords.map(({ topic, partition }) => ({ topic, partition }));
  }

  /** The records of one partition; none where nothing came of it. */
  records(partition: TopicPartition): readonly ConsumerRecord<K, V>[] {
    this.#byPartition ??= new Map(this.#spans.map((span) => [partitionText(span), span]));
    const span = this.#byPartition.get(partitionText(partition));
    return span === undefined ? [] : this.#records.slice(span.start, span.end);
  }

  /** What to commit once all of these records are done with (KIP-1094). */
  nextOffsets(): OffsetAndMetadata[] {
    return this.#spans.map(nextOffset);
  }

  /** Those that `keep` says. Where their partitions go on is the same as before: what is left out counts as one of these records. */
  filter(keep: (record: ConsumerRecord<K, V>) => boolean): ConsumerRecords<K, V> {
    return this.#rebuilt((record) => (keep(record) ? record : null));
  }

  /** What `change` gives for each, such as `record.with({ value })`. @throws TypeError for what is no record of the same place */
  map(change: (record: ConsumerRecord<K, V>) => ConsumerRecord<K, V>): ConsumerRecords<K, V> {
    return this.#rebuilt((record) => {
      const changed = change(record);
      if (isInPlaceOf(record, changed)) return changed;
      throw new TypeError(
        `map gave no record in the place of ${partitionText(record)}@${record.offset}: use record.with()`,
      );
    });
  }

  /** All of them, partition by partition. */
  [Symbol.iterator](): IterableIterator<ConsumerRecord<K, V>> {
    return this.#records.values();
  }

  #rebuilt(pick: (record: ConsumerRecord<K, V>) => ConsumerRecord<K, V> | null): ConsumerRecords<K, V> {
    const records: ConsumerRecord<K, V>[] = [];
    const spans = this.#spans.map((span) => {
      const start = records.length;
      for (const record of this.#records.slice(span.start, span.end)) {
        const picked = pick(record);
        if (picked !== null) records.push(picked);
      }
      return { ...span, start, end: records.length };
    });
    return new ConsumerRecords(records, spans);
  }
}

const isInPlaceOf = <K, V>(before: ConsumerRecord<K, V>, given: ConsumerRecord<K, V>): boolean =>
  given instanceof ConsumerRecord &&
  given.topic === before.topic &&
  given.partition === before.partition &&
  given.offset === before.offset;
