import { api, array, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * LeaveGroup, api key 13: a member of a classic group tells the coordinator that it goes, or an admin removes
 * members.
 * Versions: 1 throttle time, 2 answers before it throttles (KIP-219), 3 many members, static ones among them
 * (KIP-345), 4 flexible (KIP-482), 5 reason (KIP-800).
 * Source: LeaveGroupRequest.json, LeaveGroupResponse.json
 */
export const LeaveGroup = api({
  name: "LeaveGroup",
  key: 13,
  versions: [0, 5],
  flexible: 4,
  request: {
    groupId: string,
    memberId: string.until(2),
    members: array({
      /** Empty to remove a static member by `groupInstanceId` alone. */
      memberId: string,
      /** Null unless the member is static. */
      groupInstanceId: string.nullable().default(null),
      /** Why it goes, for the broker's log. */
      reason: string.since(5).nullable().default(null).ignorable(),
    }).since(3),
  },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    /** Of the request as a whole; up to version 2 of the one member. */
    errorCode: int16,
    members: array({
      memberId: string,
      groupInstanceId: string.nullable(),
      errorCode: int16,
    }).since(3),
  },
});
export type LeaveGroupRequest = RequestOf<typeof LeaveGroup>;
export type LeaveGroupResponse = ResponseOf<typeof LeaveGroup>;
