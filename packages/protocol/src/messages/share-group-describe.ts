import { api, array, bool, int16, int32, type RequestOf, type ResponseOf, string, struct, uuid } from "../schema.ts";

/**
 * ShareGroupDescribe, api key 77: state, members and assignment of share groups (KIP-932).
 * An admin client sends it to the coordinator of the groups.
 *
 * Versions: 0 was an early access in Kafka 4.0 and is gone, 1 the first stable one.
 *
 * Source: ShareGroupDescribeRequest.json, ShareGroupDescribeResponse.json
 */
export const ShareGroupDescribe = api({
  name: "ShareGroupDescribe",
  key: 77,
  versions: [1, 1],
  flexible: 0,
  request: {
    groupIds: array(string),
    includeAuthorizedOperations: bool,
  },
  response: {
    throttleTimeMs: int32,
    groups: array({
      /** GROUP_ID_NOT_FOUND also for a group of another type. */
      errorCode: int16,
      errorMessage: string.nullable().default(null),
      groupId: string,
      /** Empty, Stable or Dead. */
      groupState: string,
      /** Rises whenever members, their subscriptions or the topics change. */
      groupEpoch: int32,
      /** The group epoch that the assignment was made for. */
      assignmentEpoch: int32,
      assignorName: string,
      members: array({
        memberId: string,
        rackId: string.nullable().default(null),
        memberEpoch: int32,
        clientId: string,
        clientHost: string,
        subscribedTopicNames: array(string),
        /** Several members may have the same partition. */
        assignment: struct({
          topicPartitions: array({
            topicId: uuid,
            topicName: string,
            partitions: array(int32),
          }),
        }),
      }),
      /** Bit n for the ACL operation of code n. */
      authorizedOperations: int32.default(-2_147_483_648 /* not asked for */),
    }),
  },
});

export type ShareGroupDescribeRequest = RequestOf<typeof ShareGroupDescribe>;
export type ShareGroupDescribeResponse = ResponseOf<typeof ShareGroupDescribe>;
