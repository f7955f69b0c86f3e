import { codeOf } from "@odradek/protocol";
import { ListTransactions } from "@odradek/protocol/messages/list-transactions";
import { coordinatorType } from "../coordinator-type.ts";
import { notCoordinator } from "../groups/coordination.ts";
import { handler } from "../request-context.ts";
import { transactionStates } from "../transactions/transaction.ts";

export const listTransactions = handler({
  api: ListTransactions,
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, unknownStateFilters: [], transactionStates: [] }),
  handle: ({ stateFilters, producerIdFilters, durationFilter, transactionalIdPattern }, context) => {
    const { cluster } = context;
    const unknownStateFilters = stateFilters.filter((state) => !transactionStates.includes(state));
    const states = stateFilters.filter((state) => transactionStates.includes(state));
    const pattern = patternOf(transactionalIdPattern);
    if (pattern === "invalid") {
      const errorCode = codeOf("INVALID_REGULAR_EXPRESSION");
      return { throttleTimeMs: 0, errorCode, unknownStateFilters: [], transactionStates: [] };
    }
    const nowMs = cluster.clock.now();
    const listed = cluster.transactions.all().filter((transaction) => {
      const { transactionalId, state, producerId, startTimeMs } = transaction;
      return (
        notCoordinator(coordinatorType.transaction, transactionalId, context) === 0 &&
        (stateFilters.length === 0 || states.includes(state.now)) &&
        (producerIdFilters.length === 0 || producerIdFilters.includes(producerId)) &&
        (durationFilter < 0n || (startTimeMs >= 0 && BigInt(nowMs - startTimeMs) > durationFilter)) &&
        (pattern === null || pattern.test(transactionalId))
      );
    });
    return {
      throttleTimeMs: 0,
      errorCode: 0,
      unknownStateFilters,
      transactionStates: listed.map(({ transactionalId, producerId, state }) => ({
        transactionalId,
        producerId,
        transactionState: state.now,
      })),
    };
  },
});

function patternOf(text: string | null): RegExp | null | "invalid" {
  if (text === null || text === "") return null;
  try {
    return new RegExp(`^(?:${text})$`);
  } catch {
    return "invalid";
  }
}
