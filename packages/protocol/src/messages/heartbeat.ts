import { api, int16, int32, string } from "../schema.ts";

/** Heartbeat, api key 12. */
export const Heartbeat = api({
  name: "Heartbeat",
  key: 12,
  versions: [0, 4],
  flexible: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: string.since(3).nullable().default(null),
  },
  response: {
    throttleTimeMs: int32.since(1).ignorable(),
    errorCode: int16,
  },
});
