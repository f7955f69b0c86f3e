import { api, array, int8, int16, int32, string } from "../schema.ts";

/** ListConfigResources, api key 74. */
export const ListConfigResources = api({
  name: "ListConfigResources",
  key: 74,
  versions: [0, 1],
  flexible: 0,
  request: {
    resourceTypes: array(int8).since(1),
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    configResources: array({
      resourceName: string,
      resourceType: int8.since(1).default(16).ignorable(),
    }),
  },
});
