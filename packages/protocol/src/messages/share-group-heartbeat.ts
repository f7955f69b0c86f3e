import { api, array, int16, int32, type RequestOf, type ResponseOf, string, struct, uuid } from "../schema.ts";

/**
 * ShareGroupHeartbeat, api key 76: a member of a share group joins, stays, changes its subscription, leaves (KIP-932).
 * A share consumer sends it to the coordinator of its group, at the interval that the coordinator dictates. Partitions
 * are shared, so there is no assignment to acknowledge.
 *
 * Versions: 0 was an early access in Kafka 4.0 and is gone, 1 the first stable one.
 *
 * Source: ShareGroupHeartbeatRequest.json, ShareGroupHeartbeatResponse.json
 */
export const ShareGroupHeartbeat = api({
  name: "ShareGroupHeartbeat",
  key: 76,
  versions: [1, 1],
  flexible: 0,
  request: {
    groupId: string,
    /** A UUID that the member makes up and keeps for life. */
    memberId: string,
    /** 0 joins, -1 leaves; otherwise what the last answer said. */
    memberEpoch: int32,
    /** Null unchanged, or none. */
    rackId: string.nullable().default(null),
    /** Null unchanged. */
    subscribedTopicNames: array(string).nullable().default(null),
  },
  response: {
    throttleTimeMs: int32,
    /** UNKNOWN_MEMBER_ID: join again with epoch 0. GROUP_MAX_SIZE_REACHED: the group takes no more members. */
    errorCode: int16,
    errorMessage: string.nullable().default(null),
    memberId: string.nullable().default(null),
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    /** Where the member shall fetch. Null unchanged. */
    assignment: struct({
      topicPartitions: array({ topicId: uuid, partitions: array(int32) }),
    })
      .nullable()
      .default(null),
  },
});

export type ShareGroupHeartbeatRequest = RequestOf<typeof ShareGroupHeartbeat>;
export type ShareGroupHeartbeatResponse = ResponseOf<typeof ShareGroupHeartbeat>;
