import { api, array, int16, int32, int64, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * DescribeProducers, api key 61: the idempotent and transactional producers that a partition remembers; the way to find
 * transactions that hang (KIP-664).
 * An admin client sends it to the leader of the partition, or to the one replica that it wants to hear from.
 *
 * Source: DescribeProducersRequest.json, DescribeProducersResponse.json
 */
export const DescribeProducers = api({
  name: "DescribeProducers",
  key: 61,
  versions: [0, 0],
  flexible: 0,
  request: {
    topics: array({
      name: string,
      partitionIndexes: array(int32),
    }),
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.nullable().default(null),
        activeProducers: array({
          producerId: int64,
          producerEpoch: int32,
          /** -1 before the first batch. */
          lastSequence: int32.default(-1),
          /** Of the last batch, ms since epoch; -1 before the first. */
          lastTimestamp: int64.default(-1n),
          /** Of the coordinator that last ended a transaction here; negative when there was none. */
          coordinatorEpoch: int32,
          /** -1 when no transaction is open. */
          currentTxnStartOffset: int64.default(-1n),
        }),
      }),
    }),
  },
});

export type DescribeProducersRequest = RequestOf<typeof DescribeProducers>;
export type DescribeProducersResponse = ResponseOf<typeof DescribeProducers>;
