import { api, array, bool, int8, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * DescribeCluster, api key 60: the nodes of the cluster, without a word on topics (KIP-700).
 * An admin client sends it to any broker, or to a controller that it is connected to.
 *
 * Versions: 1 controllers as well as brokers (KIP-919), 2 fenced brokers (KIP-1073).
 *
 * Source: DescribeClusterRequest.json, DescribeClusterResponse.json
 */
export const DescribeCluster = api({
  name: "DescribeCluster",
  key: 60,
  versions: [0, 2],
  flexible: 0,
  request: {
    includeClusterAuthorizedOperations: bool,
    /** 1 brokers, 2 controllers; it has to be what the client is connected to. */
    endpointType: int8.since(1).default(1),
    /** Brokers that are registered but may not serve clients at the moment. */
    includeFencedBrokers: bool.since(2),
  },
  response: {
    throttleTimeMs: int32,
    /** MISMATCHED_ENDPOINT_TYPE when a broker is asked for controllers or the other way round. */
    errorCode: int16,
    errorMessage: string.nullable().default(null),
    /** As in the request. */
    endpointType: int8.since(1).default(1),
    clusterId: string,
    /** From a controller the active one, from a KRaft broker any live broker, which forwards; -1 unknown. */
    controllerId: int32.default(-1),
    /** Controllers when those were asked for. */
    brokers: array({
      brokerId: int32,
      host: string,
      port: int32,
      rack: string.nullable().default(null),
      isFenced: bool.since(2),
    }),
    /** Bit n for the ACL operation of code n. */
    clusterAuthorizedOperations: int32.default(-2_147_483_648 /* not asked for */),
  },
});

export type DescribeClusterRequest = RequestOf<typeof DescribeCluster>;
export type DescribeClusterResponse = ResponseOf<typeof DescribeCluster>;
