/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** The usual text of a partition, `orders-3`: for messages and as a key. */
export const partitionText = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;

/** Sorts by topic, then by number. */
export const byTopicAndNumber = (one: TopicPartition, other: TopicPartition): number =>
  one.topic === other.topic ? one.partition - other.partition : one.topic < other.topic ? -1 : 1;

/** A header of a record: keys may repeat, a value may be null. */
export interface Header {
  readonly key: string;
  readonly value: Uint8Array | string | null;
}
