import { api, array, int16, int32, int64, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * ListTransactions, api key 66: the transactional ids that a broker coordinates (KIP-664).
 * An admin client sends it to every broker and joins the answers. A transaction has to pass all filters.
 *
 * Versions: 1 filter by duration (KIP-994), 2 filter by pattern (KIP-1152).
 *
 * Source: ListTransactionsRequest.json, ListTransactionsResponse.json
 */
export const ListTransactions = api({
  name: "ListTransactions",
  key: 66,
  versions: [0, 2],
  flexible: 0,
  request: {
    /** State names as in DescribeTransactions; empty for any state. */
    stateFilters: array(string),
    /** Empty for any producer. */
    producerIdFilters: array(int64),
    /** Only transactions that run for longer than this, ms; negative for all. */
    durationFilter: int64.since(1).default(-1n),
    /** Regular expression on the transactional id; null or empty for all. */
    transactionalIdPattern: string.since(2).nullable().default(null),
  },
  response: {
    throttleTimeMs: int32,
    /** INVALID_REGULAR_EXPRESSION for a bad pattern, COORDINATOR_LOAD_IN_PROGRESS while the list would have gaps. */
    errorCode: int16,
    /** States of the request that this broker does not know. */
    unknownStateFilters: array(string),
    transactionStates: array({
      transactionalId: string,
      producerId: int64,
      transactionState: string,
    }),
  },
});

export type ListTransactionsRequest = RequestOf<typeof ListTransactions>;
export type ListTransactionsResponse = ResponseOf<typeof ListTransactions>;
