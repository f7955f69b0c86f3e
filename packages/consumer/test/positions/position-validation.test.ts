import { ConnectionError } from "@odradek/network";
import { type BrokerErrorName, codeOf, UnsupportedVersionError, zeroUuid } from "@odradek/protocol";
import type { OffsetForLeaderEpoch } from "@odradek/protocol/messages/offset-for-leader-epoch";
import { describe, expect, test } from "vitest";
import { partitionAnswer, topicAnswer } from "../../../network/test/metadata-answers.ts";
import { RecordingLogger } from "../../../network/test/recording-logger.ts";
import { type ConsumerOptions, resolveConsumerOptions } from "../../src/consumer-options.ts";
import { LogTruncationError, OffsetOutOfRangeError } from "../../src/errors.ts";
import { consumedOffsets } from "../../src/offsets/auto-commit.ts";
import type { RequestTo } from "../../src/outgoing-request.ts";
import { PositionValidation } from "../../src/positions/position-validation.ts";
import { SubscriptionState } from "../../src/positions/subscription-state.ts";
import { TestCluster } from "../test-cluster.ts";

type EpochRequest = RequestTo<typeof OffsetForLeaderEpoch>;

const ordersId = "AAAAAAAAAAAAAAAAAAAAAg";
const newOrdersId = "AAAAAAAAAAAAAAAAAAAAAw";

/** `orders`, whose partitions 0 and 1 are led by 1 and 2 in an epoch. */
const orders = (leaderEpoch: number, topicId: string = ordersId) =>
  topicAnswer("orders", [partitionAnswer(0, 1, leaderEpoch), partitionAnswer(1, 2, leaderEpoch)], { topicId });

/** A consumer of both partitions, at offset 50, behind records of epoch 5. */
function fixture(options: Partial<ConsumerOptions> = {}, leaderEpoch = 5) {
  const cluster = new TestCluster([orders(leaderEpoch)]);
  const resolved = resolveConsumerOptions({
    bootstrapServers: ["127.0.0.1:9092"],
    autoOffsetReset: "earliest",
    ...options,
  });
  const subscription = new SubscriptionState();
  const logger = new RecordingLogger();
  const validation = new PositionValidation(resolved, cluster, subscription, cluster.clock, logger);
  subscription.assign([0, 1].map((partition) => ({ topic: "orders", partition })));
  const state = (partition: number) => subscription.get({ topic: "orders", partition });
  const log = { topicId: ordersId, leaderEpoch: 5 };
  for (const of of subscription.partitions()) of.seek({ offset: 50n, leaderEpoch: 5 }, log);
  const poll = () => validation.poll(cluster.clock.now());
  return { cluster, subscription, validation, logger, state, poll };
}

/** `node: partition@epoch of the record/epoch of the leader` of each request. */
const asked = (requests: readonly EpochRequest[]) =>
  requests.map(({ nodeId, parts: { body } }) => {
    if (typeof body === "function") throw new Error("the body does not depend on the version");
    const texts = body.topics.flatMap(({ partitions }) =>
      partitions.map((of) => `${of.partition}@${of.leaderEpoch}/${of.currentLeaderEpoch}`),
    );
    return `${nodeId}: ${texts.join()}`;
  });

const to = (requests: readonly EpochRequest[], nodeId: number): EpochRequest => {
  const found = requests.find((request) => request.nodeId === nodeId);
  if (found === undefined) throw new Error(`no request to node ${nodeId}`);
  return found;
};

const ends = (partition: number, leaderEpoch: number, endOffset: number, error: BrokerErrorName = "NONE") => ({
  throttleTimeMs: 0,
  topics: [
    {
      topic: "orders",
      partitions: [{ partition, errorCode: codeOf(error), leaderEpoch, endOffset: BigInt(endOffset) }],
    },
  ],
});

/** The partitions are led in a new epoch, and the answer of the leader of partition 0 is `answer`. */
const afterElection = (answer: ReturnType<typeof ends>, options: Partial<ConsumerOptions> = {}) => {
  const given = fixture(options);
  given.poll();
  given.cluster.learn([orders(6)]);
  to(given.poll().requests, 1).parts.onAnswer(answer);
  return given;
};

