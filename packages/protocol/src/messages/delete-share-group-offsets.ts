import { api, array, int16, int32, string, uuid } from "../schema.ts";

/** DeleteShareGroupOffsets, api key 92. */
export const DeleteShareGroupOffsets = api({
  name: "DeleteShareGroupOffsets",
  key: 92,
  versions: [0, 0],
  flexible: 0,
  request: {
    groupId: string,
    topics: array({
      topicName: string,
    }),
  },
  response: {
    throttleTimeMs: int32,
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
