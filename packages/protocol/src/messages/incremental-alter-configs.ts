import { api, array, bool, int8, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * IncrementalAlterConfigs, api key 44: change single configuration keys and leave the others as they are (KIP-339).
 * An admin client sends it to the controller or any broker; resources of one broker (types 4 and 8) go to that broker.
 *
 * Versions: 1 flexible.
 *
 * Source: IncrementalAlterConfigsRequest.json, IncrementalAlterConfigsResponse.json
 */
export const IncrementalAlterConfigs = api({
  name: "IncrementalAlterConfigs",
  key: 44,
  versions: [0, 1],
  flexible: 1,
  request: {
    resources: array({
      /** 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group. */
      resourceType: int8,
      /** For a broker its id in digits; empty for the default of all brokers. */
      resourceName: string,
      configs: array({
        name: string,
        /** 0 set, 1 delete (back to the default), 2 append to a list, 3 subtract from a list. */
        configOperation: int8,
        /** Null to delete; what to append or subtract is separated by commas. */
        value: string.nullable(),
      }),
    }),
    /** Check everything, change nothing. */
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    responses: array({
      /** The keys of one resource change together or not at all; other resources are not affected. */
      errorCode: int16,
      errorMessage: string.nullable(),
      /** As in the request. */
      resourceType: int8,
      resourceName: string,
    }),
  },
});

export type IncrementalAlterConfigsRequest = RequestOf<typeof IncrementalAlterConfigs>;
export type IncrementalAlterConfigsResponse = ResponseOf<typeof IncrementalAlterConfigs>;
