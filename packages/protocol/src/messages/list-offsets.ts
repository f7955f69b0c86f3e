import { api, array, int8, int16, int32, int64, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * ListOffsets, api key 2: a consumer or an admin asks the leaders of partitions for an offset by time.
 * Versions: 2 isolation level, 3 answers before it throttles (KIP-219), 4 leader epochs (KIP-320),
 * 5 OFFSET_NOT_AVAILABLE, 6 flexible (KIP-482), 7 timestamp -3 (KIP-734), 8 timestamp -4 (KIP-405), 9 timestamp -5
 * (KIP-1005), 10 a timeout for answers from tiered storage (KIP-1075), 11 timestamp -6 (KIP-1023).
 * Source: ListOffsetsRequest.json, ListOffsetsResponse.json
 */
export const ListOffsets = api({
  name: "ListOffsets",
  key: 2,
  versions: [1, 11],
  flexible: 6,
  request: {
    /** Broker id of a follower; -1 for a consumer or an admin. */
    replicaId: int32,
    /** 0 READ_UNCOMMITTED; 1 READ_COMMITTED: the latest offset is then the last stable one. */
    isolationLevel: int8.since(2),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** The leader epoch that the client knows: the broker refuses an older or newer one. -1 skips the check. */
        currentLeaderEpoch: int32.since(4).default(-1).ignorable(),
        /**
         * Ms since the epoch, for the first record of that time or later; or one of
         * -1 latest, -2 earliest, -3 the record with the largest timestamp,
         * -4 earliest on the broker's own disk, -5 latest in tiered storage, -6 earliest still to be uploaded there.
         */
        timestamp: int64,
      }),
    }),
    /** How long the broker may wait for tiered storage. */
    timeoutMs: int32.since(10).ignorable(),
  },
  response: {
    throttleTimeMs: int32.since(2).ignorable(),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        /** Of the record at `offset`, ms since the epoch; -1 where the request named an end of the log. */
        timestamp: int64.default(-1n),
        /** -1 when no record is of that time or later. */
        offset: int64.default(-1n),
        /** Of the record at `offset`; -1 unknown. */
        leaderEpoch: int32.since(4).default(-1),
      }),
    }),
  },
});
export type ListOffsetsRequest = RequestOf<typeof ListOffsets>;
export type ListOffsetsResponse = ResponseOf<typeof ListOffsets>;
