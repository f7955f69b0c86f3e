import { AddOffsetsToTxn } from "@odradek/protocol/messages/add-offsets-to-txn";
import { coordinatorType } from "../coordinator-type.ts";
import { notCoordinator } from "../groups/coordination.ts";
import { handler } from "../request-context.ts";
import { fencedCode } from "../transactions/fenced-code.ts";

const fencedVersion = 2;

export const addOffsetsToTxn = handler({
  api: AddOffsetsToTxn,
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode }),
  handle: ({ transactionalId, groupId, ...producer }, context) => {
    const errorCode = notCoordinator(coordinatorType.transaction, transactionalId, context);
    if (errorCode !== 0) return { throttleTimeMs: 0, errorCode };
    const error = context.cluster.transactions.addGroup(transactionalId, producer, groupId);
    return { throttleTimeMs: 0, errorCode: fencedCode(error, context.apiVersion >= fencedVersion) };
  },
});
