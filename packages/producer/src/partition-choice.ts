import type { Logger, Metadata, TopicSnapshot } from "@odradek/network";
import { type Partitioner, partitionOfKey } from "./partitioner.ts";
import type { SerializedRecord } from "./producer-record.ts";
import { isCount, unusable } from "./unusable.ts";

/** Which partitions records go to that do not name theirs. */
export class PartitionChoice<K, V> {
  /** `null` for the keys, and the sticky partition of the topic. */
  readonly #partitioner: Partitioner<K, V> | null;
  readonly #isIgnoringKeys: boolean;
  readonly #metadata: Metadata;

  constructor(
    options: { readonly partitioner: Partitioner<K, V> | null; readonly partitionerIgnoreKeys: boolean },
    metadata: Metadata,
  ) {
    this.#partitioner = options.partitioner;
    this.#isIgnoringKeys = options.partitionerIgnoreKeys;
    this.#metadata = metadata;
  }

  /** Made once for each record, also where it has to wait: a partitioner may go round. @returns whether it was made now */
  choose(record: SerializedRecord<K, V>, topic: TopicSnapshot): boolean {
    if (record.partition !== undefined) return false;
    record.partition = this.#partitionOf(record, topic);
    return true;
  }

  /**
   * Tells a partitioner that wants to know that a batch is about to begin for its record, and asks it again.
   *
   * @returns false where nobody wants to know
   */
  chooseForNewBatch(record: SerializedRecord<K, V>, topic: TopicSnapshot): boolean {
    if (this.#partitioner?.onNewBatch === undefined) return false;
    this.#partitioner.onNewBatch(topic.name, this.#metadata.snapshot, record.partition ?? 0);
    record.partition = this.#partitionOf(record, topic);
    return true;
  }

  close(logger: Logger): void {
    try {
      this.#partitioner?.close?.();
    } catch (error) {
      logger.warn(`the partitioner could not be closed: ${String(error)}`);
    }
  }

  /** @returns `null` for the sticky partition of the topic */
  #partitionOf({ source, key, value }: SerializedRecord<K, V>, topic: TopicSnapshot): number | null {
    if (this.#partitioner !== null) {
      const record = {
        topic: topic.name,
        key: source.key ?? null,
        value: source.value ?? null,
        keyBytes: key,
        valueBytes: value,
      };
      const partition = this.#partitioner.partition(record, topic, this.#metadata.snapshot);
      const partitionCount = topic.partitions.length;
      if (isCount(partition) && partition < partitionCount) return partition;
      throw unusable(
        "partitioner's choice",
        partition,
        `a partition of topic ${topic.name}, 0 to ${partitionCount - 1},`,
      );
    }
    if (key === null || this.#isIgnoringKeys) return null;
    return partitionOfKey(key, topic.partitions.length);
  }
}
