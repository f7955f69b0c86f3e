import { codeOf } from "@odradek/protocol";
import {
  DescribeTransactions,
  type DescribeTransactionsResponse,
} from "@odradek/protocol/messages/describe-transactions";
import { coordinatorType } from "../coordinator-type.ts";
import { notCoordinator } from "../groups/coordination.ts";
import { handler, type RequestContext } from "../request-context.ts";

type TransactionAnswer = DescribeTransactionsResponse["transactionStates"][number];

export const describeTransactions = handler({
  api: DescribeTransactions,
  refuse: (errorCode, { transactionalIds }) => ({
    throttleTimeMs: 0,
    transactionStates: transactionalIds.map((transactionalId) => failed(transactionalId, errorCode)),
  }),
  handle: ({ transactionalIds }, context) => ({
    throttleTimeMs: 0,
    transactionStates: transactionalIds.map((transactionalId) => described(transactionalId, context)),
  }),
});

const failed = (transactionalId: string, errorCode: number): TransactionAnswer => ({
  ...{ errorCode, transactionalId, transactionState: "", transactionTimeoutMs: 0, transactionStartTimeMs: 0n },
  ...{ producerId: 0n, producerEpoch: 0, topics: [] },
});

function described(transactionalId: string, context: RequestContext): TransactionAnswer {
  const errorCode = notCoordinator(coordinatorType.transaction, transactionalId, context);
  if (errorCode !== 0) return failed(transactionalId, errorCode);
  const transaction = context.cluster.transactions.get(transactionalId);
  if (transaction === undefined) return failed(transactionalId, codeOf("TRANSACTIONAL_ID_NOT_FOUND"));
  const topics = new Map<string, number[]>();
  for (const { topic, partition } of transaction.partitions.values()) {
    topics.set(topic, [...(topics.get(topic) ?? []), partition]);
  }
  return {
    errorCode: 0,
    transactionalId,
    transactionState: transaction.state.now,
    transactionTimeoutMs: transaction.timeoutMs,
    transactionStartTimeMs: BigInt(transaction.startTimeMs),
    ...transaction.producer,
    topics: [...topics].map(([topic, partitions]) => ({ topic, partitions })),
  };
}
