import { api, bytes, int16, int32, int64, type RequestOf, type ResponseOf } from "../schema.ts";

/**
 * ExpireDelegationToken, api key 40: revoke a delegation token, now or at a set time (KIP-48).
 * An admin client sends it to any broker, as the owner of the token or as one of its renewers.
 *
 * Versions: 1 answers before it throttles (KIP-219), 2 flexible.
 *
 * Source: ExpireDelegationTokenRequest.json, ExpireDelegationTokenResponse.json
 */
export const ExpireDelegationToken = api({
  name: "ExpireDelegationToken",
  key: 40,
  versions: [1, 2],
  flexible: 2,
  request: {
    /** Secret: names the token by its own password. Never to be logged. */
    hmac: bytes,
    /** Life that is left from now on; negative revokes at once. */
    expiryTimePeriodMs: int64,
  },
  response: {
    /** DELEGATION_TOKEN_NOT_FOUND, _EXPIRED, or _OWNER_MISMATCH for who is neither owner nor renewer. */
    errorCode: int16,
    /** Milliseconds since the epoch; meaningless for a token that is gone at once. */
    expiryTimestampMs: int64,
    throttleTimeMs: int32,
  },
});

export type ExpireDelegationTokenRequest = RequestOf<typeof ExpireDelegationToken>;
export type ExpireDelegationTokenResponse = ResponseOf<typeof ExpireDelegationToken>;
