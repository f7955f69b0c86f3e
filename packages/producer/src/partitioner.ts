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

/**
 * Chooses the partition of a record that does not name its own. Asked once for each record, in the order of the calls of
 * `send`.
 *
 * @param topic its partitions by number; those without a leader are among them
 * @returns a partition's number, from 0 up to `topic.partitions.length`
 */
export type PartitionFunction<K = unknown, V = unknown> = (
  record: PartitionerRecord<K, V>,
  topic: TopicSnapshot,
  cluster: ClusterSnapshot,
) => number;

/** Chooses the partitions of records that do not name theirs, where that takes more than a function. */
export interface Partitioner<K = unknown, V = unknown> {
  /** @see PartitionFunction */
  partition(record: PartitionerRecord<K, V>, topic: TopicSnapshot, cluster: ClusterSnapshot): number;
  /**
   * A batch is about to begin in a partition that was chosen. Where this method is there, `partition` is asked once more for the
   * record, so that a partitioner can stay with one partition for as long as a batch has room, and then go to another.
   */
  onNewBatch?(topic: string, cluster: ClusterSnapshot, previousPartition: number): void;
  /** The producer is closed. */
  close?(): void;
}

/** A class of them, of which a producer makes its own. */
export type PartitionerClass<K = unknown, V = unknown> = new () => Partitioner<K, V>;

/** The partitioner that was meant, whichever way it was given. */
export function partitionerOf<K, V>(
  given: Partitioner<K, V> | PartitionFunction<K, V> | PartitionerClass<K, V>,
): Partitioner<K, V> {
  if (isPartitionerClass(given)) return new given();
  return typeof given === "function" ? { partition: given } : given;
}

/** Calling a class, as one calls a function, would fail for each record. */
const isPartitionerClass = <K, V>(
  given: Partitioner<K, V> | PartitionFunction<K, V> | PartitionerClass<K, V>,
): given is PartitionerClass<K, V> => typeof given === "function" && typeof given.prototype?.partition === "function";

/** Where every client of Kafka puts a key: over all partitions, with or without a leader, so that a key never moves. */
export function partitionOfKey(key: Uint8Array | string, partitionCount: number): number {
  return (murmur2(key) & 0x7fff_ffff) % partitionCount;
}
