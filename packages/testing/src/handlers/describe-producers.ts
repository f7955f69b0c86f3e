import { DescribeProducers } from "@odradek/protocol/messages/describe-producers";
import { findPartition } from "../fetching/partition-lookup.ts";
import { handler } from "../request-context.ts";

export const describeProducers = handler({
  api: DescribeProducers,
  handle: (request, context) => ({
    throttleTimeMs: 0,
    topics: request.topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map((partitionIndex) => {
        const found = findPartition(context, { name, topicId: "", isById: false }, partitionIndex, -1, true);
        if (found.errorCode !== 0 || found.partition === null) {
          return { partitionIndex, errorCode: found.errorCode, errorMessage: null, activeProducers: [] };
        }
        const activeProducers = found.partition.log.producers.active().map((producer) => ({
          producerId: producer.producerId,
          producerEpoch: producer.epoch,
          lastSequence: producer.lastSequence,
          lastTimestamp: BigInt(producer.lastTimestamp),
          coordinatorEpoch: producer.coordinatorEpoch,
          currentTxnStartOffset: producer.currentTxnFirstOffset ?? -1n,
        }));
        return { partitionIndex, errorCode: 0, errorMessage: null, activeProducers };
      }),
    })),
  }),
});
