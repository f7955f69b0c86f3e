import { zeroUuid } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { fetchAnswers, fetchBody, versionsFor } from "../../src/fetch/fetch-request.ts";
import { FetchSession, type FetchTarget, type SessionRequest } from "../../src/fetch/fetch-session.ts";
import { PartitionState } from "../../src/positions/partition-state.ts";

const ordersId = "AAAAAAAAAAAAAAAAAAAAAg";
const billsId = "AAAAAAAAAAAAAAAAAAAAAw";

const options = {
  fetchMaxWaitMs: 500,
  fetchMinBytes: 1,
  isolationLevel: "read_uncommitted",
} as const;

const target = (topic: string, partition: number, offset: bigint, topicId: string = zeroUuid): FetchTarget => {
  const position = { offset, leaderEpoch: -1 };
  const state = new PartitionState({ topic, partition });
  state.seek(position);
  return { topic, topicId, partition, leaderEpoch: 7, maxBytes: 100, state, position };
};

/** The same partition, further on, or of another topic of the name. */
const moved = (before: FetchTarget, offset: bigint, topicId = before.topicId): FetchTarget => ({
  ...before,
  topicId,
  position: { offset, leaderEpoch: -1 },
});

const newest = 18;
const terms = { rackId: "", maxBytes: 1_000 };

/** The first request of a session. */
const first = (targets: readonly FetchTarget[]): SessionRequest => new FetchSession().next(targets);

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
    const targets = [target("orders", 2, 5n), target("bills", 0, 1n), target("orders", 1, 6n)];
    const body = fetchBody(first(targets), terms, options, newest);
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

  test("says how long and for how much to wait, where it is, and begins a session", () => {
    expect(fetchBody(first([target("orders", 0, 0n)]), { ...terms, rackId: "rack-a" }, options, newest)).toMatchObject({
      maxWaitMs: 500,
      minBytes: 1,
      maxBytes: 1_000,
      isolationLevel: 0,
      sessionId: 0,
      sessionEpoch: 0,
      forgottenTopicsData: [],
      rackId: "rack-a",
    });
    const committed = { ...options, isolationLevel: "read_committed" } as const;
    expect(fetchBody(first([]), terms, committed, newest).isolationLevel).toBe(1);
  });

  test("allows the bytes that the next batch of a partition is known to have, beyond all limits, named or not", () => {
    const session = new FetchSession();
    const [large, small] = [target("orders", 0, 0n), target("orders", 1, 0n)];
    large.state.needs(5_000);
    const opening = session.next([large, small]);
    expect(fetchBody(opening, terms, options, newest).maxBytes).toBe(5_000);
    session.answered(opening, { ...answer([]), sessionId: 1 });
    const body = fetchBody(session.next([large, moved(small, 3n)]), terms, options, newest);
    expect(body).toMatchObject({ maxBytes: 5_000, topics: [{ partitions: [{ partition: 1 }] }] });
  });

  test("has a topic that was made anew take the place of the old one, which only ids tell apart", () => {
    const session = new FetchSession();
    const old = target("orders", 0, 9n, ordersId);
    const opening = session.next([old, target("orders", 1, 9n, ordersId)]);
    session.answered(opening, { ...answer([]), sessionId: 1 });
    const request = session.next([moved(old, 0n, billsId)]);
    const forgotten = { topic: "orders", topicId: ordersId };
    expect(fetchBody(request, terms, options, 13)).toMatchObject({
      topics: [{ topicId: billsId, partitions: [{ partition: 0, fetchOffset: 0n }] }],
      forgottenTopicsData: [{ ...forgotten, partitions: [1, 0] }],
    });
    expect(fetchBody(request, terms, options, 12).forgottenTopicsData).toEqual([{ ...forgotten, partitions: [1] }]);
  });
});

describe("versionsFor", () => {
  test("stays below the versions without names where one topic has no id", () => {
    const orders = target("orders", 0, 0n, ordersId);
    expect(versionsFor(first([orders, target("bills", 0, 0n)]))).toEqual({ newest: 12 });
    expect(versionsFor(first([orders, target("bills", 0, 0n, billsId)]))).toEqual({});
  });
});

describe("fetchAnswers", () => {
  const targets = [target("orders", 0, 0n, ordersId), target("bills", 3, 0n, billsId)];
  const told = (responses: Parameters<typeof answer>[0]) => fetchAnswers(first(targets).targets, answer(responses));
  const found = (responses: Parameters<typeof answer>[0]) => {
    const { answers } = told(responses);
    return targets.map(({ topic, state }) => [topic, answers.get(state.key)?.partitionIndex ?? null]);
  };

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
    expect(told(responses).isAsAsked).toBe(false);
  });

  test.each([
    ["a partition", [{ topic: "orders", topicId: zeroUuid, partitions: [data(0), data(8)] }], false],
    ["a topic by its name", [{ topic: "others", topicId: zeroUuid, partitions: [data(0)] }], false],
    ["a topic by its id", [{ topic: "", topicId: "AAAAAAAAAAAAAAAAAAAABQ", partitions: [data(0)] }], false],
    ["nothing", [{ topic: "", topicId: ordersId, partitions: [data(0)] }], true],
  ] as const)("notices %s that nobody asked for", (_, responses, isAsAsked) => {
    expect(told(responses.map((topic) => ({ ...topic, partitions: [...topic.partitions] }))).isAsAsked).toBe(isAsAsked);
  });
});
