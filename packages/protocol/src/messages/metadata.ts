import { api, array, bool, int16, int32, type RequestOf, type ResponseOf, string, uuid } from "../schema.ts";

/**
 * Metadata, api key 3: any client asks any broker which brokers there are and who leads which partition.
 * Versions: 1 racks, controller and internal topics, and null for all topics, 2 cluster id, 3 throttle time, 4 the
 * client may forbid topic creation, 5 offline replicas, 6 answers before it throttles (KIP-219), 7 leader epochs,
 * 8 authorized operations, 9 flexible (KIP-482), 10 topic ids in the response (KIP-516), 11 leaves operations on the
 * cluster to DescribeCluster (KIP-700), 12 topics asked for by id, 13 an error for the whole request.
 * Source: MetadataRequest.json, MetadataResponse.json
 */
export const Metadata = api({
  name: "Metadata",
  key: 3,
  versions: [0, 13],
  flexible: 9,
  request: {
    /** Null asks for every topic and `[]` for none; in version 0 it is `[]` that asks for every topic. */
    topics: array({
      /** Left zero before version 12: brokers did not look at it. */
      topicId: uuid.since(10).ignorable(),
      /** Null when `topicId` says which, from version 12 on. */
      name: string.nullable(10),
    }).nullable(1),
    /** Lets a broker that is configured for it create the topics asked for. Older versions always do. */
    allowAutoTopicCreation: bool.since(4).default(true),
    includeClusterAuthorizedOperations: bool.since(8).until(10),
    includeTopicAuthorizedOperations: bool.since(8),
  },
  response: {
    throttleTimeMs: int32.since(3).ignorable(),
    brokers: array({
      nodeId: int32,
      host: string,
      port: int32,
      rack: string.since(1).nullable().default(null).ignorable(),
    }),
    clusterId: string.since(2).nullable().default(null).ignorable(),
    /** -1 unknown. A KRaft cluster names one of its live brokers, which passes requests on to the controller. */
    controllerId: int32.since(1).default(-1).ignorable(),
    topics: array({
      errorCode: int16,
      /** Null for a topic id that nobody knows. */
      name: string.nullable(12),
      /** Zero for a topic name that nobody knows. */
      topicId: uuid.since(10).ignorable(),
      isInternal: bool.since(1).default(false).ignorable(),
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        /** -1 while nobody leads. */
        leaderId: int32,
        /** -1 unknown. To be relied on from version 9. */
        leaderEpoch: int32.since(7).default(-1).ignorable(),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        offlineReplicas: array(int32).since(5).ignorable(),
      }),
      /** Bit n for the ACL operation of code n. */
      topicAuthorizedOperations: int32.since(8).default(-2_147_483_648 /* not asked for */),
    }),
    /** Bit n for the ACL operation of code n. */
    clusterAuthorizedOperations: int32.since(8).until(10).default(-2_147_483_648 /* not asked for */),
    /** Of the whole request: REBOOTSTRAP_REQUIRED sends the client back to its bootstrap servers. */
    errorCode: int16.since(13).ignorable(),
  },
});
export type MetadataRequest = RequestOf<typeof Metadata>;
export type MetadataResponse = ResponseOf<typeof Metadata>;
