import { type BrokerErrorName, codeOf } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { type TransactionalRequest, type Verdict, verdictOf } from "../src/transaction-verdicts.ts";

const requests = ["InitProducerId", "AddPartitionsToTxn", "AddOffsetsToTxn", "TxnOffsetCommit", "EndTxn"] as const;

/** A row for each error, a column for each request in the order above. */
const table: readonly (readonly [BrokerErrorName, ...Verdict[]])[] = [
  [
    "COORDINATOR_NOT_AVAILABLE",
    "findCoordinator",
    "findCoordinator",
    "findCoordinator",
    "findCoordinator",
    "findCoordinator",
  ],
  ["NOT_COORDINATOR", "findCoordinator", "findCoordinator", "findCoordinator", "findCoordinator", "findCoordinator"],
  ["REQUEST_TIMED_OUT", "retry", "retry", "retry", "findCoordinator", "retry"],
  ["CONCURRENT_TRANSACTIONS", "retry", "retry", "retry", "retry", "retry"],
  ["COORDINATOR_LOAD_IN_PROGRESS", "retry", "retry", "retry", "retry", "retry"],
  ["UNKNOWN_TOPIC_OR_PARTITION", "retry", "retry", "retry", "retry", "retry"],
  ["INVALID_PRODUCER_EPOCH", "fatal", "fatal", "fatal", "fatal", "fatal"],
  ["PRODUCER_FENCED", "fatal", "fatal", "fatal", "fatal", "fatal"],
  ["TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "abortable", "fatal", "fatal", "fatal", "fatal"],
  ["CLUSTER_AUTHORIZATION_FAILED", "abortable", "abortable", "fatal", "fatal", "fatal"],
  ["INVALID_TXN_STATE", "fatal", "fatal", "fatal", "fatal", "fatal"],
  ["INVALID_PRODUCER_ID_MAPPING", "fatal", "fatal", "fatal", "fatal", "fatal"],
  ["UNKNOWN_PRODUCER_ID", "fatal", "abortableByBump", "abortableByBump", "fatal", "abortableByBump"],
  ["TOPIC_AUTHORIZATION_FAILED", "fatal", "abortable", "fatal", "fatal", "fatal"],
  ["GROUP_AUTHORIZATION_FAILED", "fatal", "abortable", "abortable", "abortable", "fatal"],
  ["OPERATION_NOT_ATTEMPTED", "fatal", "abortable", "fatal", "fatal", "fatal"],
  ["UNKNOWN_SERVER_ERROR", "fatal", "abortable", "fatal", "fatal", "fatal"],
  ["INVALID_TOPIC_EXCEPTION", "fatal", "abortable", "fatal", "fatal", "fatal"],
  ["TRANSACTION_ABORTABLE", "abortable", "abortable", "abortable", "abortable", "abortable"],
  ["FENCED_INSTANCE_ID", "fatal", "abortable", "fatal", "abortable", "fatal"],
  ["UNKNOWN_MEMBER_ID", "fatal", "abortable", "fatal", "abortable", "fatal"],
  ["ILLEGAL_GENERATION", "fatal", "abortable", "fatal", "abortable", "fatal"],
  ["GROUP_ID_NOT_FOUND", "fatal", "abortable", "fatal", "abortable", "fatal"],
  ["STALE_MEMBER_EPOCH", "fatal", "abortable", "fatal", "abortable", "fatal"],
  ["UNSUPPORTED_FOR_MESSAGE_FORMAT", "fatal", "abortable", "fatal", "fatal", "fatal"],
];

describe("an error in an answer to a transactional request", () => {
  test.each(table.map(([name, ...verdicts]) => ({ name, verdicts })))("$name", ({ name, verdicts }) => {
    expect(requests.map((request) => verdictOf(request, codeOf(name)))).toEqual(verdicts);
  });

  test("that nobody knows is fatal, unless it is about one partition", () => {
    const unknown = 32_000;
    const verdicts = requests.map((request: TransactionalRequest) => verdictOf(request, unknown));
    expect(verdicts).toEqual(["fatal", "abortable", "fatal", "fatal", "fatal"]);
  });
});
