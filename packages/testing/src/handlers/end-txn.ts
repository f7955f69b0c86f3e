import { EndTxn } from "@odradek/protocol/messages/end-txn";
import { coordinatorType } from "../coordinator-type.ts";
import { notCoordinator } from "../groups/coordination.ts";
import { handler } from "../request-context.ts";
import { fencedCode } from "../transactions/fenced-code.ts";

const firstVersion = { fenced: 2, raisesEpochs: 5 } as const;

const refused = (errorCode: number) => ({ throttleTimeMs: 0, errorCode, producerId: -1n, producerEpoch: -1 });

export const endTxn = handler({
  api: EndTxn,
  refuse: refused,
  handle: ({ transactionalId, committed, producerId, producerEpoch }, context) => {
    const { apiVersion } = context;
    const errorCode = notCoordinator(coordinatorType.transaction, transactionalId, context);
    if (errorCode !== 0) return refused(errorCode);
    const isV2 = apiVersion >= firstVersion.raisesEpochs;
    const producer = { producerId, producerEpoch };
    const { error, ...next } = context.cluster.transactions.end(transactionalId, producer, committed, isV2);
    return { throttleTimeMs: 0, errorCode: fencedCode(error, apiVersion >= firstVersion.fenced), ...next };
  },
});
