import { api, array, int16, int32, int64, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * DescribeTransactions, api key 65: where the transactions of given transactional ids stand (KIP-664).
 * An admin client sends it to the transaction coordinator of the ids.
 *
 * Source: DescribeTransactionsRequest.json, DescribeTransactionsResponse.json
 */
export const DescribeTransactions = api({
  name: "DescribeTransactions",
  key: 65,
  versions: [0, 0],
  flexible: 0,
  request: {
    /** An empty list describes none. */
    transactionalIds: array(string),
  },
  response: {
    throttleTimeMs: int32,
    transactionStates: array({
      /** TRANSACTIONAL_ID_NOT_FOUND for an id that was never used or has expired; NOT_COORDINATOR after a move. */
      errorCode: int16,
      transactionalId: string,
      /** Empty, Ongoing, PrepareCommit, PrepareAbort, CompleteCommit, CompleteAbort or PrepareEpochFence. */
      transactionState: string,
      transactionTimeoutMs: int32,
      /** Since the epoch; negative when no transaction is open. */
      transactionStartTimeMs: int64,
      producerId: int64,
      producerEpoch: int16,
      /** Partitions of the open transaction; while it is ending, those that still lack their marker. */
      topics: array({
        topic: string,
        partitions: array(int32),
      }),
    }),
  },
});

export type DescribeTransactionsRequest = RequestOf<typeof DescribeTransactions>;
export type DescribeTransactionsResponse = ResponseOf<typeof DescribeTransactions>;
