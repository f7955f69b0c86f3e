import { api, array, bool, int8, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * AlterConfigs, api key 33: an admin replaces the configuration of resources as a whole; a key that is not listed
 * goes back to its default. IncrementalAlterConfigs is the safe way, and brokers from 2.3 on have it.
 * Versions: 1 answers before it throttles (KIP-219), 2 flexible (KIP-482).
 * Source: AlterConfigsRequest.json, AlterConfigsResponse.json
 */
export const AlterConfigs = api({
  name: "AlterConfigs",
  key: 33,
  versions: [0, 2],
  flexible: 2,
  request: {
    resources: array({
      /** 2 topic, 4 broker, as in DescribeConfigs. */
      resourceType: int8,
      /** For brokers the id as text; empty for the defaults of all brokers. */
      resourceName: string,
      configs: array({
        name: string,
        /** Secret where the key is one, such as `ssl.keystore.password`: it belongs in no log. */
        value: string.nullable(),
      }),
    }),
    /** Checks the request and changes nothing. */
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
export type AlterConfigsRequest = RequestOf<typeof AlterConfigs>;
export type AlterConfigsResponse = ResponseOf<typeof AlterConfigs>;
