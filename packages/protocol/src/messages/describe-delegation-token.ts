import { api, array, bytes, int16, int32, int64, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * DescribeDelegationToken, api key 41: list the delegation tokens that the caller may see (KIP-48).
 * An admin client sends it to any broker.
 *
 * Versions: 1 answers before it throttles (KIP-219), 2 flexible, 3 says who asked for a token (KIP-373).
 *
 * Source: DescribeDelegationTokenRequest.json, DescribeDelegationTokenResponse.json
 */
export const DescribeDelegationToken = api({
  name: "DescribeDelegationToken",
  key: 41,
  versions: [1, 3],
  flexible: 2,
  request: {
    /** Null for the tokens of every owner; an empty list finds none. */
    owners: array({ principalType: string, principalName: string }).nullable(),
  },
  response: {
    errorCode: int16,
    tokens: array({
      /** The owner: whom the token logs in as. */
      principalType: string,
      principalName: string,
      /** Who asked for it; differs from the owner only when asked on another's behalf. */
      tokenRequesterPrincipalType: string.since(3),
      tokenRequesterPrincipalName: string.since(3),
      /** Milliseconds since the epoch, as the two that follow. */
      issueTimestamp: int64,
      /** End of life unless renewed. */
      expiryTimestamp: int64,
      /** End of life, however often renewed. */
      maxTimestamp: int64,
      tokenId: string,
      /** Secret: its base64 form is the password of the token. Never to be logged. */
      hmac: bytes,
      /** Who may renew it besides the owner. */
      renewers: array({ principalType: string, principalName: string }),
    }),
    throttleTimeMs: int32,
  },
});

export type DescribeDelegationTokenRequest = RequestOf<typeof DescribeDelegationToken>;
export type DescribeDelegationTokenResponse = ResponseOf<typeof DescribeDelegationToken>;
