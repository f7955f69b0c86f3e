import type { KafkaAdmin } from "odradek";
import { KafkaJSAggregateError, KafkaJSNonRetriableError, KafkaJSTimeout } from "../errors/errors.ts";
import { KafkaJSCreateTopicError } from "../errors/topic-errors.ts";
import { givenWholeNumber } from "../given-number.ts";
import { type AdminClient, defaultTimeout, type OperationOptions } from "./admin-client.ts";
import { checkArray } from "./arguments.ts";
import { brokerAnswer } from "./broker-answer.ts";
import { type ITopicConfig, newTopicsOf } from "./new-topic.ts";

export interface CreateTopicsOptions extends OperationOptions {
  topics: ITopicConfig[];
  /** Only checks whether they could be created. @default false */
  validateOnly?: boolean;
  /** Whether to wait until each partition is led. @default true */
  waitForLeaders?: boolean;
  /** How long brokers may take over it, and how long leaders are waited for on top of that, milliseconds. @default 5_000 */
  timeout?: number;
}

export interface DeleteTopicsOptions extends OperationOptions {
  topics: string[];
}

/** Those that Kafka keeps for itself, such as `__consumer_offsets`, included. */
export async function listTopics(client: AdminClient): Promise<string[]> {
  const topics = await client.ask((admin) => admin.listTopics({ listInternal: true }));
  return topics.map(({ topic }) => topic);
}

/**
 * @returns `false` where nothing else is wrong than that topics are there already
 * @throws KafkaJSAggregateError of KafkaJSCreateTopicErrors; KafkaJSTimeout where partitions are not led in time
 */
export async function createTopics(client: AdminClient, options: CreateTopicsOptions): Promise<boolean> {
  const { waitForLeaders = true } = options;
  const validateOnly = Boolean(options.validateOnly);
  const timeoutMs = givenWholeNumber(options.timeout, defaultTimeout);
  const { topics, errors: refused } = newTopicsOf(options.topics);
  return client.ask(async (admin) => {
    const results = await admin.createTopics(topics, { validateOnly, operationTimeoutMs: timeoutMs });
    const failed = [...results].flatMap(({ key, error }) => (error === null ? [] : [topicError(error, key)]));
    const errors = [...refused, ...failed];
    if (errors.length > 0) {
      if (errors.every(({ type }) => type === "TOPIC_ALREADY_EXISTS")) return false;
      throw new KafkaJSAggregateError("Topic creation errors", errors);
    }
    const names = topics.map(({ topic }) => topic);
    if (waitForLeaders && !validateOnly) await leadersOf(client, admin, names, timeoutMs);
    return true;
  });
}

/** @throws what is no answer about a topic, but that there is none */
function topicError(error: Error, topic: string): KafkaJSCreateTopicError {
  const answer = brokerAnswer(error);
  if (answer === null) throw error;
  return new KafkaJSCreateTopicError(answer, topic);
}

const pollMs = 100;

async function leadersOf(client: AdminClient, admin: KafkaAdmin, topics: readonly string[], timeoutMs: number) {
  const endMs = client.now() + timeoutMs;
  while (!(await areLed(admin, topics))) {
    if (client.now() >= endMs) throw new KafkaJSTimeout("Timed out while waiting for topic leaders");
    await client.pause(pollMs);
  }
}

async function areLed(admin: KafkaAdmin, topics: readonly string[]): Promise<boolean> {
  const results = [...(await admin.describeTopics(topics))];
  const failure = results.find(({ error }) => error !== null && !isYetToCome.has(error.code));
  if (failure?.error) throw failure.error;
  return results.every(({ value }) => value?.partitions.every(({ leaderId }) => leaderId !== null) === true);
}

/** Of a topic that was created a moment ago. */
const isYetToCome: ReadonlySet<string> = new Set(["LEADER_NOT_AVAILABLE", "UNKNOWN_TOPIC_OR_PARTITION"]);

/** @throws KafkaJSNumberOfRetriesExceeded for a topic that is not there */
export async function deleteTopics(client: AdminClient, options: DeleteTopicsOptions): Promise<void> {
  const { topics } = options;
  const operationTimeoutMs = givenWholeNumber(options.timeout, defaultTimeout);
  checkArray(topics, "topics");
  if (topics.some((topic) => typeof topic !== "string")) {
    throw new KafkaJSNonRetriableError("Invalid topics array, the names must be a valid string");
  }
  await client.ask(async (admin) => {
    const results = await admin.deleteTopics([...new Set(topics)], { operationTimeoutMs });
    const failure = [...results].find(({ error }) => error !== null)?.error ?? null;
    if (failure?.code === "REQUEST_TIMED_OUT") {
      client.logger.error("Topics were not deleted in time; brokers with delete.topic.enable=false delete none", {
        error: failure.message,
      });
    }
    // kafkajs asks again about topics that are not there.
    if (failure?.code === "UNKNOWN_TOPIC_OR_PARTITION") throw client.givenUp(failure);
    if (failure !== null) throw failure;
  });
}
