import { api, array, int16, int32, string } from "../schema.ts";

/** DeleteGroups, api key 42. */
export const DeleteGroups = api({
  name: "DeleteGroups",
  key: 42,
  versions: [0, 2],
  flexible: 2,
  request: {
    groupsNames: array(string),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      groupId: string,
      errorCode: int16,
    }),
  },
});
