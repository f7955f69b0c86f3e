import { codeOf } from "@odradek/protocol";
import { ConsumerGroupHeartbeat } from "@odradek/protocol/messages/consumer-group-heartbeat";
import { checkHeartbeat, type HeartbeatResult } from "../groups/consumer-group.ts";
import { groupRefusal, refusalOf } from "../groups/coordination.ts";
import { handler } from "../request-context.ts";

/** First version whose members make their ids themselves. */
const ownIdVersion = 1;

const refused = (errorCode: number, errorMessage: string | null) => ({
  ...{ throttleTimeMs: 0, errorCode, errorMessage, memberId: null, memberEpoch: 0, heartbeatIntervalMs: 0 },
});

export const consumerGroupHeartbeat = handler({
  api: ConsumerGroupHeartbeat,
  refuse: (errorCode) => refused(errorCode, null),
  handle: ({ groupId, ...request }, context) => {
    const errorCode = groupRefusal(groupId, context);
    if (errorCode !== 0) return refused(errorCode, null);
    if (request.memberId === "" && (context.apiVersion >= ownIdVersion || request.memberEpoch !== 0)) {
      return refused(codeOf("INVALID_REQUEST"), "MemberId can't be empty.");
    }
    const { groups } = context.cluster;
    let result: HeartbeatResult | undefined;
    const { clientId, connection } = context;
    const refusal = refusalOf(() => {
      const heartbeat = { ...request, clientId, clientHost: connection.clientHost };
      // A request that makes no sense brings no group into being.
      checkHeartbeat(heartbeat);
      result = groups.consumer(groupId, request.memberEpoch === 0).heartbeat(heartbeat);
    });
    if (result === undefined) return refused(refusal.errorCode, refusal.errorMessage);
    const { memberId, memberEpoch, assignment } = result;
    return {
      ...{ throttleTimeMs: 0, errorCode: 0, errorMessage: null, memberId, memberEpoch },
      heartbeatIntervalMs: groups.settings.consumerHeartbeatIntervalMs,
      assignment: assignment === null ? null : { topicPartitions: assignment },
    };
  },
});
