import { api, array, bool, bytes, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * JoinGroup, api key 11: a member of a classic group asks its coordinator for a place in the next generation. The
 * answer comes when every member has joined or the rebalance timeout has passed; SyncGroup follows.
 * Versions: 1 rebalance timeout, 2 throttle time, 3 answers before it throttles (KIP-219), 4 a first join is
 * answered with MEMBER_ID_REQUIRED and the member id to join with, 5 static members (KIP-345), 6 flexible (KIP-482),
 * 7 protocol type in the response (KIP-559), 8 reason (KIP-800), 9 the leader may be told to skip the assignment.
 * Source: JoinGroupRequest.json, JoinGroupResponse.json
 */
export const JoinGroup = api({
  name: "JoinGroup",
  key: 11,
  versions: [0, 9],
  flexible: 6,
  request: {
    groupId: string,
    /** Without a heartbeat for so long the member is dead. */
    sessionTimeoutMs: int32,
    /** How long the coordinator waits for members to join again. Version 0 takes `sessionTimeoutMs` for it. */
    rebalanceTimeoutMs: int32.since(1).default(-1).ignorable(),
    /** Empty until the coordinator has given one. */
    memberId: string,
    /** Null unless the member is static. */
    groupInstanceId: string.since(5).nullable().default(null),
    /** "consumer" for consumers: one group, one type. */
    protocolType: string,
    /** The member's assignors, the one it likes best first; every member has to support the one that is chosen. */
    protocols: array({
      name: string,
      /** For consumers an encoded ConsumerProtocolSubscription. */
      metadata: bytes,
    }),
    /** Why it joins, for the broker's log. */
    reason: string.since(8).nullable().default(null).ignorable(),
  },
  response: {
    throttleTimeMs: int32.since(2).ignorable(),
    errorCode: int16,
    /** -1 when there is an error. */
    generationId: int32.default(-1),
    protocolType: string.since(7).nullable().default(null).ignorable(),
    /** The assignor that was chosen; null, or empty before version 7, when there is an error. */
    protocolName: string.nullable(7),
    /** Member id of the leader, who computes the assignment. */
    leader: string,
    /** A static leader is back and nothing has changed: it sends no assignment, but still watches the topics. */
    skipAssignment: bool.since(9).default(false),
    memberId: string,
    /** Empty for all but the leader. */
    members: array({
      memberId: string,
      groupInstanceId: string.since(5).nullable().default(null).ignorable(),
      metadata: bytes,
    }),
  },
});
export type JoinGroupRequest = RequestOf<typeof JoinGroup>;
export type JoinGroupResponse = ResponseOf<typeof JoinGroup>;
