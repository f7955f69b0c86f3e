import { api, bytes, int16, int64, string } from "../schema.ts";

/** SaslAuthenticate, api key 36. */
export const SaslAuthenticate = api({
  name: "SaslAuthenticate",
  key: 36,
  versions: [0, 2],
  flexible: 2,
  request: {
    authBytes: bytes,
  },
  response: {
    errorCode: int16,
    errorMessage: string.nullable(),
    authBytes: bytes,
    sessionLifetimeMs: int64.since(1).default(0n).ignorable(),
  },
});
