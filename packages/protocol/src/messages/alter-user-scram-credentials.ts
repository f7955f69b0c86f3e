import { api, array, bytes, int8, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * AlterUserScramCredentials, api key 51: create, replace or delete the SCRAM credentials of users (KIP-554).
 * An admin client sends it to the controller; in KRaft any broker forwards it there. The client salts and hashes the
 * password itself, so the clear text never travels.
 *
 * Source: AlterUserScramCredentialsRequest.json, AlterUserScramCredentialsResponse.json
 */
export const AlterUserScramCredentials = api({
  name: "AlterUserScramCredentials",
  key: 51,
  versions: [0, 0],
  flexible: 0,
  request: {
    /** A user may appear once in a request, here or in `upsertions`. */
    deletions: array({
      name: string,
      /** 1 SCRAM-SHA-256, 2 SCRAM-SHA-512. */
      mechanism: int8,
    }),
    upsertions: array({
      name: string,
      /** 1 SCRAM-SHA-256, 2 SCRAM-SHA-512. */
      mechanism: int8,
      /** Rounds of PBKDF2, 4,096 to 16,384. */
      iterations: int32,
      salt: bytes,
      /** Secret: PBKDF2 of the password, enough by itself to log in as the user. Never to be logged. */
      saltedPassword: bytes,
    }),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      user: string,
      /**
       * RESOURCE_NOT_FOUND for a deletion of what is not there, UNACCEPTABLE_CREDENTIAL for an empty name or iterations
       * out of bounds, DUPLICATE_RESOURCE for a user that appears twice, UNSUPPORTED_SASL_MECHANISM.
       */
      errorCode: int16,
      errorMessage: string.nullable(),
    }),
  },
});

export type AlterUserScramCredentialsRequest = RequestOf<typeof AlterUserScramCredentials>;
export type AlterUserScramCredentialsResponse = ResponseOf<typeof AlterUserScramCredentials>;
