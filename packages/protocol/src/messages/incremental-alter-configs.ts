import { api, array, bool, int8, int16, int32, string } from "../schema.ts";

/** IncrementalAlterConfigs, api key 44. */
export const IncrementalAlterConfigs = api({
  name: "IncrementalAlterConfigs",
  key: 44,
  versions: [0, 1],
  flexible: 1,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        configOperation: int8,
        value: string.nullable(),
      }),
    }),
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    responses: array({
      errorCode: int16,
      errorMessage: string.nullable(),
      resourceType: int8,
      resourceName: string,
    }),
  },
});
