// kafkajs exports types of its inner objects. Nobody is given one of these here; they are for code that names them.
import type { ListPartitionReassignmentsResponse, PartitionReassignment } from "./admin/reassignments.ts";
import type { CompressionTypes } from "./constants.ts";
import type { TopicPartitions } from "./consumer/pauses.ts";
import type { PartitionMetadata } from "./partitioners/partitioner.ts";
import type { Message } from "./producer/message.ts";
import type { TopicOffsets } from "./producer/transactions.ts";

export interface ApiVersions {
  [apiKey: number]: { minVersion: number; maxVersion: number };
}

export interface BrokerMetadata {
  brokers: { nodeId: number; host: string; port: number; rack?: string }[];
  topicMetadata: { topicErrorCode: number; topic: string; partitionMetadata: PartitionMetadata[] }[];
}

export interface CoordinatorMetadata {
  errorCode: number;
  coordinator: { nodeId: number; host: string; port: number };
}

interface OfTopic<Partition> {
  topic: string;
  partitions: Partition[];
}

interface FetchRequest {
  replicaId?: number;
  isolationLevel?: number;
  maxWaitTime?: number;
  minBytes?: number;
  maxBytes?: number;
  topics: OfTopic<{ partition: number; fetchOffset: string; maxBytes: number }>[];
  rackId?: string;
}

interface ProduceRequest {
  topicData: OfTopic<{ partition: number; firstSequence?: number; messages: Message[] }>[];
  transactionalId?: string;
  producerId?: number;
  producerEpoch?: number;
  acks?: number;
  timeout?: number;
  compression?: CompressionTypes;
}

interface OffsetCommitRequest {
  groupId: string;
  groupGenerationId: number;
  memberId: string;
  retentionTime?: number;
  topics: TopicOffsets[];
}

export interface Broker {
  isConnected(): boolean;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  apiVersions(): Promise<ApiVersions>;
  metadata(topics: string[]): Promise<BrokerMetadata>;
  describeGroups(options: { groupIds: string[] }): Promise<unknown>;
  offsetCommit(request: OffsetCommitRequest): Promise<unknown>;
  offsetFetch(request: { groupId: string; topics: TopicOffsets[] }): Promise<{ responses: TopicOffsets[] }>;
  fetch(request: FetchRequest): Promise<unknown>;
  produce(request: ProduceRequest): Promise<unknown>;
  alterPartitionReassignments(request: { topics: PartitionReassignment[]; timeout?: number }): Promise<unknown>;
  listPartitionReassignments(request: {
    topics?: TopicPartitions[];
    timeout?: number;
  }): Promise<ListPartitionReassignmentsResponse>;
}

export interface ConsumerGroup {
  groupId: string;
  generationId: number;
  memberId: string;
  coordinator: Broker;
}
