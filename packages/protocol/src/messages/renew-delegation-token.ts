import { api, bytes, int16, int32, int64 } from "../schema.ts";

/** RenewDelegationToken, api key 39. */
export const RenewDelegationToken = api({
  name: "RenewDelegationToken",
  key: 39,
  versions: [1, 2],
  flexible: 2,
  request: {
    hmac: bytes,
    renewPeriodMs: int64,
  },
  response: {
    errorCode: int16,
    expiryTimestampMs: int64,
    throttleTimeMs: int32,
  },
});
