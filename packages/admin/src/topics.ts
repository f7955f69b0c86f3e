import { OptionReader } from "@odradek/network";
import { BrokerError, type KafkaError, type ResponseOf, UnsupportedVersionError, zeroUuid } from "@odradek/protocol";
import { CreateTopics } from "@odradek/protocol/messages/create-topics";
import { DeleteTopics } from "@odradek/protocol/messages/delete-topics";
import {
  type AdminCallOptions,
  type AdminContext,
  Call,
  OperationCall,
  type OperationOptions,
  type Whom,
} from "./asking/call.ts";
import { clusterMetadata } from "./asking/cluster-metadata.ts";
import { type Answers, askAll, askOne, askParts } from "./asking/fan-out.ts";
import { toController } from "./asking/routing.ts";
import { isComplete, type NewTopic, type ResolvedNewTopic, resolveNewTopics } from "./new-topic.ts";
import type { Results } from "./results.ts";
import { checkedTopicNames, type TopicName, textOfTopic } from "./topic-name.ts";

export interface TopicChangeOptions extends OperationOptions {
  /** Whether to ask again where a quota is exceeded for the moment (KIP-599). @default true */
  readonly retryOnQuotaViolation?: boolean;
}

export interface CreateTopicsOptions extends TopicChangeOptions {
  /** Only checks whether they could be created. @default false */
  readonly validateOnly?: boolean;
}

export interface ListTopicsOptions extends AdminCallOptions {
  /** Whether topics that Kafka keeps for itself, such as `__consumer_offsets`, are listed too. @default false */
  readonly listInternal?: boolean;
}

export interface TopicConfig {
  readonly name: string;
  readonly value: string | null;
  readonly isReadOnly: boolean;
  readonly isSensitive: boolean;
}

/** A topic that was created, or could be. */
export interface CreatedTopic {
  readonly topic: string;
  /** Kafka's UUID; `null` before Kafka 2.8. */
  readonly topicId: string | null;
  /** `null` before Kafka 2.4, or where the client may not describe the topic's configuration. */
  readonly numPartitions: number | null;
  readonly replicationFactor: number | null;
  readonly configs: readonly TopicConfig[] | null;
}

export interface TopicListing {
  readonly topic: string;
  /** Kafka's UUID; `null` before Kafka 2.8. */
  readonly topicId: string | null;
  readonly isInternal: boolean;
}

/** Whether an error ends a call that does not wait for its quota. */
export const quotaIsFinal =
  (retryOnQuotaViolation: boolean) =>
  ({ code }: KafkaError): boolean =>
    code === "THROTTLING_QUOTA_EXCEEDED" && !retryOnQuotaViolation;

/** See `KafkaAdmin.createTopics`. */
export async function createTopics(
  context: AdminContext,
  given: readonly NewTopic[],
  options: CreateTopicsOptions,
): Promise<Results<CreatedTopic>> {
  const topics = new Map(resolveNewTopics(given).map((topic) => [topic.topic, topic]));
  const reader = new OptionReader(options);
  const call = new OperationCall(context, reader);
  const validateOnly = reader.boolean("validateOnly", false);
  const isFinal = quotaIsFinal(reader.boolean("retryOnQuotaViolation", true));
  reader.finish();
  return askAll(call, {
    keys: [...topics.keys()],
    textOf: String,
    routing: toController(),
    isFinal,
    doneBefore: new Set(validateOnly ? [] : ["TOPIC_ALREADY_EXISTS"]),
    ask: async (names, whom) => {
      const some = names.flatMap((name) => topics.get(name) ?? []);
      const parts = [some.filter(isComplete), some.filter((topic) => !isComplete(topic))];
      return askParts(
        call,
        parts
          .filter((part) => part.length > 0)
          .map((part) => ({
            texts: () => part.map(({ topic }) => topic),
            ask: () => createPart(call, part, validateOnly, whom),
          })),
      );
    },
  });
}

/** The first version in which counts may be left to the broker (KIP-464). */
const defaultCountsSince = 4;

/** Creates topics that either all have their counts or all leave them out: older brokers lose nothing of those that have them. */
async function createPart(
  call: OperationCall,
  topics: readonly ResolvedNewTopic[],
  validateOnly: boolean,
  whom: Whom,
): Promise<Answers<CreatedTopic>> {
  const body = { topics: topics.map(toCreatableTopic), timeoutMs: call.operationTimeoutMs, validateOnly };
  try {
    const bounds = topics.every(isComplete) ? {} : { oldest: defaultCountsSince };
    const response = await call.request(CreateTopics, body, whom, bounds);
    return new Map(response.topics.map((topic) => [topic.name, toCreatedTopic(topic)]));
  } catch (error) {
    if (!(error instanceof UnsupportedVersionError) || topics.every(isComplete)) throw error;
    throw error.of(`${error.subject}, which leaves counts to the broker`);
  }
}

