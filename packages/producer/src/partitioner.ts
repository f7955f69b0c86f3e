import type { ClusterSnapshot, Encoded, TopicSnapshot } from "@odradek/network";
import { murmur2 } from "./murmur2.ts";

/** What a partitioner may look at. */
export interface PartitionerRecord<K = unknown, V = unknown> {
  readonly topic: string;
  readonly key: K | null;
  readonly value: V | null;
  /** The key as it goes onto the wire. */
  readonly keyBytes: Encoded;
  /** The value as it goes onto the wire. */
  readonly valueBytes: Encoded;
}

/** Chooses the partitions of records that do not name theirs. */
export interface Partitioner<K = unknown, V = unknown> {
  /**
   * @param topic its partitions by number; those without a leader are among them
   * @returns a partition's number, from 0 up to `topic.partitions.length`
   */
  partition(record: PartitionerRecord<K, V>, topic: TopicSnapshot, cluster: ClusterSnapshot): number;
}

/** Where every client of Kafka puts a key: over all partitions, with or without a leader, so that a key never moves. */
export function partitionOfKey(key: Uint8Array | string, partitionCount: number): number {
  return (murmur2(key) & 0x7fff_ffff) % partitionCount;
}

/**
 * Where records of one topic go that have no key: to one partition until about a batch is full, then to another, so
 * that batches are large and the partitions even over time. Source: Kafka's `BuiltInPartitioner`, KIP-794, in its
 * uniform form.
 */
export class StickyPartitioner {
  readonly #stickyBatchBytes: number;
  readonly #random: () => number;
  #partition = -1;
  /** What went to the partition since it was chosen. */
  #producedBytes = 0;

  /**
   * @param stickyBatchBytes bytes after which another partition is chosen
   * @param random a number from 0 up to 1
   */
  constructor(stickyBatchBytes: number, random: () => number) {
    this.#stickyBatchBytes = stickyBatchBytes;
    this.#random = random;
  }

  /** The partition that records go to for now. */
  current(topic: TopicSnapshot): number {
    if (this.#partition < 0 || this.#partition >= topic.partitions.length) this.#choose(topic);
    return this.#partition;
  }

  /**
   * Counts what went to the current partition.
   *
   * @param isBatchFull whether its batch takes no more. A switch waits for that, up to twice the bytes: with half a
   *   batch left behind at each switch, every partition would have a small batch waiting.
   */
  produced(bytes: number, isBatchFull: boolean, topic: TopicSnapshot): void {
    this.#producedBytes += bytes;
    if (this.#producedBytes < this.#stickyBatchBytes) return;
    if (isBatchFull || this.#producedBytes >= 2 * this.#stickyBatchBytes) this.#choose(topic);
  }

  /** At random among the partitions that have a leader, where there are any. */
  #choose({ partitions }: TopicSnapshot): void {
    const available = partitions.filter(({ leaderId }) => leaderId !== null);
    const candidates = available.length > 0 ? available : partitions;
    this.#partition = candidates[Math.floor(this.#random() * candidates.length)]?.partition ?? 0;
    this.#producedBytes = 0;
  }
}
