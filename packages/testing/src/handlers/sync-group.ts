import { codeOf } from "@odradek/protocol";
import { SyncGroup } from "@odradek/protocol/messages/sync-group";
import { noAssignment, type SyncResult } from "../groups/classic-member.ts";
import { groupRefusal, refusalOf } from "../groups/coordination.ts";
import { handler } from "../request-context.ts";

const refused = (errorCode: number) => ({ errorCode, assignment: noAssignment });

export const syncGroup = handler({
  api: SyncGroup,
  refuse: refused,
  handle: (request, context) => {
    const { groupId, generationId, memberId, groupInstanceId, protocolType, protocolName, assignments } = request;
    const errorCode = groupRefusal(groupId, context);
    if (errorCode !== 0) return refused(errorCode);
    let synced: SyncResult | Promise<SyncResult> | undefined;
    const refusal = refusalOf(() => {
      const group = context.cluster.groups.classic(groupId, false);
      const identity = { memberId, groupInstanceId, generationId };
      synced = group?.sync(identity, { type: protocolType, name: protocolName }, assignments);
    });
    if (refusal.errorCode !== 0) return refused(refusal.errorCode);
    if (synced === undefined) return refused(codeOf("UNKNOWN_MEMBER_ID"));
    return synced instanceof Promise ? synced.then(answered) : answered(synced);
  },
});

const answered = ({ error, ...result }: SyncResult) =>
  error === null ? { errorCode: 0, ...result } : refused(codeOf(error));
