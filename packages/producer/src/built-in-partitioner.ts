import type { PartitionSnapshot, TopicSnapshot } from "@odradek/network";

/** What is known of the load of one topic's partitions at the moment of the question. */
export interface PartitionLoads {
  /** Batches that wait in a partition, `null` where nothing was sent to it yet. */
  queueSize(partition: number): number | null;
  /** Whether a broker takes what it is to be sent. */
  isAvailable(brokerId: number): boolean;
}

/**
 * Where records of one topic go that have no key: to one partition until about a batch is full, then to another, so
 * that batches are large and the partitions even over time. Where partitions fill faster than their brokers take, those
 * that are behind are chosen less often. Source: Kafka's `BuiltInPartitioner`, KIP-794.
 */
export class BuiltInPartitioner {
  readonly #stickyBatchBytes: number;
  readonly #loads: PartitionLoads | null;
  readonly #random: () => number;
  #partition = -1;
  /** What went to the partition since it was chosen. */
  #producedBytes = 0;

  /**
   * @param stickyBatchBytes bytes after which another partition is chosen
   * @param loads `null` for choosing evenly, whatever the load
   * @param random a number from 0 up to 1
   */
  constructor(stickyBatchBytes: number, loads: PartitionLoads | null, random: () => number) {
    this.#stickyBatchBytes = stickyBatchBytes;
    this.#loads = loads;
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

  #choose({ partitions }: TopicSnapshot): void {
    this.#partition = this.#byLoad(partitions) ?? this.#evenly(partitions);
    this.#producedBytes = 0;
  }

  /** At random among the partitions that have a leader, where there are any. */
  #evenly(partitions: readonly PartitionSnapshot[]): number {
    const led = partitions.filter(({ leaderId }) => leaderId !== null);
    const candidates = led.length > 0 ? led : partitions;
    return candidates[Math.floor(this.#random() * candidates.length)]?.partition ?? 0;
  }

  /**
   * At random, by weights that follow from what waits in each partition.
   *
   * Looked at when a partition is chosen, about once a batch; Java does so whenever its sender looks for what is ready.
   *
   * @returns `null` where weights would tell nothing: all are the same, or something is not known yet
   */
  #byLoad(partitions: readonly PartitionSnapshot[]): number | null {
    const loads = this.#loads;
    if (loads === null || partitions.length < 2) return null;
    const chosenFrom: number[] = [];
    const queueSizes: number[] = [];
    for (const { partition, leaderId } of partitions) {
      const queueSize = loads.queueSize(partition);
      if (queueSize === null) return null;
      if (leaderId === null || !loads.isAvailable(leaderId)) continue;
      chosenFrom.push(partition);
      queueSizes.push(queueSize);
    }
    const isEven = queueSizes.every((size) => size === queueSizes[0]);
    if (chosenFrom.length === 0 || (isEven && chosenFrom.length === partitions.length)) return null;
    const ends = cumulativeWeights(queueSizes);
    const at = Math.floor(this.#random() * (ends.at(-1) ?? 0));
    return chosenFrom[ends.findIndex((end) => at < end)] ?? null;
  }
}

/**
 * Weights that fall as queues grow, added up: a partition is chosen by a number below its own sum, and not below the one
 * before. Queues of 0, 3 and 1 batches weigh 4, 1 and 3; their sums are 4, 5 and 8.
 */
export function cumulativeWeights(queueSizes: readonly number[]): number[] {
  const longest = queueSizes.reduce((most, size) => Math.max(most, size), 0);
  let sum = 0;
  return queueSizes.map((size) => {
    sum += longest + 1 - size;
    return sum;
  });
}
