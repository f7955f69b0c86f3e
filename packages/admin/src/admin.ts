import {
  type Clock,
  ClosedError,
  Coordinators,
  type Metric,
  NetworkClient,
  type OffsetToCommit,
  OptionReader,
  systemClock,
  type TopicPartition,
} from "@odradek/network";
import {
  type AclBinding,
  type AclFilter,
  createAcls,
  type DeletedAcl,
  deleteAcls,
  describeAcls,
  type NewAcl,
} from "./acls.ts";
import { type AdminOptions, resolveAdminOptions } from "./admin-options.ts";
import type { AdminCallOptions, AdminContext, OperationOptions } from "./asking/call.ts";
import { PartitionLeaders } from "./asking/partition-leaders.ts";
import {
  type ClusterDescription,
  connect,
  type DescribeClusterOptions,
  describeCluster,
  unregisterBroker,
  unregisterController,
} from "./cluster.ts";
import {
  type AlterConfigsOptions,
  alterConfigs,
  type ConfigAlteration,
  type ConfigDescription,
  type ConfigQuery,
  type ConfigReplacement,
  type ConfigResource,
  type ConfigResourceType,
  type DescribeConfigsOptions,
  describeConfigs,
  incrementalAlterConfigs,
  listConfigResources,
} from "./configs.ts";
import {
  type CreateTokenOptions,
  createDelegationToken,
  type DelegationToken,
  type DescribeTokensOptions,
  describeDelegationToken,
  type ExpireTokenOptions,
  expireDelegationToken,
  type RenewTokenOptions,
  renewDelegationToken,
} from "./delegation-tokens.ts";
import {
  type DescribeFeaturesOptions,
  describeFeatures,
  type FeatureMetadata,
  type FeatureUpdate,
  type UpdateFeaturesOptions,
  updateFeatures,
} from "./features.ts";
import {
  type ClassicGroupDescription,
  type ConsumerGroupDescription,
  type DescribeGroupsOptions,
  describeClassicGroups,
  describeConsumerGroups,
} from "./group-descriptions.ts";
import { type RemoveMembersOptions, removeMembersFromConsumerGroup } from "./group-members.ts";
import {
  alterConsumerGroupOffsets,
  deleteConsumerGroupOffsets,
  type GroupOffset,
  type GroupOffsetsQuery,
  type ListGroupOffsetsOptions,
  listConsumerGroupOffsets,
} from "./group-offsets.ts";
import { deleteGroups, type GroupListing, type ListGroupsOptions, listGroups } from "./groups.ts";
import { lag, type PartitionLag } from "./lag.ts";
import {
  alterReplicaLogDirs,
  describeLogDirs,
  describeReplicaLogDirs,
  type LogDirDescription,
  type ReplicaLogDir,
  type ReplicaLogDirAssignment,
  type TopicPartitionReplica,
} from "./log-dirs.ts";
import type { NewTopic } from "./new-topic.ts";
import { type ListedOffset, type ListOffsetsOptions, listOffsets, type OffsetQuery } from "./offsets.ts";
import {
  type CreatePartitionsOptions,
  createPartitions,
  type ElectionType,
  electLeaders,
  type NewPartitions,
} from "./partitions.ts";
import {
  type DescribeProducersOptions,
  describeProducers,
  type FencedProducer,
  fenceProducers,
  type PartitionProducers,
} from "./producers.ts";
import {
  addRaftVoter,
  describeMetadataQuorum,
  type QuorumInfo,
  type RaftVoterEndpoint,
  type RaftVoterOptions,
  removeRaftVoter,
} from "./quorum.ts";
import {
  type AlterQuotasOptions,
  alterClientQuotas,
  type ClientQuotaAlteration,
  type ClientQuotaEntity,
  type ClientQuotaFilter,
  type ClientQuotas,
  describeClientQuotas,
} from "./quotas.ts";
import {
  type AlterReassignmentsOptions,
  alterPartitionReassignments,
  listPartitionReassignments,
  type NewPartitionReassignment,
  type PartitionReassignment,
} from "./reassignments.ts";
import { type DeletedRecords, deleteRecords, type RecordsToDelete } from "./records.ts";
import type { Results } from "./results.ts";
import {
  alterUserScramCredentials,
  describeUserScramCredentials,
  type ScramDeletion,
  type ScramUpsertion,
  type UserScramCredentials,
} from "./scram-users.ts";
import {
  alterShareGroupOffsets,
  deleteShareGroupOffsets,
  describeShareGroups,
  listShareGroupOffsets,
  type ShareGroupDescription,
  type ShareGroupOffset,
  type ShareGroupStart,
} from "./share-groups.ts";
import { describeStreamsGroups, type StreamsGroupDescription } from "./streams-groups.ts";
import { type DescribeTopicsOptions, describeTopics, type TopicDescription } from "./topic-descriptions.ts";
import type { TopicName } from "./topic-name.ts";
import {
  type CreatedTopic,
  type CreateTopicsOptions,
  createTopics,
  deleteTopics,
  type ListTopicsOptions,
  listTopics,
  type TopicChangeOptions,
  type TopicListing,
} from "./topics.ts";
import {
  abortTransaction,
  describeTransactions,
  forceTerminateTransaction,
  type HangingTransaction,
  type ListTransactionsOptions,
  listTransactions,
  type TransactionDescription,
  type TransactionListing,
} from "./transactions.ts";

