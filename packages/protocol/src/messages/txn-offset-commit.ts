import { api, array, int16, int32, int64, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * TxnOffsetCommit, api key 28: a producer gives the group's coordinator the offsets that count once its transaction
 * commits.
 * Versions: 1 answers before it throttles (KIP-219), 2 leader epochs, 3 flexible (KIP-482), with the consumer's
 * membership, so that a stale one is fenced (KIP-447), 4 TRANSACTION_ABORTABLE (KIP-890), 5 adds the group to the
 * transaction by itself (KIP-890).
 * In a transaction, 5 needs transaction.version 2 and 4 is the last without.
 * Source: TxnOffsetCommitRequest.json, TxnOffsetCommitResponse.json
 */
export const TxnOffsetCommit = api({
  name: "TxnOffsetCommit",
  key: 28,
  versions: [0, 5],
  flexible: 3,
  request: {
    transactionalId: string,
    groupId: string,
    producerId: int64,
    producerEpoch: int16,

    /** Generation of a classic member, epoch of a member of the consumer protocol; -1 from outside the group. */
    generationId: int32.since(3).default(-1),
    /** Empty from outside the group. */
    memberId: string.since(3).default(""),
    /** Null unless the member is static. */
    groupInstanceId: string.since(3).nullable().default(null),

    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** Offset of the next record to read. */
        committedOffset: int64,
        /** Epoch of the last record read; -1 unknown. */
        committedLeaderEpoch: int32.since(2).default(-1).ignorable(),
        /** A note of the application's own. */
        committedMetadata: string.nullable(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** Errors of the whole group or producer are repeated on each partition. */
        errorCode: int16,
      }),
    }),
  },
});
export type TxnOffsetCommitRequest = RequestOf<typeof TxnOffsetCommit>;
export type TxnOffsetCommitResponse = ResponseOf<typeof TxnOffsetCommit>;
