import { api, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * Heartbeat, api key 12: a member of a classic group tells the coordinator that it lives, and hears of rebalances.
 * Versions: 1 throttle time, 2 answers before it throttles (KIP-219), 3 static members (KIP-345), 4 flexible
 * (KIP-482).
 * Source: HeartbeatRequest.json, HeartbeatResponse.json
 */
export const Heartbeat = api({
  name: "Heartbeat",
  key: 12,
  versions: [0, 4],
  flexible: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    /** Null unless the member is static. */
    groupInstanceId: string.since(3).nullable().default(null),
  },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    /** REBALANCE_IN_PROGRESS is the call to join again. */
    errorCode: int16,
  },
});
export type HeartbeatRequest = RequestOf<typeof Heartbeat>;
export type HeartbeatResponse = ResponseOf<typeof Heartbeat>;
