import { api, array, bool, int16, int32, int64, type RequestOf, type ResponseOf, string, uuid } from "../schema.ts";

/**
 * OffsetFetch, api key 9: a consumer or an admin asks the group's coordinator how far the group has read.
 * Versions: 2 null for every topic, and an error for the whole group, 3 throttle time, 4 answers before it throttles
 * (KIP-219), 5 leader epochs (KIP-320), 6 flexible (KIP-482), 7 `requireStable` (KIP-447), 8 many groups in one
 * request, 9 members of the consumer protocol (KIP-848), 10 topic ids in place of names (KIP-848).
 * Up to version 7 the one group is at the top; from 8 on `groups` stands in its place.
 * Source: OffsetFetchRequest.json, OffsetFetchResponse.json
 */
export const OffsetFetch = api({
  name: "OffsetFetch",
  key: 9,
  versions: [1, 10],
  flexible: 6,
  request: {
    groupId: string.until(7),
    /** Null for every topic with a committed offset. */
    topics: array({ name: string, partitionIndexes: array(int32) })
      .until(7)
      .nullable(2),

    groups: array({
      groupId: string,
      /** Null for a classic group, and from outside the group. */
      memberId: string.since(9).nullable().default(null).ignorable(),
      /** -1 for a classic group, and from outside the group. */
      memberEpoch: int32.since(9).default(-1).ignorable(),
      /** Null for every topic with a committed offset. */
      topics: array({
        name: string.until(9).ignorable(),
        topicId: uuid.since(10).ignorable(),
        partitionIndexes: array(int32),
      }).nullable(),
    }).since(8),

    /** Answers UNSTABLE_OFFSET_COMMIT for partitions whose offset an open transaction is about to change. */
    requireStable: bool.since(7).default(false),
  },
  response: {
    throttleTimeMs: int32.since(3).ignorable(),

    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        /** Offset of the next record to read; -1 when the group has committed none. */
        committedOffset: int64,
        /** Epoch of the last record read; -1 unknown. */
        committedLeaderEpoch: int32.since(5).default(-1).ignorable(),
        metadata: string.nullable(),
        errorCode: int16,
      }),
    }).until(7),
    /** Of the group as a whole. */
    errorCode: int16.since(2).until(7).default(0).ignorable(),

    groups: array({
      groupId: string,
      topics: array({
        name: string.until(9).ignorable(),
        topicId: uuid.since(10).ignorable(),
        partitions: array({
          partitionIndex: int32,
          /** Offset of the next record to read; -1 when the group has committed none. */
          committedOffset: int64,
          /** Epoch of the last record read; -1 unknown. */
          committedLeaderEpoch: int32.default(-1).ignorable(),
          metadata: string.nullable(),
          errorCode: int16,
        }),
      }),
      /** Of the group as a whole. */
      errorCode: int16.default(0),
    }).since(8),
  },
});
export type OffsetFetchRequest = RequestOf<typeof OffsetFetch>;
export type OffsetFetchResponse = ResponseOf<typeof OffsetFetch>;
