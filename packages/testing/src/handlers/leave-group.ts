import { LeaveGroup } from "@odradek/protocol/messages/leave-group";
import { groupRefusal, refusalOf } from "../groups/coordination.ts";
import { GroupError } from "../groups/group-error.ts";
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
      const refusal = refusalOf(() => {
        const membership = context.cluster.groups.get(groupId)?.membership;
        if (membership === undefined) throw new GroupError("UNKNOWN_MEMBER_ID");
        membership.leave({ memberId, groupInstanceId });
      });
      return { memberId, groupInstanceId, errorCode: refusal.errorCode };
    });
    return isMany ? { errorCode: 0, members } : { errorCode: members[0]?.errorCode ?? 0 };
  },
});
