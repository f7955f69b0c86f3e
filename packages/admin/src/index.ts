export type { AclOperation } from "./acl-operations.ts";
export type {
  AclBinding,
  AclFilter,
  AclPatternType,
  AclPermissionType,
  AclResourceType,
  DeletedAcl,
  NewAcl,
} from "./acls.ts";
export { KafkaAdmin } from "./admin.ts";
export type { AdminOptions, ControllerClientOptions } from "./admin-options.ts";
export type { AdminCallOptions, OperationOptions } from "./asking/call.ts";
export type { BrokerDescription, ClusterDescription, DescribeClusterOptions } from "./cluster.ts";
export type {
  AlterConfigOp,
  AlterConfigOperation,
  AlterConfigsOptions,
  ConfigAlteration,
  ConfigDescription,
  ConfigEntry,
  ConfigQuery,
  ConfigReplacement,
  ConfigResource,
  ConfigResourceType,
  ConfigSource,
  ConfigSynonym,
  ConfigType,
  DescribeConfigsOptions,
} from "./configs.ts";
export type {
  CreateTokenOptions,
  DelegationToken,
  DescribeTokensOptions,
  ExpireTokenOptions,
  RenewTokenOptions,
} from "./delegation-tokens.ts";
export type {
  DescribeFeaturesOptions,
  FeatureDescription,
  FeatureMetadata,
  FeatureUpdate,
  FeatureUpgradeType,
  UpdateFeaturesOptions,
} from "./features.ts";
export type {
  ClassicGroupDescription,
  ClassicGroupMember,
  ConsumerGroupDescription,
  ConsumerGroupMember,
  DescribeGroupsOptions,
  GroupDescription,
} from "./group-descriptions.ts";
export type { RemoveMembersOptions } from "./group-members.ts";
export type { GroupOffset, GroupOffsetsQuery, ListGroupOffsetsOptions } from "./group-offsets.ts";
export type { GroupListing, GroupState, GroupType, ListGroupsOptions } from "./groups.ts";
export type { LagMember, PartitionLag } from "./lag.ts";
export type {
  LogDirDescription,
  LogDirReplica,
  ReplicaLogDir,
  ReplicaLogDirAssignment,
  TopicPartitionReplica,
} from "./log-dirs.ts";
export type { NewTopic } from "./new-topic.ts";
export type { ListedOffset, ListOffsetsOptions, OffsetQuery, OffsetSpec } from "./offsets.ts";
export type { CreatePartitionsOptions, ElectionType, NewPartitions } from "./partitions.ts";
export type { DescribeProducersOptions, FencedProducer, PartitionProducers, ProducerState } from "./producers.ts";
export type { QuorumInfo, QuorumNode, QuorumReplica, RaftVoterEndpoint, RaftVoterOptions } from "./quorum.ts";
export type {
  AlterQuotasOptions,
  ClientQuotaAlteration,
  ClientQuotaEntity,
  ClientQuotaFilter,
  ClientQuotas,
} from "./quotas.ts";
export type { AlterReassignmentsOptions, NewPartitionReassignment, PartitionReassignment } from "./reassignments.ts";
export type { DeletedRecords, RecordsToDelete } from "./records.ts";
export type { Result, Results } from "./results.ts";
export type {
  ScramCredentialInfo,
  ScramDeletion,
  ScramMechanism,
  ScramUpsertion,
  UserScramCredentials,
} from "./scram-users.ts";
export type { ShareGroupDescription, ShareGroupMember, ShareGroupOffset, ShareGroupStart } from "./share-groups.ts";
export type {
  StreamsAssignment,
  StreamsEndpoint,
  StreamsGroupDescription,
  StreamsGroupMember,
  StreamsInternalTopic,
  StreamsSubtopology,
  StreamsTaskOffset,
  StreamsTasks,
} from "./streams-groups.ts";
export type { DescribeTopicsOptions, PartitionDescription, TopicDescription } from "./topic-descriptions.ts";
export type { TopicName } from "./topic-name.ts";
export type {
  CreatedTopic,
  CreateTopicsOptions,
  ListTopicsOptions,
  TopicChangeOptions,
  TopicConfig,
  TopicListing,
} from "./topics.ts";
export type {
  HangingTransaction,
  ListTransactionsOptions,
  TransactionDescription,
  TransactionListing,
  TransactionState,
} from "./transactions.ts";
