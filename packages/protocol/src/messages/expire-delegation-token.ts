import { api, bytes, int16, int32, int64 } from "../schema.ts";

/** ExpireDelegationToken, api key 40. */
export const ExpireDelegationToken = api({
  name: "ExpireDelegationToken",
  key: 40,
  versions: [1, 2],
  flexible: 2,
  request: {
    hmac: bytes,
    expiryTimePeriodMs: int64,
  },
  response: {
    errorCode: int16,
    expiryTimestampMs: int64,
    throttleTimeMs: int32,
  },
});
