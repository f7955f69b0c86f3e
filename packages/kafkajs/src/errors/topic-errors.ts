import type { PartitionMetadata } from "../partitioners/partitioner.ts";
import { type ErrorSource, KafkaJSError, KafkaJSNonRetriableError, KafkaJSProtocolError } from "./errors.ts";

export class KafkaJSMetadataNotLoaded extends KafkaJSError {
  override readonly name: string = "KafkaJSMetadataNotLoaded";
}

export interface KafkaJSTopicMetadataNotLoadedMetadata {
  topic: string;
}

export class KafkaJSTopicMetadataNotLoaded extends KafkaJSMetadataNotLoaded {
  override readonly name: string = "KafkaJSTopicMetadataNotLoaded";
  declare readonly topic: string;

  constructor(source: ErrorSource, metadata?: KafkaJSTopicMetadataNotLoadedMetadata) {
    super(source);
    Object.assign(this, { topic: metadata?.topic });
  }
}

export interface KafkaJSStaleTopicMetadataAssignmentMetadata {
  topic: string;
  unknownPartitions: PartitionMetadata[];
}

export class KafkaJSStaleTopicMetadataAssignment extends KafkaJSError {
  override readonly name: string = "KafkaJSStaleTopicMetadataAssignment";
  declare readonly topic: string;
  /** What the metadata says: a list, whatever the type has said since kafkajs. */
  declare readonly unknownPartitions: number;

  constructor(source: ErrorSource, metadata?: KafkaJSStaleTopicMetadataAssignmentMetadata) {
    super(source);
    Object.assign(this, { topic: metadata?.topic, unknownPartitions: metadata?.unknownPartitions });
  }
}

export interface KafkaJSOffsetOutOfRangeMetadata {
  topic: string;
  partition: number;
}

export class KafkaJSOffsetOutOfRange extends KafkaJSProtocolError {
  override readonly name: string = "KafkaJSOffsetOutOfRange";
  declare readonly topic: string;
  declare readonly partition: number;

  constructor(source: ErrorSource, metadata?: KafkaJSOffsetOutOfRangeMetadata) {
    super(source);
    Object.assign(this, { topic: metadata?.topic, partition: metadata?.partition });
  }
}

export class KafkaJSCreateTopicError extends KafkaJSProtocolError {
  override readonly name: string = "KafkaJSCreateTopicError";
  readonly topic: string;

  constructor(source: ErrorSource, topic: string) {
    super(source);
    this.topic = topic;
  }
}

export class KafkaJSAlterPartitionReassignmentsError extends KafkaJSProtocolError {
  override readonly name: string = "KafkaJSAlterPartitionReassignmentsError";
  declare readonly topic?: string;
  declare readonly partition?: number;

  constructor(source: ErrorSource, topic?: string, partition?: number) {
    super(source);
    Object.assign(this, { topic, partition });
  }
}

export interface KafkaJSDeleteTopicRecordsErrorPartition {
  partition: number;
  offset: string;
  error: KafkaJSError;
}

export interface KafkaJSDeleteTopicRecordsErrorTopic {
  topic: string;
  partitions: KafkaJSDeleteTopicRecordsErrorPartition[];
}

/** Retriable where all that went wrong is. */
export class KafkaJSDeleteTopicRecordsError extends KafkaJSError {
  override readonly name: string = "KafkaJSDeleteTopicRecordsError";
  readonly partitions: KafkaJSDeleteTopicRecordsErrorPartition[];

  constructor({ partitions }: Pick<KafkaJSDeleteTopicRecordsErrorTopic, "partitions">) {
    const failures = partitions.flatMap(({ error }) => error ?? []);
    super("Error while deleting records", { retriable: failures.every(({ retriable }) => retriable === true) });
    this.partitions = partitions;
  }
}

export class KafkaJSPartialMessageError extends KafkaJSNonRetriableError {
  override readonly name: string = "KafkaJSPartialMessageError";
}

export class KafkaJSUnsupportedMagicByteInMessageSet extends KafkaJSNonRetriableError {
  override readonly name: string = "KafkaJSUnsupportedMagicByteInMessageSet";
}
