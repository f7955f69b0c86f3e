import { codeOf } from "@odradek/protocol";
import { DeleteRecords } from "@odradek/protocol/messages/delete-records";
import { findPartition } from "../fetching/partition-lookup.ts";
import { handler } from "../request-context.ts";

/** Stands for the high watermark. */
const highWatermark = -1n;

export const deleteRecords = handler({
  api: DeleteRecords,
  handle: (request, context) => ({
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex, offset }) => {
        const found = findPartition(context, { name, topicId: "", isById: false }, partitionIndex);
        const refused = (errorCode: number) => ({ partitionIndex, lowWatermark: -1n, errorCode });
        if (found.errorCode !== 0 || found.partition === null || found.topic === null) return refused(found.errorCode);
        if (!found.topic.configs.isListed("cleanup.policy", "delete")) return refused(codeOf("POLICY_VIOLATION"));
        const { log } = found.partition;
        const below = offset === highWatermark ? log.highWatermark : offset;
        if (below < 0n || below > log.highWatermark) return refused(codeOf("OFFSET_OUT_OF_RANGE"));
        log.deleteRecordsBelow(below);
        return { partitionIndex, lowWatermark: log.logStartOffset, errorCode: 0 };
      }),
    })),
  }),
});
