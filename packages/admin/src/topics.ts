import { Deadline, OptionsError } from "@odradek/network";
import { BrokerError, type KafkaError, type ResponseOf, zeroUuid } from "@odradek/protocol";
import { CreateTopics } from "@odradek/protocol/messages/create-topics";
import type { Results } from "./results.ts";
import { type AdminContext, askUntilAnswered } from "./retries.ts";

/** A topic to be. */
export interface NewTopic {
  readonly topic: string;
  /** How many partitions. @default what the broker is configured with; before Kafka 2.4 it must be given */
  readonly partitions?: number;
  /** How many copies of each partition. @default what the broker is configured with; before Kafka 2.4 it must be given */
  readonly replicationFactor?: number;
  /** Brokers of each partition, the first being its preferred leader; instead of the two counts. */
  readonly assignments?: readonly (readonly number[])[];
  /** The topic's own configuration, such as `{ "cleanup.policy": "compact" }`; `null` means the broker's default. */
  readonly configs?: Readonly<Record<string, string | null>>;
}

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
  readonly partitions: number | null;
  readonly replicationFactor: number | null;
  readonly configs: readonly TopicConfig[] | null;
}

/** See `KafkaAdmin.createTopics`. */
export function createTopics(
  context: AdminContext,
  topics: readonly NewTopic[],
  { timeoutMs = context.options.defaultApiTimeoutMs, validateOnly = false }: CreateTopicsOptions,
): Promise<Results<CreatedTopic>> {
  const byName = new Map(topics.map((topic) => [checked(topic).topic, topic]));
  if (byName.size < topics.length)
    throw new OptionsError("topics", topics, "each topic only once; an array without repeats");
  const deadline = new Deadline(context.clock, timeoutMs);
  return askUntilAnswered(context, [...byName.keys()], deadline, async (names) => {
    const body = {
      topics: names.flatMap((name) => byName.get(name) ?? []).map(toCreatableTopic),
      timeoutMs: Math.min(Math.ceil(deadline.remainingMs), context.options.requestTimeoutMs),
      validateOnly,
    };
    const response = await context.network.request(CreateTopics, body, { to: "controller", deadline });
    return new Map(response.topics.map((topic) => [topic.name, toAnswer(topic)]));
  });
}

/** The broker reads -1 as "not given". */
const notGiven = -1;

function toCreatableTopic({ topic, partitions, replicationFactor, assignments = [], configs = {} }: NewTopic) {
  return {
    name: topic,
    numPartitions: partitions ?? notGiven,
    replicationFactor: replicationFactor ?? notGiven,
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
    partitions: isDescribed ? topic.numPartitions : null,
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

function checked(given: NewTopic): NewTopic {
  const { topic, partitions, replicationFactor, assignments } = given;
  if (typeof topic !== "string" || topic === "") throw new OptionsError("topic", topic, "the name of a topic");
  if (assignments !== undefined && (partitions !== undefined || replicationFactor !== undefined)) {
    throw new OptionsError(
      "assignments",
      assignments,
      `topic ${topic}: either assignments or partitions and replicationFactor; only one`,
    );
  }
  for (const [name, value] of [
    ["partitions", partitions],
    ["replicationFactor", replicationFactor],
  ] as const) {
    if (value !== undefined && !(Number.isInteger(value) && value > 0)) {
      throw new OptionsError(`${name} of topic ${topic}`, value, "a whole number of at least 1");
    }
  }
  return given;
}
