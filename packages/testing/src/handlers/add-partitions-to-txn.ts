import { codeOf } from "@odradek/protocol";
import { AddPartitionsToTxn } from "@odradek/protocol/messages/add-partitions-to-txn";
import { coordinatorType } from "../coordinator-type.ts";
import { notCoordinator } from "../groups/coordination.ts";
import { handler, type RequestContext } from "../request-context.ts";
import { fencedCode } from "../transactions/fenced-code.ts";
import type { Producer } from "../transactions/transaction.ts";

const firstVersion = { fenced: 2, batched: 4 } as const;

type Topics = readonly { readonly name: string; readonly partitions: number[] }[];

export const addPartitionsToTxn = handler({
  api: AddPartitionsToTxn,
  handle: (request, context) => {
    if (context.apiVersion < firstVersion.batched) {
      const producer = { producerId: request.v3AndBelowProducerId, producerEpoch: request.v3AndBelowProducerEpoch };
      const topics = request.v3AndBelowTopics;
      const results = added(request.v3AndBelowTransactionalId, producer, topics, false, context);
      return { throttleTimeMs: 0, resultsByTopicV3AndBelow: results };
    }
    const resultsByTransaction = request.transactions.map((each) => {
      const { transactionalId, producerId, producerEpoch, topics, verifyOnly } = each;
      return {
        transactionalId,
        topicResults: added(transactionalId, { producerId, producerEpoch }, topics, verifyOnly, context),
      };
    });
    return { throttleTimeMs: 0, errorCode: 0, resultsByTransaction };
  },
});

function added(
  transactionalId: string,
  producer: Producer,
  topics: Topics,
  verifyOnly: boolean,
  context: RequestContext,
) {
  const { cluster, apiVersion } = context;
  const partitions = topics.flatMap(({ name, partitions: indexes }) =>
    indexes.map((partition) => ({ topic: name, partition })),
  );
  const arranged = partitions.some(({ topic, partition }) => context.failure(topic, partition) !== 0);
  const isUnknown = ({ topic, partition }: (typeof partitions)[number]) =>
    cluster.topics.partition(topic, partition) === undefined;
  const stops = arranged || partitions.some(isUnknown);
  const whole = (): number => {
    const errorCode = notCoordinator(coordinatorType.transaction, transactionalId, context);
    if (errorCode !== 0 || verifyOnly) return errorCode;
    const error = cluster.transactions.addPartitions(transactionalId, producer, partitions);
    return fencedCode(error, apiVersion >= firstVersion.fenced);
  };
  const wholeError = stops ? codeOf("OPERATION_NOT_ATTEMPTED") : whole();
  return topics.map(({ name, partitions: indexes }) => ({
    name,
    resultsByPartition: indexes.map((partitionIndex) => {
      const of = { topic: name, partition: partitionIndex };
      const own = context.failure(name, partitionIndex);
      const unknown = isUnknown(of) ? codeOf("UNKNOWN_TOPIC_OR_PARTITION") : 0;
      const isMissing =
        verifyOnly && cluster.transactions.get(transactionalId)?.hasPartition(name, partitionIndex) !== true;
      const missing = isMissing ? codeOf("TRANSACTION_ABORTABLE") : 0;
      return { partitionIndex, partitionErrorCode: own || unknown || wholeError || missing };
    }),
  }));
}
