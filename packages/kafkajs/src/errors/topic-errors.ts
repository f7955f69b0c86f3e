import {
  type ErrorSource,
  KafkaJSError,
  KafkaJSNonRetriableError,
  KafkaJSProtocolError,
  type ProtocolErrorSource,
} from "./errors.ts";

export class KafkaJSMetadataNotLoaded extends KafkaJSError {
  override readonly name: string = "KafkaJSMetadataNotLoaded";
}

export interface KafkaJSTopicMetadataNotLoadedMetadata {
  readonly topic?: string | undefined;
}

export class KafkaJSTopicMetadataNotLoaded extends KafkaJSMetadataNotLoaded {
  override readonly name: string = "KafkaJSTopicMetadataNotLoaded";
  readonly topic: string | undefined;

  constructor(source: ErrorSource, { topic }: KafkaJSTopicMetadataNotLoadedMetadata = {}) {
    super(source);
    this.topic = topic;
  }
}

export interface KafkaJSStaleTopicMetadataAssignmentMetadata {
  readonly topic?: string | undefined;
  readonly unknownPartitions?: readonly unknown[] | undefined;
}

export class KafkaJSStaleTopicMetadataAssignment extends KafkaJSError {
  override readonly name: string = "KafkaJSStaleTopicMetadataAssignment";
  readonly topic: string | undefined;
  readonly unknownPartitions: readonly unknown[] | undefined;

  constructor(source: ErrorSource, metadata: KafkaJSStaleTopicMetadataAssignmentMetadata = {}) {
    super(source);
    this.topic = metadata.topic;
    this.unknownPartitions = metadata.unknownPartitions;
  }
}

export interface KafkaJSOffsetOutOfRangeMetadata {
  readonly topic: string;
  readonly partition: number;
}

export class KafkaJSOffsetOutOfRange extends KafkaJSProtocolError {
  override readonly name: string = "KafkaJSOffsetOutOfRange";
  readonly topic: string;
  readonly partition: number;

  constructor(source: ErrorSource, { topic, partition }: KafkaJSOffsetOutOfRangeMetadata) {
    super(source);
    this.topic = topic;
    this.partition = partition;
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
  readonly topic: string | undefined;
  readonly partition: number | undefined;

  constructor(source: ErrorSource, topic?: string, partition?: number) {
    super(source);
    this.topic = topic;
    this.partition = partition;
  }
}

export interface KafkaJSDeleteTopicRecordsErrorPartition {
  readonly partition: number;
  readonly offset: string;
  readonly error: Pick<ProtocolErrorSource, "retriable"> | null;
}

/** Retriable where all that went wrong is. */
export class KafkaJSDeleteTopicRecordsError extends KafkaJSError {
  override readonly name: string = "KafkaJSDeleteTopicRecordsError";
  readonly partitions: readonly KafkaJSDeleteTopicRecordsErrorPartition[];

  constructor({ partitions }: { readonly partitions: readonly KafkaJSDeleteTopicRecordsErrorPartition[] }) {
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
