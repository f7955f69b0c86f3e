import { expect, test } from "vitest";
import { type TransactionState, transactionStates } from "../src/transaction-state.ts";

/** Where each state may come from. */
const sources: Readonly<Record<TransactionState, readonly TransactionState[]>> = {
  UNINITIALIZED: ["INITIALIZING", "REFUSED", "READY"],
  INITIALIZING: ["UNINITIALIZED", "COMMITTING_TRANSACTION", "ABORTING_TRANSACTION"],
  REFUSED: ["INITIALIZING"],
  READY: ["INITIALIZING", "COMMITTING_TRANSACTION", "ABORTING_TRANSACTION"],
  IN_TRANSACTION: ["READY"],
  PREPARING_TRANSACTION: ["IN_TRANSACTION"],
  PREPARED_TRANSACTION: ["PREPARING_TRANSACTION", "INITIALIZING"],
  COMMITTING_TRANSACTION: ["IN_TRANSACTION", "PREPARED_TRANSACTION"],
  ABORTING_TRANSACTION: ["IN_TRANSACTION", "PREPARED_TRANSACTION", "ABORTABLE_ERROR"],
  ABORTABLE_ERROR: ["IN_TRANSACTION", "PREPARING_TRANSACTION", "COMMITTING_TRANSACTION"],
  FATAL_ERROR: [
    "UNINITIALIZED",
    "INITIALIZING",
    "REFUSED",
    "READY",
    "IN_TRANSACTION",
    "PREPARING_TRANSACTION",
    "PREPARED_TRANSACTION",
    "COMMITTING_TRANSACTION",
    "ABORTING_TRANSACTION",
    "ABORTABLE_ERROR",
  ],
};
const all = Object.keys(sources) as TransactionState[];

const arrived = (path: readonly TransactionState[]) => {
  const state = transactionStates();
  for (const next of path) state.to(next);
  return state;
};

const mayMove = (path: readonly TransactionState[], to: TransactionState): boolean => {
  try {
    arrived(path).to(to);
    return true;
  } catch {
    return false;
  }
};

test("a producer moves along Kafka's arrows and no others, and fatal errors are its end", () => {
  const paths = new Map<TransactionState, readonly TransactionState[]>([["UNINITIALIZED", []]]);
  for (const [from, path] of paths) {
    for (const to of all) {
      const isAllowed = mayMove(path, to);
      expect([from, to, isAllowed]).toEqual([from, to, sources[to].includes(from)]);
      if (isAllowed && !paths.has(to)) paths.set(to, [...path, to]);
    }
  }
  expect([...paths.keys()].sort()).toEqual([...all].sort());
});
