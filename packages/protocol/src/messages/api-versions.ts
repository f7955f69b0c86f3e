import { api, array, bool, int16, int32, int64, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * ApiVersions, api key 18: the first request on a connection, asking the broker which APIs and versions it speaks. A
 * broker that does not know the version asked for answers UNSUPPORTED_VERSION in the form of version 0 and, since
 * KIP-511, lists its own range for this API; the client then asks again. That is also why the response header stays
 * without tags in every version.
 * Versions: 1 throttle time, 2 answers before it throttles (KIP-219), 3 flexible (KIP-482), with the client's name
 * (KIP-511) and the cluster's features, 4 also lists features that start at version 0 (KAFKA-17011), 5 says which broker of
 * which cluster the client means to reach; any other answers REBOOTSTRAP_REQUIRED (KIP-1242, Kafka 4.4).
 * Source: ApiVersionsRequest.json, ApiVersionsResponse.json
 */
export const ApiVersions = api({
  name: "ApiVersions",
  key: 18,
  versions: [0, 5],
  flexible: 3,
  request: {
    /** Letters, digits, "." and "-", beginning and ending with a letter or digit; else INVALID_REQUEST. */
    clientSoftwareName: string.since(3).ignorable(),
    /** Of the same form. */
    clientSoftwareVersion: string.since(3).ignorable(),
    /** Together with `nodeId`, or not at all. */
    clusterId: string.since(5).nullable().default(null).ignorable(),
    /** -1 where it is not known. */
    nodeId: int32.since(5).default(-1).ignorable(),
  },
  response: {
    errorCode: int16,
    apiKeys: array({
      apiKey: int16,
      /** Both ends are included. Brokers of 4.x say 0 for Produce and still refuse 0 to 2 (KAFKA-18659). */
      minVersion: int16,
      maxVersion: int16,
    }),
    throttleTimeMs: int32.since(1).ignorable(),

    /** What this broker could do, such as `transaction.version` 0 to 2. */
    supportedFeatures: array({ name: string, minVersion: int16, maxVersion: int16 }).since(3).tagged(0).ignorable(),
    /** Grows with each change of the finalized features, so the highest is the newest; -1 unknown. */
    finalizedFeaturesEpoch: int64.since(3).tagged(1).default(-1n).ignorable(),
    /** What the whole cluster has agreed to use; holds only if the epoch is known. */
    finalizedFeatures: array({ name: string, maxVersionLevel: int16, minVersionLevel: int16 })
      .since(3)
      .tagged(2)
      .ignorable(),
    /** From controllers only: ready to take over from ZooKeeper. */
    zkMigrationReady: bool.since(3).tagged(3).default(false).ignorable(),
  },
});
export type ApiVersionsRequest = RequestOf<typeof ApiVersions>;
export type ApiVersionsResponse = ResponseOf<typeof ApiVersions>;
