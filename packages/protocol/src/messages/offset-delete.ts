import { api, array, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * OffsetDelete, api key 47: forget the committed offsets of a group for topics that it no longer reads (KIP-496).
 * An admin client sends it to the coordinator of the group. Never flexible.
 *
 * Source: OffsetDeleteRequest.json, OffsetDeleteResponse.json
 */
export const OffsetDelete = api({
  name: "OffsetDelete",
  key: 47,
  versions: [0, 0],
  request: {
    groupId: string,
    topics: array({
      name: string,
      partitions: array({ partitionIndex: int32 }),
    }),
  },
  response: {
    /** About the group as a whole: GROUP_ID_NOT_FOUND, NON_EMPTY_GROUP, NOT_COORDINATOR; then no topics follow. */
    errorCode: int16,
    throttleTimeMs: int32.ignorable(),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** GROUP_SUBSCRIBED_TO_TOPIC while a member still reads the topic. An offset that never was is no error. */
        errorCode: int16,
      }),
    }),
  },
});

export type OffsetDeleteRequest = RequestOf<typeof OffsetDelete>;
export type OffsetDeleteResponse = ResponseOf<typeof OffsetDelete>;
