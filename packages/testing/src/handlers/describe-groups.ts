import { codeOf } from "@odradek/protocol";
import { DescribeGroups, type DescribeGroupsResponse } from "@odradek/protocol/messages/describe-groups";
import { ClassicGroup } from "../groups/classic-group.ts";
import { noAssignment } from "../groups/classic-member.ts";
import { notGroupCoordinator } from "../groups/coordination.ts";
import { handler, type RequestContext } from "../request-context.ts";

type GroupAnswer = DescribeGroupsResponse["groups"][number];

/** First version that tells of a group that is not there as an error. */
const notFoundVersion = 6;

/** Every operation on a group: a cluster without an authorizer allows all of them. */
const groupOperations = 0b0001_0100_1000;
const notAskedFor = -2_147_483_648;

export const describeGroups = handler({
  api: DescribeGroups,
  refuse: (errorCode, { groups }) => ({
    throttleTimeMs: 0,
    groups: groups.map((groupId) => failed(groupId, errorCode, null, "")),
  }),
  handle: ({ groups, includeAuthorizedOperations }, context) => ({
    throttleTimeMs: 0,
    groups: groups.map((groupId) => described(groupId, includeAuthorizedOperations, context)),
  }),
});

const failed = (groupId: string, errorCode: number, errorMessage: string | null, groupState: string): GroupAnswer => ({
  ...{ errorCode, errorMessage, groupId, groupState, protocolType: "", protocolData: "", members: [] },
  authorizedOperations: notAskedFor,
});

function described(groupId: string, withOperations: boolean, context: RequestContext): GroupAnswer {
  const errorCode = notGroupCoordinator(groupId, context);
  if (errorCode !== 0) return failed(groupId, errorCode, null, "");
  const group = context.cluster.groups.get(groupId)?.membership;
  if (!(group instanceof ClassicGroup)) {
    if (context.apiVersion < notFoundVersion) return failed(groupId, 0, null, "Dead");
    const reason = group === undefined ? `Group ${groupId} not found.` : `Group ${groupId} is not a classic group.`;
    return failed(groupId, codeOf("GROUP_ID_NOT_FOUND"), reason, "Dead");
  }
  const isStable = group.state === "Stable";
  return {
    errorCode: 0,
    errorMessage: null,
    groupId,
    groupState: group.state,
    protocolType: group.protocolType,
    protocolData: group.protocolName,
    members: group.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.settings.groupInstanceId,
      clientId: member.settings.clientId,
      clientHost: member.settings.clientHost,
      memberMetadata: isStable ? member.metadataOf(group.protocolName) : noAssignment,
      memberAssignment: isStable ? member.assignment : noAssignment,
    })),
    authorizedOperations: withOperations ? groupOperations : notAskedFor,
  };
}