/** See `KafkaAdmin.deleteTopics`. */
export async function deleteTopics(
  context: AdminContext,
  given: readonly TopicName[],
  options: TopicChangeOptions,
): Promise<Results<TopicName, TopicName>> {
  const topics = checkedTopicNames(given);
  const reader = new OptionReader(options);
  const call = new OperationCall(context, reader);
  const isFinal = quotaIsFinal(reader.boolean("retryOnQuotaViolation", true));
  reader.finish();
  return askAll(call, {
    keys: topics,
    textOf: textOfTopic,
    routing: toController(),
    isFinal,
    doneBefore: new Set(["UNKNOWN_TOPIC_OR_PARTITION", "UNKNOWN_TOPIC_ID"]),
    ask: async (some, whom) => {
      const [names, ids] = [
        some.filter((topic) => typeof topic === "string"),
        some.filter((topic) => typeof topic !== "string"),
      ];
      const parts = [names, ids].filter((part) => part.length > 0);
      return askParts(
        call,
        parts.map((part) => ({ texts: () => part.map(textOfTopic), ask: () => deletePart(call, part, whom) })),
      );
    },
  });
}

const deletedByIdSince = 6;

/** Deletes topics that are all named in the same way: brokers without ids lose nothing of those by name. */
async function deletePart(call: OperationCall, topics: readonly TopicName[], whom: Whom): Promise<Answers<TopicName>> {
  const byText = new Map(topics.map((topic) => [textOfTopic(topic), topic]));
  const names = topics.filter((topic) => typeof topic === "string");
  const { operationTimeoutMs: timeoutMs } = call;
  const body = (version: number) =>
    version < deletedByIdSince ? { topicNames: names, timeoutMs } : { topics: topics.map(toDeletableTopic), timeoutMs };
  const bounds = names.length < topics.length ? { oldest: deletedByIdSince } : {};
  const { responses } = await call.request(DeleteTopics, body, whom, bounds);
  return new Map(
    responses.flatMap(({ name, topicId, errorCode, errorMessage }): [string, TopicName | KafkaError][] => {
      // The answer has both where the broker knows both.
      const text = name !== null && byText.has(name) ? name : topicId;
      const topic = byText.get(text);
      if (topic === undefined) return [];
      return [[text, errorCode === 0 ? topic : new BrokerError(errorCode, `deleting topic ${text}`, errorMessage)]];
    }),
  );
}

const toDeletableTopic = (topic: TopicName) =>
  typeof topic === "string" ? { name: topic, topicId: zeroUuid } : { name: null, topicId: topic.topicId };

/** See `KafkaAdmin.listTopics`. */
export async function listTopics(context: AdminContext, options: ListTopicsOptions): Promise<TopicListing[]> {
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const listInternal = reader.boolean("listInternal", false);
  reader.finish();
  const { topics } = await askOne(call, "listing topics", () => clusterMetadata(call, null));
  return topics.flatMap(({ name, topicId, isInternal }) => {
    if (name === null || (isInternal && !listInternal)) return [];
    return [{ topic: name, topicId: topicId === zeroUuid ? null : topicId, isInternal }];
  });
}

function toCreatableTopic({ topic, assignments, configs, ...counts }: ResolvedNewTopic) {
  return {
    name: topic,
    ...counts,
    assignments: assignments.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
    configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
  };
}

function toCreatedTopic(topic: ResponseOf<typeof CreateTopics>["topics"][number]): CreatedTopic | KafkaError {
  if (topic.errorCode !== 0)
    return new BrokerError(topic.errorCode, `creating topic ${topic.name}`, topic.errorMessage);
  const isDescribed = topic.numPartitions >= 0 && topic.configs !== null;
  return {
    topic: topic.name,
    topicId: topic.topicId === zeroUuid ? null : topic.topicId,
    numPartitions: isDescribed ? topic.numPartitions : null,
    replicationFactor: isDescribed ? topic.replicationFactor : null,
    configs: isDescribed
      ? (topic.configs?.map(({ name, value, readOnly, isSensitive }) => ({
          name,
          value,
          isReadOnly: readOnly,
          isSensitive,
        })) ?? null)
      : null,
  };
}
