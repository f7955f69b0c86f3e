import type { GroupOffset, KafkaAdmin, TopicPartition } from "odradek";
import { seekOf } from "../consumer/consumer-arguments.ts";
import { KafkaJSNonRetriableError } from "../errors/errors.ts";
import type { AdminClient } from "./admin-client.ts";
import { descriptionsOf } from "./group-descriptions.ts";
import { offsetsOf, partitionsOf, type SeekEntry } from "./topic-offsets.ts";

export type FetchOffsetsPartition = SeekEntry & { metadata: string | null };

export interface GroupTopicOffsets {
  topic: string;
  partitions: FetchOffsetsPartition[];
}

export interface FetchOffsetsOptions {
  groupId: string;
  /** @default all topics that the group has committed an offset of */
  topics?: string[];
  /** Whether the group gets the ends of partitions for which it has committed no offset. @default false */
  resolveOffsets?: boolean;
}

export interface SetOffsetsOptions {
  groupId: string;
  topic: string;
  /** Where the group is to go on; "-1" is the end of the partition, "-2" its beginning. */
  partitions: SeekEntry[];
}

export interface ResetOffsetsOptions {
  groupId: string;
  topic: string;
  /** @default false, the ends of the partitions */
  earliest?: boolean;
}

/** What stands for no offset. */
const none = "-1";

export async function fetchOffsets(client: AdminClient, options: FetchOffsetsOptions): Promise<GroupTopicOffsets[]> {
  const { groupId, topics, resolveOffsets = false } = options;
  checkGroup(groupId);
  if (topics && !Array.isArray(topics)) throw new KafkaJSNonRetriableError("Expected topics array to be set");
  return client.ask(async (admin) => {
    const partitions = topics && topics.length > 0 ? await placesOf(admin, topics) : null;
    const offsets = (await admin.listConsumerGroupOffsets([{ groupId, partitions }])).orThrow().flat();
    const failure = offsets.find(({ error }) => error !== null)?.error;
    if (failure) throw failure;
    const byTopic = groupedOffsets(offsets);
    if (resolveOffsets) for (const one of byTopic) await resolve(admin, groupId, one);
    return byTopic;
  });
}

async function placesOf(admin: KafkaAdmin, topics: readonly string[]): Promise<TopicPartition[]> {
  const descriptions = (await admin.describeTopics([...new Set(topics)])).orThrow();
  return descriptions.flatMap(({ topic, partitions }) => partitions.map(({ partition }) => ({ topic, partition })));
}

function groupedOffsets(offsets: readonly GroupOffset[]): GroupTopicOffsets[] {
  const byTopic = new Map<string, FetchOffsetsPartition[]>();
  for (const { topic, partition, offset, metadata } of offsets) {
    const partitions = byTopic.get(topic) ?? [];
    byTopic.set(topic, partitions);
    partitions.push({ partition, offset: offset === null ? none : String(offset), metadata: metadata || null });
  }
  return [...byTopic].map(([topic, partitions]) => ({ topic, partitions }));
}

/** Commits the ends of the partitions that have no offset, and fills them in. */
async function resolve(admin: KafkaAdmin, groupId: string, { topic, partitions }: GroupTopicOffsets): Promise<void> {
  // What stands for no offset stands for the end as well.
  const open = partitions.filter(({ offset }) => offset === none);
  if (open.length === 0) return;
  const committed = await commit(admin, { groupId, topic, partitions: open });
  for (const { partition, offset } of committed) {
    for (const one of open) if (one.partition === partition) one.offset = String(offset);
  }
}

/** @throws KafkaJSNonRetriableError where somebody is in the group, and for offsets that there are not */
export async function setOffsets(client: AdminClient, options: SetOffsetsOptions): Promise<void> {
  const { groupId, topic, partitions } = options;
  checkGroupAndTopic(groupId, topic);
  if (!partitions || partitions.length === 0) throw new KafkaJSNonRetriableError("Invalid partitions");
  await client.ask((admin) => commit(admin, options));
}

export async function resetOffsets(client: AdminClient, options: ResetOffsetsOptions): Promise<void> {
  const { groupId, topic, earliest = false } = options;
  checkGroupAndTopic(groupId, topic);
  await client.ask(async (admin) => {
    const offset = earliest ? "-2" : "-1";
    const partitions = (await partitionsOf(admin, topic)).map((partition) => ({ partition, offset }));
    await commit(admin, { groupId, topic, partitions });
  });
}

/** @returns where the group goes on now */
async function commit(admin: KafkaAdmin, { groupId, topic, partitions }: SetOffsetsOptions) {
  const targets = partitions.map(({ partition, offset }) => seekOf({ topic, partition, offset }));
  const [description] = await descriptionsOf(admin, [groupId]);
  const state = description?.state ?? "Unknown";
  if (state !== "Empty" && state !== "Dead") {
    throw new KafkaJSNonRetriableError(`The consumer group must have no running instances, current state: ${state}`);
  }
  const placesWith = (wanted: string) => targets.filter(({ target }) => target === wanted).map(numberOf);
  const known = new Map([
    ...(await offsetsOf(admin, topic, placesWith("beginning"), "earliest")),
    ...(await offsetsOf(admin, topic, placesWith("end"), "latest")),
  ]);
  const offsets = targets.flatMap(({ partition, target }) => {
    const offset = typeof target === "bigint" ? target : known.get(partition);
    return offset === undefined ? [] : [{ topic, partition, offset }];
  });
  (await admin.alterConsumerGroupOffsets(groupId, offsets)).orThrow();
  return offsets;
}

const numberOf = ({ partition }: TopicPartition): number => partition;

function checkGroup(groupId: string): void {
  if (!groupId) throw new KafkaJSNonRetriableError(`Invalid groupId ${String(groupId)}`);
}

function checkGroupAndTopic(groupId: string, topic: string): void {
  checkGroup(groupId);
  if (!topic) throw new KafkaJSNonRetriableError(`Invalid topic ${String(topic)}`);
}
