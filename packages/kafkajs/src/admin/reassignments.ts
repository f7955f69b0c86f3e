import type { TopicPartitions } from "../consumer/pauses.ts";
import { KafkaJSAggregateError, KafkaJSNonRetriableError } from "../errors/errors.ts";
import { KafkaJSAlterPartitionReassignmentsError } from "../errors/topic-errors.ts";
import { givenWholeNumber } from "../given-number.ts";
import { type AdminClient, defaultTimeout, type OperationOptions } from "./admin-client.ts";
import { checkTopics } from "./arguments.ts";
import { brokerAnswer } from "./broker-answer.ts";
import type { ReplicaAssignment } from "./new-topic.ts";

export interface PartitionReassignment {
  topic: string;
  partitionAssignment: ReplicaAssignment[];
}

/** A partition whose replicas are on the move. kafkajs calls its number by one name in the types, and by the other in fact. */
export interface OngoingPartitionReassignment {
  partitionIndex: number;
  partition?: number;
  /** Ids of all brokers that hold it right now. */
  replicas: number[];
  addingReplicas?: number[];
  removingReplicas?: number[];
}

/** `topic` and `name` are the same, one in the types of kafkajs and the other in fact. */
export interface OngoingTopicReassignment {
  topic: string;
  name?: string;
  partitions: OngoingPartitionReassignment[];
}

export interface AlterReassignmentsOptions extends OperationOptions {
  topics: PartitionReassignment[];
}

export interface ListReassignmentsOptions extends OperationOptions {
  /** @default all of them */
  topics?: TopicPartitions[] | null;
}

export interface ListPartitionReassignmentsResponse {
  topics: OngoingTopicReassignment[];
}

/**
 * Moves replicas between brokers; resolves when the moves have begun.
 *
 * @throws KafkaJSAggregateError of KafkaJSAlterPartitionReassignmentsErrors; the other moves have begun all the same
 */
export async function alterPartitionReassignments(
  client: AdminClient,
  { topics, timeout }: AlterReassignmentsOptions,
): Promise<void> {
  checkTopics(topics);
  for (const reassignment of topics) checkAssignment(reassignment);
  const wanted = topics.flatMap(({ topic, partitionAssignment }) =>
    partitionAssignment.map(({ partition, replicas: replicaIds }) => ({ topic, partition, replicaIds })),
  );
  const operationTimeoutMs = givenWholeNumber(timeout, defaultTimeout);
  await client.ask(async (admin) => {
    const results = [...(await admin.alterPartitionReassignments(wanted, { operationTimeoutMs }))];
    const errors = results.flatMap(({ key, error }) =>
      error === null ? [] : [failureOf(error, key.topic, key.partition)],
    );
    if (errors.length > 0) throw new KafkaJSAggregateError("Errors altering partition reassignments", errors);
  });
}

/** @throws what is no answer about a partition, but that there is none */
function failureOf(error: Error, topic: string, partition: number): KafkaJSAlterPartitionReassignmentsError {
  const answer = brokerAnswer(error);
  if (answer === null) throw error;
  return new KafkaJSAlterPartitionReassignmentsError(answer, topic, partition);
}

function checkAssignment({ topic, partitionAssignment }: PartitionReassignment): void {
  if (!Array.isArray(partitionAssignment)) {
    throw new KafkaJSNonRetriableError(`Invalid partitions array: ${String(partitionAssignment)} for topic: ${topic}`);
  }
  for (const { partition, replicas } of partitionAssignment) {
    if (!isNumber(partition)) {
      throw new KafkaJSNonRetriableError(`Invalid partitions index: ${String(partition)} for topic: ${topic}`);
    }
    const about = `Invalid replica assignment: ${String(replicas)} for topic: ${topic} on partition: ${partition}`;
    if (!Array.isArray(replicas)) throw new KafkaJSNonRetriableError(about);
    if (!replicas.every(isNumber)) {
      throw new KafkaJSNonRetriableError(`${about}. Replicas must be a non negative number`);
    }
  }
}

const isNumber = (value: unknown): boolean => typeof value === "number" && value >= 0;

export async function listPartitionReassignments(
  client: AdminClient,
  { topics = null, timeout }: ListReassignmentsOptions = {},
): Promise<ListPartitionReassignmentsResponse> {
  if (topics !== null) checkPartitions(topics);
  const wanted =
    topics?.flatMap(({ topic, partitions }) => partitions.map((partition) => ({ topic, partition }))) ?? null;
  const operationTimeoutMs = givenWholeNumber(timeout, defaultTimeout);
  const moving = await client.ask((admin) => admin.listPartitionReassignments(wanted, { operationTimeoutMs }));
  const byTopic = new Map<string, OngoingPartitionReassignment[]>();
  for (const { topic, partition, replicaIds, addingReplicaIds, removingReplicaIds } of moving) {
    const partitions = byTopic.get(topic) ?? [];
    byTopic.set(topic, partitions);
    partitions.push({
      partitionIndex: partition,
      partition,
      replicas: [...replicaIds],
      addingReplicas: [...addingReplicaIds],
      removingReplicas: [...removingReplicaIds],
    });
  }
  return { topics: [...byTopic].map(([topic, partitions]) => ({ topic, name: topic, partitions })) };
}

function checkPartitions(topics: readonly TopicPartitions[]): void {
  checkTopics(topics);
  for (const { topic, partitions } of topics) {
    const about = `Invalid partition array: ${String(partitions)} for topic: ${topic}`;
    if (!Array.isArray(partitions)) throw new KafkaJSNonRetriableError(about);
    if (!partitions.every(isNumber)) {
      throw new KafkaJSNonRetriableError(`${about}. The partition indices have to be a valid number greater than 0.`);
    }
  }
}
