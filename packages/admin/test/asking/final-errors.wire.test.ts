import { codeOf } from "@odradek/protocol";
import { AlterReplicaLogDirs } from "@odradek/protocol/messages/alter-replica-log-dirs";
import { CreateDelegationToken } from "@odradek/protocol/messages/create-delegation-token";
import { DescribeLogDirs } from "@odradek/protocol/messages/describe-log-dirs";
import { DescribeProducers } from "@odradek/protocol/messages/describe-producers";
import { FindCoordinator } from "@odradek/protocol/messages/find-coordinator";
import { OffsetCommit } from "@odradek/protocol/messages/offset-commit";
import { describe, expect, test } from "vitest";
import { partitionAnswer, topicAnswer } from "../../../network/test/metadata-answers.ts";
import type { BrokerScript } from "../../../network/test/scripted-cluster.ts";
import type { PeerConnection, PeerRequest } from "../../../network/test/scripted-peer.ts";
import { answerCoordinator, scriptedAdmin } from "../scripted-admin.ts";

const at = { topic: "t", partition: 0 };

describe("a replica that is given a directory", () => {
  test.each(["REPLICA_NOT_AVAILABLE", "KAFKA_STORAGE_ERROR"] as const)("gets %s once, and for good", async (name) => {
    let asked = 0;
    const { admin } = await scriptedAdmin({
      serve(connection, request) {
        // Whoever asks again is told something else, which would be seen.
        const errorCode = asked++ === 0 ? codeOf(name) : 0;
        const results = [{ topicName: "t", partitions: [{ partitionIndex: 0, errorCode }] }];
        connection.answer(request, AlterReplicaLogDirs, { throttleTimeMs: 0, results });
      },
    });
    const [result] = await admin.alterReplicaLogDirs([{ ...at, brokerId: 2, logDir: "/disk" }]);
    expect(result?.error).toMatchObject({ name: "BrokerError", code: name });
    expect(asked).toBe(1);
  });
});

test("a replica that is nowhere to be seen may be in a directory that has failed, and others are where they are", async () => {
  let asked = 0;
  const { admin } = await scriptedAdmin({
    serve(connection, request) {
      asked += 1;
      const replica = { partitionIndex: 0, partitionSize: 1n, offsetLag: 0n, isFutureKey: false };
      const results = [
        { errorCode: codeOf("KAFKA_STORAGE_ERROR"), logDir: "/failed", topics: [] },
        { errorCode: 0, logDir: "/well", topics: [{ name: "t", partitions: [replica] }] },
      ];
      connection.answer(request, DescribeLogDirs, { throttleTimeMs: 0, errorCode: 0, results });
    },
  });
  const [here, gone] = [0, 1].map((partition) => ({ topic: "t", partition, brokerId: 2 }));
  const places = await admin.describeReplicaLogDirs([here!, gone!]);
  expect(places.get(here!)?.value).toMatchObject({ currentLogDir: "/well", futureLogDir: null });
  expect(places.get(gone!)?.error).toMatchObject({ code: "KAFKA_STORAGE_ERROR" });
  expect(asked).toBe(1);
});

describe("producers of a partition", () => {
  /** Broker 2 says, the first time, that it does not lead. */
  function script(asked: number[]): BrokerScript {
    return {
      metadata: (self) => self.answer({ topics: [topicAnswer("t", [partitionAnswer(0, 2)])] }),
      serve(connection, request, broker) {
        asked.push(broker);
        const errorCode = asked.length === 1 ? codeOf("NOT_LEADER_OR_FOLLOWER") : 0;
        const topics = [{ name: "t", partitions: [{ partitionIndex: 0, errorCode, activeProducers: [] }] }];
        connection.answer(request, DescribeProducers, { throttleTimeMs: 0, topics });
      },
    };
  }

  test("are not to be had of a broker that was named and has no replica", async () => {
    const asked: number[] = [];
    const { admin } = await scriptedAdmin(script(asked));
    const results = await admin.describeProducers([at], { brokerId: 2 });
    expect(results.get(at)?.error).toMatchObject({ code: "NOT_LEADER_OR_FOLLOWER" });
    expect(asked).toEqual([2]);
  });

  test("are asked of the leader until it is one", async () => {
    const asked: number[] = [];
    const { admin } = await scriptedAdmin(script(asked));
    expect((await admin.describeProducers([at])).orThrow()).toEqual([{ ...at, activeProducers: [] }]);
    expect(asked).toEqual([2, 2]);
  });
});

describe("a token", () => {
  const answer = (connection: PeerConnection, request: PeerRequest, errorCode: number) =>
    connection.answer(request, CreateDelegationToken, {
      errorCode,
      principalType: "User",
      principalName: "alice",
      tokenRequesterPrincipalType: "User",
      tokenRequesterPrincipalName: "alice",
      issueTimestampMs: 1n,
      expiryTimestampMs: 2n,
      maxTimestampMs: 3n,
      tokenId: "id",
      hmac: Buffer.of(1),
      throttleTimeMs: 0,
    });

  test("is not asked for again where it may have been created", async () => {
    let asked = 0;
    const { admin } = await scriptedAdmin({
      serve(connection, request) {
        if (asked++ === 0) connection.end();
        else answer(connection, request, 0);
      },
    });
    await expect(admin.createDelegationToken()).rejects.toMatchObject({ code: "CONNECTION" });
    expect(asked).toBe(1);
  });

  test("is asked for again where a broker says that there is none yet", async () => {
    let asked = 0;
    const { admin } = await scriptedAdmin({
      serve: (connection, request) => answer(connection, request, asked++ === 0 ? codeOf("NOT_CONTROLLER") : 0),
    });
    expect(await admin.createDelegationToken()).toMatchObject({ tokenId: "id", owner: "User:alice" });
    expect(asked).toBe(2);
  });
});

test("offsets of a group are altered once it does not rebalance any more", async () => {
  let asked = 0;
  const { admin, cluster } = await scriptedAdmin({
    serve(connection, request) {
      if (request.apiKey === FindCoordinator.key) return answerCoordinator(connection, request, cluster, () => 3);
      const errorCode = asked++ < 2 ? codeOf("REBALANCE_IN_PROGRESS") : 0;
      const topics = [{ name: "t", partitions: [{ partitionIndex: 0, errorCode }] }];
      connection.answer(request, OffsetCommit, { throttleTimeMs: 0, topics });
    },
  });
  expect((await admin.alterConsumerGroupOffsets("g", [{ ...at, offset: 4 }])).orThrow()).toEqual([at]);
  expect(asked).toBe(3);
});
