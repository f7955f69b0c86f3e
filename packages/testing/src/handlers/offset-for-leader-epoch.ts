import { OffsetForLeaderEpoch } from "@odradek/protocol/messages/offset-for-leader-epoch";
import { findPartition } from "../fetching/partition-lookup.ts";
import { handler } from "../request-context.ts";

export const offsetForLeaderEpoch = handler({
  api: OffsetForLeaderEpoch,
  handle: (request, context) => ({
    throttleTimeMs: 0,
    topics: request.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map(({ partition, currentLeaderEpoch, leaderEpoch }) => {
        const reference = { name: topic, topicId: "", isById: false };
        const found = findPartition(context, reference, partition, currentLeaderEpoch);
        const unknown = { partition, leaderEpoch: -1, endOffset: -1n };
        if (found.errorCode !== 0 || found.partition === null) return { ...unknown, errorCode: found.errorCode };
        const { log } = found.partition;
        const end = log.epochs.endOf(leaderEpoch, log.logEndOffset);
        if (end === null) return { ...unknown, errorCode: 0 };
        return { partition, errorCode: 0, leaderEpoch: end.epoch, endOffset: end.endOffset };
      }),
    })),
  }),
});
