import { State } from "@odradek/network";

/**
 * Where a producer is with its id and its transaction. A producer that is only idempotent goes from READY to UNINITIALIZED when
 * its id is of no use any more. Source: `TransactionManager.State`; Java's `prepareTransaction` has its caller stand still while it
 * delivers, where we have PREPARING_TRANSACTION.
 */
export const transactionStates = () =>
  new State("UNINITIALIZED", {
    UNINITIALIZED: ["INITIALIZING", "FATAL_ERROR"], // has no id yet
    // asks for an id, or for the next epoch
    INITIALIZING: ["READY", "PREPARED_TRANSACTION", "UNINITIALIZED", "REFUSED", "FATAL_ERROR"],
    // without transactions: no id was given. The records that were there fail; the next one moves it to UNINITIALIZED, which asks again
    REFUSED: ["UNINITIALIZED", "FATAL_ERROR"],
    READY: ["IN_TRANSACTION", "UNINITIALIZED", "FATAL_ERROR"], // has an id, and no transaction is open
    // takes records
    IN_TRANSACTION: [
      "PREPARING_TRANSACTION",
      "COMMITTING_TRANSACTION",
      "ABORTING_TRANSACTION",
      "ABORTABLE_ERROR",
      "FATAL_ERROR",
    ],
    PREPARING_TRANSACTION: ["PREPARED_TRANSACTION", "ABORTABLE_ERROR", "FATAL_ERROR"], // its records are delivered
    // its records are there; it takes no more, and stays open until it is told how to end, also by the next producer of its id
    PREPARED_TRANSACTION: ["COMMITTING_TRANSACTION", "ABORTING_TRANSACTION", "FATAL_ERROR"],
    // its records are delivered, then it ends well
    COMMITTING_TRANSACTION: ["READY", "INITIALIZING", "ABORTABLE_ERROR", "FATAL_ERROR"],
    ABORTING_TRANSACTION: ["READY", "INITIALIZING", "FATAL_ERROR"], // what is under way is awaited, then it ends badly
    ABORTABLE_ERROR: ["ABORTING_TRANSACTION", "FATAL_ERROR"], // cannot be committed any more
    FATAL_ERROR: [], // the producer is fenced, or may not go on; only `close` is left
  });

export type TransactionState = ReturnType<typeof transactionStates>["now"];
