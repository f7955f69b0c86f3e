import { codeOf, zeroUuid } from "@odradek/protocol";
import { OffsetFetch, type OffsetFetchResponse } from "@odradek/protocol/messages/offset-fetch";
import type { CommittedOffsets } from "../groups/committed-offsets.ts";
import { ConsumerGroup } from "../groups/consumer-group.ts";
import { notGroupCoordinator, refusalOf } from "../groups/coordination.ts";
import { handler, type RequestContext } from "../request-context.ts";

const firstVersion = { wholeError: 2, manyGroups: 8, topicIds: 10 } as const;

type TopicAnswer = OffsetFetchResponse["groups"][number]["topics"][number];
type PartitionAnswer = TopicAnswer["partitions"][number];

interface WantedGroup {
  readonly groupId: string;
  readonly memberId: string | null;
  readonly memberEpoch: number;
  readonly topics:
    | readonly { readonly name: string; readonly topicId: string; readonly partitionIndexes: number[] }[]
    | null;
}

const nothing = { committedOffset: -1n, committedLeaderEpoch: -1, metadata: "" };

export const offsetFetch = handler({
  api: OffsetFetch,
  handle: (request, context) => {
    if (context.apiVersion >= firstVersion.manyGroups) {
      const groups = request.groups.map((group) => fetched(group, request.requireStable, context));
      return { throttleTimeMs: 0, groups };
    }
    const { groupId } = request;
    const topics = request.topics?.map((topic) => ({ ...topic, topicId: zeroUuid })) ?? null;
    const wanted = { groupId, memberId: null, memberEpoch: -1, topics };
    const { topics: answered, errorCode } = fetched(wanted, request.requireStable, context);
    if (errorCode === 0 || context.apiVersion >= firstVersion.wholeError) {
      return { throttleTimeMs: 0, topics: answered, errorCode };
    }
    const failed = (topics ?? []).map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, ...nothing, errorCode })),
    }));
    return { throttleTimeMs: 0, topics: failed };
  },
});

function fetched(wanted: WantedGroup, requireStable: boolean, context: RequestContext) {
  const { groupId } = wanted;
  const errorCode = context.failure() || notGroupCoordinator(groupId, context) || memberRefusal(wanted, context);
  if (errorCode !== 0) return { groupId, topics: [], errorCode };
  const offsets = context.cluster.groups.get(groupId)?.offsets;
  const topics = wanted.topics ?? committedTopics(offsets, context);
  return { groupId, topics: topics.map((topic) => offsetsOf(topic, offsets, requireStable, context)), errorCode: 0 };
}

function memberRefusal({ groupId, memberId, memberEpoch }: WantedGroup, { cluster }: RequestContext): number {
  if (memberId === null || memberEpoch < 0) return 0;
  const membership = cluster.groups.get(groupId)?.membership;
  if (!(membership instanceof ConsumerGroup)) return 0;
  return refusalOf(() => membership.checkMember(memberId, memberEpoch)).errorCode;
}

function committedTopics(offsets: CommittedOffsets | undefined, { cluster }: RequestContext) {
  const partitions = new Map<string, number[]>();
  for (const { topic, partition } of [...(offsets?.all() ?? []), ...(offsets?.unstable() ?? [])]) {
    partitions.set(topic, [...new Set([...(partitions.get(topic) ?? []), partition])]);
  }
  return [...partitions].map(([name, partitionIndexes]) => {
    return { name, topicId: cluster.topics.byName(name)?.id ?? zeroUuid, partitionIndexes };
  });
}

function offsetsOf(
  { name, topicId, partitionIndexes }: NonNullable<WantedGroup["topics"]>[number],
  offsets: CommittedOffsets | undefined,
  requireStable: boolean,
  { cluster, apiVersion }: RequestContext,
): TopicAnswer {
  const isById = apiVersion >= firstVersion.topicIds;
  const topicName = isById ? cluster.topics.byId(topicId)?.name : name;
  const partitions = partitionIndexes.map((partitionIndex): PartitionAnswer => {
    const failed = (errorCode: number): PartitionAnswer => ({ partitionIndex, ...nothing, errorCode });
    if (topicName === undefined) return failed(codeOf("UNKNOWN_TOPIC_ID"));
    if (requireStable && offsets?.isUnstable(topicName, partitionIndex) === true) {
      return failed(codeOf("UNSTABLE_OFFSET_COMMIT"));
    }
    const committed = offsets?.get(topicName, partitionIndex);
    if (committed === undefined) return failed(0);
    const { offset, leaderEpoch, metadata } = committed;
    return { partitionIndex, committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata, errorCode: 0 };
  });
  return { name, topicId, partitions };
}
