import { OptionReader, OptionsError, partitionText, type TopicPartition } from "@odradek/network";
import { BrokerError, type KafkaError, type ResponseOf } from "@odradek/protocol";
import { AlterShareGroupOffsets } from "@odradek/protocol/messages/alter-share-group-offsets";
import { DeleteShareGroupOffsets } from "@odradek/protocol/messages/delete-share-group-offsets";
import { DescribeShareGroupOffsets } from "@odradek/protocol/messages/describe-share-group-offsets";
import { ShareGroupDescribe } from "@odradek/protocol/messages/share-group-describe";
import { authorizedOperations } from "./acl-operations.ts";
import { checkedKeys, checkedTexts, isInt64, readPartition } from "./asking/arguments.ts";
import { byPartition, topicsOf } from "./asking/by-topic.ts";
import { type AdminCallOptions, type AdminContext, Call } from "./asking/call.ts";
import { askAll } from "./asking/fan-out.ts";
import { toCoordinator } from "./asking/routing.ts";
import { assignmentOf, type DescribeGroupsOptions, describe, type GroupDescription } from "./group-descriptions.ts";
import { checkedGroupOffsetsQueries, type GroupOffsetsQuery } from "./group-offsets.ts";
import { checkedGroupId, groupStateOf } from "./groups.ts";
import type { Results } from "./results.ts";

/** Source: Kafka's `ShareMemberDescription`. */
export interface ShareGroupMember {
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rackId: string | null;
  readonly subscribedTopics: readonly string[];
  /** Several members may have the same partition. */
  readonly assignment: readonly TopicPartition[];
}

/** Source: Kafka's `ShareGroupDescription`, KIP-932. */
export interface ShareGroupDescription extends GroupDescription {
  readonly partitionAssignor: string;
  readonly groupEpoch: number;
  readonly targetAssignmentEpoch: number;
  readonly members: readonly ShareGroupMember[];
}

/** How far a share group has come in one partition. */
export interface ShareGroupOffset extends TopicPartition {
  /** Every record before it is done with; `null` where the group has not begun on the partition. */
  readonly startOffset: bigint | null;
  readonly leaderEpoch: number | null;
  /** Records still to be delivered; `null` before Kafka 4.2, or where the broker cannot tell. */
  readonly lag: bigint | null;
  /** Why this partition's offset cannot be told. */
  readonly error: KafkaError | null;
}

/** Where a share group is to go on. */
export interface ShareGroupStart extends TopicPartition {
  /** The first record to deliver; what the group knew of the partition is forgotten. */
  readonly startOffset: bigint | number;
}

type GroupAnswer = ResponseOf<typeof ShareGroupDescribe>["groups"][number];

/** See `KafkaAdmin.describeShareGroups`. */
export async function describeShareGroups(
  context: AdminContext,
  given: readonly string[],
  options: DescribeGroupsOptions,
): Promise<Results<ShareGroupDescription>> {
  return describe(context, given, options, async (call, groupIds, whom, includeAuthorizedOperations) => {
    const { groups } = await call.request(ShareGroupDescribe, { groupIds, includeAuthorizedOperations }, whom);
    return new Map(
      groups.map((group) => [group.groupId, toShareGroup(group, Number(whom), includeAuthorizedOperations)]),
    );
  });
}

function toShareGroup(
  group: GroupAnswer,
  coordinatorId: number,
  withOperations: boolean,
): ShareGroupDescription | KafkaError {
  if (group.errorCode !== 0) {
    return new BrokerError(group.errorCode, `describing share group ${group.groupId}`, group.errorMessage);
  }
  return {
    groupId: group.groupId,
    type: "Share",
    state: groupStateOf(group.groupState),
    coordinatorId,
    authorizedOperations: withOperations ? authorizedOperations(group.authorizedOperations) : null,
    partitionAssignor: group.assignorName,
    groupEpoch: group.groupEpoch,
    targetAssignmentEpoch: group.assignmentEpoch,
    members: group.members.map((member) => ({
      memberId: member.memberId,
      memberEpoch: member.memberEpoch,
      clientId: member.clientId,
      clientHost: member.clientHost,
      rackId: member.rackId,
      subscribedTopics: member.subscribedTopicNames,
      assignment: assignmentOf(member.assignment),
    })),
  };
}

