import { codeOf } from "@odradek/protocol";
import { TxnOffsetCommit } from "@odradek/protocol/messages/txn-offset-commit";
import { ClassicGroup } from "../groups/classic-group.ts";
import { groupRefusal, refusalOf } from "../groups/coordination.ts";
import { GroupError } from "../groups/group-error.ts";
import { handler, type RequestContext } from "../request-context.ts";

const firstVersion = { transactionAbortable: 4, implicitlyAdds: 5 } as const;

export const txnOffsetCommit = handler({
  api: TxnOffsetCommit,
  handle: (request, context) => {
    const { groupId, producerId } = request;
    const { groups } = context.cluster;
    const wholeError =
      groupRefusal(groupId, context) || memberRefusal(request, context) || producerRefusal(request, context);
    const topics = request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map((wanted) => {
        const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata } = wanted;
        const failed = (errorCode: number) => ({ partitionIndex, errorCode });
        const arranged = context.failure(name, partitionIndex);
        if (arranged !== 0) return failed(arranged);
        if (context.cluster.topics.partition(name, partitionIndex) === undefined) {
          return failed(codeOf("UNKNOWN_TOPIC_OR_PARTITION"));
        }
        if (wholeError !== 0) return failed(wholeError);
        const metadata = committedMetadata ?? "";
        if (Buffer.byteLength(metadata) > groups.settings.maxMetadataBytes) {
          return failed(codeOf("OFFSET_METADATA_TOO_LARGE"));
        }
        groups.getOrCreate(groupId).offsets.commitInTransaction(producerId, {
          ...{ topic: name, partition: partitionIndex, offset: committedOffset },
          ...{ leaderEpoch: committedLeaderEpoch, metadata },
        });
        return failed(0);
      }),
    }));
    return { throttleTimeMs: 0, topics };
  },
});

interface Committer {
  readonly transactionalId: string;
  readonly groupId: string;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  readonly generationId: number;
  readonly memberId: string;
  readonly groupInstanceId: string | null;
}

function memberRefusal(
  { groupId, generationId, memberId, groupInstanceId }: Committer,
  { cluster }: RequestContext,
): number {
  return refusalOf(() => {
    const membership = cluster.groups.get(groupId)?.membership;
    if (membership === undefined) {
      if (generationId >= 0) throw new GroupError("ILLEGAL_GENERATION");
    } else if (membership instanceof ClassicGroup) {
      membership.checkCommit({ memberId, groupInstanceId, generationId }, true);
    } else {
      membership.checkCommit(memberId, generationId, true);
    }
  }).errorCode;
}

function producerRefusal(request: Committer, { cluster, apiVersion }: RequestContext): number {
  if (cluster.version === "2.1") return 0;
  const { transactionalId, producerId, producerEpoch, groupId } = request;
  const producer = { producerId, producerEpoch };
  const adds = apiVersion >= firstVersion.implicitlyAdds;
  const error = cluster.transactions.verifyGroup(transactionalId, producer, groupId, { adds });
  if (error === null) return 0;
  const isTooNew = error === "TRANSACTION_ABORTABLE" && apiVersion < firstVersion.transactionAbortable;
  return codeOf(isTooNew ? "INVALID_TXN_STATE" : error);
}
