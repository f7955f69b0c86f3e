import { OptionReader } from "@odradek/network";
import { BrokerError, codeOf, KafkaError, UnsupportedVersionError, zeroUuid } from "@odradek/protocol";
import {
  DescribeTopicPartitions,
  type DescribeTopicPartitionsResponse,
} from "@odradek/protocol/messages/describe-topic-partitions";
import type { MetadataResponse } from "@odradek/protocol/messages/metadata";
import { type AclOperation, authorizedOperations } from "./acl-operations.ts";
import { type AdminCallOptions, type AdminContext, Call } from "./asking/call.ts";
import { clusterMetadata } from "./asking/cluster-metadata.ts";
import { type Answers, askAll, askParts } from "./asking/fan-out.ts";
import { toAny } from "./asking/routing.ts";
import type { Results } from "./results.ts";
import { checkedTopicNames, type TopicName, textOfTopic } from "./topic-name.ts";

export interface DescribeTopicsOptions extends AdminCallOptions {
  /** Whether brokers are asked what the client may do with each topic; before Kafka 2.3 they do not tell. @default false */
  readonly includeAuthorizedOperations?: boolean;
  /** How many partitions one answer has at most; the rest is asked for, page by page (KIP-966, Kafka 3.8). @default 2000 */
  readonly partitionSizeLimitPerResponse?: number;
}

export interface TopicDescription {
  readonly topic: string;
  /** Kafka's UUID; `null` before Kafka 2.8. */
  readonly topicId: string | null;
  readonly isInternal: boolean;
  /** In the order of their numbers. */
  readonly partitions: readonly PartitionDescription[];
  /** What the client may do with it; `null` where that was not asked for, or the broker does not tell. */
  readonly authorizedOperations: readonly AclOperation[] | null;
}

export interface PartitionDescription {
  readonly partition: number;
  /** Broker id; `null` while nobody leads it. */
  readonly leaderId: number | null;
  /** Broker ids, the preferred leader first. */
  readonly replicaIds: readonly number[];
  readonly inSyncReplicaIds: readonly number[];
  readonly offlineReplicaIds: readonly number[];
  /** Who may lead without loss although out of sync (KIP-966); `null` where the broker does not tell. */
  readonly eligibleLeaderReplicaIds: readonly number[] | null;
  /** Who was eligible before an unclean shutdown took the last of them; `null` where the broker does not tell. */
  readonly lastKnownEligibleLeaderReplicaIds: readonly number[] | null;
}

type Page = DescribeTopicPartitionsResponse["topics"][number];
type PartitionAnswer = Omit<Page["partitions"][number], "eligibleLeaderReplicas" | "lastKnownElr">;

/** See `KafkaAdmin.describeTopics`. */
export async function describeTopics(
  context: AdminContext,
  given: readonly TopicName[],
  options: DescribeTopicsOptions,
): Promise<Results<TopicDescription, TopicName>> {
  const topics = checkedTopicNames(given);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const withOperations = reader.boolean("includeAuthorizedOperations", false);
  const pageSize = reader.integer("partitionSizeLimitPerResponse", 2_000, 1, 0x7fff_ffff);
  reader.finish();
  return askAll(call, {
    keys: topics,
    textOf: textOfTopic,
    routing: toAny(),
    ask: async (keys) => {
      const names = keys.filter((key) => typeof key === "string");
      const topicIds = keys.flatMap((key) => (typeof key === "string" ? [] : [key.topicId]));
      const byNames = partsOf(names).map((some) => ({
        texts: () => some,
        ask: () => describeByName(call, some, withOperations, pageSize),
      }));
      // What is known of the topics by name is not lost to brokers without topics by id.
      const byIds = { texts: () => topicIds, ask: () => describeById(call, topicIds, withOperations) };
      return askParts(call, [...byNames, byIds]);
    },
  });
}

/** More than that are asked about in several requests at once, of several brokers. */
const topicsPerRequest = 250;

const partsOf = (names: readonly string[]): string[][] =>
  Array.from({ length: Math.ceil(names.length / topicsPerRequest) }, (_, part) =>
    names.slice(part * topicsPerRequest, (part + 1) * topicsPerRequest),
  );

