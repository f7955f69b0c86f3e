import type { ConsumerRecord, OffsetToCommit, TopicPartition } from "odradek";

interface Worker {
  /** Settled when all that was added is done with. */
  chain: Promise<void>;
  waiting: number;
  /** Behind the last record that is done with. */
  done: OffsetToCommit | null;
}

/** Handles the records of each partition one after the other, and those of different partitions side by side. */
export class PartitionWorkers<K, V> {
  readonly #handle: (record: ConsumerRecord<K, V>) => Promise<void>;
  readonly #workers = new Map<string, Worker>();
  readonly #failure = new AbortController();

  constructor(handle: (record: ConsumerRecord<K, V>) => Promise<void>) {
    this.#handle = handle;
  }

  /** Aborted with the error of a record that could not be handled: nothing is begun any more. */
  get failed(): AbortSignal {
    return this.#failure.signal;
  }

  add(record: ConsumerRecord<K, V>): void {
    const key = keyOf(record);
    const worker = this.#workers.get(key) ?? { chain: Promise.resolve(), waiting: 0, done: null };
    this.#workers.set(key, worker);
    worker.waiting += 1;
    worker.chain = worker.chain.then(async () => {
      if (this.failed.aborted || this.#workers.get(key) !== worker) return;
      try {
        await this.#handle(record);
        worker.done = { topic: record.topic, partition: record.partition, offset: record.offset + 1n };
        worker.waiting -= 1;
      } catch (error) {
        this.#failure.abort(error);
      }
    });
  }

  /** How many records of a partition are not done with. */
  waiting(partition: TopicPartition): number {
    return this.#workers.get(keyOf(partition))?.waiting ?? 0;
  }

  /** What to commit of these partitions. */
  done(partitions: readonly TopicPartition[]): OffsetToCommit[] {
    return partitions.flatMap((partition) => this.#workers.get(keyOf(partition))?.done ?? []);
  }

  async finish(partitions: readonly TopicPartition[]): Promise<void> {
    await Promise.all(partitions.flatMap((partition) => this.#workers.get(keyOf(partition))?.chain ?? []));
  }

  /** Does not begin what still waits of these partitions. */
  forget(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#workers.delete(keyOf(partition));
  }
}

const keyOf = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;
