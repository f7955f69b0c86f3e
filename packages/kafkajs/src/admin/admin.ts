import { type Clock, systemClock } from "odradek";
import { Instrumentation, type Listen } from "../client/instrumentation.ts";
import type { KafkaConfig } from "../client/kafka-config.ts";
import type { Logger } from "../logger.ts";
import { type RetryOptions, resolveRetryOptions } from "../retry-options.ts";
import type { AclEntry, AclFilter } from "./acl-entry.ts";
import { createAcls, type DeleteAclResponse, type DescribeAclResponse, deleteAcls, describeAcls } from "./acls.ts";
import { AdminClient } from "./admin-client.ts";
import { type AdminEventPayloads, type AdminEvents, adminEvents } from "./admin-events.ts";
import { type ClusterDescription, describeCluster } from "./cluster.ts";
import {
  type AlterConfigResponse,
  alterConfigs,
  type DescribeConfigResponse,
  describeConfigs,
  type IResourceConfig,
  type ResourceConfigQuery,
} from "./configs.ts";
import { describeGroups, type GroupDescriptions } from "./group-descriptions.ts";
import {
  type FetchOffsetsOptions,
  fetchOffsets,
  type GroupTopicOffsets,
  type ResetOffsetsOptions,
  resetOffsets,
  type SetOffsetsOptions,
  setOffsets,
} from "./group-offsets.ts";
import { type DeleteGroupsResult, deleteGroups, type GroupOverview, listGroups } from "./groups.ts";
import { type CreatePartitionsOptions, createPartitions } from "./partitions.ts";
import {
  type AlterReassignmentsOptions,
  alterPartitionReassignments,
  type ListPartitionReassignmentsResponse,
  type ListReassignmentsOptions,
  listPartitionReassignments,
} from "./reassignments.ts";
import { type DeleteTopicRecordsOptions, deleteTopicRecords } from "./records.ts";
import { fetchTopicMetadata, type ITopicMetadata } from "./topic-metadata.ts";
import { fetchTopicOffsets, fetchTopicOffsetsByTimestamp, type SeekEntry } from "./topic-offsets.ts";
import {
  type CreateTopicsOptions,
  createTopics,
  type DeleteTopicsOptions,
  deleteTopics,
  listTopics,
} from "./topics.ts";

/** What `kafka.admin` takes. */
export interface AdminConfig {
  /** Goes before the `retry` of `new Kafka`. */
  retry?: RetryOptions;
}

/**
 * The cluster's own affairs. Its methods need no `this`, and may be replaced. They connect by themselves, and reject with
 * KafkaJSNonRetriableError for what cannot be asked for, KafkaJSProtocolError for what a broker answers, and
 * KafkaJSNumberOfRetriesExceeded where it was tried too often.
 */