/**
 * The cluster's own affairs: what an operator or a test does to it. Connects on the first call. Source: Kafka's `Admin`.
 *
 * Calls about many things resolve to `Results`: one result for each thing asked for, its error being a value, so that the half
 * that worked is not lost; `orThrow()` is for who wants all or nothing. Each thing is asked of the broker that knows it, those of
 * one broker in one request. Errors that may pass (a leader, a coordinator or the controller that moved, a broker that restarts)
 * are asked again until `timeoutMs`. Where an answer was lost on the way, what the call itself has done may be answered with an
 * error then, such as `TOPIC_ALREADY_EXISTS`: `mayHaveSucceeded` of such an error is true.
 *
 * Every call takes `timeoutMs` and `signal`, and rejects with: OptionsError for what no broker would take, naming it;
 * UnsupportedVersionError, as the error of each thing, where a broker lacks the API, naming it and the release that has it;
 * ClosedError after `close`; the reason of the signal.
 */
export class KafkaAdmin {
  readonly #context: AdminContext;
  #closing: Promise<void> | null = null;

  /**
   * @param clock for tests, which let time pass as they like
   * @throws OptionsError naming option, value and what is allowed
   */
  constructor(options: AdminOptions, clock: Clock = systemClock) {
    const resolved = resolveAdminOptions(options);
    const network = new NetworkClient("admin-client", resolved, clock);
    const coordinators = new Coordinators(network, resolved, clock);
    const leaders = new PartitionLeaders();
    this.#context = { options: resolved, clock, network, coordinators, leaders };
  }

