import type * as original from "kafkajs";
import type * as ours from "../../types/index.d.ts";

/** Every type that kafkajs exports, and ours of that name; of a class or an enum also what its constructor or value is. */
interface Types {
  Acl: [original.Acl, ours.Acl];
  AclEntry: [original.AclEntry, ours.AclEntry];
  AclFilter: [original.AclFilter, ours.AclFilter];
  AclOperationTypes: [original.AclOperationTypes, ours.AclOperationTypes];
  "typeof AclOperationTypes": [typeof original.AclOperationTypes, typeof ours.AclOperationTypes];
  AclPermissionTypes: [original.AclPermissionTypes, ours.AclPermissionTypes];
  "typeof AclPermissionTypes": [typeof original.AclPermissionTypes, typeof ours.AclPermissionTypes];
  AclResource: [original.AclResource, ours.AclResource];
  AclResourceTypes: [original.AclResourceTypes, ours.AclResourceTypes];
  "typeof AclResourceTypes": [typeof original.AclResourceTypes, typeof ours.AclResourceTypes];
  Admin: [original.Admin, ours.Admin];
  AdminConfig: [original.AdminConfig, ours.AdminConfig];
  AdminEvents: [original.AdminEvents, ours.AdminEvents];
  ApiVersions: [original.ApiVersions, ours.ApiVersions];
  Assigner: [original.Assigner, ours.Assigner];
  "typeof AssignerProtocol": [typeof original.AssignerProtocol, typeof ours.AssignerProtocol];
  Assignment: [original.Assignment, ours.Assignment];
  AuthenticationProviderArgs: [original.AuthenticationProviderArgs, ours.AuthenticationProviderArgs];
  Authenticator: [original.Authenticator, ours.Authenticator];
  Batch: [original.Batch, ours.Batch];
  Broker: [original.Broker, ours.Broker];
  BrokerMetadata: [original.BrokerMetadata, ours.BrokerMetadata];
  BrokersFunction: [original.BrokersFunction, ours.BrokersFunction];
  Cluster: [original.Cluster, ours.Cluster];
  "typeof CompressionCodecs": [typeof original.CompressionCodecs, typeof ours.CompressionCodecs];
  CompressionTypes: [original.CompressionTypes, ours.CompressionTypes];
  "typeof CompressionTypes": [typeof original.CompressionTypes, typeof ours.CompressionTypes];
  ConfigEntries: [original.ConfigEntries, ours.ConfigEntries];
  ConfigResourceTypes: [original.ConfigResourceTypes, ours.ConfigResourceTypes];
  "typeof ConfigResourceTypes": [typeof original.ConfigResourceTypes, typeof ours.ConfigResourceTypes];
  ConfigSource: [original.ConfigSource, ours.ConfigSource];
  "typeof ConfigSource": [typeof original.ConfigSource, typeof ours.ConfigSource];
  ConfigSynonyms: [original.ConfigSynonyms, ours.ConfigSynonyms];
  ConnectEvent: [original.ConnectEvent, ours.ConnectEvent];
  Consumer: [original.Consumer, ours.Consumer];
  ConsumerCommitOffsetsEvent: [original.ConsumerCommitOffsetsEvent, ours.ConsumerCommitOffsetsEvent];
  ConsumerConfig: [original.ConsumerConfig, ours.ConsumerConfig];
  ConsumerCrashEvent: [original.ConsumerCrashEvent, ours.ConsumerCrashEvent];
  ConsumerEachBatchPayload: [original.ConsumerEachBatchPayload, ours.ConsumerEachBatchPayload];
  ConsumerEachMessagePayload: [original.ConsumerEachMessagePayload, ours.ConsumerEachMessagePayload];
  ConsumerEndBatchProcessEvent: [original.ConsumerEndBatchProcessEvent, ours.ConsumerEndBatchProcessEvent];
  ConsumerEvents: [original.ConsumerEvents, ours.ConsumerEvents];
  ConsumerFetchEvent: [original.ConsumerFetchEvent, ours.ConsumerFetchEvent];
  ConsumerFetchStartEvent: [original.ConsumerFetchStartEvent, ours.ConsumerFetchStartEvent];
  ConsumerGroup: [original.ConsumerGroup, ours.ConsumerGroup];
  ConsumerGroupJoinEvent: [original.ConsumerGroupJoinEvent, ours.ConsumerGroupJoinEvent];
  ConsumerGroupState: [original.ConsumerGroupState, ours.ConsumerGroupState];
  ConsumerHeartbeatEvent: [original.ConsumerHeartbeatEvent, ours.ConsumerHeartbeatEvent];
  ConsumerRebalancingEvent: [original.ConsumerRebalancingEvent, ours.ConsumerRebalancingEvent];
  ConsumerReceivedUnsubcribedTopicsEvent: [
    original.ConsumerReceivedUnsubcribedTopicsEvent,
    ours.ConsumerReceivedUnsubcribedTopicsEvent,
  ];
  ConsumerRunConfig: [original.ConsumerRunConfig, ours.ConsumerRunConfig];
  ConsumerStartBatchProcessEvent: [original.ConsumerStartBatchProcessEvent, ours.ConsumerStartBatchProcessEvent];
  ConsumerSubscribeTopic: [original.ConsumerSubscribeTopic, ours.ConsumerSubscribeTopic];
  ConsumerSubscribeTopics: [original.ConsumerSubscribeTopics, ours.ConsumerSubscribeTopics];
  CoordinatorMetadata: [original.CoordinatorMetadata, ours.CoordinatorMetadata];
  DefaultPartitioner: [original.DefaultPartitioner, ours.DefaultPartitioner];
  DeleteAclFilterResponses: [original.DeleteAclFilterResponses, ours.DeleteAclFilterResponses];
  DeleteAclResponse: [original.DeleteAclResponse, ours.DeleteAclResponse];
  DeleteGroupsResult: [original.DeleteGroupsResult, ours.DeleteGroupsResult];
  DescribeAclResource: [original.DescribeAclResource, ours.DescribeAclResource];
  DescribeAclResponse: [original.DescribeAclResponse, ours.DescribeAclResponse];
  DescribeConfigResponse: [original.DescribeConfigResponse, ours.DescribeConfigResponse];
  DisconnectEvent: [original.DisconnectEvent, ours.DisconnectEvent];
  EachBatchHandler: [original.EachBatchHandler, ours.EachBatchHandler];
  EachBatchPayload: [original.EachBatchPayload, ours.EachBatchPayload];
  EachMessageHandler: [original.EachMessageHandler, ours.EachMessageHandler];
  EachMessagePayload: [original.EachMessagePayload, ours.EachMessagePayload];
  FetchOffsetsPartition: [original.FetchOffsetsPartition, ours.FetchOffsetsPartition];
  GroupDescription: [original.GroupDescription, ours.GroupDescription];
  GroupDescriptions: [original.GroupDescriptions, ours.GroupDescriptions];
  GroupMember: [original.GroupMember, ours.GroupMember];
  GroupMemberAssignment: [original.GroupMemberAssignment, ours.GroupMemberAssignment];
  GroupOverview: [original.GroupOverview, ours.GroupOverview];
  GroupState: [original.GroupState, ours.GroupState];
  ICustomPartitioner: [original.ICustomPartitioner, ours.ICustomPartitioner];
  IHeaders: [original.IHeaders, ours.IHeaders];
  IMemberAssignment: [original.IMemberAssignment, ours.IMemberAssignment];
  IResourceConfig: [original.IResourceConfig, ours.IResourceConfig];
  IResourceConfigEntry: [original.IResourceConfigEntry, ours.IResourceConfigEntry];
  ISerializer: [original.ISerializer<number>, ours.ISerializer<number>];
  ISocketFactory: [original.ISocketFactory, ours.ISocketFactory];
  ISocketFactoryArgs: [original.ISocketFactoryArgs, ours.ISocketFactoryArgs];
  ITopicConfig: [original.ITopicConfig, ours.ITopicConfig];
  ITopicMetadata: [original.ITopicMetadata, ours.ITopicMetadata];
  ITopicPartitionConfig: [original.ITopicPartitionConfig, ours.ITopicPartitionConfig];
  InstrumentationEvent: [original.InstrumentationEvent<number>, ours.InstrumentationEvent<number>];
  Kafka: [original.Kafka, ours.Kafka];
  "typeof Kafka": [typeof original.Kafka, typeof ours.Kafka];
  KafkaConfig: [original.KafkaConfig, ours.KafkaConfig];
  KafkaJSAggregateError: [original.KafkaJSAggregateError, ours.KafkaJSAggregateError];
  "typeof KafkaJSAggregateError": [typeof original.KafkaJSAggregateError, typeof ours.KafkaJSAggregateError];
  KafkaJSAlterPartitionReassignmentsError: [
    original.KafkaJSAlterPartitionReassignmentsError,
    ours.KafkaJSAlterPartitionReassignmentsError,
  ];
  "typeof KafkaJSAlterPartitionReassignmentsError": [
    typeof original.KafkaJSAlterPartitionReassignmentsError,
    typeof ours.KafkaJSAlterPartitionReassignmentsError,
  ];
  KafkaJSBrokerNotFound: [original.KafkaJSBrokerNotFound, ours.KafkaJSBrokerNotFound];
  "typeof KafkaJSBrokerNotFound": [typeof original.KafkaJSBrokerNotFound, typeof ours.KafkaJSBrokerNotFound];
  KafkaJSConnectionError: [original.KafkaJSConnectionError, ours.KafkaJSConnectionError];
  "typeof KafkaJSConnectionError": [typeof original.KafkaJSConnectionError, typeof ours.KafkaJSConnectionError];
  KafkaJSConnectionErrorMetadata: [original.KafkaJSConnectionErrorMetadata, ours.KafkaJSConnectionErrorMetadata];
  KafkaJSDeleteGroupsError: [original.KafkaJSDeleteGroupsError, ours.KafkaJSDeleteGroupsError];
  "typeof KafkaJSDeleteGroupsError": [typeof original.KafkaJSDeleteGroupsError, typeof ours.KafkaJSDeleteGroupsError];
  KafkaJSDeleteGroupsErrorGroups: [original.KafkaJSDeleteGroupsErrorGroups, ours.KafkaJSDeleteGroupsErrorGroups];
  KafkaJSDeleteTopicRecordsError: [original.KafkaJSDeleteTopicRecordsError, ours.KafkaJSDeleteTopicRecordsError];
  "typeof KafkaJSDeleteTopicRecordsError": [
    typeof original.KafkaJSDeleteTopicRecordsError,
    typeof ours.KafkaJSDeleteTopicRecordsError,
  ];
  KafkaJSDeleteTopicRecordsErrorPartition: [
    original.KafkaJSDeleteTopicRecordsErrorPartition,
    ours.KafkaJSDeleteTopicRecordsErrorPartition,
  ];
  KafkaJSDeleteTopicRecordsErrorTopic: [
    original.KafkaJSDeleteTopicRecordsErrorTopic,
    ours.KafkaJSDeleteTopicRecordsErrorTopic,
  ];
  KafkaJSError: [original.KafkaJSError, ours.KafkaJSError];
  "typeof KafkaJSError": [typeof original.KafkaJSError, typeof ours.KafkaJSError];
  KafkaJSErrorMetadata: [original.KafkaJSErrorMetadata, ours.KafkaJSErrorMetadata];
  KafkaJSGroupCoordinatorNotFound: [original.KafkaJSGroupCoordinatorNotFound, ours.KafkaJSGroupCoordinatorNotFound];
  "typeof KafkaJSGroupCoordinatorNotFound": [
    typeof original.KafkaJSGroupCoordinatorNotFound,
    typeof ours.KafkaJSGroupCoordinatorNotFound,
  ];
  KafkaJSLockTimeout: [original.KafkaJSLockTimeout, ours.KafkaJSLockTimeout];
  "typeof KafkaJSLockTimeout": [typeof original.KafkaJSLockTimeout, typeof ours.KafkaJSLockTimeout];
  KafkaJSMetadataNotLoaded: [original.KafkaJSMetadataNotLoaded, ours.KafkaJSMetadataNotLoaded];
  "typeof KafkaJSMetadataNotLoaded": [typeof original.KafkaJSMetadataNotLoaded, typeof ours.KafkaJSMetadataNotLoaded];
  KafkaJSNonRetriableError: [original.KafkaJSNonRetriableError, ours.KafkaJSNonRetriableError];
  "typeof KafkaJSNonRetriableError": [typeof original.KafkaJSNonRetriableError, typeof ours.KafkaJSNonRetriableError];
  KafkaJSNotImplemented: [original.KafkaJSNotImplemented, ours.KafkaJSNotImplemented];
  "typeof KafkaJSNotImplemented": [typeof original.KafkaJSNotImplemented, typeof ours.KafkaJSNotImplemented];
  KafkaJSNumberOfRetriesExceeded: [original.KafkaJSNumberOfRetriesExceeded, ours.KafkaJSNumberOfRetriesExceeded];
  "typeof KafkaJSNumberOfRetriesExceeded": [
    typeof original.KafkaJSNumberOfRetriesExceeded,
    typeof ours.KafkaJSNumberOfRetriesExceeded,
  ];
  KafkaJSNumberOfRetriesExceededMetadata: [
    original.KafkaJSNumberOfRetriesExceededMetadata,
    ours.KafkaJSNumberOfRetriesExceededMetadata,
  ];
  KafkaJSOffsetOutOfRange: [original.KafkaJSOffsetOutOfRange, ours.KafkaJSOffsetOutOfRange];
  "typeof KafkaJSOffsetOutOfRange": [typeof original.KafkaJSOffsetOutOfRange, typeof ours.KafkaJSOffsetOutOfRange];
  KafkaJSOffsetOutOfRangeMetadata: [original.KafkaJSOffsetOutOfRangeMetadata, ours.KafkaJSOffsetOutOfRangeMetadata];
  KafkaJSPartialMessageError: [original.KafkaJSPartialMessageError, ours.KafkaJSPartialMessageError];
  "typeof KafkaJSPartialMessageError": [
    typeof original.KafkaJSPartialMessageError,
    typeof ours.KafkaJSPartialMessageError,
  ];
  KafkaJSProtocolError: [original.KafkaJSProtocolError, ours.KafkaJSProtocolError];
  "typeof KafkaJSProtocolError": [typeof original.KafkaJSProtocolError, typeof ours.KafkaJSProtocolError];
  KafkaJSRequestTimeoutError: [original.KafkaJSRequestTimeoutError, ours.KafkaJSRequestTimeoutError];
  "typeof KafkaJSRequestTimeoutError": [
    typeof original.KafkaJSRequestTimeoutError,
    typeof ours.KafkaJSRequestTimeoutError,
  ];
  KafkaJSRequestTimeoutErrorMetadata: [
    original.KafkaJSRequestTimeoutErrorMetadata,
    ours.KafkaJSRequestTimeoutErrorMetadata,
  ];
  KafkaJSSASLAuthenticationError: [original.KafkaJSSASLAuthenticationError, ours.KafkaJSSASLAuthenticationError];
  "typeof KafkaJSSASLAuthenticationError": [
    typeof original.KafkaJSSASLAuthenticationError,
    typeof ours.KafkaJSSASLAuthenticationError,
  ];
  KafkaJSServerDoesNotSupportApiKey: [
    original.KafkaJSServerDoesNotSupportApiKey,
    ours.KafkaJSServerDoesNotSupportApiKey,
  ];
  "typeof KafkaJSServerDoesNotSupportApiKey": [
    typeof original.KafkaJSServerDoesNotSupportApiKey,
    typeof ours.KafkaJSServerDoesNotSupportApiKey,
  ];
  KafkaJSServerDoesNotSupportApiKeyMetadata: [
    original.KafkaJSServerDoesNotSupportApiKeyMetadata,
    ours.KafkaJSServerDoesNotSupportApiKeyMetadata,
  ];
  KafkaJSStaleTopicMetadataAssignment: [
    original.KafkaJSStaleTopicMetadataAssignment,
    ours.KafkaJSStaleTopicMetadataAssignment,
  ];
  "typeof KafkaJSStaleTopicMetadataAssignment": [
    typeof original.KafkaJSStaleTopicMetadataAssignment,
    typeof ours.KafkaJSStaleTopicMetadataAssignment,
  ];
  KafkaJSStaleTopicMetadataAssignmentMetadata: [
    original.KafkaJSStaleTopicMetadataAssignmentMetadata,
    ours.KafkaJSStaleTopicMetadataAssignmentMetadata,
  ];
  KafkaJSTimeout: [original.KafkaJSTimeout, ours.KafkaJSTimeout];
  "typeof KafkaJSTimeout": [typeof original.KafkaJSTimeout, typeof ours.KafkaJSTimeout];
  KafkaJSTopicMetadataNotLoaded: [original.KafkaJSTopicMetadataNotLoaded, ours.KafkaJSTopicMetadataNotLoaded];
  "typeof KafkaJSTopicMetadataNotLoaded": [
    typeof original.KafkaJSTopicMetadataNotLoaded,
    typeof ours.KafkaJSTopicMetadataNotLoaded,
  ];
  KafkaJSTopicMetadataNotLoadedMetadata: [
    original.KafkaJSTopicMetadataNotLoadedMetadata,
    ours.KafkaJSTopicMetadataNotLoadedMetadata,
  ];
  KafkaJSUnsupportedMagicByteInMessageSet: [
    original.KafkaJSUnsupportedMagicByteInMessageSet,
    ours.KafkaJSUnsupportedMagicByteInMessageSet,
  ];
  "typeof KafkaJSUnsupportedMagicByteInMessageSet": [
    typeof original.KafkaJSUnsupportedMagicByteInMessageSet,
    typeof ours.KafkaJSUnsupportedMagicByteInMessageSet,
  ];
  KafkaMessage: [original.KafkaMessage, ours.KafkaMessage];
  LegacyPartitioner: [original.LegacyPartitioner, ours.LegacyPartitioner];
  ListPartitionReassignmentsResponse: [
    original.ListPartitionReassignmentsResponse,
    ours.ListPartitionReassignmentsResponse,
  ];
  LogEntry: [original.LogEntry, ours.LogEntry];
  Logger: [original.Logger, ours.Logger];
  LoggerEntryContent: [original.LoggerEntryContent, ours.LoggerEntryContent];
  MatchingAcl: [original.MatchingAcl, ours.MatchingAcl];
  Mechanism: [original.Mechanism, ours.Mechanism];
  MemberAssignment: [original.MemberAssignment, ours.MemberAssignment];
  MemberDescription: [original.MemberDescription, ours.MemberDescription];
  MemberMetadata: [original.MemberMetadata, ours.MemberMetadata];
  Message: [original.Message, ours.Message];
  OauthbearerProviderResponse: [original.OauthbearerProviderResponse, ours.OauthbearerProviderResponse];
  Offsets: [original.Offsets, ours.Offsets];
  OffsetsByTopicPartition: [original.OffsetsByTopicPartition, ours.OffsetsByTopicPartition];
  OngoingPartitionReassignment: [original.OngoingPartitionReassignment, ours.OngoingPartitionReassignment];
  OngoingTopicReassignment: [original.OngoingTopicReassignment, ours.OngoingTopicReassignment];
  PartitionAssigner: [original.PartitionAssigner, ours.PartitionAssigner];
  "typeof PartitionAssigners": [typeof original.PartitionAssigners, typeof ours.PartitionAssigners];
  PartitionMetadata: [original.PartitionMetadata, ours.PartitionMetadata];
  PartitionOffset: [original.PartitionOffset, ours.PartitionOffset];
  PartitionReassignment: [original.PartitionReassignment, ours.PartitionReassignment];
  PartitionerArgs: [original.PartitionerArgs, ours.PartitionerArgs];
  "typeof Partitioners": [typeof original.Partitioners, typeof ours.Partitioners];
  Producer: [original.Producer, ours.Producer];
  ProducerBatch: [original.ProducerBatch, ours.ProducerBatch];
  ProducerConfig: [original.ProducerConfig, ours.ProducerConfig];
  ProducerEvents: [original.ProducerEvents, ours.ProducerEvents];
  ProducerRecord: [original.ProducerRecord, ours.ProducerRecord];
  RecordMetadata: [original.RecordMetadata, ours.RecordMetadata];
  RemoveInstrumentationEventListener: [
    original.RemoveInstrumentationEventListener<"a">,
    ours.RemoveInstrumentationEventListener<"a">,
  ];
  ReplicaAssignment: [original.ReplicaAssignment, ours.ReplicaAssignment];
  RequestEvent: [original.RequestEvent, ours.RequestEvent];
  RequestQueueSizeEvent: [original.RequestQueueSizeEvent, ours.RequestQueueSizeEvent];
  RequestTimeoutEvent: [original.RequestTimeoutEvent, ours.RequestTimeoutEvent];
  ResourceConfigQuery: [original.ResourceConfigQuery, ours.ResourceConfigQuery];
  ResourcePatternTypes: [original.ResourcePatternTypes, ours.ResourcePatternTypes];
  "typeof ResourcePatternTypes": [typeof original.ResourcePatternTypes, typeof ours.ResourcePatternTypes];
  RetryOptions: [original.RetryOptions, ours.RetryOptions];
  SASLMechanism: [original.SASLMechanism, ours.SASLMechanism];
  SASLOptions: [original.SASLOptions, ours.SASLOptions];
  SaslAuthenticateArgs: [original.SaslAuthenticateArgs<number>, ours.SaslAuthenticateArgs<number>];
  SeekEntry: [original.SeekEntry, ours.SeekEntry];
  TopicMessages: [original.TopicMessages, ours.TopicMessages];
  TopicOffsets: [original.TopicOffsets, ours.TopicOffsets];
  TopicPartition: [original.TopicPartition, ours.TopicPartition];
  TopicPartitionOffset: [original.TopicPartitionOffset, ours.TopicPartitionOffset];
  TopicPartitionOffsetAndMetadata: [original.TopicPartitionOffsetAndMetadata, ours.TopicPartitionOffsetAndMetadata];
  TopicPartitions: [original.TopicPartitions, ours.TopicPartitions];
  Transaction: [original.Transaction, ours.Transaction];
  logCreator: [original.logCreator, ours.logCreator];
  logLevel: [original.logLevel, ours.logLevel];
  "typeof logLevel": [typeof original.logLevel, typeof ours.logLevel];
}

