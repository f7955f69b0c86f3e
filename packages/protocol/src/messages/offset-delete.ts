import { api, array, int16, int32, string } from "../schema.ts";

/** OffsetDelete, api key 47. */
export const OffsetDelete = api({
  name: "OffsetDelete",
  key: 47,
  versions: [0, 0],
  request: {
    groupId: string,
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
      }),
    }),
  },
  response: {
    errorCode: int16,
    throttleTimeMs: int32.ignorable(),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
      }),
    }),
  },
});
