import type { NewTopic } from "odradek";
import { KafkaJSNonRetriableError } from "../errors/errors.ts";
import { checkTopics } from "./arguments.ts";

export interface IResourceConfigEntry {
  name: string;
  value: string;
}

export interface ReplicaAssignment {
  partition: number;
  /** Broker ids, the preferred leader first. */
  replicas: number[];
}

/** A topic to be. */
export interface ITopicConfig {
  topic: string;
  /** @default -1, what the broker is configured with */
  numPartitions?: number;
  /** @default -1, what the broker is configured with */
  replicationFactor?: number;
  /** Brokers of each partition; instead of the two counts. */
  replicaAssignment?: ReplicaAssignment[];
  configEntries?: IResourceConfigEntry[];
}

/** @throws KafkaJSNonRetriableError, naming the topic and the entry */
export function newTopicsOf(topics: readonly ITopicConfig[]): NewTopic[] {
  checkTopics(topics);
  for (const { topic, configEntries } of topics) checkEntries(topic, configEntries ?? []);
  return topics.map(newTopicOf);
}

function checkEntries(topic: string, entries: readonly unknown[]): void {
  const about = `Invalid configEntries for topic "${topic}"`;
  if (!Array.isArray(entries)) throw new KafkaJSNonRetriableError(`${about}, must be an array`);
  for (const [index, entry] of entries.entries()) {
    if (typeof entry !== "object" || entry === null) {
      throw new KafkaJSNonRetriableError(`${about}. Entry ${index} must be an object`);
    }
    for (const property of ["name", "value"]) {
      if (typeof Reflect.get(entry, property) === "string") continue;
      throw new KafkaJSNonRetriableError(`${about}. Entry ${index} must have a valid "${property}" property`);
    }
  }
}

/** How kafkajs says that it is left to the broker. */
const notGiven = -1;

function newTopicOf({ topic, configEntries, replicaAssignment, ...counts }: ITopicConfig): NewTopic {
  const { numPartitions = notGiven, replicationFactor = notGiven } = counts;
  const assignments = assignmentsOf(topic, replicaAssignment ?? []);
  return {
    topic,
    ...(numPartitions === notGiven ? {} : { numPartitions }),
    ...(replicationFactor === notGiven ? {} : { replicationFactor }),
    ...(assignments.length === 0 ? {} : { assignments }),
    configs: Object.fromEntries((configEntries ?? []).map(({ name, value }) => [name, value])),
  };
}

function assignmentsOf(topic: string, given: readonly ReplicaAssignment[]): number[][] {
  const inOrder = [...given].sort((one, other) => one.partition - other.partition);
  const misnumbered = inOrder.findIndex(({ partition }, index) => partition !== index);
  if (misnumbered >= 0) {
    throw new KafkaJSNonRetriableError(
      `Invalid replicaAssignment for topic "${topic}", partitions must be numbered from 0 on: ${misnumbered} is missing`,
    );
  }
  return inOrder.map(({ replicas }) => replicas);
}
