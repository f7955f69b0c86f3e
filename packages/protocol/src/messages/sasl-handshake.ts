import { api, array, int16, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * SaslHandshake, api key 17: a client names the SASL mechanism by which it will prove who it is.
 * Versions: 1 the tokens then travel in SaslAuthenticate; after 0 they travel without any Kafka header.
 * It never became flexible (KAFKA-9577).
 * Source: SaslHandshakeRequest.json, SaslHandshakeResponse.json
 */
export const SaslHandshake = api({
  name: "SaslHandshake",
  key: 17,
  versions: [0, 1],
  request: {
    /** PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or GSSAPI. */
    mechanism: string,
  },
  response: {
    /** UNSUPPORTED_SASL_MECHANISM when the broker has others, ILLEGAL_SASL_STATE when it expected no handshake. */
    errorCode: int16,
    /** What the broker has. */
    mechanisms: array(string),
  },
});
export type SaslHandshakeRequest = RequestOf<typeof SaslHandshake>;
export type SaslHandshakeResponse = ResponseOf<typeof SaslHandshake>;
