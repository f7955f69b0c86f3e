/** One partition of one topic. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** The usual text of a partition, `orders-3`: for messages and as a key. */
export const partitionText = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;

/** A header of a record: keys may repeat, a value may be null. */
export interface Header {
  readonly key: string;
  readonly value: Uint8Array | string | null;
}
