import { api, array, int16, int32, type RequestOf, type ResponseOf, string, uuid } from "../schema.ts";

/**
 * DeleteShareGroupOffsets, api key 92: have an empty share group forget whole topics (KIP-932).
 * An admin client sends it to the coordinator of the group.
 *
 * Source: DeleteShareGroupOffsetsRequest.json, DeleteShareGroupOffsetsResponse.json
 */
export const DeleteShareGroupOffsets = api({
  name: "DeleteShareGroupOffsets",
  key: 92,
  versions: [0, 0],
  flexible: 0,
  request: {
    groupId: string,
    topics: array({ topicName: string }),
  },
  response: {
    throttleTimeMs: int32,
    /** About the group as a whole: NON_EMPTY_GROUP while it has members, GROUP_ID_NOT_FOUND, NOT_COORDINATOR. */
    errorCode: int16,
    errorMessage: string.nullable().default(null),
    responses: array({
      topicName: string,
      topicId: uuid,
      errorCode: int16,
      errorMessage: string.nullable().default(null),
    }),
  },
});

export type DeleteShareGroupOffsetsRequest = RequestOf<typeof DeleteShareGroupOffsets>;
export type DeleteShareGroupOffsetsResponse = ResponseOf<typeof DeleteShareGroupOffsets>;