/** See `KafkaAdmin.listShareGroupOffsets`. */
export async function listShareGroupOffsets(
  context: AdminContext,
  given: readonly (string | GroupOffsetsQuery)[],
  options: AdminCallOptions,
): Promise<Results<readonly ShareGroupOffset[]>> {
  const queries = new Map(checkedGroupOffsetsQueries(given).map(({ groupId, partitions }) => [groupId, partitions]));
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  return askAll(call, {
    keys: [...queries.keys()],
    textOf: String,
    routing: toCoordinator("group", (groupId) => groupId),
    ask: async (groupIds, whom) => {
      const body = {
        groups: groupIds.map((groupId) => ({ groupId, topics: wantedTopics(queries.get(groupId) ?? null) })),
      };
      const { groups } = await call.request(DescribeShareGroupOffsets, body, whom);
      return new Map(
        groups.map(
          ({ groupId, topics, errorCode, errorMessage }): [string, readonly ShareGroupOffset[] | KafkaError] => {
            const about = `listing offsets of share group ${groupId}`;
            if (errorCode !== 0) return [groupId, new BrokerError(errorCode, about, errorMessage)];
            return [groupId, topics.flatMap(toOffsets)];
          },
        ),
      );
    },
  });
}

/** @param partitions `null` for all that the group has come upon */
const wantedTopics = (partitions: readonly TopicPartition[] | null) =>
  partitions === null
    ? null
    : topicsOf(partitions, (topicName, all) => ({ topicName, partitions: all.map(({ partition }) => partition) }));

type TopicAnswer = ResponseOf<typeof DescribeShareGroupOffsets>["groups"][number]["topics"][number];

const toOffsets = ({ topicName: topic, partitions }: TopicAnswer): ShareGroupOffset[] =>
  partitions.map(({ partitionIndex: partition, startOffset, leaderEpoch, lag, errorCode, errorMessage }) => ({
    topic,
    partition,
    startOffset: startOffset < 0n ? null : startOffset,
    leaderEpoch: leaderEpoch < 0 ? null : leaderEpoch,
    lag: lag < 0n ? null : lag,
    error: errorCode === 0 ? null : new BrokerError(errorCode, `offset in ${topic}-${partition}`, errorMessage),
  }));

/** See `KafkaAdmin.alterShareGroupOffsets`. */
export async function alterShareGroupOffsets(
  context: AdminContext,
  given: string,
  offsets: readonly ShareGroupStart[],
  options: AdminCallOptions,
): Promise<Results<TopicPartition, TopicPartition>> {
  const groupId = checkedGroupId(given);
  const starts = new Map(
    checkedKeys("offsets", offsets, checkedStart, partitionText).map((start) => [partitionText(start), start]),
  );
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  return askAll<TopicPartition, TopicPartition>(call, {
    keys: [...starts.values()].map(({ topic, partition }): TopicPartition => ({ topic, partition })),
    textOf: partitionText,
    routing: toCoordinator("group", () => groupId),
    ask: async (partitions, whom) => {
      const wanted = partitions.flatMap((at) => starts.get(partitionText(at)) ?? []);
      const topics = topicsOf(wanted, (topicName, all) => ({
        topicName,
        partitions: all.map(({ partition, startOffset }) => ({ partitionIndex: partition, startOffset })),
      }));
      const response = await call.request(AlterShareGroupOffsets, { groupId, topics }, whom);
      const about = `altering offsets of share group ${groupId}`;
      if (response.errorCode !== 0) throw new BrokerError(response.errorCode, about, response.errorMessage);
      return byPartition(
        response.responses,
        ({ topicName }) => topicName,
        ({ partitions: all }) => all,
        (at, { errorCode, errorMessage }) =>
          errorCode === 0 ? at : new BrokerError(errorCode, `${about} in ${partitionText(at)}`, errorMessage),
      );
    },
  });
}

function checkedStart(given: ShareGroupStart, path: string) {
  const reader = new OptionReader(given, path);
  const at = readPartition(reader);
  const offset = reader.required("startOffset", isInt64, "a whole number of at least 0");
  reader.finish();
  if (offset < 0) throw new OptionsError(`${path}.startOffset`, offset, "a whole number of at least 0");
  return { ...at, startOffset: BigInt(offset) };
}

/** See `KafkaAdmin.deleteShareGroupOffsets`. */
export async function deleteShareGroupOffsets(
  context: AdminContext,
  given: string,
  topicNames: readonly string[],
  options: AdminCallOptions,
): Promise<Results<string>> {
  const groupId = checkedGroupId(given);
  const keys = checkedTexts("topics", topicNames, "the name of a topic");
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  return askAll(call, {
    keys,
    textOf: String,
    routing: toCoordinator("group", () => groupId),
    ask: async (names, whom) => {
      const body = { groupId, topics: names.map((topicName) => ({ topicName })) };
      const response = await call.request(DeleteShareGroupOffsets, body, whom);
      const about = `deleting offsets of share group ${groupId}`;
      if (response.errorCode !== 0) throw new BrokerError(response.errorCode, about, response.errorMessage);
      return new Map(
        response.responses.map(({ topicName, errorCode, errorMessage }): [string, string | KafkaError] => [
          topicName,
          errorCode === 0 ? topicName : new BrokerError(errorCode, `${about} in ${topicName}`, errorMessage),
        ]),
      );
    },
  });
}
