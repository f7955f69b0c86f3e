import { codeOf } from "@odradek/protocol";
import { OffsetCommit } from "@odradek/protocol/messages/offset-commit";
import { topicOf } from "../fetching/partition-lookup.ts";
import { ClassicGroup } from "../groups/classic-group.ts";
import { notGroupCoordinator, refusalOf } from "../groups/coordination.ts";
import { GroupError } from "../groups/group-error.ts";
import { handler, type RequestContext } from "../request-context.ts";

const firstVersion = { consumerProtocol: 9, topicIds: 10 } as const;

export const offsetCommit = handler({
  api: OffsetCommit,
  handle: (request, context) => {
    const { groupId } = request;
    const isById = context.apiVersion >= firstVersion.topicIds;
    const wholeError = notGroupCoordinator(groupId, context) || commitRefusal(request, context);
    const { groups } = context.cluster;
    const topics = request.topics.map(({ name, topicId, partitions }) => {
      const topic = topicOf(context, { name, topicId, isById });
      return {
        name,
        topicId,
        partitions: partitions.map((wanted) => {
          const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata } = wanted;
          const failed = (errorCode: number) => ({ partitionIndex, errorCode });
          const arranged = context.failure(topic?.name ?? name, partitionIndex);
          if (arranged !== 0) return failed(arranged);
          if (topic === undefined) return failed(codeOf(isById ? "UNKNOWN_TOPIC_ID" : "UNKNOWN_TOPIC_OR_PARTITION"));
          if (topic.partitions[partitionIndex] === undefined) return failed(codeOf("UNKNOWN_TOPIC_OR_PARTITION"));
          if (wholeError !== 0) return failed(wholeError);
          const metadata = committedMetadata ?? "";
          if (Buffer.byteLength(metadata) > groups.settings.maxMetadataBytes) {
            return failed(codeOf("OFFSET_METADATA_TOO_LARGE"));
          }
          const committed = {
            ...{ topic: topic.name, partition: partitionIndex, offset: committedOffset },
            ...{ leaderEpoch: committedLeaderEpoch, metadata },
          };
          const retentionMs = Number(request.retentionTimeMs);
          groups.getOrCreate(groupId).offsets.commit(committed, retentionMs < 0 ? null : retentionMs);
          return failed(0);
        }),
      };
    });
    return { throttleTimeMs: 0, topics };
  },
});

interface Committer {
  readonly groupId: string;
  readonly generationIdOrMemberEpoch: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

/** Why the group takes no offsets from this member; 0 where it does. */
function commitRefusal(committer: Committer, { cluster, apiVersion }: RequestContext): number {
  const { groupId, generationIdOrMemberEpoch: generationId, memberId, groupInstanceId } = committer;
  return refusalOf(() => {
    const membership = cluster.groups.get(groupId)?.membership;
    if (membership === undefined) {
      // Whoever is in no group may keep offsets in one.
      if (generationId < 0) return;
      throw new GroupError(apiVersion >= firstVersion.consumerProtocol ? "GROUP_ID_NOT_FOUND" : "ILLEGAL_GENERATION");
    }
    if (membership instanceof ClassicGroup) {
      membership.checkCommit({ memberId, groupInstanceId, generationId }, false);
      return;
    }
    membership.checkCommit(memberId, generationId, false);
    if (generationId >= 0 && apiVersion < firstVersion.consumerProtocol) throw new GroupError("UNSUPPORTED_VERSION");
  }).errorCode;
}
