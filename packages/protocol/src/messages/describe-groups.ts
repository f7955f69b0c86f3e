import { api, array, bool, bytes, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * DescribeGroups, api key 15: an admin asks the coordinator of classic groups for their state and members. Groups of
 * the consumer protocol have ConsumerGroupDescribe.
 * Versions: 1 throttle time, 2 answers before it throttles (KIP-219), 3 authorized operations, 4 static members
 * (KIP-345), 5 flexible (KIP-482), 6 GROUP_ID_NOT_FOUND in place of a dead group (KIP-1043).
 * Source: DescribeGroupsRequest.json, DescribeGroupsResponse.json
 */
export const DescribeGroups = api({
  name: "DescribeGroups",
  key: 15,
  versions: [0, 6],
  flexible: 5,
  request: {
    groups: array(string),
    includeAuthorizedOperations: bool.since(3),
  },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    groups: array({
      errorCode: int16,
      errorMessage: string.since(6).nullable().default(null),
      groupId: string,
      /** PreparingRebalance, CompletingRebalance, Stable, Empty or Dead; empty when there is an error. */
      groupState: string,
      /** "consumer" for consumers; empty when there is an error. */
      protocolType: string,
      /** The assignor in use; empty unless the group is Stable. */
      protocolData: string,
      members: array({
        memberId: string,
        /** Null unless the member is static. */
        groupInstanceId: string.since(4).nullable().default(null).ignorable(),
        clientId: string,
        clientHost: string,
        /** For consumers an encoded ConsumerProtocolSubscription; no bytes unless the group is Stable. */
        memberMetadata: bytes,
        /** For consumers an encoded ConsumerProtocolAssignment; no bytes unless the group is Stable. */
        memberAssignment: bytes,
      }),
      /** Bit n for the ACL operation of code n. */
      authorizedOperations: int32.since(3).default(-2_147_483_648 /* not asked for */),
    }),
  },
});
export type DescribeGroupsRequest = RequestOf<typeof DescribeGroups>;
export type DescribeGroupsResponse = ResponseOf<typeof DescribeGroups>;
