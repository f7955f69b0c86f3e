import { api, array, int8, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * ListConfigResources, api key 74: the names of what can have a configuration.
 * An admin client sends it to any broker.
 *
 * Versions: 0 client metrics alone, under the name ListClientMetricsResources (KIP-1000), 1 every type (KIP-1142).
 *
 * Source: ListConfigResourcesRequest.json, ListConfigResourcesResponse.json
 */
export const ListConfigResources = api({
  name: "ListConfigResources",
  key: 74,
  versions: [0, 1],
  flexible: 0,
  request: {
    /** 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group; empty for all of them. */
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

export type ListConfigResourcesRequest = RequestOf<typeof ListConfigResources>;
export type ListConfigResourcesResponse = ResponseOf<typeof ListConfigResources>;
