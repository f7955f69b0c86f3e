import { partitionText, type TopicPartition } from "@odradek/network";

/** The partitions of a transaction: those that are in it, and those that its coordinator has to be told of first. */
export class TransactionPartitions {
  readonly #added = new Set<string>();
  readonly #waiting = new Map<string, TopicPartition>();

  has(partition: TopicPartition): boolean {
    return this.#added.has(partitionText(partition));
  }

  get waiting(): readonly TopicPartition[] {
    return [...this.#waiting.values()];
  }

  get areWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  waitFor({ topic, partition }: TopicPartition): void {
    this.#waiting.set(partitionText({ topic, partition }), { topic, partition });
  }

  /** The coordinator knows of them, or need not be told. */
  add(partition: TopicPartition): void {
    const key = partitionText(partition);
    this.#added.add(key);
    this.#waiting.delete(key);
  }

  /** Has none wait any more. */
  forgetWaiting(): void {
    this.#waiting.clear();
  }

  /** For another transaction. */
  clear(): void {
    this.#added.clear();
  }
}
