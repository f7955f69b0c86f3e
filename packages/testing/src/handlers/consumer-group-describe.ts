import { codeOf } from "@odradek/protocol";
import {
  ConsumerGroupDescribe,
  type ConsumerGroupDescribeResponse,
} from "@odradek/protocol/messages/consumer-group-describe";
import { byTopicId, ConsumerGroup } from "../groups/consumer-group.ts";
import { groupRefusal } from "../groups/coordination.ts";
import type { PartitionKey } from "../groups/server-assignors.ts";
import { handler, type RequestContext } from "../request-context.ts";

type GroupAnswer = ConsumerGroupDescribeResponse["groups"][number];

const groupOperations = 0b0001_0100_1000;
const notAskedFor = -2_147_483_648;
/** A member that speaks the consumer protocol. */
const consumerMember = 1;

export const consumerGroupDescribe = handler({
  api: ConsumerGroupDescribe,
  refuse: (errorCode, { groupIds }) => ({
    throttleTimeMs: 0,
    groups: groupIds.map((groupId) => failed(groupId, errorCode, null)),
  }),
  handle: ({ groupIds, includeAuthorizedOperations }, context) => ({
    throttleTimeMs: 0,
    groups: groupIds.map((groupId) => described(groupId, includeAuthorizedOperations, context)),
  }),
});

const failed = (groupId: string, errorCode: number, errorMessage: string | null): GroupAnswer => ({
  ...{ errorCode, errorMessage, groupId, groupState: "", groupEpoch: 0, assignmentEpoch: 0, assignorName: "" },
  members: [],
  authorizedOperations: notAskedFor,
});

function described(groupId: string, withOperations: boolean, context: RequestContext): GroupAnswer {
  const errorCode = groupRefusal(groupId, context);
  if (errorCode !== 0) return failed(groupId, errorCode, null);
  const group = context.cluster.groups.get(groupId)?.membership;
  if (!(group instanceof ConsumerGroup)) {
    const reason = group === undefined ? `Group ${groupId} not found.` : `Group ${groupId} is not a consumer group.`;
    return failed(groupId, codeOf("GROUP_ID_NOT_FOUND"), reason);
  }
  const assignmentOf = (keys: Iterable<PartitionKey>) => ({
    topicPartitions: byTopicId(keys).map((each) => ({
      ...each,
      topicName: context.cluster.topics.byId(each.topicId)?.name ?? "",
    })),
  });
  return {
    errorCode: 0,
    errorMessage: null,
    groupId,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.targetEpoch,
    assignorName: group.assignorName,
    members: group.members.map((member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      rackId: member.rackId,
      memberEpoch: member.epoch,
      clientId: member.clientId,
      clientHost: member.clientHost,
      subscribedTopicNames: [...member.subscription.topicNames],
      subscribedTopicRegex: member.subscription.regex,
      assignment: assignmentOf(member.assigned),
      targetAssignment: assignmentOf(member.target),
      memberType: consumerMember,
    })),
    authorizedOperations: withOperations ? groupOperations : notAskedFor,
  };
}
