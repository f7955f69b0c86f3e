import { api, int16, int32, string, uuid } from "../schema.ts";

/** RemoveRaftVoter, api key 81. */
export const RemoveRaftVoter = api({
  name: "RemoveRaftVoter",
  key: 81,
  versions: [0, 0],
  flexible: 0,
  request: {
    clusterId: string.nullable(),
    voterId: int32,
    voterDirectoryId: uuid,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable().ignorable(),
  },
});
