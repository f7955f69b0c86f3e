import { Deadline, OptionReader } from "@odradek/network";
import { BrokerError, type KafkaError, type ResponseOf, zeroUuid } from "@odradek/protocol";
import { CreateTopics } from "@odradek/protocol/messages/create-topics";
import { type NewTopic, type ResolvedNewTopic, resolveNewTopics } from "./new-topic.ts";
import type { Results } from "./results.ts";
import { type AdminContext, askUntilAnswered } from "./retries.ts";

export interface CreateTopicsOptions {
  /** @default defaultApiTimeoutMs of the client */
  readonly timeoutMs?: number;
  /** Only checks whether they could be created. @default false */
  readonly validateOnly?: boolean;
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

/** See `KafkaAdmin.createTopics`. */
export async function createTopics(
  context: AdminContext,
  given: readonly NewTopic[],
  options: CreateTopicsOptions,
): Promise<Results<CreatedTopic>> {
  const topics = new Map(resolveNewTopics(given).map((topic) => [topic.topic, topic]));
  const { timeoutMs, validateOnly } = resolveCreateTopicsOptions(options, context);
  const deadline = new Deadline(context.clock, timeoutMs);
  return askUntilAnswered(context, [...topics.keys()], deadline, async (names) => {
    const body = {
      topics: names.flatMap((name) => topics.get(name) ?? []).map(toCreatableTopic),
      timeoutMs: Math.min(Math.ceil(deadline.remainingMs), context.options.requestTimeoutMs),
      validateOnly,
    };
    const response = await context.network.request(CreateTopics, body, { to: "controller", deadline });
    return new Map(response.topics.map((topic) => [topic.name, toAnswer(topic)]));
  });
}

function resolveCreateTopicsOptions(given: CreateTopicsOptions, { options }: AdminContext) {
  const reader = new OptionReader(given);
  const resolved = {
    timeoutMs: reader.integer("timeoutMs", options.defaultApiTimeoutMs, 0),
    validateOnly: reader.boolean("validateOnly", false),
  };
  reader.finish();
  return resolved;
}

function toCreatableTopic({ topic, assignments, configs, ...counts }: ResolvedNewTopic) {
  return {
    name: topic,
    ...counts,
    assignments: assignments.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
    configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
  };
}

function toAnswer(topic: ResponseOf<typeof CreateTopics>["topics"][number]): CreatedTopic | KafkaError {
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
