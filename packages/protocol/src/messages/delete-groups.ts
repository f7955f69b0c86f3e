import { api, array, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * DeleteGroups, api key 42: delete groups that have no members left, offsets included (KIP-229).
 * An admin client sends it to the coordinator of the groups, be they classic, consumer, share or streams.
 *
 * Versions: 1 answers before it throttles (KIP-219), 2 flexible.
 *
 * Source: DeleteGroupsRequest.json, DeleteGroupsResponse.json
 */
export const DeleteGroups = api({
  name: "DeleteGroups",
  key: 42,
  versions: [0, 2],
  flexible: 2,
  request: {
    groupsNames: array(string),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      groupId: string,
      /** NON_EMPTY_GROUP while members remain, GROUP_ID_NOT_FOUND, NOT_COORDINATOR after a move. */
      errorCode: int16,
    }),
  },
});

export type DeleteGroupsRequest = RequestOf<typeof DeleteGroups>;
export type DeleteGroupsResponse = ResponseOf<typeof DeleteGroups>;
