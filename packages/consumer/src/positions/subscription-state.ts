import { byTopicAndNumber, partitionText, StateError, type TopicPartition } from "@odradek/network";
import { PartitionState } from "./partition-state.ts";

/**
 * Which partitions the consumer reads, and where each of them is. No I/O.
 * Source: Kafka's `SubscriptionState`.
 */
export class SubscriptionState {
  /** In the order in which they are asked for. */
  readonly #partitions = new Map<string, PartitionState>();
  #changes = 0;

  /** Reads exactly these from now on. A partition that stays keeps its position, and whether it is paused. */
  assign(partitions: readonly TopicPartition[]): void {
    this.#changes += 1;
    const wanted = new Map(partitions.map((partition) => [partitionText(partition), partition]));
    for (const key of this.#partitions.keys()) if (!wanted.has(key)) this.#partitions.delete(key);
    for (const [key, partition] of wanted) {
      if (!this.#partitions.has(key)) this.#partitions.set(key, new PartitionState(partition));
    }
  }

  get size(): number {
    return this.#partitions.size;
  }

  get topics(): ReadonlySet<string> {
    return new Set([...this.#partitions.values()].map(({ topic }) => topic));
  }

  /** All that are assigned, in the order of topics and numbers. */
  toArray(): TopicPartition[] {
    return [...this.partitions()].map(({ topic, partition }) => ({ topic, partition })).sort(byTopicAndNumber);
  }

  /** Another number whenever something was assigned or given up. */
  get changes(): number {
    return this.#changes;
  }

  /** All that are assigned, in the order in which they are asked for. */
  partitions(): IterableIterator<PartitionState> {
    return this.#partitions.values();
  }

  /** `undefined` where it is not assigned. */
  find(partition: TopicPartition): PartitionState | undefined {
    return this.#partitions.get(partitionText(partition));
  }

  /** @throws StateError where it is not assigned */
  get(partition: TopicPartition): PartitionState {
    const found = this.find(partition);
    if (found !== undefined) return found;
    throw new StateError(`${partitionText(partition)} is not assigned to this consumer: assign it first`);
  }

  /** Whether this very assignment is still in force; one that was given up and came back is another. */
  has(partition: PartitionState): boolean {
    return this.#partitions.get(partition.key) === partition;
  }

  /** Puts a partition that had its turn behind the others, so that a busy one does not starve them. */
  moveToEnd(partition: PartitionState): void {
    const { key } = partition;
    if (this.#partitions.delete(key)) this.#partitions.set(key, partition);
  }
}
