import { BrokerError, type BrokerErrorName, codeOf } from "@odradek/protocol";
import { AddRaftVoter } from "@odradek/protocol/messages/add-raft-voter";
import { AlterPartitionReassignments } from "@odradek/protocol/messages/alter-partition-reassignments";
import { AlterUserScramCredentials } from "@odradek/protocol/messages/alter-user-scram-credentials";
import { CreatePartitions } from "@odradek/protocol/messages/create-partitions";
import { CreateTopics } from "@odradek/protocol/messages/create-topics";
import { DeleteGroups } from "@odradek/protocol/messages/delete-groups";
import { DeleteTopics } from "@odradek/protocol/messages/delete-topics";
import { ElectLeaders } from "@odradek/protocol/messages/elect-leaders";
import { ExpireDelegationToken } from "@odradek/protocol/messages/expire-delegation-token";
import { FindCoordinator } from "@odradek/protocol/messages/find-coordinator";
import { LeaveGroup } from "@odradek/protocol/messages/leave-group";
import { RemoveRaftVoter } from "@odradek/protocol/messages/remove-raft-voter";
import { UnregisterBroker } from "@odradek/protocol/messages/unregister-broker";
import { UnregisterController } from "@odradek/protocol/messages/unregister-controller";
import { describe, expect, test } from "vitest";
import type { PeerConnection, PeerRequest } from "../../network/test/scripted-peer.ts";
import type { KafkaAdmin, Results } from "../src/index.ts";
import { answerCoordinator, scriptedAdmin } from "./scripted-admin.ts";

const at = { topic: "t", partition: 0 };
const id = "AAAAAAAAAAAAAAAAAAAAaQ";
const zero = "AAAAAAAAAAAAAAAAAAAAAA";

interface Change {
  readonly change: string;
  /** What it is answered when there is nothing left to do. */
  readonly code: BrokerErrorName;
  readonly run: (admin: KafkaAdmin) => Promise<unknown>;
  readonly answer: (connection: PeerConnection, request: PeerRequest, errorCode: number) => void;
}

const oneOf = async <T, K>(results: Promise<Results<T, K>>): Promise<T | undefined> => (await results).orThrow()[0];

const deleted = (connection: PeerConnection, request: PeerRequest, errorCode: number) => {
  const [topic] = request.body(DeleteTopics).topics;
  const responses = [{ name: topic?.name ?? null, topicId: topic?.topicId ?? zero, errorCode, errorMessage: null }];
  connection.answer(request, DeleteTopics, { throttleTimeMs: 0, responses });
};

const changes: readonly Change[] = [
  {
    change: "createTopics",
    code: "TOPIC_ALREADY_EXISTS",
    run: (admin) => oneOf(admin.createTopics([{ topic: "t" }])),
    answer: (connection, request, errorCode) =>
      connection.answer(request, CreateTopics, {
        throttleTimeMs: 0,
        topics: [{ name: "t", errorCode, errorMessage: null }],
      }),
  },
  {
    change: "deleteTopics by name",
    code: "UNKNOWN_TOPIC_OR_PARTITION",
    run: (admin) => oneOf(admin.deleteTopics(["t"])),
    answer: deleted,
  },
  {
    change: "deleteTopics by id",
    code: "UNKNOWN_TOPIC_ID",
    run: (admin) => oneOf(admin.deleteTopics([{ topicId: id }])),
    answer: deleted,
  },
  {
    change: "createPartitions",
    code: "INVALID_PARTITIONS",
    run: (admin) => oneOf(admin.createPartitions([{ topic: "t", totalCount: 3 }])),
    answer: (connection, request, errorCode) =>
      connection.answer(request, CreatePartitions, {
        throttleTimeMs: 0,
        results: [{ name: "t", errorCode, errorMessage: null }],
      }),
  },
  {
    change: "electLeaders",
    code: "ELECTION_NOT_NEEDED",
    run: (admin) => oneOf(admin.electLeaders("PREFERRED", [at])),
    answer: (connection, request, errorCode) =>
      connection.answer(request, ElectLeaders, {
        throttleTimeMs: 0,
        errorCode: 0,
        replicaElectionResults: [{ topic: "t", partitionResult: [{ partitionId: 0, errorCode, errorMessage: null }] }],
      }),
  },
  {
    change: "alterPartitionReassignments",
    code: "NO_REASSIGNMENT_IN_PROGRESS",
    run: (admin) => oneOf(admin.alterPartitionReassignments([{ ...at, replicaIds: null }])),
    answer: (connection, request, errorCode) =>
      connection.answer(request, AlterPartitionReassignments, {
        throttleTimeMs: 0,
        errorCode: 0,
        errorMessage: null,
        responses: [{ name: "t", partitions: [{ partitionIndex: 0, errorCode, errorMessage: null }] }],
      }),
  },
  {
    change: "deleteConsumerGroups",
    code: "GROUP_ID_NOT_FOUND",
    run: (admin) => oneOf(admin.deleteConsumerGroups(["g"])),
    answer: (connection, request, errorCode) =>
      connection.answer(request, DeleteGroups, { throttleTimeMs: 0, results: [{ groupId: "g", errorCode }] }),
  },
  {
    change: "removeMembersFromConsumerGroup",
    code: "UNKNOWN_MEMBER_ID",
    run: (admin) => oneOf(admin.removeMembersFromConsumerGroup("g", ["one"])),
    answer: (connection, request, errorCode) =>
      connection.answer(request, LeaveGroup, {
        throttleTimeMs: 0,
        errorCode: 0,
        members: [{ memberId: "", groupInstanceId: "one", errorCode }],
      }),
  },
  {
    change: "alterUserScramCredentials",
    code: "RESOURCE_NOT_FOUND",
    run: (admin) => oneOf(admin.alterUserScramCredentials([{ user: "u", mechanism: "SCRAM-SHA-256", delete: true }])),
    answer: (connection, request, errorCode) =>
      connection.answer(request, AlterUserScramCredentials, {
        throttleTimeMs: 0,
        results: [{ user: "u", errorCode, errorMessage: null }],
      }),
  },
  {
    change: "unregisterBroker",
    code: "BROKER_ID_NOT_REGISTERED",
    run: (admin) => admin.unregisterBroker(2),
    answer: (connection, request, errorCode) =>
      connection.answer(request, UnregisterBroker, { throttleTimeMs: 0, errorCode, errorMessage: null }),
  },
  {
    change: "unregisterController",
    code: "CONTROLLER_ID_NOT_REGISTERED",
    run: (admin) => admin.unregisterController(2),
    answer: (connection, request, errorCode) =>
      connection.answer(request, UnregisterController, { throttleTimeMs: 0, errorCode, errorMessage: null }),
  },
  {
    change: "addRaftVoter",
    code: "DUPLICATE_VOTER",
    run: (admin) => admin.addRaftVoter(2, id, [{ name: "CONTROLLER", host: "h", port: 1 }]),
    answer: (connection, request, errorCode) =>
      connection.answer(request, AddRaftVoter, { throttleTimeMs: 0, errorCode, errorMessage: null }),
  },
  {
    change: "removeRaftVoter",
    code: "VOTER_NOT_FOUND",
    run: (admin) => admin.removeRaftVoter(2, id),
    answer: (connection, request, errorCode) =>
      connection.answer(request, RemoveRaftVoter, { throttleTimeMs: 0, errorCode, errorMessage: null }),
  },
  {
    change: "expireDelegationToken",
    code: "DELEGATION_TOKEN_NOT_FOUND",
    run: (admin) => admin.expireDelegationToken("aGk="),
    answer: (connection, request, errorCode) =>
      connection.answer(request, ExpireDelegationToken, { errorCode, expiryTimestampMs: 0n, throttleTimeMs: 0 }),
  },
];

