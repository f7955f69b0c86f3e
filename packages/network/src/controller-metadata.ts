import { BrokerError, UnsupportedVersionError } from "@odradek/protocol";
import { DescribeCluster } from "@odradek/protocol/messages/describe-cluster";
import { Metadata, type MetadataResponse } from "@odradek/protocol/messages/metadata";
import type { Connection } from "./connection.ts";

/** What DescribeCluster calls controllers, where it is asked for them, and says that it tells of them. */
const controllers = 2;

/** The first version that can be asked for them. */
const endpointTypesSince = 1;

/**
 * Asks a controller which others there are and who is the active one, and gives that as metadata that names no topics: whoever
 * begins with controllers knows no brokers (KIP-919).
 *
 * @throws UnsupportedVersionError where it is a broker, or older than Kafka 3.7
 */
export async function controllerMetadata(
  connection: Connection,
): Promise<{ readonly response: MetadataResponse; readonly version: number }> {
  const { versions } = connection;
  const version = versions.usableVersion(DescribeCluster, { oldest: endpointTypesSince });
  const body = { includeClusterAuthorizedOperations: false, endpointType: controllers };
  const told = await connection.request(DescribeCluster, version, body);
  const error = told.errorCode === 0 ? null : new BrokerError(told.errorCode, "DescribeCluster", told.errorMessage);
  if (error?.code === "MISMATCHED_ENDPOINT_TYPE" || (error === null && told.endpointType !== controllers)) {
    throw new UnsupportedVersionError(
      "a broker answers where bootstrapControllers has a controller: see bootstrapServers",
    );
  }
  if (error !== null) throw error;
  const response = {
    throttleTimeMs: told.throttleTimeMs,
    brokers: told.brokers.map(({ brokerId: nodeId, host, port, rack }) => ({ nodeId, host, port, rack })),
    clusterId: told.clusterId,
    controllerId: told.controllerId,
    topics: [],
    clusterAuthorizedOperations: told.clusterAuthorizedOperations,
    errorCode: 0,
  };
  return { response, version: Metadata.latestStable };
}
