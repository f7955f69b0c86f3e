import { api, array, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * ListGroups, api key 16: an admin asks every broker, one by one, for the groups that it coordinates.
 * Versions: 1 throttle time, 2 answers before it throttles (KIP-219), 3 flexible (KIP-482), 4 states (KIP-518),
 * 5 types (KIP-848).
 * Source: ListGroupsRequest.json, ListGroupsResponse.json
 */
export const ListGroups = api({
  name: "ListGroups",
  key: 16,
  versions: [0, 5],
  flexible: 3,
  request: {
    /** Empty for groups in any state. */
    statesFilter: array(string).since(4),
    /** Empty for groups of any type. */
    typesFilter: array(string).since(5),
  },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    errorCode: int16,
    groups: array({
      groupId: string,
      /** "consumer" for consumers; empty for a group that only holds offsets. */
      protocolType: string,
      groupState: string.since(4).ignorable(),
      /** Classic, Consumer, Share or Streams. */
      groupType: string.since(5).ignorable(),
    }),
  },
});
export type ListGroupsRequest = RequestOf<typeof ListGroups>;
export type ListGroupsResponse = ResponseOf<typeof ListGroups>;
