import { api, bytes, int16, int64, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * SaslAuthenticate, api key 36: after SaslHandshake, client and broker exchange the tokens of the mechanism, one per
 * request, until both are satisfied.
 * Versions: 1 session lifetime (KIP-368), 2 flexible (KIP-482).
 * Source: SaslAuthenticateRequest.json, SaslAuthenticateResponse.json
 */
export const SaslAuthenticate = api({
  name: "SaslAuthenticate",
  key: 36,
  versions: [0, 2],
  flexible: 2,
  request: {
    /** Secret: with PLAIN it is the password and with OAUTHBEARER the token. It belongs in no log and no error. */
    authBytes: bytes,
  },
  response: {
    errorCode: int16,
    /** Why SASL_AUTHENTICATION_FAILED, in words that the broker chose to show. */
    errorMessage: string.nullable(),
    /** Not for logs either: with a recorded SCRAM exchange, passwords can be tried offline. */
    authBytes: bytes,
    /** Ms until the client has to authenticate anew on this connection; 0 never. */
    sessionLifetimeMs: int64.since(1).default(0n).ignorable(),
  },
});
export type SaslAuthenticateRequest = RequestOf<typeof SaslAuthenticate>;
export type SaslAuthenticateResponse = ResponseOf<typeof SaslAuthenticate>;
