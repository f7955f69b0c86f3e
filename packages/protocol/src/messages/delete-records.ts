import { api, array, int16, int32, int64, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * DeleteRecords, api key 21: an admin asks the leaders of partitions to drop the oldest records.
 * Versions: 1 answers before it throttles (KIP-219), 2 flexible (KIP-482).
 * Source: DeleteRecordsRequest.json, DeleteRecordsResponse.json
 */
export const DeleteRecords = api({
  name: "DeleteRecords",
  key: 21,
  versions: [0, 2],
  flexible: 2,
  request: {
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** First offset to keep; -1 for the high watermark, that is, everything consumers can see goes. */
        offset: int64,
      }),
    }),
    /** How long the leader waits for the replicas to follow. */
    timeoutMs: int32,
  },
  response: {
    throttleTimeMs: int32,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** First offset that is left; -1 when there is an error. */
        lowWatermark: int64,
        errorCode: int16,
      }),
    }),
  },
});
export type DeleteRecordsRequest = RequestOf<typeof DeleteRecords>;
export type DeleteRecordsResponse = ResponseOf<typeof DeleteRecords>;
