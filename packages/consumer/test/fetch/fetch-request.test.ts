import { zeroUuid } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { type FetchTarget, fetchAnswers, fetchBody, versionsFor } from "../../src/fetch/fetch-request.ts";
import { PartitionState } from "../../src/positions/partition-state.ts";

const ordersId = "AAAAAAAAAAAAAAAAAAAAAg";
const billsId = "AAAAAAAAAAAAAAAAAAAAAw";

const options = {
  fetchMaxWaitMs: 500,
  fetchMinBytes: 1,
  fetchMaxBytes: 1_000,
  maxPartitionFetchBytes: 100,
  isolationLevel: "read_uncommitted",
} as const;

const target = (topic: string, partition: number, offset: bigint, topicId: string = zeroUuid): FetchTarget => {
  const position = { offset, leaderEpoch: -1 };
  const state = new PartitionState({ topic, partition });
  state.seek(position);
  return { topic, topicId, partition, leaderEpoch: 7, state, position };
};

const data = (partitionIndex: number) => ({
  partitionIndex,
  errorCode: 0,
  highWatermark: 9n,
  lastStableOffset: 9n,
  logStartOffset: 0n,
  divergingEpoch: { epoch: -1, endOffset: -1n },
  currentLeader: { leaderId: -1, leaderEpoch: -1 },
  snapshotId: { endOffset: -1n, epoch: -1 },
  abortedTransactions: null,
  preferredReadReplica: -1,
  records: null,
});

const answer = (responses: { topic: string; topicId: string; partitions: ReturnType<typeof data>[] }[]) => ({
  throttleTimeMs: 0,
  errorCode: 0,
  sessionId: 0,
  responses,
  nodeEndpoints: [],
});

describe("fetchBody", () => {
  test("names each topic once, and its partitions in the order in which they were given", () => {
    const body = fetchBody([target("orders", 2, 5n), target("bills", 0, 1n), target("orders", 1, 6n)], options);
    expect(body.topics).toEqual([
      {
        topic: "orders",
        topicId: zeroUuid,
        partitions: [
          { partition: 2, currentLeaderEpoch: 7, fetchOffset: 5n, partitionMaxBytes: 100 },
          { partition: 1, currentLeaderEpoch: 7, fetchOffset: 6n, partitionMaxBytes: 100 },
        ],
      },
      {
        topic: "bills",
        topicId: zeroUuid,
        partitions: [{ partition: 0, currentLeaderEpoch: 7, fetchOffset: 1n, partitionMaxBytes: 100 }],
      },
    ]);
  });

  test("says how long and for how much to wait, and asks for no session", () => {
    expect(fetchBody([target("orders", 0, 0n)], options)).toMatchObject({
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 1_000,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: -1,
      forgottenTopicsData: [],
    });
    expect(fetchBody([], { ...options, isolationLevel: "read_committed" }).isolationLevel).toBe(1);
  });

  test("allows a partition the bytes that its next batch is known to have, beyond all limits", () => {
    const large = target("orders", 0, 0n);
    large.state.needs(5_000);
    const body = fetchBody([large, target("orders", 1, 0n)], options);
    expect(body.maxBytes).toBe(5_000);
    expect(body.topics[0]?.partitions.map(({ partitionMaxBytes }) => partitionMaxBytes)).toEqual([5_000, 100]);
  });
});

describe("versionsFor", () => {
  test("stays below the versions without names where one topic has no id", () => {
    expect(versionsFor([target("orders", 0, 0n, ordersId), target("bills", 0, 0n)])).toEqual({ newest: 12 });
    expect(versionsFor([target("orders", 0, 0n, ordersId), target("bills", 0, 0n, billsId)])).toEqual({});
  });
});

describe("fetchAnswers", () => {
  const targets = [target("orders", 0, 0n, ordersId), target("bills", 3, 0n, billsId)];
  const found = (responses: Parameters<typeof answer>[0]) =>
    [...fetchAnswers(targets, answer(responses))].map(([{ topic }, found]) => [topic, found?.partitionIndex ?? null]);

  test("finds partitions by the name of their topic", () => {
    const responses = [
      { topic: "bills", topicId: zeroUuid, partitions: [data(3)] },
      { topic: "orders", topicId: zeroUuid, partitions: [data(0)] },
    ];
    expect(found(responses)).toEqual([
      ["orders", 0],
      ["bills", 3],
    ]);
  });

  test("finds partitions by the id of their topic", () => {
    const responses = [
      { topic: "", topicId: billsId, partitions: [data(3)] },
      { topic: "", topicId: ordersId, partitions: [data(0)] },
    ];
    expect(found(responses)).toEqual([
      ["orders", 0],
      ["bills", 3],
    ]);
  });

  test("tells what was not answered, and passes over what was not asked", () => {
    const responses = [
      { topic: "orders", topicId: zeroUuid, partitions: [data(8)] },
      { topic: "", topicId: "AAAAAAAAAAAAAAAAAAAABQ", partitions: [data(3)] },
      { topic: "bills", topicId: zeroUuid, partitions: [data(3)] },
    ];
    expect(found(responses)).toEqual([
      ["orders", null],
      ["bills", 3],
    ]);
  });
});