/** @param before what becomes of each request before the one that is answered with the error */
async function failureOf(
  { code, run, answer }: Change,
  before: readonly ("lost" | BrokerErrorName)[],
): Promise<{ error: BrokerError; asked: number }> {
  let asked = 0;
  const { admin, cluster } = await scriptedAdmin({
    serve(connection, request) {
      if (request.apiKey === FindCoordinator.key) return answerCoordinator(connection, request, cluster, () => 3);
      const fate = before[asked++] ?? code;
      if (fate === "lost") connection.end();
      else answer(connection, request, codeOf(fate));
    },
  });
  const error: unknown = await run(admin).catch((reason: unknown) => reason);
  if (!(error instanceof BrokerError)) throw new Error(`it is ${String(error)}`);
  return { error, asked };
}

describe.each(changes)("$change", (change) => {
  test("says of $code that it may be its own doing, where an answer was lost", async () => {
    const { error, asked } = await failureOf(change, ["lost"]);
    expect(error).toMatchObject({ code: change.code, mayHaveSucceeded: true, cause: { code: "CONNECTION" } });
    expect(error.message).toMatch(/; or it was done by an earlier request of this call, whose answer was lost \(conn/);
    expect(asked).toBe(2);
  });

  test("says no such thing of what it is told at once", async () => {
    const { error } = await failureOf(change, []);
    expect(error).toMatchObject({ code: change.code, mayHaveSucceeded: false });
    expect(error.cause).toBeUndefined();
  });
});

test("a broker that passed a request on and did not hear of it again counts as an answer that was lost", async () => {
  const { error } = await failureOf(changes[0]!, ["NETWORK_EXCEPTION"]);
  expect(error).toMatchObject({ mayHaveSucceeded: true, cause: { code: "NETWORK_EXCEPTION" } });
});

test("a request that was refused was not carried out, and one that was never written neither", async () => {
  const { error } = await failureOf(changes[0]!, ["NOT_CONTROLLER"]);
  expect(error.mayHaveSucceeded).toBe(false);
  const { admin } = await scriptedAdmin({
    accept: (_, index) => index > 0,
    serve: (connection, request) => changes[0]!.answer(connection, request, codeOf("TOPIC_ALREADY_EXISTS")),
  });
  const [result] = await admin.createTopics([{ topic: "t" }]);
  expect(result?.error).toMatchObject({ code: "TOPIC_ALREADY_EXISTS", mayHaveSucceeded: false });
});

test("what would have been only checked was not done before", async () => {
  const change = {
    ...changes[0]!,
    run: (admin: KafkaAdmin) => oneOf(admin.createTopics([{ topic: "t" }], { validateOnly: true })),
  };
  expect((await failureOf(change, ["lost"])).error.mayHaveSucceeded).toBe(false);
});

test("a controller that was too busy to unregister a broker is asked again", async () => {
  const change = changes.find(({ change: name }) => name === "unregisterBroker");
  const { error, asked } = await failureOf(change!, ["REQUEST_TIMED_OUT"]);
  expect(error).toMatchObject({ code: "BROKER_ID_NOT_REGISTERED", mayHaveSucceeded: true });
  expect(asked).toBe(2);
});
