import { KafkaJSNonRetriableError } from "../errors/errors.ts";
import { protocolErrorOfCode } from "../errors/protocol-errors.ts";
import { givenNumber, givenWholeNumber } from "../given-number.ts";
import { type AdminClient, defaultTimeout, type OperationOptions } from "./admin-client.ts";
import { checkTopics } from "./arguments.ts";

/** More partitions for a topic. */
export interface ITopicPartitionConfig {
  topic: string;
  /** How many it is to have then. */
  count: number;
  /** Brokers of each partition that is added, the preferred leader first. */
  assignments?: number[][];
}

export interface CreatePartitionsOptions extends OperationOptions {
  topicPartitions: ITopicPartitionConfig[];
  /** Only checks whether they could be created. @default false */
  validateOnly?: boolean;
}

/** INVALID_PARTITIONS */
const invalidPartitions = 37;

/** @returns `true`, as the types of kafkajs say */
export async function createPartitions(client: AdminClient, options: CreatePartitionsOptions): Promise<boolean> {
  const { topicPartitions, validateOnly, timeout } = options;
  if (Array.isArray(topicPartitions) && topicPartitions.length === 0) {
    throw new KafkaJSNonRetriableError("Empty topic partitions array");
  }
  checkTopics(topicPartitions, "topic partitions");
  const topics = topicPartitions.map(({ topic, count, assignments = [] }) => ({
    topic,
    totalCount: givenNumber(count, 0),
    ...(assignments.length === 0 ? {} : { assignments }),
  }));
  // It would not be more than there are.
  const isWrong = topics.some(({ totalCount }) => !Number.isInteger(totalCount) || totalCount < 1);
  if (isWrong) throw protocolErrorOfCode(invalidPartitions);
  const more = { validateOnly: Boolean(validateOnly), operationTimeoutMs: givenWholeNumber(timeout, defaultTimeout) };
  await client.ask(async (admin) => (await admin.createPartitions(topics, more)).orThrow());
  return true;
}
