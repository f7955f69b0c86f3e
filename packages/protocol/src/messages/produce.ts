import {
  api,
  array,
  int16,
  int32,
  int64,
  type RequestOf,
  type ResponseOf,
  records,
  string,
  struct,
  uuid,
} from "../schema.ts";

/**
 * Produce, api key 0: a producer hands record batches to the leaders of their partitions. With acks 0 there is no
 * response at all.
 * Versions: 3 transactional id and batches of magic 2 (KIP-98), 4 KAFKA_STORAGE_ERROR, 5 log start offset, 6 answers
 * before it throttles (KIP-219), 7 zstd (KIP-110), 8 errors per record (KIP-467), 9 flexible (KIP-482), 10 leader
 * hints (KIP-951), 11 TRANSACTION_ABORTABLE (KIP-890), 12 adds its partitions to the transaction by itself
 * (KIP-890), 13 topic ids (KIP-516).
 * In a transaction, 12 and up need transaction.version 2 and 11 is the last without.
 * Source: ProduceRequest.json, ProduceResponse.json
 */
export const Produce = api({
  name: "Produce",
  key: 0,
  versions: [3, 13],
  flexible: 9,
  request: {
    /** Null when the producer is not transactional. */
    transactionalId: string.nullable().default(null),
    /** Who must have the records before the leader answers: 0 nobody, 1 the leader, -1 every in-sync replica. */
    acks: int16,
    /** How long the leader waits for the in-sync replicas; then it answers REQUEST_TIMED_OUT. */
    timeoutMs: int32,
    topicData: array({
      name: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitionData: array({
        index: int32,
        /** Exactly one encoded record batch. */
        records: records.nullable(),
      }),
    }),
  },
  response: {
    responses: array({
      name: string.until(12).ignorable(),
      topicId: uuid.since(13).ignorable(),
      partitionResponses: array({
        index: int32,
        errorCode: int16,
        /** Offset of the batch's first record; -1 when the batch was not appended. */
        baseOffset: int64,
        /** The broker's clock at the append, ms since the epoch; -1 where the topic keeps the producer's timestamps. */
        logAppendTimeMs: int64.default(-1n).ignorable(),
        /** First offset still in the log: tells deleted records from lost ones. -1 unknown. */
        logStartOffset: int64.since(5).default(-1n).ignorable(),
        /** The records for which the broker refused the whole batch, counted from 0 within it. */
        recordErrors: array({
          batchIndex: int32,
          batchIndexErrorMessage: string.nullable().default(null),
        })
          .since(8)
          .ignorable(),
        /** What those records have in common; null when the broker has nothing to add. */
        errorMessage: string.since(8).nullable().default(null).ignorable(),
        /** Who leads now, told with NOT_LEADER_OR_FOLLOWER: the retry need not wait for Metadata. -1 unknown. */
        currentLeader: struct({ leaderId: int32.default(-1), leaderEpoch: int32.default(-1) })
          .since(10)
          .tagged(0),
      }),
    }),
    throttleTimeMs: int32.default(0).ignorable(),
    /** Addresses of the leaders that `currentLeader` names. */
    nodeEndpoints: array({ nodeId: int32, host: string, port: int32, rack: string.nullable().default(null) })
      .since(10)
      .tagged(0),
  },
});
export type ProduceRequest = RequestOf<typeof Produce>;
export type ProduceResponse = ResponseOf<typeof Produce>;
