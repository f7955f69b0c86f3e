export type { CallOptions, CloseOptions, GroupMembershipOperation, PollOptions } from "./call-arguments.ts";
export { KafkaConsumer, type OffsetCommitCallback, type OffsetToSeek } from "./consumer.ts";
export type { ConsumerInterceptor } from "./consumer-interceptors.ts";
export type { ConsumerOptions, IsolationLevel } from "./consumer-options.ts";
export {
  CorruptLogError,
  type LogTruncation,
  LogTruncationError,
  NoOffsetForPartitionError,
  OffsetOutOfRangeError,
  type PartitionPosition,
  RecordDeserializationError,
  WakeupError,
} from "./errors.ts";
export type {
  ConsumerDiagnosticsMessages,
  GroupAssignmentMessage,
  GroupHeartbeatMessage,
  MembershipMessage,
} from "./group/group-diagnostics.ts";
export { CommitFailedError, RebalanceInProgressError } from "./group/group-errors.ts";
export type { AssignorName, GroupProtocol } from "./group/group-options.ts";
export type {
  AssignablePartition,
  AssignableTopics,
  ConsumerPartitionAssignor,
  LastAssignment,
  MemberAssignment,
  MemberSubscription,
  RebalanceProtocol,
} from "./group/partition-assignor.ts";
export type {
  AnyPartitionAssignor,
  RawAssignment,
  RawMember,
  RawPartitionAssignor,
} from "./group/raw-partition-assignor.ts";
export type { ConsumerRebalanceListener } from "./group/rebalance-listener.ts";
export { SubscriptionPattern } from "./group/subscription.ts";
export type { CommittedOffset } from "./offsets/committed-offset.ts";
export type { AutoOffsetReset } from "./positions/auto-offset-reset.ts";
export type { ListedTopic } from "./positions/listed-topics.ts";
export type { OffsetAndTimestamp, TimestampQuery } from "./positions/offset-and-timestamp.ts";
export { ConsumerBatch } from "./records/consumer-batch.ts";
export { ConsumerRecord, type ConsumerRecordJson, type RecordChanges } from "./records/consumer-record.ts";
export { ConsumerRecords } from "./records/consumer-records.ts";
