import { api, array, bool, int16, int32, type RequestOf, type ResponseOf, string, struct, uuid } from "../schema.ts";

/** A place in the list of partitions, which is ordered by topic name and partition. */
const cursor = struct({ topicName: string, partitionIndex: int32 }).nullable().default(null);

/**
 * DescribeTopicPartitions, api key 75: topics and their partitions, page by page, with the replicas that may still lead
 * when none is in sync (KIP-966).
 * An admin client sends it to any broker.
 *
 * Source: DescribeTopicPartitionsRequest.json, DescribeTopicPartitionsResponse.json
 */
export const DescribeTopicPartitions = api({
  name: "DescribeTopicPartitions",
  key: 75,
  versions: [0, 0],
  flexible: 0,
  request: {
    /** Empty for all topics. */
    topics: array({ name: string }),
    /** Most partitions on one page; the broker has a limit of its own. */
    responsePartitionLimit: int32.default(2_000),
    /** Where the page begins; null for the first. */
    cursor,
  },
  response: {
    throttleTimeMs: int32.ignorable(),
    topics: array({
      errorCode: int16,
      name: string.nullable(),
      topicId: uuid.ignorable(),
      isInternal: bool.default(false).ignorable(),
      partitions: array({
        errorCode: int16,
        partitionIndex: int32,
        /** -1 while nobody leads. */
        leaderId: int32,
        leaderEpoch: int32.default(-1).ignorable(),
        replicaNodes: array(int32),
        isrNodes: array(int32),
        /** Out of sync, yet with every committed record: they may lead without loss. Null unknown. */
        eligibleLeaderReplicas: array(int32).nullable().default(null),
        /** Who was eligible before an unclean shutdown took the last of them. Null unknown. */
        lastKnownElr: array(int32).nullable().default(null),
        offlineReplicas: array(int32).ignorable(),
      }),
      /** Bit n for the ACL operation of code n. */
      topicAuthorizedOperations: int32.default(-2_147_483_648 /* not stated */),
    }),
    /** Where the next page begins; null after the last. */
    nextCursor: cursor,
  },
});

export type DescribeTopicPartitionsRequest = RequestOf<typeof DescribeTopicPartitions>;
export type DescribeTopicPartitionsResponse = ResponseOf<typeof DescribeTopicPartitions>;