describe("The validation of positions", () => {
  test("asks nobody while partitions are led as they were", () => {
    const { poll, cluster, state } = fixture();
    expect(poll().requests).toEqual([]);
    cluster.learn([orders(5)]);
    expect(poll().requests).toEqual([]);
    expect(state(0).isFetchable).toBe(true);
  });

  test("asks each new leader where the epoch ends, and has nothing fetched meanwhile", () => {
    const { poll, cluster, state } = fixture();
    poll();
    cluster.learn([orders(6)]);
    const { requests } = poll();
    expect(asked(requests)).toEqual(["1: 0@5/6", "2: 1@5/6"]);
    expect(requests.map(({ parts }) => parts.options)).toEqual(Array(2).fill({ bounds: { oldest: 3 } }));
    expect(cluster.readied).toEqual(["1 main", "1 fetch", "2 main", "2 fetch"]);
    expect(state(0)).toMatchObject({ state: "AWAIT_VALIDATION", isFetchable: false, position: { offset: 50n } });
    expect(poll().requests).toEqual([]);
  });

  test("asks about a position that says its epoch and comes from elsewhere, such as a commit", () => {
    const { poll, state } = fixture();
    state(0).seek({ offset: 50n, leaderEpoch: 4 });
    state(1).seek({ offset: 50n, leaderEpoch: -1 });
    expect(asked(poll().requests)).toEqual(["1: 0@4/5"]);
    expect(state(1).isFetchable).toBe(true);
  });

  test("asks nothing where the brokers do not tell epochs", () => {
    const { poll, state } = fixture({}, -1);
    expect(poll().requests).toEqual([]);
    expect(state(0).isFetchable).toBe(true);
  });

  test("asks nothing about a position that was gone back to, and whose epoch is not known", () => {
    const { poll, cluster, state } = fixture();
    poll();
    cluster.learn([orders(6)]);
    const { requests } = poll();
    state(0).rewind({ offset: 40n, leaderEpoch: -1 });
    to(requests, 1).parts.onAnswer(ends(0, -1, -1));
    expect(asked(poll().requests)).toEqual([]);
    expect(state(0)).toMatchObject({ state: "FETCHING", position: { offset: 40n } });
  });

  test("asks for metadata, and not a leader of the past, where the position is of a later epoch", () => {
    const { poll, cluster, state } = fixture();
    state(0).seek({ offset: 50n, leaderEpoch: 6 });
    const { requests, nextMs } = poll();
    expect(requests).toEqual([]);
    expect(cluster.updatesRequested).toBe(1);
    expect(state(0).isFetchable).toBe(false);
    cluster.clock.advance(nextMs - cluster.clock.now());
    cluster.learn([orders(6)]);
    expect(asked(poll().requests)).toEqual(["1: 0@6/6", "2: 1@5/6"]);
  });

  test("asks about a position of a later epoch where the cluster, asked once more, knows of none", () => {
    const { poll, cluster, state } = fixture();
    state(0).seek({ offset: 50n, leaderEpoch: 9 });
    const pause = () => cluster.clock.advance(poll().nextMs - cluster.clock.now());
    pause();
    // Nobody has answered yet.
    pause();
    expect(cluster.updatesRequested).toBe(2);
    cluster.learn([orders(5)]);
    cluster.clock.advance(state(0).retryAtMs - cluster.clock.now());
    expect(asked(poll().requests)).toEqual(["1: 0@9/5"]);
  });

  test.each([50, 51])("lets the position stand where the epoch ends at it or behind it, %i", (endOffset) => {
    const { state, poll } = afterElection(ends(0, 5, endOffset));
    expect(state(0)).toMatchObject({ state: "FETCHING", position: { offset: 50n, leaderEpoch: 5 } });
    expect(poll().requests).toEqual([]);
  });

  test("goes on where the logs part, and says so", () => {
    const { state, poll, validation, logger } = afterElection(ends(0, 4, 30));
    expect(state(0)).toMatchObject({ state: "FETCHING", position: { offset: 30n, leaderEpoch: 4 } });
    expect(validation.takeError()).toBeNull();
    expect(logger.count("no longer in the log")).toBe(1);
    expect(poll().requests).toEqual([]);
  });

  test("begins anew as the policy says where the leader cannot tell where they part", () => {
    const { state } = afterElection(ends(0, -1, -1));
    expect(state(0)).toMatchObject({ state: "AWAIT_RESET", resetTo: { kind: "earliest" } });
  });

  test("tells the user, again and again, where the policy is none", () => {
    const { state, poll, validation, cluster } = afterElection(ends(0, 4, 30), { autoOffsetReset: "none" });
    const error = validation.takeError();
    expect(error).toBeInstanceOf(LogTruncationError);
    expect(error).toBeInstanceOf(OffsetOutOfRangeError);
    expect(error).toMatchObject({
      code: "OFFSET_OUT_OF_RANGE",
      truncations: [{ topic: "orders", partition: 0, offset: 50n, divergent: { offset: 30n, leaderEpoch: 4 } }],
      message:
        "records that were read are no longer in the log: orders-0@50 (differs from 30 on), and autoOffsetReset is none: " +
        "seek to where it differs, or elsewhere",
    });
    expect(state(0).isFetchable).toBe(false);
    expect(validation.takeError()).toBeNull();
    const { requests, nextMs } = poll();
    expect(requests).toEqual([]);
    cluster.clock.advance(nextMs - cluster.clock.now());
    const again = poll().requests;
    expect(asked(again)).toEqual(["1: 0@5/6"]);
    to(again, 1).parts.onAnswer(ends(0, -1, -1));
    expect(validation.takeError()).toMatchObject({ truncations: [{ divergent: null }] });
    state(0).seek({ offset: 30n, leaderEpoch: -1 });
    poll();
    expect(state(0).isFetchable).toBe(true);
  });

  test("tells once of what it has found again and again, and no more of a position that was left", () => {
    const { state, poll, validation, cluster } = afterElection(ends(0, 4, 30), { autoOffsetReset: "none" });
    const askAgain = () => {
      cluster.clock.advance(2_000);
      to(poll().requests, 1).parts.onAnswer(ends(0, 4, 20));
    };
    askAgain();
    expect(validation.takeError()).toMatchObject({ truncations: [{ partition: 0, divergent: { offset: 20n } }] });
    askAgain();
    state(0).seek({ offset: 50n, leaderEpoch: -1 });
    expect(validation.takeError()).toBeNull();
  });

  test.each(["FENCED_LEADER_EPOCH", "UNKNOWN_LEADER_EPOCH", "NOT_LEADER_OR_FOLLOWER", "UNKNOWN_SERVER_ERROR"] as const)(
    "asks again after %s, with fresh metadata and after a pause",
    (error) => {
      const { state, poll, validation, cluster } = afterElection(ends(0, -1, -1, error));
      expect(cluster.updatesRequested).toBe(1);
      expect(validation.takeError()).toBeNull();
      expect(poll()).toEqual({ requests: [], nextMs: state(0).retryAtMs });
      cluster.clock.advance(state(0).retryAtMs - cluster.clock.now());
      expect(asked(poll().requests)).toEqual(["1: 0@5/6"]);
    },
  );

  test("tells the user of what asking again will not mend", () => {
    const { validation } = afterElection(ends(0, -1, -1, "TOPIC_AUTHORIZATION_FAILED"));
    expect(validation.takeError()).toMatchObject({
      code: "TOPIC_AUTHORIZATION_FAILED",
      message: expect.stringContaining("orders-0"),
    });
  });

  test("asks again for what the answer leaves out, and when the connection is lost", () => {
    const { state, poll, cluster, validation } = afterElection(ends(1, 5, 50));
    expect(state(0).awaitsValidation).toBe(true);
    cluster.clock.advance(state(0).retryAtMs - cluster.clock.now());
    const { requests } = poll();
    to(requests, 1).parts.onFailure(new ConnectionError({ host: "b", port: 1 }, "closed"));
    expect(validation.takeError()).toBeNull();
    cluster.clock.advance(state(0).retryAtMs - cluster.clock.now());
    expect(asked(poll().requests)).toEqual(["1: 0@5/6"]);
  });

  test("goes on without where the broker cannot be asked by consumers", () => {
    const { poll, cluster, state, validation } = fixture();
    poll();
    cluster.learn([orders(6)]);
    to(poll().requests, 1).parts.onFailure(new UnsupportedVersionError("no common version"));
    expect(state(0).isFetchable).toBe(true);
    expect(state(1).isFetchable).toBe(false);
    expect(validation.takeError()).toBeNull();
  });

  test("takes no answer for a position that was left, or of a leader that leads no more", () => {
    const { poll, cluster, state } = fixture();
    poll();
    cluster.learn([orders(6)]);
    const { requests } = poll();
    state(0).seek({ offset: 70n, leaderEpoch: -1 });
    cluster.learn([orders(7)]);
    expect(poll().requests).toEqual([]);
    to(requests, 1).parts.onAnswer(ends(0, 4, 30));
    to(requests, 2).parts.onAnswer(ends(1, 4, 30));
    expect(state(0).position?.offset).toBe(70n);
    expect(state(1)).toMatchObject({ state: "AWAIT_VALIDATION", position: { offset: 50n } });
    expect(asked(poll().requests)).toEqual(["2: 1@5/7"]);
  });
});

