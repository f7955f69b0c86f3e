import { api, array, bool, int8, int16, int32, int64, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * WriteTxnMarkers, api key 27: a transaction coordinator has the leaders of partitions write the marker that ends a
 * transaction. An admin sends it to abort a transaction that hangs.
 * Versions: 1 flexible (KIP-482), 2 transaction version (KIP-1228).
 * Source: WriteTxnMarkersRequest.json, WriteTxnMarkersResponse.json
 */
export const WriteTxnMarkers = api({
  name: "WriteTxnMarkers",
  key: 27,
  versions: [1, 2],
  flexible: 1,
  request: {
    markers: array({
      producerId: int64,
      producerEpoch: int16,
      /** True for a commit marker, false for an abort marker. */
      transactionResult: bool,
      topics: array({ name: string, partitionIndexes: array(int32) }),
      /** Of the coordinator's own partition, which fences a coordinator that has been replaced. */
      coordinatorEpoch: int32,
      /** 0 and 1 for the older transactions, 2 where each one raises the producer's epoch. */
      transactionVersion: int8.since(2).default(0).ignorable(),
    }),
  },
  response: {
    markers: array({
      producerId: int64,
      topics: array({
        name: string,
        partitions: array({ partitionIndex: int32, errorCode: int16 }),
      }),
    }),
  },
});
export type WriteTxnMarkersRequest = RequestOf<typeof WriteTxnMarkers>;
export type WriteTxnMarkersResponse = ResponseOf<typeof WriteTxnMarkers>;
