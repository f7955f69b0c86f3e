import { codeOf } from "@odradek/protocol";
import { JoinGroup } from "@odradek/protocol/messages/join-group";
import type { ClassicGroup } from "../groups/classic-group.ts";
import type { JoinResult } from "../groups/classic-member.ts";
import { groupRefusal, refusalOf } from "../groups/coordination.ts";
import { handler, type RequestContext } from "../request-context.ts";

const firstVersion = { knownMemberId: 4, protocolType: 7, skipAssignment: 9 } as const;

const refused = (errorCode: number, memberId: string, { apiVersion }: RequestContext) => ({
  errorCode,
  generationId: -1,
  protocolType: null,
  protocolName: apiVersion >= firstVersion.protocolType ? null : "",
  leader: "",
  memberId,
  members: [],
});

export const joinGroup = handler({
  api: JoinGroup,
  refuse: (errorCode, { memberId }, context) => refused(errorCode, memberId, context),
  handle: (request, context) => {
    const { groupId, memberId, sessionTimeoutMs, rebalanceTimeoutMs } = request;
    const errorCode = groupRefusal(groupId, context);
    if (errorCode !== 0) return refused(errorCode, memberId, context);
    const { groups } = context.cluster;
    let group: ClassicGroup | undefined;
    const mayCreate = memberId === "";
    const refusal = refusalOf(() => {
      group = groups.classic(groupId, mayCreate);
    });
    if (refusal.errorCode !== 0) return refused(refusal.errorCode, memberId, context);
    if (group === undefined) return refused(codeOf("UNKNOWN_MEMBER_ID"), memberId, context);
    const joined = group.join({
      memberId,
      groupInstanceId: request.groupInstanceId,
      protocolType: request.protocolType,
      protocols: request.protocols,
      clientId: context.clientId,
      clientHost: context.connection.clientHost,
      sessionTimeoutMs,
      rebalanceTimeoutMs: rebalanceTimeoutMs < 0 ? sessionTimeoutMs : rebalanceTimeoutMs,
      requiresKnownMemberId: context.apiVersion >= firstVersion.knownMemberId,
      canSkipAssignment: context.apiVersion >= firstVersion.skipAssignment,
    });
    if (joined instanceof Promise) return joined.then((result) => answered(result, context));
    return answered(joined, context);
  },
});

function answered({ error, ...result }: JoinResult, context: RequestContext) {
  if (error !== null) return refused(codeOf(error), result.memberId, context);
  return { errorCode: 0, ...result };
}