describe("A topic that was made anew", () => {
  test("is read as the policy says: offsets of the old one mean nothing in it", () => {
    const { poll, cluster, state } = fixture();
    poll();
    cluster.learn([orders(0, newOrdersId)]);
    expect(poll().requests).toEqual([]);
    expect(state(0)).toMatchObject({ state: "AWAIT_RESET", resetTo: { kind: "earliest" } });
  });

  test("is not read where the policy is none, until the user says where to begin", () => {
    const { poll, cluster, state, validation } = fixture({ autoOffsetReset: "none" });
    poll();
    cluster.learn([orders(0, newOrdersId)]);
    expect(poll().requests).toEqual([]);
    expect(validation.takeError()).toMatchObject({
      code: "OFFSET_OUT_OF_RANGE",
      positions: [
        { topic: "orders", partition: 0, offset: 50n },
        { topic: "orders", partition: 1, offset: 50n },
      ],
    });
    expect(state(0).isFetchable).toBe(false);
    cluster.clock.advance(poll().nextMs - cluster.clock.now());
    expect(poll().requests).toEqual([]);
    expect(validation.takeError()).toBeInstanceOf(OffsetOutOfRangeError);
    state(0).seek({ offset: 0n, leaderEpoch: -1 });
    poll();
    expect(state(0).isFetchable).toBe(true);
  });

  test("has its old position neither committed nor kept from being used again, should it have been a rumour", () => {
    const { poll, cluster, state, subscription } = fixture({ autoOffsetReset: "none" });
    poll();
    cluster.learn([orders(5, newOrdersId)]);
    poll();
    expect(consumedOffsets(subscription)).toEqual([]);
    state(0).rewind({ offset: 40n, leaderEpoch: 5 });
    expect(state(0).isOrphaned).toBe(true);
    cluster.learn([orders(5)]);
    cluster.clock.advance(2_000);
    expect(asked(poll().requests)).toEqual(["1: 0@5/5", "2: 1@5/5"]);
    expect(consumedOffsets(subscription)).toMatchObject([{ offset: 40n }, { offset: 50n }]);
  });

  test("takes no answer of the old one", () => {
    const { poll, cluster, state } = fixture({ autoOffsetReset: "none" });
    poll();
    cluster.learn([orders(6)]);
    const { requests } = poll();
    cluster.learn([orders(0, newOrdersId)]);
    poll();
    to(requests, 1).parts.onAnswer(ends(0, 5, 50));
    expect(state(0).isFetchable).toBe(false);
  });

  test("is not noticed where brokers have no topic ids", () => {
    const { poll, cluster, state } = fixture();
    for (const partition of [0, 1]) {
      state(partition).seek({ offset: 50n, leaderEpoch: 5 }, { topicId: zeroUuid, leaderEpoch: 5 });
    }
    cluster.learn([orders(5)]);
    expect(poll().requests).toEqual([]);
    expect(state(0).isFetchable).toBe(true);
  });
});
