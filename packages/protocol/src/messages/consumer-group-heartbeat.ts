import { api, array, int16, int32, type RequestOf, type ResponseOf, string, struct, uuid } from "../schema.ts";

/**
 * ConsumerGroupHeartbeat, api key 68: a member of a consumer group joins, stays, changes its subscription, acknowledges
 * its assignment and leaves, all with this one request (KIP-848).
 * A consumer with `group.protocol=consumer` sends it to the coordinator of its group, at the interval that the
 * coordinator dictates, and at once when something changed. What is as the last request had it may be left out.
 *
 * Versions: 1 topics by regular expression; the member makes up its own id (KIP-1082).
 *
 * Source: ConsumerGroupHeartbeatRequest.json, ConsumerGroupHeartbeatResponse.json
 */
export const ConsumerGroupHeartbeat = api({
  name: "ConsumerGroupHeartbeat",
  key: 68,
  versions: [0, 1],
  flexible: 0,
  request: {
    groupId: string,
    /** A UUID that the member keeps for life. In version 0 it is empty at first and the coordinator gives one. */
    memberId: string,
    /** 0 joins, -1 leaves, -2 leaves as a static member that will be back; else what the last answer said. */
    memberEpoch: int32,
    /** Name of a static member. Null unchanged, or not static. */
    instanceId: string.nullable().default(null),
    /** Null unchanged, or none. */
    rackId: string.nullable().default(null),
    /** How long the member may take to give up partitions. -1 unchanged. */
    rebalanceTimeoutMs: int32.default(-1),
    /** Null unchanged. */
    subscribedTopicNames: array(string).nullable().default(null),
    /** RE2 syntax, matched by the coordinator. Null unchanged. */
    subscribedTopicRegex: string.since(1).nullable().default(null),
    /** Such as "uniform" or "range". Null unchanged, or left to the coordinator. */
    serverAssignor: string.nullable().default(null),
    /** What the member owns at the moment: this acknowledges an assignment. Null unchanged. */
    topicPartitions: array({ topicId: uuid, partitions: array(int32) })
      .nullable()
      .default(null),
  },
  response: {
    throttleTimeMs: int32,
    /**
     * FENCED_MEMBER_EPOCH, UNKNOWN_MEMBER_ID: all partitions are lost, join again with epoch 0.
     * UNRELEASED_INSTANCE_ID: another member still holds the instance id.
     * UNSUPPORTED_ASSIGNOR, GROUP_MAX_SIZE_REACHED, INVALID_REGULAR_EXPRESSION: the group does not take this member.
     */
    errorCode: int16,
    errorMessage: string.nullable().default(null),
    memberId: string.nullable().default(null),
    memberEpoch: int32,
    heartbeatIntervalMs: int32,
    /** What the member shall own. Null unchanged. */
    assignment: struct({
      topicPartitions: array({ topicId: uuid, partitions: array(int32) }),
    })
      .nullable()
      .default(null),
  },
});

export type ConsumerGroupHeartbeatRequest = RequestOf<typeof ConsumerGroupHeartbeat>;
export type ConsumerGroupHeartbeatResponse = ResponseOf<typeof ConsumerGroupHeartbeat>;
