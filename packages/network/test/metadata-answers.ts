import { zeroUuid } from "@odradek/protocol";
import type { MetadataResponse } from "@odradek/protocol/messages/metadata";

export type TopicAnswer = MetadataResponse["topics"][number];
export type PartitionAnswer = TopicAnswer["partitions"][number];
export type BrokerAnswer = MetadataResponse["brokers"][number];

export const brokerAnswer = (nodeId: number, host = "127.0.0.1", port = 9_090 + nodeId): BrokerAnswer => ({
  nodeId,
  host,
  port,
  rack: null,
});

export const partitionAnswer = (
  partitionIndex: number,
  leaderId: number,
  leaderEpoch = 0,
  more: Partial<PartitionAnswer> = {},
): PartitionAnswer => ({
  errorCode: 0,
  partitionIndex,
  leaderId,
  leaderEpoch,
  replicaNodes: [1, 2, 3],
  isrNodes: [1, 2, 3],
  offlineReplicas: [],
  ...more,
});

export const topicAnswer = (
  name: string | null,
  partitions: PartitionAnswer[],
  more: Partial<TopicAnswer> = {},
): TopicAnswer => ({
  errorCode: 0,
  name,
  topicId: zeroUuid,
  isInternal: false,
  partitions,
  topicAuthorizedOperations: -2_147_483_648,
  ...more,
});

/** What a cluster of three brokers answers about `topics`. */
export const metadataAnswer = (topics: TopicAnswer[] = [], more: Partial<MetadataResponse> = {}): MetadataResponse => ({
  throttleTimeMs: 0,
  brokers: [brokerAnswer(1), brokerAnswer(2), brokerAnswer(3)],
  clusterId: "cluster",
  controllerId: 1,
  topics,
  clusterAuthorizedOperations: -2_147_483_648,
  errorCode: 0,
  ...more,
});
