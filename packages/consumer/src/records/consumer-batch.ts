import type { OffsetAndMetadata, TopicPartition } from "@odradek/network";
import type { ConsumerRecord } from "./consumer-record.ts";
import { nextOffset, type PartitionSpan } from "./consumer-records.ts";

/** Records of one partition that came together, in the order of their offsets; at least one. */
export class ConsumerBatch<K = Uint8Array, V = Uint8Array> implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly ConsumerRecord<K, V>[];
  /** What to commit once all of them are done with. */
  readonly nextOffset: OffsetAndMetadata;

  constructor(records: readonly ConsumerRecord<K, V>[], span: PartitionSpan) {
    this.topic = span.topic;
    this.partition = span.partition;
    this.records = records.slice(span.start, span.end);
    this.nextOffset = nextOffset(span);
  }
}
