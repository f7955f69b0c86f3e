import type { TopicPartition } from "@odradek/network";

/**
 * Who leads which partition, as far as calls have come upon it. Whoever does not lead any more says so, or is not there, and is
 * forgotten then. Source: Kafka's `PartitionLeaderCache`.
 */
export class PartitionLeaders {
  /** Broker ids by number of the partition, by topic. */
  readonly #topics = new Map<string, Map<number, number>>();

  /** @returns `null` where it is not known */
  of({ topic, partition }: TopicPartition): number | null {
    return this.#topics.get(topic)?.get(partition) ?? null;
  }

  learn({ topic, partition }: TopicPartition, leaderId: number): void {
    const known = this.#topics.get(topic);
    if (known === undefined) this.#topics.set(topic, new Map([[partition, leaderId]]));
    else known.set(partition, leaderId);
  }

  forget({ topic, partition }: TopicPartition): void {
    const known = this.#topics.get(topic);
    known?.delete(partition);
    if (known?.size === 0) this.#topics.delete(topic);
  }
}
