import { api, array, int16, int32, int64, type RequestOf, type ResponseOf, string, uuid } from "../schema.ts";

/**
 * OffsetCommit, api key 8: a consumer, or an admin on behalf of an empty group, tells the group's coordinator how
 * far the group has read.
 * Versions: 3 throttle time, 4 answers before it throttles (KIP-219), 5 no retention time of its own, 6 leader
 * epochs (KIP-320), 7 static members (KIP-345), 8 flexible (KIP-482), 9 groups of the consumer protocol (KIP-848),
 * with STALE_MEMBER_EPOCH and GROUP_ID_NOT_FOUND, 10 topic ids in place of names (KIP-848).
 * Source: OffsetCommitRequest.json, OffsetCommitResponse.json
 */
export const OffsetCommit = api({
  name: "OffsetCommit",
  key: 8,
  versions: [2, 10],
  flexible: 8,
  request: {
    groupId: string,
    /** Generation of a classic member, epoch of a member of the consumer protocol; -1 from outside the group. */
    generationIdOrMemberEpoch: int32.default(-1).ignorable(),
    /** Empty from outside the group. */
    memberId: string.ignorable(),
    /** Null unless the member is static. */
    groupInstanceId: string.since(7).nullable().default(null),
    /** -1 leaves it to the broker's configuration. */
    retentionTimeMs: int64.until(4).default(-1n).ignorable(),
    topics: array({
      name: string.until(9).ignorable(),
      topicId: uuid.since(10).ignorable(),
      partitions: array({
        partitionIndex: int32,
        /** Offset of the next record to read. */
        committedOffset: int64,
        /** Epoch of the last record read; -1 unknown. */
        committedLeaderEpoch: int32.since(6).default(-1).ignorable(),
        /** A note of the application's own. */
        committedMetadata: string.nullable(),
      }),
    }),
  },
  response: {
    throttleTimeMs: int32.since(3).ignorable(),
    topics: array({
      name: string.until(9).ignorable(),
      topicId: uuid.since(10).ignorable(),
      partitions: array({
        partitionIndex: int32,
        /** Errors of the whole group, such as ILLEGAL_GENERATION, are repeated on each partition. */
        errorCode: int16,
      }),
    }),
  },
});
export type OffsetCommitRequest = RequestOf<typeof OffsetCommit>;
export type OffsetCommitResponse = ResponseOf<typeof OffsetCommit>;