  /**
   * Connects now, for who wants to fail fast.
   *
   * @throws TimeoutError where no broker of the cluster answers in time, AuthenticationError; the reason of the signal
   */
  async connect(options: AdminCallOptions = {}): Promise<void> {
    return connect(this.#open(), options);
  }

  /**
   * Creates topics (CreateTopics; counts left to the broker need Kafka 2.4, KIP-464).
   *
   * @returns for each topic what the broker made of it, or its error, such as `TOPIC_ALREADY_EXISTS`
   * @throws OptionsError for a topic that no broker would take
   */
  async createTopics(topics: readonly NewTopic[], options: CreateTopicsOptions = {}): Promise<Results<CreatedTopic>> {
    return createTopics(this.#open(), topics, options);
  }

  /**
   * Deletes topics, by name or by id (DeleteTopics; by id needs Kafka 2.8, KIP-516). They may be seen for a moment longer.
   *
   * @returns for each topic itself, or its error, such as `UNKNOWN_TOPIC_OR_PARTITION`
   */
  async deleteTopics(
    topics: readonly TopicName[],
    options: TopicChangeOptions = {},
  ): Promise<Results<TopicName, TopicName>> {
    return deleteTopics(this.#open(), topics, options);
  }

  /** Lists the topics that the client may describe (Metadata). */
  async listTopics(options: ListTopicsOptions = {}): Promise<TopicListing[]> {
    return listTopics(this.#open(), options);
  }

  /**
   * Tells leaders and replicas of each partition (DescribeTopicPartitions, page by page, KIP-966; Metadata before Kafka 3.8, and for
   * topics by id, which need Kafka 3.1).
   *
   * @returns for each topic its description, or its error, such as `UNKNOWN_TOPIC_OR_PARTITION`
   */
  async describeTopics(
    topics: readonly TopicName[],
    options: DescribeTopicsOptions = {},
  ): Promise<Results<TopicDescription, TopicName>> {
    return describeTopics(this.#open(), topics, options);
  }

  /**
   * Adds partitions to topics (CreatePartitions, KIP-195). Keys go to other partitions from then on.
   *
   * @returns for each topic its name, or its error, such as `INVALID_PARTITIONS` where the count would not grow
   */
  async createPartitions(
    topics: readonly NewPartitions[],
    options: CreatePartitionsOptions = {},
  ): Promise<Results<string>> {
    return createPartitions(this.#open(), topics, options);
  }

  /**
   * Has leaders elected anew (ElectLeaders, KIP-183, Kafka 2.2; unclean KIP-460, Kafka 2.4).
   *
   * @param partitions `null` for all partitions of the cluster; those that need no election are then left out of the results
   * @returns for each partition itself, or its error, such as `ELECTION_NOT_NEEDED`
   */
  async electLeaders(
    type: ElectionType,
    partitions: readonly TopicPartition[] | null,
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartition, TopicPartition>> {
    return electLeaders(this.#open(), type, partitions, options);
  }

  /**
   * Moves replicas between brokers, or calls a move off (AlterPartitionReassignments, KIP-455, Kafka 2.4). It resolves when the
   * moves have begun; `listPartitionReassignments` tells how far they are.
   *
   * @returns for each partition itself, or its error, such as `NO_REASSIGNMENT_IN_PROGRESS`
   */
  async alterPartitionReassignments(
    reassignments: readonly NewPartitionReassignment[],
    options: AlterReassignmentsOptions = {},
  ): Promise<Results<TopicPartition, TopicPartition>> {
    return alterPartitionReassignments(this.#open(), reassignments, options);
  }

  /**
   * Lists the partitions whose replicas are on the move (ListPartitionReassignments, KIP-455, Kafka 2.4).
   *
   * @param partitions which of them; `null` for all
   */
  async listPartitionReassignments(
    partitions: readonly TopicPartition[] | null = null,
    options: OperationOptions = {},
  ): Promise<PartitionReassignment[]> {
    return listPartitionReassignments(this.#open(), partitions, options);
  }

  /**
   * Tells offsets of partitions: their ends, or those of a time (ListOffsets, asked of the leaders; KIP-396).
   *
   * @returns for each partition its offset, or its error, such as `UNKNOWN_TOPIC_OR_PARTITION`
   */
  async listOffsets(
    partitions: readonly OffsetQuery[],
    options: ListOffsetsOptions = {},
  ): Promise<Results<ListedOffset, TopicPartition>> {
    return listOffsets(this.#open(), partitions, options);
  }

  /**
   * Deletes the oldest records of partitions (DeleteRecords, asked of the leaders; KIP-204).
   *
   * @returns for each partition the first offset that is left, or its error, such as `OFFSET_OUT_OF_RANGE`
   */
  async deleteRecords(
    partitions: readonly RecordsToDelete[],
    options: AdminCallOptions = {},
  ): Promise<Results<DeletedRecords, TopicPartition>> {
    return deleteRecords(this.#open(), partitions, options);
  }

  /** Tells the configuration of topics, brokers and others (DescribeConfigs, KIP-133; that of one broker is asked of it). */
  async describeConfigs(
    resources: readonly ConfigQuery[],
    options: DescribeConfigsOptions = {},
  ): Promise<Results<ConfigDescription, ConfigResource>> {
    return describeConfigs(this.#open(), resources, options);
  }

  /**
   * Changes single configs, and leaves the others as they are (IncrementalAlterConfigs, KIP-339, Kafka 2.3).
   *
   * @returns for each resource itself, or its error, such as `INVALID_CONFIG`, with which none of its changes was made
   */
  async incrementalAlterConfigs(
    resources: readonly ConfigAlteration[],
    options: AlterConfigsOptions = {},
  ): Promise<Results<ConfigResource, ConfigResource>> {
    return incrementalAlterConfigs(this.#open(), resources, options);
  }

  /**
   * Replaces all that is set of resources: what is not named goes back to its default (AlterConfigs, KIP-133). Java's client has it no
   * more since Kafka 4.0; brokers do. Whoever means one config wants `incrementalAlterConfigs`.
   *
   * @returns for each resource itself, or its error, such as `INVALID_CONFIG`, with which nothing of it was changed
   */
  async alterConfigs(
    resources: readonly ConfigReplacement[],
    options: AlterConfigsOptions = {},
  ): Promise<Results<ConfigResource, ConfigResource>> {
    return alterConfigs(this.#open(), resources, options);
  }

  /**
   * Lists what has a configuration (ListConfigResources, KIP-1142, Kafka 4.1; `CLIENT_METRICS` alone KIP-1000, Kafka 3.7).
   *
   * @param types which kinds; none stands for all of them
   */
  async listConfigResources(
    types: readonly ConfigResourceType[] = [],
    options: AdminCallOptions = {},
  ): Promise<ConfigResource[]> {
    return listConfigResources(this.#open(), types, options);
  }

  /** Lists quotas of clients (DescribeClientQuotas, KIP-546, Kafka 2.6). */
  async describeClientQuotas(filter: ClientQuotaFilter = {}, options: AdminCallOptions = {}): Promise<ClientQuotas[]> {
    return describeClientQuotas(this.#open(), filter, options);
  }

  /** Sets quotas of clients, or takes them away (AlterClientQuotas, KIP-546, Kafka 2.6). */
  async alterClientQuotas(
    alterations: readonly ClientQuotaAlteration[],
    options: AlterQuotasOptions = {},
  ): Promise<Results<ClientQuotaEntity, ClientQuotaEntity>> {
    return alterClientQuotas(this.#open(), alterations, options);
  }

  /** Tells what the cluster has settled on, and what a broker could do, such as `metadata.version` (ApiVersions, KIP-584, Kafka 2.7). */
  async describeFeatures(options: DescribeFeaturesOptions = {}): Promise<FeatureMetadata> {
    return describeFeatures(this.#open(), options);
  }

  /** Changes what the cluster has settled on (UpdateFeatures, KIP-584, Kafka 2.7). From Kafka 4.0 on all of it changes or none. */
  async updateFeatures(
    updates: readonly FeatureUpdate[],
    options: UpdateFeaturesOptions = {},
  ): Promise<Results<string>> {
    return updateFeatures(this.#open(), updates, options);
  }

  /**
   * Lists groups of every type; each broker is asked for those that it coordinates (ListGroups, KIP-518, KIP-848).
   *
   * @returns for each broker its groups, or its error: `(await admin.listGroups()).orThrow().flat()`
   */
  async listGroups(options: ListGroupsOptions = {}): Promise<Results<GroupListing[], number>> {
    return listGroups(this.#open(), options);
  }

  /**
   * Tells state, members and assignments of groups of consumers, of either protocol (ConsumerGroupDescribe, KIP-848, Kafka 3.8; else
   * DescribeGroups).
   *
   * @returns for each group its description, or its error, such as `GROUP_ID_NOT_FOUND`
   */
  async describeConsumerGroups(
    groupIds: readonly string[],
    options: DescribeGroupsOptions = {},
  ): Promise<Results<ConsumerGroupDescription>> {
    return describeConsumerGroups(this.#open(), groupIds, options);
  }

  /** `describeConsumerGroups` for classic groups, whatever members speak, such as those of Kafka Connect (DescribeGroups, KIP-1043). */
  async describeClassicGroups(
    groupIds: readonly string[],
    options: DescribeGroupsOptions = {},
  ): Promise<Results<ClassicGroupDescription>> {
    return describeClassicGroups(this.#open(), groupIds, options);
  }

  /** `describeConsumerGroups` for share groups (ShareGroupDescribe, KIP-932, Kafka 4.1). */
  async describeShareGroups(
    groupIds: readonly string[],
    options: DescribeGroupsOptions = {},
  ): Promise<Results<ShareGroupDescription>> {
    return describeShareGroups(this.#open(), groupIds, options);
  }

  /** `describeConsumerGroups` for groups of Kafka Streams (StreamsGroupDescribe, KIP-1071, Kafka 4.2). */
  async describeStreamsGroups(
    groupIds: readonly string[],
    options: DescribeGroupsOptions = {},
  ): Promise<Results<StreamsGroupDescription>> {
    return describeStreamsGroups(this.#open(), groupIds, options);
  }

  /**
   * Deletes groups without members, and all that they have committed (DeleteGroups, KIP-229).
   *
   * @returns for each group its id, or its error, such as `NON_EMPTY_GROUP`
   */
  async deleteConsumerGroups(groupIds: readonly string[], options: AdminCallOptions = {}): Promise<Results<string>> {
    return deleteGroups(this.#open(), groupIds, options);
  }

  /** `deleteConsumerGroups` for share groups (DeleteGroups, KIP-932, Kafka 4.1). */
  async deleteShareGroups(groupIds: readonly string[], options: AdminCallOptions = {}): Promise<Results<string>> {
    return deleteGroups(this.#open(), groupIds, options);
  }

  /** `deleteConsumerGroups` for groups of Kafka Streams, whose internal topics stay (DeleteGroups, KIP-1071, Kafka 4.2). */
  async deleteStreamsGroups(groupIds: readonly string[], options: AdminCallOptions = {}): Promise<Results<string>> {
    return deleteGroups(this.#open(), groupIds, options);
  }

  /**
   * Has members leave a group: static ones by the ids of their instances, or all that it has (LeaveGroup, KIP-345, Kafka 2.4). One that
   * still runs joins again.
   *
   * @param groupInstanceIds `null` for every member
   * @returns for each member the id of its instance, or its own where it has none; or its error, such as `UNKNOWN_MEMBER_ID`
   */
  async removeMembersFromConsumerGroup(
    groupId: string,
    groupInstanceIds: readonly string[] | null,
    options: RemoveMembersOptions = {},
  ): Promise<Results<string>> {
    return removeMembersFromConsumerGroup(this.#open(), groupId, groupInstanceIds, options);
  }

  /**
   * Tells what groups have committed, many in one request from Kafka 3.0 on (OffsetFetch, KIP-709). A group that nobody knows has
   * committed nothing.
   *
   * @param groups ids, or ids with the partitions that are wanted of each
   */
  async listConsumerGroupOffsets(
    groups: readonly (string | GroupOffsetsQuery)[],
    options: ListGroupOffsetsOptions = {},
  ): Promise<Results<readonly GroupOffset[]>> {
    return listConsumerGroupOffsets(this.#open(), groups, options);
  }

  /**
   * Sets what a group without members has committed (OffsetCommit, KIP-396). While the group rebalances it is asked again.
   *
   * @returns for each partition itself, or its error, such as `UNKNOWN_MEMBER_ID` where the group has members
   */
  async alterConsumerGroupOffsets(
    groupId: string,
    offsets: readonly OffsetToCommit[],
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartition, TopicPartition>> {
    return alterConsumerGroupOffsets(this.#open(), groupId, offsets, options);
  }

  /**
   * Has a group forget what it has committed of partitions that nobody in it reads (OffsetDelete, KIP-496, Kafka 2.4).
   *
   * @returns for each partition itself, or its error, such as `GROUP_SUBSCRIBED_TO_TOPIC`
   */
  async deleteConsumerGroupOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartition, TopicPartition>> {
    return deleteConsumerGroupOffsets(this.#open(), groupId, partitions, options);
  }

  /** `listConsumerGroupOffsets` for groups of Kafka Streams (OffsetFetch, KIP-1071). */
  async listStreamsGroupOffsets(
    groups: readonly (string | GroupOffsetsQuery)[],
    options: ListGroupOffsetsOptions = {},
  ): Promise<Results<readonly GroupOffset[]>> {
    return listConsumerGroupOffsets(this.#open(), groups, options);
  }

  /** `alterConsumerGroupOffsets` for a group of Kafka Streams (OffsetCommit, KIP-1071). */
  async alterStreamsGroupOffsets(
    groupId: string,
    offsets: readonly OffsetToCommit[],
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartition, TopicPartition>> {
    return alterConsumerGroupOffsets(this.#open(), groupId, offsets, options);
  }

  /** `deleteConsumerGroupOffsets` for a group of Kafka Streams (OffsetDelete, KIP-1071). */
  async deleteStreamsGroupOffsets(
    groupId: string,
    partitions: readonly TopicPartition[],
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartition, TopicPartition>> {
    return deleteConsumerGroupOffsets(this.#open(), groupId, partitions, options);
  }

  /**
   * Tells how far a group of consumers is behind: of each partition that it has committed an offset of, or that a member reads, the
   * committed offset, the end, and who reads it. With `read_committed` the end is where such consumers have to stop.
   *
   * @throws GROUP_ID_NOT_FOUND, and whatever else keeps the group from being described
   */
  async lag(groupId: string, options: ListOffsetsOptions = {}): Promise<Results<PartitionLag, TopicPartition>> {
    return lag(this.#open(), groupId, options);
  }

  /**
   * Tells how far share groups have come (DescribeShareGroupOffsets, KIP-932, Kafka 4.1; with lag KIP-1226, Kafka 4.2).
   *
   * @param groups ids, or ids with the partitions that are wanted of each
   */
  async listShareGroupOffsets(
    groups: readonly (string | GroupOffsetsQuery)[],
    options: AdminCallOptions = {},
  ): Promise<Results<readonly ShareGroupOffset[]>> {
    return listShareGroupOffsets(this.#open(), groups, options);
  }

  /**
   * Has a share group without members go on from other offsets (AlterShareGroupOffsets, KIP-932, Kafka 4.1).
   *
   * @returns for each partition itself, or its error, such as `NON_EMPTY_GROUP`
   */
  async alterShareGroupOffsets(
    groupId: string,
    offsets: readonly ShareGroupStart[],
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartition, TopicPartition>> {
    return alterShareGroupOffsets(this.#open(), groupId, offsets, options);
  }

  /**
   * Has a share group without members forget topics (DeleteShareGroupOffsets, KIP-932, Kafka 4.1).
   *
   * @returns for each topic its name, or its error, such as `NON_EMPTY_GROUP`
   */
  async deleteShareGroupOffsets(
    groupId: string,
    topics: readonly string[],
    options: AdminCallOptions = {},
  ): Promise<Results<string>> {
    return deleteShareGroupOffsets(this.#open(), groupId, topics, options);
  }

  /** Tells which brokers there are (DescribeCluster, KIP-700; before Kafka 2.8 Metadata, with what one may do from 2.3 on, KIP-430). */
  async describeCluster(options: DescribeClusterOptions = {}): Promise<ClusterDescription> {
    return describeCluster(this.#open(), options);
  }

  /**
   * Has a KRaft cluster forget a broker that was shut down for good (UnregisterBroker, KIP-631, Kafka 2.8).
   *
   * @throws BrokerError with `BROKER_ID_NOT_REGISTERED` where there is none of that id
   */
  async unregisterBroker(brokerId: number, options: AdminCallOptions = {}): Promise<void> {
    return unregisterBroker(this.#open(), brokerId, options);
  }

  /**
   * Has a cluster forget a controller that was shut down for good (UnregisterController, Kafka 4.4). Its vote goes by `removeRaftVoter`.
   *
   * @throws BrokerError with `CONTROLLER_ID_NOT_REGISTERED` where there is none of that id
   */
  async unregisterController(controllerId: number, options: AdminCallOptions = {}): Promise<void> {
    return unregisterController(this.#open(), controllerId, options);
  }

  /** Tells leader, voters and observers of the metadata log (DescribeQuorum, KIP-836, Kafka 3.3 with KRaft). */
  async describeMetadataQuorum(options: AdminCallOptions = {}): Promise<QuorumInfo> {
    return describeMetadataQuorum(this.#open(), options);
  }

  /**
   * Gives a controller a vote (AddRaftVoter, KIP-853, Kafka 3.9 with KRaft).
   *
   * @param voterDirectoryId of its metadata log, as `describeMetadataQuorum` tells it
   * @param endpoints where the other controllers reach it
   * @throws BrokerError, such as `DUPLICATE_VOTER`
   */
  async addRaftVoter(
    voterId: number,
    voterDirectoryId: string,
    endpoints: readonly RaftVoterEndpoint[],
    options: RaftVoterOptions = {},
  ): Promise<void> {
    return addRaftVoter(this.#open(), voterId, voterDirectoryId, endpoints, options);
  }

  /**
   * Takes the vote from a controller (RemoveRaftVoter, KIP-853, Kafka 3.9 with KRaft).
   *
   * @throws BrokerError, such as `VOTER_NOT_FOUND`
   */
  async removeRaftVoter(voterId: number, voterDirectoryId: string, options: RaftVoterOptions = {}): Promise<void> {
    return removeRaftVoter(this.#open(), voterId, voterDirectoryId, options);
  }

  /**
   * Tells what the log directories of brokers hold (DescribeLogDirs, KIP-113; sizes of volumes KIP-827, Kafka 3.3).
   *
   * @returns for each broker its directories, or its error, such as `BROKER_NOT_AVAILABLE`
   */
  async describeLogDirs(
    brokerIds: readonly number[],
    options: AdminCallOptions = {},
  ): Promise<Results<readonly LogDirDescription[], number>> {
    return describeLogDirs(this.#open(), brokerIds, options);
  }

  /** Tells in which directory a broker has a replica, and where it is being moved to (DescribeLogDirs, KIP-113). */
  async describeReplicaLogDirs(
    replicas: readonly TopicPartitionReplica[],
    options: AdminCallOptions = {},
  ): Promise<Results<ReplicaLogDir, TopicPartitionReplica>> {
    return describeReplicaLogDirs(this.#open(), replicas, options);
  }

  /**
   * Moves replicas to other directories of their brokers (AlterReplicaLogDirs, KIP-113). It resolves when the moves have begun.
   *
   * A replica that its broker does not have yet gets `REPLICA_NOT_AVAILABLE`, and is created in that directory once it comes: the
   * broker has kept the place for it, until it is restarted.
   *
   * @returns for each replica itself, or its error, such as `LOG_DIR_NOT_FOUND`, or `KAFKA_STORAGE_ERROR` of a disk that has failed
   */
  async alterReplicaLogDirs(
    assignments: readonly ReplicaLogDirAssignment[],
    options: AdminCallOptions = {},
  ): Promise<Results<TopicPartitionReplica, TopicPartitionReplica>> {
    return alterReplicaLogDirs(this.#open(), assignments, options);
  }

  /**
   * Adds access rules (CreateAcls, KIP-140, KIP-290). One that is there already stays.
   *
   * @returns for each rule itself, or its error, such as `SECURITY_DISABLED` where brokers have no authorizer
   */
  async createAcls(acls: readonly NewAcl[], options: AdminCallOptions = {}): Promise<Results<AclBinding, AclBinding>> {
    return createAcls(this.#open(), acls, options);
  }

  /**
   * Lists the access rules that match a filter (DescribeAcls, KIP-140, KIP-290).
   *
   * @throws BrokerError with `SECURITY_DISABLED` where brokers have no authorizer
   */
  async describeAcls(filter: AclFilter = {}, options: AdminCallOptions = {}): Promise<AclBinding[]> {
    return describeAcls(this.#open(), filter, options);
  }

  /**
   * Removes all access rules that match one of the filters (DeleteAcls, KIP-140, KIP-290). Where an answer was lost on the way, rules
   * that are gone already are in no result.
   *
   * @returns for each filter the rules that it matched, each with its error where it could not be removed; or its error
   */
  async deleteAcls(
    filters: readonly AclFilter[],
    options: AdminCallOptions = {},
  ): Promise<Results<readonly DeletedAcl[], AclFilter>> {
    return deleteAcls(this.#open(), filters, options);
  }

  /**
   * Tells with which SCRAM mechanisms users can log in (DescribeUserScramCredentials, KIP-554, Kafka 2.7).
   *
   * @param users `null` for every user that has a password
   * @returns for each user its mechanisms, or its error, such as `RESOURCE_NOT_FOUND`
   */
  async describeUserScramCredentials(
    users: readonly string[] | null = null,
    options: AdminCallOptions = {},
  ): Promise<Results<UserScramCredentials>> {
    return describeUserScramCredentials(this.#open(), users, options);
  }

  /**
   * Sets and deletes passwords of SCRAM (AlterUserScramCredentials, KIP-554, Kafka 2.7). No password travels in clear.
   *
   * @returns for each user its name, or its error, such as `RESOURCE_NOT_FOUND`
   */
  async alterUserScramCredentials(
    alterations: readonly (ScramUpsertion | ScramDeletion)[],
    options: AdminCallOptions = {},
  ): Promise<Results<string>> {
    return alterUserScramCredentials(this.#open(), alterations, options);
  }

  /**
   * Has a token issued that one can log in with in place of a password (CreateDelegationToken, KIP-48). It takes a client that is
   * logged in, and not by a token. Once the request may have been sent it is not sent again: each would be a token of its own.
   *
   * @throws BrokerError, such as `DELEGATION_TOKEN_REQUEST_NOT_ALLOWED`; ConnectionError or TimeoutError where a token may have been
   *   issued all the same, which `describeDelegationToken` shows
   */
  async createDelegationToken(options: CreateTokenOptions = {}): Promise<DelegationToken> {
    return createDelegationToken(this.#open(), options);
  }

  /** Lists the tokens that the client may see (DescribeDelegationToken, KIP-48). */
  async describeDelegationToken(options: DescribeTokensOptions = {}): Promise<DelegationToken[]> {
    return describeDelegationToken(this.#open(), options);
  }

  /**
   * Lets a token live longer, as its owner or renewer (RenewDelegationToken, KIP-48).
   *
   * @param hmac of the token, in base64
   * @returns when it ends now, ms since the epoch
   * @throws BrokerError, such as `DELEGATION_TOKEN_EXPIRED`
   */
  async renewDelegationToken(hmac: string, options: RenewTokenOptions = {}): Promise<number> {
    return renewDelegationToken(this.#open(), hmac, options);
  }

  /**
   * Ends a token at once, or at a set time, as its owner or renewer (ExpireDelegationToken, KIP-48).
   *
   * @param hmac of the token, in base64
   * @returns when it ends now, ms since the epoch
   */
  async expireDelegationToken(hmac: string, options: ExpireTokenOptions = {}): Promise<number> {
    return expireDelegationToken(this.#open(), hmac, options);
  }

  /** Tells which producers partitions remember, and whose transactions are open there (DescribeProducers, KIP-664, Kafka 2.8). */
  async describeProducers(
    partitions: readonly TopicPartition[],
    options: DescribeProducersOptions = {},
  ): Promise<Results<PartitionProducers, TopicPartition>> {
    return describeProducers(this.#open(), partitions, options);
  }

  /**
   * Lists transactions; each broker is asked for those that it coordinates (ListTransactions, KIP-664, Kafka 3.0).
   *
   * @returns for each broker its transactions, or its error: `(await admin.listTransactions()).orThrow().flat()`
   */
  async listTransactions(
    options: ListTransactionsOptions = {},
  ): Promise<Results<readonly TransactionListing[], number>> {
    return listTransactions(this.#open(), options);
  }

  /**
   * Tells where transactions stand (DescribeTransactions, KIP-664, Kafka 3.0).
   *
   * @returns for each transactional id its transaction, or its error, such as `TRANSACTIONAL_ID_NOT_FOUND`
   */
  async describeTransactions(
    transactionalIds: readonly string[],
    options: AdminCallOptions = {},
  ): Promise<Results<TransactionDescription>> {
    return describeTransactions(this.#open(), transactionalIds, options);
  }

  /**
   * Ends a transaction in one partition that its coordinator knows nothing of, and that keeps `read_committed` consumers from going
   * on (WriteTxnMarkers, KIP-664, Kafka 2.8). `describeProducers` finds them.
   *
   * @throws BrokerError, such as `INVALID_PRODUCER_EPOCH`
   */
  async abortTransaction(transaction: HangingTransaction, options: AdminCallOptions = {}): Promise<void> {
    return abortTransaction(this.#open(), transaction, options);
  }

  /** Aborts the transaction of a transactional id, and fences its producer (InitProducerId, KIP-939). */
  async forceTerminateTransaction(transactionalId: string, options: AdminCallOptions = {}): Promise<void> {
    return forceTerminateTransaction(this.#open(), transactionalId, options);
  }

  /** Fences all producers of transactional ids: what they have not committed is aborted (InitProducerId, KIP-618). */
  async fenceProducers(
    transactionalIds: readonly string[],
    options: AdminCallOptions = {},
  ): Promise<Results<FencedProducer>> {
    return fenceProducers(this.#open(), transactionalIds, options);
  }

  /** What was measured so far, by Kafka's names: connections, requests and authentications, in all and for each broker. */
  metrics(): Metric[] {
    return this.#context.network.metrics();
  }

  /**
   * Lets calls under way finish for `timeoutMs`, then closes every connection.
   *
   * @param options.timeoutMs milliseconds. @default requestTimeoutMs
   * @throws OptionsError for a time that cannot be waited for; the client stays open
   */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const reader = new OptionReader(options);
    const timeoutMs = reader.integer("timeoutMs", this.#context.options.requestTimeoutMs, 0);
    reader.finish();
    this.#closing ??= this.#context.network.close({ timeoutMs });
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #open(): AdminContext {
    if (this.#closing !== null) throw new ClosedError("admin client");
    return this.#context;
  }
}
