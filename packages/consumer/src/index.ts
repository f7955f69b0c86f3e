export type { AutoOffsetReset } from "./auto-offset-reset.ts";
export type { CallOptions, CloseOptions, PollOptions } from "./call-arguments.ts";
export { KafkaConsumer } from "./consumer.ts";
export type { ConsumerOptions, IsolationLevel } from "./consumer-options.ts";
export { ConsumerRecord, type ConsumerRecordJson } from "./consumer-record.ts";
export { ConsumerRecords, type OffsetAndMetadata } from "./consumer-records.ts";
export {
  CorruptLogError,
  NoOffsetForPartitionError,
  OffsetOutOfRangeError,
  type PartitionPosition,
  RecordDeserializationError,
  WakeupError,
} from "./errors.ts";
export type { OffsetAndTimestamp, TimestampQuery } from "./offset-and-timestamp.ts";
