import { api, array, bool, int16, int32, int64, type RequestOf, type ResponseOf, string } from "../schema.ts";

const topics = array({ name: string, partitions: array(int32) });

const topicResults = array({
  name: string,
  resultsByPartition: array({
    partitionIndex: int32,
    /** OPERATION_NOT_ATTEMPTED where another partition's error stopped the whole request. */
    partitionErrorCode: int16,
  }),
});

/**
 * AddPartitionsToTxn, api key 24: a producer tells its transaction coordinator which partitions it is about to
 * write.
 * Versions: 1 answers before it throttles (KIP-219), 2 PRODUCER_FENCED, 3 flexible (KIP-482), 4 many transactions in
 * one request and a way to ask without adding, 5 TRANSACTION_ABORTABLE (KIP-890).
 * Clients speak up to version 3, brokers among themselves 4 and up. With transaction.version 2 clients leave it to
 * Produce.
 * Source: AddPartitionsToTxnRequest.json, AddPartitionsToTxnResponse.json
 */
export const AddPartitionsToTxn = api({
  name: "AddPartitionsToTxn",
  key: 24,
  versions: [0, 5],
  flexible: 3,
  request: {
    transactions: array({
      transactionalId: string,
      producerId: int64,
      producerEpoch: int16,
      /** Asks whether the partitions are in the transaction, and adds none. */
      verifyOnly: bool.default(false),
      topics,
    }).since(4),

    v3AndBelowTransactionalId: string.until(3),
    v3AndBelowProducerId: int64.until(3),
    v3AndBelowProducerEpoch: int16.until(3),
    v3AndBelowTopics: topics.until(3),
  },
  response: {
    throttleTimeMs: int32,
    /** Of the request as a whole. */
    errorCode: int16.since(4).ignorable(),
    resultsByTransaction: array({ transactionalId: string, topicResults }).since(4),
    resultsByTopicV3AndBelow: topicResults.until(3),
  },
});
export type AddPartitionsToTxnRequest = RequestOf<typeof AddPartitionsToTxn>;
export type AddPartitionsToTxnResponse = ResponseOf<typeof AddPartitionsToTxn>;
