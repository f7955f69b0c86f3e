import { api, int16, int32, string } from "../schema.ts";

/** UnregisterBroker, api key 64. */
export const UnregisterBroker = api({
  name: "UnregisterBroker",
  key: 64,
  versions: [0, 0],
  flexible: 0,
  request: {
    brokerId: int32,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
  },
});
