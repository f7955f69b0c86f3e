import {
  checkedOffsets,
  type OffsetToCommit,
  OptionReader,
  partitionText,
  type TopicPartition,
} from "@odradek/network";
import { BrokerError, type KafkaError, type KafkaErrorCode, type ResponseOf } from "@odradek/protocol";
import { OffsetCommit } from "@odradek/protocol/messages/offset-commit";
import { OffsetDelete } from "@odradek/protocol/messages/offset-delete";
import { OffsetFetch } from "@odradek/protocol/messages/offset-fetch";
import { checkedKeys, checkedPartitions } from "./asking/arguments.ts";
import { byPartition, topicsOf } from "./asking/by-topic.ts";
import { type AdminCallOptions, type AdminContext, Call, type Whom } from "./asking/call.ts";
import { type Answers, askAll, askParts } from "./asking/fan-out.ts";
import { toCoordinator } from "./asking/routing.ts";
import { checkedGroupId, isGroupId } from "./groups.ts";
import type { Results } from "./results.ts";

/** A group, and which of its offsets are wanted. Source: Kafka's `ListConsumerGroupOffsetsSpec`. */
export interface GroupOffsetsQuery {
  readonly groupId: string;
  /** @default every partition that the group has committed an offset of */
  readonly partitions?: readonly TopicPartition[] | null;
}

export interface ListGroupOffsetsOptions extends AdminCallOptions {
  /** Waits for open transactions that are about to change an offset (KIP-447, Kafka 2.5). @default false */
  readonly requireStable?: boolean;
}

/** What a group has committed of one partition. */
export interface GroupOffset extends TopicPartition {
  /** Of the record that it reads next; `null` where it has committed none. */
  readonly offset: bigint | null;
  /** Epoch of the leader that wrote the record before it; `null` where that is not known. */
  readonly leaderEpoch: number | null;
  /** The note of the one who committed. */
  readonly metadata: string;
  /** Why this partition's offset cannot be told, such as `TOPIC_AUTHORIZATION_FAILED`. */
  readonly error: KafkaError | null;
}

/** From this version on a request is about many groups, and so is its answer. */
const manyGroupsSince = 8;

/** Topics go by their ids from the version behind this one on. */
const newestVersionWithNames = 9;

const requireStableSince = 7;

/** See `KafkaAdmin.listConsumerGroupOffsets`. */
export async function listConsumerGroupOffsets(
  context: AdminContext,
  given: readonly (string | GroupOffsetsQuery)[],
  options: ListGroupOffsetsOptions,
): Promise<Results<readonly GroupOffset[]>> {
  const queries = checkedGroupOffsetsQueries(given);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const requireStable = reader.boolean("requireStable", false);
  reader.finish();
  const byId = new Map(queries.map((query) => [query.groupId, query.partitions]));
  const ask = (groupIds: readonly string[], whom: Whom) =>
    fetchOffsets(
      call,
      groupIds.map((groupId) => ({ groupId, partitions: byId.get(groupId) ?? null })),
      whom,
      requireStable,
    );
  return askAll(call, {
    keys: [...byId.keys()],
    textOf: String,
    routing: toCoordinator("group", (groupId) => groupId),
    ask,
  });
}

/** A group, and which of its offsets are wanted; `null` for all. */
interface CheckedQuery {
  readonly groupId: string;
  readonly partitions: readonly TopicPartition[] | null;
}

/** @throws OptionsError naming which of them is none */
export const checkedGroupOffsetsQueries = (given: readonly (string | GroupOffsetsQuery)[]): readonly CheckedQuery[] =>
  checkedKeys("groups", given, checkedQuery, ({ groupId }) => groupId);

function checkedQuery(given: string | GroupOffsetsQuery, path: string): CheckedQuery {
  if (isGroupId(given)) return { groupId: given, partitions: null };
  const reader = new OptionReader(given, path);
  const groupId = reader.required("groupId", isGroupId, "the id of a group");
  const partitions = reader.value("partitions", null, isArrayOrNull, "an array of partitions");
  reader.finish();
  return { groupId, partitions: partitions === null ? null : checkedPartitions(`${path}.partitions`, partitions) };
}

/** What is in it is checked one by one. */
const isArrayOrNull = (value: unknown): value is readonly TopicPartition[] | null =>
  value === null || Array.isArray(value);

type Fetched = readonly GroupOffset[];

