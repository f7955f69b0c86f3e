import { type BrokerErrorName, codeOf } from "@odradek/protocol";
import { Heartbeat } from "@odradek/protocol/messages/heartbeat";
import { groupRefusal, refusalOf } from "../groups/coordination.ts";
import { handler } from "../request-context.ts";

export const heartbeat = handler({
  api: Heartbeat,
  refuse: (errorCode) => ({ errorCode }),
  handle: ({ groupId, ...identity }, context) => {
    const errorCode = groupRefusal(groupId, context);
    if (errorCode !== 0) return { errorCode };
    let told: BrokerErrorName | null = "UNKNOWN_MEMBER_ID";
    const refusal = refusalOf(() => {
      const group = context.cluster.groups.classic(groupId, false);
      if (group !== undefined) told = group.heartbeat(identity);
    });
    if (refusal.errorCode !== 0) return { errorCode: refusal.errorCode };
    return { errorCode: told === null ? 0 : codeOf(told) };
  },
});
