import { api, array, int16, int32, int64, type RequestOf, type ResponseOf, string, uuid } from "../schema.ts";

/**
 * DescribeShareGroupOffsets, api key 90: how far share groups have come in their partitions (KIP-932).
 * An admin client sends it to the coordinator of the groups.
 *
 * Versions: 1 lag (KIP-1226).
 *
 * Source: DescribeShareGroupOffsetsRequest.json, DescribeShareGroupOffsetsResponse.json
 */
export const DescribeShareGroupOffsets = api({
  name: "DescribeShareGroupOffsets",
  key: 90,
  versions: [0, 1],
  flexible: 0,
  request: {
    groups: array({
      groupId: string,
      /** Null for every partition that the group has an offset for. */
      topics: array({
        topicName: string,
        partitions: array(int32),
      }).nullable(),
    }),
  },
  response: {
    throttleTimeMs: int32,
    groups: array({
      groupId: string,
      topics: array({
        topicName: string,
        topicId: uuid,
        partitions: array({
          partitionIndex: int32,
          /** Every record before it is done with; -1 when the group has not begun on the partition. */
          startOffset: int64,
          /** Negative when unknown. */
          leaderEpoch: int32,
          /** Records still to be delivered; -1 unknown. */
          lag: int64.since(1).default(-1n).ignorable(),
          errorCode: int16,
          errorMessage: string.nullable().default(null),
        }),
      }),
      /** About the group as a whole: GROUP_ID_NOT_FOUND, NOT_COORDINATOR. */
      errorCode: int16,
      errorMessage: string.nullable().default(null),
    }),
  },
});

export type DescribeShareGroupOffsetsRequest = RequestOf<typeof DescribeShareGroupOffsets>;
export type DescribeShareGroupOffsetsResponse = ResponseOf<typeof DescribeShareGroupOffsets>;