async function describeByName(
  call: Call,
  names: readonly string[],
  withOperations: boolean,
  pageSize: number,
): Promise<Answers<TopicDescription>> {
  try {
    return await describeByPages(call, names, withOperations, pageSize);
  } catch (error) {
    if (!(error instanceof UnsupportedVersionError)) throw error;
    const { topics } = await clusterMetadata(call, names, { includeTopicAuthorizedOperations: withOperations });
    return new Map(topics.map((topic) => [topic.name ?? "", toAnswer(topic, topic.partitions, withOperations)]));
  }
}

async function describeById(
  call: Call,
  topicIds: readonly string[],
  withOperations: boolean,
): Promise<Answers<TopicDescription>> {
  if (topicIds.length === 0) return new Map();
  const { topics } = await clusterMetadata(call, [], { topicIds, includeTopicAuthorizedOperations: withOperations });
  return new Map(topics.map((topic) => [topic.topicId, toAnswer(topic, topic.partitions, withOperations)]));
}

/** Page by page, each with those topics that were not answered whole; brokers go through them in the order of their names. */
async function describeByPages(
  call: Call,
  names: readonly string[],
  withOperations: boolean,
  responsePartitionLimit: number,
): Promise<Answers<TopicDescription>> {
  const pages = new Map<string, Page[]>();
  let left = [...names].sort(byName);
  let cursor: DescribeTopicPartitionsResponse["nextCursor"] = null;
  do {
    const body = { topics: left.map((name) => ({ name })), responsePartitionLimit, cursor };
    const response: DescribeTopicPartitionsResponse = await call.request(DescribeTopicPartitions, body, "any");
    for (const topic of response.topics) {
      const known = pages.get(topic.name ?? "");
      if (known === undefined) pages.set(topic.name ?? "", [topic]);
      else known.push(topic);
    }
    const next = response.nextCursor;
    if (next !== null && !isBehind(next, cursor)) throw notAdvancing();
    cursor = next;
    if (next !== null) left = left.filter((name) => byName(name, next.topicName) >= 0);
  } while (cursor !== null);
  return new Map(
    [...pages].map(([name, all]): [string, TopicDescription | KafkaError] => {
      const failed = all.find(({ errorCode }) => errorCode !== 0) ?? all[0];
      const partitions = all.flatMap((page) => page.partitions);
      return [name, failed === undefined ? notAdvancing() : toAnswer(failed, partitions, withOperations)];
    }),
  );
}

/** The order of Java's strings, by which brokers sort: the same as that of JavaScript's. */
const byName = (one: string, other: string): number => (one === other ? 0 : one < other ? -1 : 1);

type Cursor = NonNullable<DescribeTopicPartitionsResponse["nextCursor"]>;

const isBehind = (next: Cursor, before: Cursor | null): boolean => {
  if (before === null) return true;
  const order = byName(next.topicName, before.topicName);
  return order > 0 || (order === 0 && next.partitionIndex > before.partitionIndex);
};

/** A broker that answers so would be asked without end. */
const notAdvancing = (): KafkaError =>
  new KafkaError("DescribeTopicPartitions: the next page does not begin behind the last one", { code: "DECODE" });

function toAnswer(
  topic: Pick<
    MetadataResponse["topics"][number],
    "errorCode" | "name" | "topicId" | "isInternal" | "topicAuthorizedOperations"
  >,
  partitions: readonly (PartitionAnswer & Partial<Page["partitions"][number]>)[],
  withOperations: boolean,
): TopicDescription | KafkaError {
  const { errorCode, name, topicId, isInternal } = topic;
  if (errorCode !== 0) return new BrokerError(errorCode, `describing topic ${name ?? topicId}`);
  if (name === null) return new BrokerError(codeOf("UNKNOWN_TOPIC_ID"), `describing topic ${topicId}`);
  return {
    topic: name,
    topicId: topicId === zeroUuid ? null : topicId,
    isInternal,
    partitions: partitions.map(toPartition).sort((one, other) => one.partition - other.partition),
    authorizedOperations: withOperations ? authorizedOperations(topic.topicAuthorizedOperations) : null,
  };
}

const toPartition = (partition: PartitionAnswer & Partial<Page["partitions"][number]>): PartitionDescription => ({
  partition: partition.partitionIndex,
  leaderId: partition.leaderId < 0 ? null : partition.leaderId,
  replicaIds: partition.replicaNodes,
  inSyncReplicaIds: partition.isrNodes,
  offlineReplicaIds: partition.offlineReplicas,
  eligibleLeaderReplicaIds: partition.eligibleLeaderReplicas ?? null,
  lastKnownEligibleLeaderReplicaIds: partition.lastKnownElr ?? null,
});
