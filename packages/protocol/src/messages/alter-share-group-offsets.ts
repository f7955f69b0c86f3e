import { api, array, int16, int32, int64, type RequestOf, type ResponseOf, string, uuid } from "../schema.ts";

/**
 * AlterShareGroupOffsets, api key 91: have an empty share group go on from other offsets (KIP-932).
 * An admin client sends it to the coordinator of the group.
 *
 * Source: AlterShareGroupOffsetsRequest.json, AlterShareGroupOffsetsResponse.json
 */
export const AlterShareGroupOffsets = api({
  name: "AlterShareGroupOffsets",
  key: 91,
  versions: [0, 0],
  flexible: 0,
  request: {
    groupId: string,
    topics: array({
      topicName: string,
      partitions: array({
        partitionIndex: int32,
        /** The first record to deliver; what the group knew of the partition is forgotten. */
        startOffset: int64,
      }),
    }),
  },
  response: {
    throttleTimeMs: int32,
    /** About the group as a whole: NON_EMPTY_GROUP while it has members, GROUP_ID_NOT_FOUND, NOT_COORDINATOR. */
    errorCode: int16,
    errorMessage: string.nullable().default(null),
    responses: array({
      topicName: string,
      topicId: uuid,
      partitions: array({
        partitionIndex: int32,
        errorCode: int16,
        errorMessage: string.nullable().default(null),
      }),
    }),
  },
});

export type AlterShareGroupOffsetsRequest = RequestOf<typeof AlterShareGroupOffsets>;
export type AlterShareGroupOffsetsResponse = ResponseOf<typeof AlterShareGroupOffsets>;
