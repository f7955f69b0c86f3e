import { api, int16, int32, int64, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * AddOffsetsToTxn, api key 25: a producer tells its transaction coordinator that it is about to commit offsets of a
 * group. With transaction.version 2 producers leave it to TxnOffsetCommit.
 * Versions: 1 answers before it throttles (KIP-219), 2 PRODUCER_FENCED, 3 flexible (KIP-482),
 * 4 TRANSACTION_ABORTABLE (KIP-890).
 * Source: AddOffsetsToTxnRequest.json, AddOffsetsToTxnResponse.json
 */
export const AddOffsetsToTxn = api({
  name: "AddOffsetsToTxn",
  key: 25,
  versions: [0, 4],
  flexible: 3,
  request: {
    transactionalId: string,
    producerId: int64,
    producerEpoch: int16,
    groupId: string,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
  },
});
export type AddOffsetsToTxnRequest = RequestOf<typeof AddOffsetsToTxn>;
export type AddOffsetsToTxnResponse = ResponseOf<typeof AddOffsetsToTxn>;
