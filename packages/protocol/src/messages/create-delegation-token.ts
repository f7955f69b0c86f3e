import { api, array, bytes, int16, int32, int64, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * CreateDelegationToken, api key 38: issue a token that lets its holder log in as a user, without that user's
 * credentials (KIP-48).
 * An admin client sends it to any broker, over a connection that authenticated with SASL or a client certificate,
 * and not with another token.
 *
 * Versions: 1 answers before it throttles (KIP-219), 2 flexible, 3 tokens for another owner (KIP-373).
 *
 * Source: CreateDelegationTokenRequest.json, CreateDelegationTokenResponse.json
 */
export const CreateDelegationToken = api({
  name: "CreateDelegationToken",
  key: 38,
  versions: [1, 3],
  flexible: 2,
  request: {
    /** "User"; null, as the name below, for the one who asks. */
    ownerPrincipalType: string.since(3).nullable(),
    ownerPrincipalName: string.since(3).nullable(),
    /** Who may renew the token besides its owner. */
    renewers: array({
      /** "User"; any other type is INVALID_PRINCIPAL_TYPE. */
      principalType: string,
      principalName: string,
    }),
    /** Longest life, renewals included; -1 for the broker's `delegation.token.max.lifetime.ms`, which also caps it. */
    maxLifetimeMs: int64,
  },
  response: {
    /** DELEGATION_TOKEN_AUTH_DISABLED where brokers have no secret key to sign tokens with. */
    errorCode: int16,
    /** The owner: whom the token logs in as. */
    principalType: string,
    principalName: string,
    /** Who asked for it; differs from the owner only when asked on another's behalf. */
    tokenRequesterPrincipalType: string.since(3),
    tokenRequesterPrincipalName: string.since(3),
    /** Milliseconds since the epoch, as the two that follow. */
    issueTimestampMs: int64,
    /** End of life unless renewed. */
    expiryTimestampMs: int64,
    /** End of life, however often renewed. */
    maxTimestampMs: int64,
    /** The user name when the token logs in over SCRAM. */
    tokenId: string,
    /** Secret: its base64 form is the password of the token. Never to be logged. */
    hmac: bytes,
    throttleTimeMs: int32,
  },
});

export type CreateDelegationTokenRequest = RequestOf<typeof CreateDelegationToken>;
export type CreateDelegationTokenResponse = ResponseOf<typeof CreateDelegationToken>;