async function fetchOffsets(
  call: Call,
  queries: readonly CheckedQuery[],
  whom: Whom,
  requireStable: boolean,
): Promise<Answers<Fetched>> {
  const topicsOfQuery = ({ partitions }: CheckedQuery) =>
    partitions === null
      ? null
      : topicsOf(partitions, (name, all) => ({ name, partitionIndexes: all.map(({ partition }) => partition) }));
  const [first, ...others] = queries;
  if (first === undefined) return new Map();
  let version = 0;
  const body = (usable: number) => {
    version = usable;
    const stable = usable < requireStableSince ? {} : { requireStable };
    return usable < manyGroupsSince
      ? { groupId: first.groupId, topics: topicsOfQuery(first), ...stable }
      : { groups: queries.map((query) => ({ groupId: query.groupId, topics: topicsOfQuery(query) })), ...stable };
  };
  const bounds = { newest: newestVersionWithNames, oldest: requireStable ? requireStableSince : allTopicsSince };
  const response = await call.request(OffsetFetch, body, whom, bounds);
  if (version >= manyGroupsSince) {
    return new Map(
      response.groups.map((group) => [group.groupId, toOffsets(group.groupId, group.errorCode, group.topics)]),
    );
  }
  const rest = others.map((query) => ({
    texts: () => [query.groupId],
    ask: () => fetchOffsets(call, [query], whom, requireStable),
  }));
  return new Map([
    [first.groupId, toOffsets(first.groupId, response.errorCode, response.topics)],
    ...(await askParts(call, rest)),
  ]);
}

const allTopicsSince = 2;

type TopicAnswer =
  | ResponseOf<typeof OffsetFetch>["groups"][number]["topics"][number]
  | ResponseOf<typeof OffsetFetch>["topics"][number];

function toOffsets(groupId: string, errorCode: number, topics: readonly TopicAnswer[]): Fetched | KafkaError {
  if (errorCode !== 0) return new BrokerError(errorCode, `listing offsets of group ${groupId}`);
  const offsets = topics.flatMap(({ name: topic, partitions }) =>
    partitions.map((told): GroupOffset => {
      const at = { topic, partition: told.partitionIndex };
      const about = `listing the offset of group ${groupId} in ${partitionText(at)}`;
      return {
        ...at,
        offset: told.committedOffset < 0n ? null : told.committedOffset,
        leaderEpoch: told.committedLeaderEpoch < 0 ? null : told.committedLeaderEpoch,
        metadata: told.metadata ?? "",
        error: told.errorCode === 0 ? null : new BrokerError(told.errorCode, about),
      };
    }),
  );
  // It is about to change, which is what `requireStable` waits for.
  return offsets.find(({ error }) => error?.code === "UNSTABLE_OFFSET_COMMIT")?.error ?? offsets;
}

/** See `KafkaAdmin.alterConsumerGroupOffsets`. */
export async function alterConsumerGroupOffsets(
  context: AdminContext,
  given: string,
  offsets: readonly OffsetToCommit[],
  options: AdminCallOptions,
): Promise<Results<TopicPartition, TopicPartition>> {
  const groupId = checkedGroupId(given);
  const toCommit = new Map(checkedOffsets(offsets).map((offset) => [partitionText(offset), offset]));
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  return askAll<TopicPartition, TopicPartition>(call, {
    keys: [...toCommit.values()].map(({ topic, partition }): TopicPartition => ({ topic, partition })),
    textOf: partitionText,
    // Source: Kafka's `AlterConsumerGroupOffsetsHandler`.
    routing: { ...toCoordinator("group", () => groupId), passing: new Set<KafkaErrorCode>(["REBALANCE_IN_PROGRESS"]) },
    ask: async (partitions, whom) => {
      const wanted = partitions.flatMap((at) => toCommit.get(partitionText(at)) ?? []);
      const body = {
        groupId,
        memberId: "",
        topics: topicsOf(wanted, (name, all) => ({
          name,
          partitions: all.map(({ partition, offset, leaderEpoch, metadata }) => ({
            partitionIndex: partition,
            committedOffset: offset,
            committedLeaderEpoch: leaderEpoch ?? -1,
            committedMetadata: metadata,
          })),
        })),
      };
      const { topics } = await call.request(OffsetCommit, body, whom, { newest: newestVersionWithNames });
      return byPartition(
        topics,
        ({ name }) => name,
        ({ partitions: all }) => all,
        (at, { errorCode }) =>
          errorCode === 0
            ? at
            : new BrokerError(errorCode, `altering the offset of group ${groupId} in ${partitionText(at)}`),
      );
    },
  });
}

/** See `KafkaAdmin.deleteConsumerGroupOffsets`. */
export async function deleteConsumerGroupOffsets(
  context: AdminContext,
  given: string,
  partitions: readonly TopicPartition[],
  options: AdminCallOptions,
): Promise<Results<TopicPartition, TopicPartition>> {
  const groupId = checkedGroupId(given);
  const keys = checkedPartitions("partitions", partitions);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  return askAll<TopicPartition, TopicPartition>(call, {
    keys,
    textOf: partitionText,
    routing: toCoordinator("group", () => groupId),
    ask: async (some, whom) => {
      const topics = topicsOf(some, (name, all) => ({
        name,
        partitions: all.map(({ partition }) => ({ partitionIndex: partition })),
      }));
      const response = await call.request(OffsetDelete, { groupId, topics }, whom);
      if (response.errorCode !== 0) throw new BrokerError(response.errorCode, `deleting offsets of group ${groupId}`);
      return byPartition(
        response.topics,
        ({ name }) => name,
        ({ partitions: all }) => all,
        (at, { errorCode }) =>
          errorCode === 0
            ? at
            : new BrokerError(errorCode, `deleting the offset of group ${groupId} in ${partitionText(at)}`),
      );
    },
  });
}