export interface Admin {
  /** Connects, for who wants to fail fast. @throws KafkaJSNumberOfRetriesExceeded, KafkaJSSASLAuthenticationError */
  connect(): Promise<void>;
  /** Lets calls under way finish, and closes every connection. It may be connected again. */
  disconnect(): Promise<void>;
  /** Names of all topics, Kafka's own among them. */
  listTopics(): Promise<string[]>;
  /**
   * Creates topics. @returns `false` where they are there already
   * @throws KafkaJSAggregateError of KafkaJSCreateTopicErrors, KafkaJSTimeout where they are not led in time
   */
  createTopics(options: CreateTopicsOptions): Promise<boolean>;
  /** Deletes topics. @throws KafkaJSNumberOfRetriesExceeded where one is not there */
  deleteTopics(options: DeleteTopicsOptions): Promise<void>;
  /** Adds partitions. Keys go to other partitions from then on. */
  createPartitions(options: CreatePartitionsOptions): Promise<boolean>;
  /** Tells leaders and replicas, without topics of all of them. */
  fetchTopicMetadata(options?: { topics?: string[] }): Promise<{ topics: ITopicMetadata[] }>;
  /** Tells what a group has committed; "-1" of partitions where it has nothing. */
  fetchOffsets(options: FetchOffsetsOptions): Promise<GroupTopicOffsets[]>;
  /** Tells where the partitions begin and end. */
  fetchTopicOffsets(topic: string): Promise<(SeekEntry & { high: string; low: string })[]>;
  /** Tells the first offsets of that time or later, in ms since 1970; the ends where there are none. */
  fetchTopicOffsetsByTimestamp(topic: string, timestamp?: number): Promise<SeekEntry[]>;
  describeCluster(): Promise<ClusterDescription>;
  /** Has a group without members go on from other offsets. */
  setOffsets(options: SetOffsetsOptions): Promise<void>;
  /** Has a group without members go on from the ends of the partitions, or their beginnings. */
  resetOffsets(options: ResetOffsetsOptions): Promise<void>;
  /** Tells the configuration of topics and brokers. */
  describeConfigs(options: {
    resources: ResourceConfigQuery[];
    includeSynonyms?: boolean;
  }): Promise<DescribeConfigResponse>;
  /** Replaces the configuration of topics and brokers: what is not named goes back to its default. */
  alterConfigs(options: { resources: IResourceConfig[]; validateOnly?: boolean }): Promise<AlterConfigResponse>;
  listGroups(): Promise<{ groups: GroupOverview[] }>;
  /** Deletes groups without members. @throws KafkaJSDeleteGroupsError naming those that could not be deleted */
  deleteGroups(groupIds: string[]): Promise<DeleteGroupsResult[]>;
  /** Tells states and members of groups; `Dead` of those that there are not. */
  describeGroups(groupIds: string[]): Promise<GroupDescriptions>;
  describeAcls(filter: AclFilter): Promise<DescribeAclResponse>;
  deleteAcls(options: { filters: AclFilter[] }): Promise<DeleteAclResponse>;
  createAcls(options: { acl: AclEntry[] }): Promise<boolean>;
  /** Deletes the oldest records of partitions. @throws KafkaJSDeleteTopicRecordsError, or what has one for its cause */
  deleteTopicRecords(options: DeleteTopicRecordsOptions): Promise<void>;
  /** Moves replicas between brokers. @throws KafkaJSAggregateError of KafkaJSAlterPartitionReassignmentsErrors */
  alterPartitionReassignments(options: AlterReassignmentsOptions): Promise<void>;
  /** Tells which replicas are on the move; without topics, of all of them. */
  listPartitionReassignments(options?: ListReassignmentsOptions): Promise<ListPartitionReassignmentsResponse>;
  logger(): Logger;
  on: Listen<AdminEventPayloads>;
  readonly events: AdminEvents;
}

export function createAdmin(
  config: KafkaConfig,
  given: AdminConfig,
  rootLogger: Logger,
  clock: Clock = systemClock,
): Admin {
  const retry = resolveRetryOptions(config.retry, given.retry);
  const logger = rootLogger.namespace("Admin");
  const instrumentation = new Instrumentation("admin", adminEvents, logger, clock);
  const client = new AdminClient({ config, retry, clock, rootLogger, logger, instrumentation });
  return {
    async connect() {
      await client.connect();
      instrumentation.emit(adminEvents.CONNECT);
    },
    async disconnect() {
      await client.close();
      instrumentation.emit(adminEvents.DISCONNECT);
    },
    listTopics: () => listTopics(client),
    createTopics: (options) => createTopics(client, options),
    deleteTopics: (options) => deleteTopics(client, options),
    createPartitions: (options) => createPartitions(client, options),
    fetchTopicMetadata: (options) => fetchTopicMetadata(client, options),
    describeCluster: () => describeCluster(client),
    events: adminEvents,
    fetchOffsets: (options) => fetchOffsets(client, options),
    fetchTopicOffsets: (topic) => fetchTopicOffsets(client, topic),
    fetchTopicOffsetsByTimestamp: (topic, timestamp) => fetchTopicOffsetsByTimestamp(client, topic, timestamp),
    setOffsets: (options) => setOffsets(client, options),
    resetOffsets: (options) => resetOffsets(client, options),
    describeConfigs: (options) => describeConfigs(client, options),
    alterConfigs: (options) => alterConfigs(client, options),
    on: (eventName: string, listener: (event: never) => void) => instrumentation.on(eventName, listener),
    logger: () => client.logger,
    listGroups: () => listGroups(client),
    describeGroups: (groupIds) => describeGroups(client, groupIds),
    deleteGroups: (groupIds) => deleteGroups(client, groupIds),
    describeAcls: (filter) => describeAcls(client, filter),
    deleteAcls: (options) => deleteAcls(client, options),
    createAcls: (options) => createAcls(client, options),
    deleteTopicRecords: (options) => deleteTopicRecords(client, options),
    alterPartitionReassignments: (options) => alterPartitionReassignments(client, options),
    listPartitionReassignments: (options) => listPartitionReassignments(client, options),
  };
}
