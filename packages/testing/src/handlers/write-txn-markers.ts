import { codeOf } from "@odradek/protocol";
import { WriteTxnMarkers } from "@odradek/protocol/messages/write-txn-markers";
import { findPartition } from "../fetching/partition-lookup.ts";
import { AppendError } from "../log/log-batch.ts";
import { handler, type RequestContext } from "../request-context.ts";
import type { Producer } from "../transactions/transaction.ts";

interface Ending {
  readonly isCommit: boolean;
  readonly coordinatorEpoch: number;
  readonly producer: Producer;
}

export const writeTxnMarkers = handler({
  api: WriteTxnMarkers,
  handle: ({ markers }, context) => ({
    markers: markers.map(({ producerId, producerEpoch, transactionResult, coordinatorEpoch, topics }) => {
      const ending = { isCommit: transactionResult, coordinatorEpoch, producer: { producerId, producerEpoch } };
      return {
        producerId,
        topics: topics.map(({ name, partitionIndexes }) => ({
          name,
          partitions: partitionIndexes.map((partitionIndex) => ({
            partitionIndex,
            errorCode: written(name, partitionIndex, ending, context),
          })),
        })),
      };
    }),
  }),
});

function written(topic: string, index: number, ending: Ending, context: RequestContext): number {
  const { errorCode, partition } = findPartition(context, { name: topic, topicId: "", isById: false }, index);
  if (errorCode !== 0 || partition === null) return errorCode;
  const { coordinatorEpoch, producer } = ending;
  try {
    const marker = { type: ending.isCommit ? "commit" : "abort", coordinatorEpoch } as const;
    partition.log.appendMarker(marker, producer, partition.leaderEpoch);
    return 0;
  } catch (error) {
    if (!(error instanceof AppendError)) throw error;
    return codeOf(error.code);
  }
}
