import {
  api,
  array,
  bool,
  int8,
  int16,
  int32,
  type RequestOf,
  type ResponseOf,
  string,
  struct,
  uuid,
} from "../schema.ts";

const assignment = struct({
  topicPartitions: array({
    topicId: uuid,
    topicName: string,
    partitions: array(int32),
  }),
});

/**
 * ConsumerGroupDescribe, api key 69: state, members and assignment of groups of the consumer protocol (KIP-848).
 * An admin client sends it to the coordinator of the groups. Classic groups answer to DescribeGroups instead.
 *
 * Versions: 1 the kind of each member (KIP-1099).
 *
 * Source: ConsumerGroupDescribeRequest.json, ConsumerGroupDescribeResponse.json
 */
export const ConsumerGroupDescribe = api({
  name: "ConsumerGroupDescribe",
  key: 69,
  versions: [0, 1],
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
      /** Empty, Assigning, Reconciling, Stable or Dead. */
      groupState: string,
      /** Rises whenever members, their subscriptions or the topics change. */
      groupEpoch: int32,
      /** The group epoch that the target assignment was made for; behind it while a new one is worked out. */
      assignmentEpoch: int32,
      assignorName: string,
      members: array({
        memberId: string,
        /** Null unless the member is static. */
        instanceId: string.nullable().default(null),
        rackId: string.nullable().default(null),
        memberEpoch: int32,
        clientId: string,
        clientHost: string,
        subscribedTopicNames: array(string),
        /** Null when the member subscribed by name alone. */
        subscribedTopicRegex: string.nullable().default(null),
        /** What the member owns. */
        assignment,
        /** What it shall own in the end. */
        targetAssignment: assignment,
        /** 0 a member of the classic protocol in a group that is migrating, 1 of the consumer protocol, -1 unknown. */
        memberType: int8.since(1).default(-1).ignorable(),
      }),
      /** Bit n for the ACL operation of code n. */
      authorizedOperations: int32.default(-2_147_483_648 /* not asked for */),
    }),
  },
});

export type ConsumerGroupDescribeRequest = RequestOf<typeof ConsumerGroupDescribe>;
export type ConsumerGroupDescribeResponse = ResponseOf<typeof ConsumerGroupDescribe>;
