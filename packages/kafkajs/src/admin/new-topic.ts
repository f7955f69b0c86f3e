import type { BrokerErrorName, NewTopic } from "odradek";
import { KafkaJSNonRetriableError } from "../errors/errors.ts";
import { protocolErrorOfName } from "../errors/protocol-errors.ts";
import { KafkaJSCreateTopicError } from "../errors/topic-errors.ts";
import { givenNumber } from "../given-number.ts";
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

/** What is to be asked of brokers, and what they need not be asked. */
export interface NewTopics {
  readonly topics: readonly NewTopic[];
  /** As a broker would answer about topics that none could create. */
  readonly errors: readonly KafkaJSCreateTopicError[];
}

/** @throws KafkaJSNonRetriableError, naming the topic and the entry */
export function newTopicsOf(given: readonly ITopicConfig[]): NewTopics {
  checkTopics(given);
  for (const { topic, configEntries } of given) checkEntries(topic, configEntries ?? []);
  const refused = given.map(counted).map((config) => ({ config, error: refusalOf(config) }));
  return {
    topics: refused.flatMap(({ config, error }) => (error === null ? newTopicOf(config) : [])),
    errors: refused.flatMap(({ error }) => error ?? []),
  };
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

type CountedTopic = ITopicConfig & Required<Pick<ITopicConfig, "numPartitions" | "replicationFactor">>;

const counted = (config: ITopicConfig): CountedTopic => ({
  ...config,
  numPartitions: givenNumber(config.numPartitions, notGiven),
  replicationFactor: givenNumber(config.replicationFactor, notGiven),
});

function refusalOf({ topic, numPartitions, replicationFactor, replicaAssignment }: CountedTopic) {
  const counts = [numPartitions, replicationFactor];
  const placed = [...(replicaAssignment ?? [])].sort(byPartition);
  if (topic === "") return refused(topic, "INVALID_TOPIC_EXCEPTION", "it has no name");
  if (placed.length > 0 && counts.some((count) => count !== notGiven)) {
    return refused(topic, "INVALID_REQUEST", "it has both a replicaAssignment and counts");
  }
  if (!isCount(numPartitions)) {
    return refused(topic, "INVALID_PARTITIONS", `${String(numPartitions)} is no number of partitions`);
  }
  if (!isCount(replicationFactor)) {
    return refused(topic, "INVALID_REPLICATION_FACTOR", `${String(replicationFactor)} is no number of replicas`);
  }
  const missing = placed.findIndex(({ partition, replicas }, index) => partition !== index || replicas.length === 0);
  if (missing < 0) return null;
  return refused(
    topic,
    "INVALID_REPLICA_ASSIGNMENT",
    `partition ${missing} has no replicas: they are numbered from 0 on`,
  );
}

function refused(topic: string, type: BrokerErrorName, text: string): KafkaJSCreateTopicError {
  const cause = new KafkaJSNonRetriableError(`creating topic ${topic}: ${text}`);
  return new KafkaJSCreateTopicError(protocolErrorOfName(type, cause) ?? cause, topic);
}

const isCount = (count: number): boolean => count === notGiven || (Number.isInteger(count) && count > 0);
const byPartition = (one: ReplicaAssignment, other: ReplicaAssignment): number => one.partition - other.partition;

function newTopicOf({ topic, configEntries, replicaAssignment, ...counts }: CountedTopic): NewTopic {
  const { numPartitions, replicationFactor } = counts;
  const assignments = [...(replicaAssignment ?? [])].sort(byPartition).map(({ replicas }) => replicas);
  return {
    topic,
    ...(numPartitions === notGiven ? {} : { numPartitions }),
    ...(replicationFactor === notGiven ? {} : { replicationFactor }),
    ...(assignments.length === 0 ? {} : { assignments }),
    configs: Object.fromEntries((configEntries ?? []).map(({ name, value }) => [name, value])),
  };
}
