import { api, bytes, int16, int32, int64, type RequestOf, type ResponseOf } from "../schema.ts";

/**
 * RenewDelegationToken, api key 39: push back the expiry of a delegation token (KIP-48).
 * An admin client sends it to any broker, as the owner of the token or as one of its renewers.
 *
 * Versions: 1 answers before it throttles (KIP-219), 2 flexible.
 *
 * Source: RenewDelegationTokenRequest.json, RenewDelegationTokenResponse.json
 */
export const RenewDelegationToken = api({
  name: "RenewDelegationToken",
  key: 39,
  versions: [1, 2],
  flexible: 2,
  request: {
    /** Secret: names the token by its own password. Never to be logged. */
    hmac: bytes,
    /** Life from now on, within the token's maximum; -1 for the broker's `delegation.token.expiry.time.ms`. */
    renewPeriodMs: int64,
  },
  response: {
    /** DELEGATION_TOKEN_NOT_FOUND, _EXPIRED, or _OWNER_MISMATCH for who is neither owner nor renewer. */
    errorCode: int16,
    /** The new expiry, milliseconds since the epoch. */
    expiryTimestampMs: int64,
    throttleTimeMs: int32,
  },
});

export type RenewDelegationTokenRequest = RequestOf<typeof RenewDelegationToken>;
export type RenewDelegationTokenResponse = ResponseOf<typeof RenewDelegationToken>;
