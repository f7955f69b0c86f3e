import { codeOf } from "@odradek/protocol";
import { InitProducerId } from "@odradek/protocol/messages/init-producer-id";
import { coordinatorType } from "../coordinator-type.ts";
import { notCoordinator } from "../groups/coordination.ts";
import { handler } from "../request-context.ts";
import { fencedCode } from "../transactions/fenced-code.ts";

const fencedVersion = 4;

const refused = (errorCode: number) => ({ throttleTimeMs: 0, errorCode, producerId: -1n, producerEpoch: -1 });

export const initProducerId = handler({
  api: InitProducerId,
  refuse: refused,
  handle: ({ transactionalId, transactionTimeoutMs, producerId, producerEpoch }, context) => {
    const { cluster, apiVersion } = context;
    const errorCode =
      transactionalId === null ? 0 : notCoordinator(coordinatorType.transaction, transactionalId, context);
    if (errorCode !== 0) return refused(errorCode);
    if (producerId < 0n !== producerEpoch < 0) return refused(codeOf("INVALID_REQUEST"));
    const expected = producerId < 0n ? null : { producerId, producerEpoch };
    const { error, ...producer } = cluster.transactions.initProducerId(transactionalId, transactionTimeoutMs, expected);
    return { throttleTimeMs: 0, errorCode: fencedCode(error, apiVersion >= fencedVersion), ...producer };
  },
});
