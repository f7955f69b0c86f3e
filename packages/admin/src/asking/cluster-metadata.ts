import { BrokerError } from "@odradek/protocol";
import { Metadata, type MetadataResponse } from "@odradek/protocol/messages/metadata";
import type { Call } from "./call.ts";

/** The first version in which a topic may be asked for by its id. */
const topicIdsSince = 12;

/** The first version that tells what one may do with a topic. */
const topicOperationsSince = 8;

/** The versions that tell what one may do with the cluster; behind them DescribeCluster does. */
const clusterOperations = { since: 8, until: 10 };

export interface MetadataQuery {
  /** Topics by their ids, besides those by name. */
  readonly topicIds?: readonly string[];
  readonly includeTopicAuthorizedOperations?: boolean;
  /** Told by brokers of Kafka 2.3 to 2.7. */
  readonly includeClusterAuthorizedOperations?: boolean;
}

/**
 * Asks any broker about the brokers of the cluster and about topics, fresh and for this call alone. The brokers it names can be
 * asked from then on.
 *
 * @param topics names, or `null` for every topic there is
 */
export async function clusterMetadata(
  call: Call,
  topics: readonly string[] | null,
  {
    topicIds = [],
    includeTopicAuthorizedOperations = false,
    includeClusterAuthorizedOperations = false,
  }: MetadataQuery = {},
): Promise<MetadataResponse> {
  const { metadata } = call.context.network;
  const wanted =
    topics === null
      ? null
      : [...topics.map((name) => ({ name })), ...topicIds.map((topicId) => ({ topicId, name: null }))];
  const bounds = topicIds.length > 0 ? { oldest: topicIdsSince } : {};
  const response = await call.request(
    Metadata,
    (version) => ({
      topics: wanted,
      allowAutoTopicCreation: false,
      includeTopicAuthorizedOperations: includeTopicAuthorizedOperations && version >= topicOperationsSince,
      ...(version < clusterOperations.since || version > clusterOperations.until
        ? {}
        : { includeClusterAuthorizedOperations }),
    }),
    "any",
    bounds,
  );
  if (response.errorCode !== 0) throw new BrokerError(response.errorCode, "Metadata");
  for (const { nodeId: id, host, port, rack } of response.brokers) metadata.addNode({ id, host, port, rack });
  return response;
}

/** Ids of all brokers that serve clients right now. */
export async function brokerIds(call: Call): Promise<readonly number[]> {
  const { brokers } = await clusterMetadata(call, []);
  return brokers.map(({ nodeId }) => nodeId).sort((one, other) => one - other);
}
