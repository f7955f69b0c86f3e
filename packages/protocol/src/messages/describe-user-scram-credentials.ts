import { api, array, int8, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * DescribeUserScramCredentials, api key 50: which SCRAM mechanisms users can log in with (KIP-554).
 * An admin client sends it to any broker. No secret comes back.
 *
 * Source: DescribeUserScramCredentialsRequest.json, DescribeUserScramCredentialsResponse.json
 */
export const DescribeUserScramCredentials = api({
  name: "DescribeUserScramCredentials",
  key: 50,
  versions: [0, 0],
  flexible: 0,
  request: {
    /** Null or empty for every user that has a credential. */
    users: array({ name: string }).nullable(),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
    results: array({
      user: string,
      /** RESOURCE_NOT_FOUND for a user without credentials, DUPLICATE_RESOURCE for one that was named twice. */
      errorCode: int16,
      errorMessage: string.nullable(),
      credentialInfos: array({
        /** 1 SCRAM-SHA-256, 2 SCRAM-SHA-512. */
        mechanism: int8,
        /** Rounds of PBKDF2. */
        iterations: int32,
      }),
    }),
  },
});

export type DescribeUserScramCredentialsRequest = RequestOf<typeof DescribeUserScramCredentials>;
export type DescribeUserScramCredentialsResponse = ResponseOf<typeof DescribeUserScramCredentials>;
