import { api, bool, int16, int32, int64, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * EndTxn, api key 26: a producer asks its transaction coordinator to commit or to abort.
 * Versions: 1 answers before it throttles (KIP-219), 2 PRODUCER_FENCED, 3 flexible (KIP-482),
 * 4 TRANSACTION_ABORTABLE (KIP-890), 5 every transaction ends with a new epoch (KIP-890), for transaction.version 2
 * only.
 * Source: EndTxnRequest.json, EndTxnResponse.json
 */
export const EndTxn = api({
  name: "EndTxn",
  key: 26,
  versions: [0, 5],
  flexible: 3,
  request: {
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    /** True to commit, false to abort. */
    committed: bool,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    /** What to go on with; a new id when the epochs of the old one are used up. -1 when there is an error. */
    producerId: int64.since(5).default(-1n).ignorable(),
    producerEpoch: int16.since(5).default(-1).ignorable(),
  },
});
export type EndTxnRequest = RequestOf<typeof EndTxn>;
export type EndTxnResponse = ResponseOf<typeof EndTxn>;
