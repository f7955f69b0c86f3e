import { api, array, int8, int16, int32, int64, string } from "../schema.ts";

/** ListOffsets, api key 2. */
export const ListOffsets = api({
  name: "ListOffsets",
  key: 2,
  versions: [1, 11],
  flexible: 6,
  request: {
    replicaId: int32,
    isolationLevel: int8.since(2),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        currentLeaderEpoch: int32.since(4).default(-1).ignorable(),
        timestamp: int64,
      }),
    }),
    timeoutMs: int32.since(10).ignorable(),
  },
  response: {
    throttleTimeMs: int32.since(2).ignorable(),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        timestamp: int64.default(-1n),
        offset: int64.default(-1n),
        leaderEpoch: int32.since(4).default(-1),
      }),
    }),
  },
});
