import { codeOf } from "@odradek/protocol";
import { LeaveGroup } from "@odradek/protocol/messages/leave-group";
import { groupRefusal, refusalOf } from "../groups/coordination.ts";
import { handler } from "../request-context.ts";

const manyVersion = 3;

export const leaveGroup = handler({
  api: LeaveGroup,
  refuse: (errorCode) => ({ errorCode }),
  handle: (request, context) => {
    const { groupId } = request;
    const errorCode = groupRefusal(groupId, context);
    if (errorCode !== 0) return { errorCode };
    const isMany = context.apiVersion >= manyVersion;
    const leaving = isMany ? request.members : [{ memberId: request.memberId, groupInstanceId: null }];
    const members = leaving.map(({ memberId, groupInstanceId }) => {
      let isKnown = false;
      const refusal = refusalOf(() => {
        const group = context.cluster.groups.classic(groupId, false);
        isKnown = group !== undefined;
        group?.leave({ memberId, groupInstanceId });
      });
      const memberError = refusal.errorCode !== 0 || isKnown ? refusal.errorCode : codeOf("UNKNOWN_MEMBER_ID");
      return { memberId, groupInstanceId, errorCode: memberError };
    });
    return isMany ? { errorCode: 0, members } : { errorCode: members[0]?.errorCode ?? 0 };
  },
});