/** Those of which a value of ours is none of theirs: what services are given. */
type NotGiven = { [Name in keyof Types]: Types[Name][1] extends Types[Name][0] ? never : Name }[keyof Types];

/** Those of which a value of theirs is none of ours: what services pass, and the mocks of their tests. */
type NotTaken = { [Name in keyof Types]: Types[Name][0] extends Types[Name][1] ? never : Name }[keyof Types];

/** What differs, each with its reason; the compiler knows of no other. */
export const notGiven: Record<NotGiven, string> = {
  Cluster: "has what assigners ask for, and none of kafkajs' inner methods",
  ConsumerConfig: "`maxInFlightRequests` may be `null`, as the pages of kafkajs say",
  Kafka: "takes assigners, which are given a Cluster",
  ProducerConfig: "`maxInFlightRequests` may be `null`, as the pages of kafkajs say",
  "typeof Kafka": "makes a Kafka",
};

export const notTaken: Record<NotTaken, string> = {
  ConsumerConfig: "has assigners, which are given a Cluster",
  KafkaJSDeleteTopicRecordsError: "has `partitions`, as in kafkajs, whose types leave it out",
  Kafka: "takes assigners, which are given a Cluster",
  PartitionAssigner: "is given a Cluster",
  "typeof Kafka": "makes a Kafka",
  "typeof KafkaJSDeleteTopicRecordsError": "makes one with `partitions`",
  "typeof PartitionAssigners": "has assigners, which are given a Cluster",
};
