import { api, array, bytes, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * SyncGroup, api key 14: after JoinGroup, every member of a classic group asks the coordinator for its assignment;
 * the leader brings the assignments of all.
 * Versions: 1 throttle time, 2 answers before it throttles (KIP-219), 3 static members (KIP-345), 4 flexible
 * (KIP-482), 5 protocol type and name both ways, which must agree with the group's: INCONSISTENT_GROUP_PROTOCOL
 * (KIP-559).
 * Source: SyncGroupRequest.json, SyncGroupResponse.json
 */
export const SyncGroup = api({
  name: "SyncGroup",
  key: 14,
  versions: [0, 5],
  flexible: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    /** Null unless the member is static. */
    groupInstanceId: string.since(3).nullable().default(null),
    protocolType: string.since(5).nullable().default(null).ignorable(),
    protocolName: string.since(5).nullable().default(null).ignorable(),
    /** Empty from all but the leader. */
    assignments: array({
      memberId: string,
      /** For consumers an encoded ConsumerProtocolAssignment. */
      assignment: bytes,
    }),
  },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    errorCode: int16,
    protocolType: string.since(5).nullable().default(null).ignorable(),
    protocolName: string.since(5).nullable().default(null).ignorable(),
    /** For consumers an encoded ConsumerProtocolAssignment; no bytes when the leader gave this member nothing. */
    assignment: bytes,
  },
});
export type SyncGroupRequest = RequestOf<typeof SyncGroup>;
export type SyncGroupResponse = ResponseOf<typeof SyncGroup>;
