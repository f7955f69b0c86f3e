export type { Acl, AclEntry, AclFilter, AclResource } from "./admin/acl-entry.ts";
export type {
  DeleteAclFilterResponses,
  DeleteAclResponse,
  DescribeAclResource,
  DescribeAclResponse,
  MatchingAcl,
} from "./admin/acls.ts";
export type { Admin, AdminConfig } from "./admin/admin.ts";
export type { AdminEvents } from "./admin/admin-events.ts";
export type {
  ConfigEntries,
  ConfigSynonyms,
  DescribeConfigResponse,
  IResourceConfig,
  ResourceConfigQuery,
} from "./admin/configs.ts";
export type {
  ConsumerGroupState,
  GroupDescription,
  GroupDescriptions,
  MemberDescription,
} from "./admin/group-descriptions.ts";
export type { FetchOffsetsPartition } from "./admin/group-offsets.ts";
export type { DeleteGroupsResult, GroupOverview } from "./admin/groups.ts";
export type { IResourceConfigEntry, ITopicConfig, ReplicaAssignment } from "./admin/new-topic.ts";
export type { ITopicPartitionConfig } from "./admin/partitions.ts";
export type {
  ListPartitionReassignmentsResponse,
  OngoingPartitionReassignment,
  OngoingTopicReassignment,
  PartitionReassignment,
} from "./admin/reassignments.ts";
export type { ITopicMetadata } from "./admin/topic-metadata.ts";
export type { SeekEntry } from "./admin/topic-offsets.ts";
export {
  AssignerProtocol,
  type Assignment,
  type ISerializer,
  type MemberAssignment,
  type MemberMetadata,
} from "./assigner-protocol.ts";
export type { BrokersFunction } from "./client/brokers.ts";
export type {
  ConnectEvent,
  DisconnectEvent,
  InstrumentationEvent,
  RemoveInstrumentationEventListener,
  RequestEvent,
  RequestQueueSizeEvent,
  RequestTimeoutEvent,
} from "./client/instrumentation.ts";
export type { KafkaConfig } from "./client/kafka-config.ts";
export type {
  AuthenticationProviderArgs,
  Authenticator,
  Mechanism,
  OauthbearerProviderResponse,
  SASLMechanism,
  SASLOptions,
  SaslAuthenticateArgs,
} from "./client/sasl.ts";
export type { ISocketFactory, ISocketFactoryArgs } from "./client/socket-factory.ts";
export { CompressionCodecs } from "./compression/compression-codecs.ts";
export {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  CompressionTypes,
  ConfigResourceTypes,
  ConfigSource,
  ResourcePatternTypes,
} from "./constants.ts";
export type { Cluster } from "./consumer/assigner-cluster.ts";
export type { Batch } from "./consumer/batch.ts";
export type { Consumer } from "./consumer/consumer.ts";
export type {
  TopicPartition,
  TopicPartitionOffset,
  TopicPartitionOffsetAndMetadata,
} from "./consumer/consumer-arguments.ts";
export type { ConsumerConfig } from "./consumer/consumer-config.ts";
export type {
  ConsumerCommitOffsetsEvent,
  ConsumerCrashEvent,
  ConsumerEndBatchProcessEvent,
  ConsumerEvents,
  ConsumerFetchEvent,
  ConsumerFetchStartEvent,
  ConsumerGroupJoinEvent,
  ConsumerHeartbeatEvent,
  ConsumerRebalancingEvent,
  ConsumerReceivedUnsubcribedTopicsEvent,
  ConsumerStartBatchProcessEvent,
  IMemberAssignment,
} from "./consumer/consumer-events.ts";
export type { KafkaMessage } from "./consumer/kafka-message.ts";
export type {
  Assigner,
  GroupMember,
  GroupMemberAssignment,
  GroupState,
  PartitionAssigner,
} from "./consumer/partition-assigner.ts";
export type { TopicPartitions } from "./consumer/pauses.ts";
export { PartitionAssigners } from "./consumer/round-robin-assigner.ts";
export type {
  ConsumerEachBatchPayload,
  ConsumerEachMessagePayload,
  ConsumerRunConfig,
  EachBatchHandler,
  EachBatchPayload,
  EachMessageHandler,
  EachMessagePayload,
} from "./consumer/run-config.ts";
export type { ConsumerSubscribeTopic, ConsumerSubscribeTopics } from "./consumer/subscribed-topics.ts";
export {
  KafkaJSBrokerNotFound,
  KafkaJSConnectionClosedError,
  type KafkaJSConnectionClosedErrorMetadata,
  KafkaJSConnectionError,
  type KafkaJSConnectionErrorMetadata,
  KafkaJSNoBrokerAvailableError,
  KafkaJSRequestTimeoutError,
  type KafkaJSRequestTimeoutErrorMetadata,
  KafkaJSSASLAuthenticationError,
  KafkaJSServerDoesNotSupportApiKey,
  type KafkaJSServerDoesNotSupportApiKeyMetadata,
} from "./errors/connection-errors.ts";
export {
  KafkaJSAggregateError,
  KafkaJSError,
  type KafkaJSErrorMetadata,
  KafkaJSInvalidLongError,
  KafkaJSInvalidVarIntError,
  KafkaJSInvariantViolation,
  KafkaJSLockTimeout,
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
  KafkaJSNumberOfRetriesExceeded,
  type KafkaJSNumberOfRetriesExceededMetadata,
  KafkaJSProtocolError,
  KafkaJSTimeout,
} from "./errors/errors.ts";
export {
  KafkaJSDeleteGroupsError,
  type KafkaJSDeleteGroupsErrorGroups,
  KafkaJSFetcherRebalanceError,
  KafkaJSGroupCoordinatorNotFound,
  KafkaJSMemberIdRequired,
} from "./errors/group-errors.ts";
export {
  KafkaJSAlterPartitionReassignmentsError,
  KafkaJSCreateTopicError,
  KafkaJSDeleteTopicRecordsError,
  type KafkaJSDeleteTopicRecordsErrorPartition,
  type KafkaJSDeleteTopicRecordsErrorTopic,
  KafkaJSMetadataNotLoaded,
  KafkaJSOffsetOutOfRange,
  type KafkaJSOffsetOutOfRangeMetadata,
  KafkaJSPartialMessageError,
  KafkaJSStaleTopicMetadataAssignment,
  type KafkaJSStaleTopicMetadataAssignmentMetadata,
  KafkaJSTopicMetadataNotLoaded,
  type KafkaJSTopicMetadataNotLoadedMetadata,
  KafkaJSUnsupportedMagicByteInMessageSet,
} from "./errors/topic-errors.ts";
export type { ApiVersions, Broker, BrokerMetadata, ConsumerGroup, CoordinatorMetadata } from "./internals.ts";
export { Client as Kafka } from "./kafka.ts";
export { logLevel } from "./log-level.ts";
export type { LogEntry, Logger, LoggerEntryContent, logCreator } from "./logger.ts";
export type {
  DefaultPartitioner,
  ICustomPartitioner,
  LegacyPartitioner,
  PartitionerArgs,
  PartitionMetadata,
} from "./partitioners/partitioner.ts";
export { Partitioners } from "./partitioners/partitioners.ts";
export type { IHeaders, Message, ProducerBatch, ProducerRecord, TopicMessages } from "./producer/message.ts";
export type { Producer, ProducerEvents } from "./producer/producer.ts";
export type { ProducerConfig } from "./producer/producer-config.ts";
export type { RecordMetadata } from "./producer/record-metadata.ts";
export type {
  Offsets,
  OffsetsByTopicPartition,
  PartitionOffset,
  TopicOffsets,
  Transaction,
} from "./producer/transactions.ts";
export type { RetryOptions } from "./retry-options.ts";
