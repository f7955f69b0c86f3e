import { ConnectionError } from "@odradek/network";
import { UnsupportedVersionError } from "@odradek/protocol";
import type { ListOffsets } from "@odradek/protocol/messages/list-offsets";
import { describe, expect, test } from "vitest";
import { partitionAnswer, topicAnswer } from "../../../network/test/metadata-answers.ts";
import { type ConsumerOptions, resolveConsumerOptions } from "../../src/consumer-options.ts";
import type { RequestTo } from "../../src/outgoing-request.ts";
import { InitialPositions } from "../../src/positions/initial-positions.ts";
import { OffsetReset } from "../../src/positions/offset-reset.ts";
import { SubscriptionState } from "../../src/positions/subscription-state.ts";
import { listAnswer, listed } from "../answers.ts";
import { TestCluster, topicLedBy } from "../test-cluster.ts";

/** A consumer of `orders`, whose partitions 0 to 2 are led by 1, 2, 1, without positions. */
function fixture(options: Partial<ConsumerOptions> = {}) {
  const cluster = new TestCluster([topicLedBy("orders", [1, 2, 1])]);
  const resolved = resolveConsumerOptions({
    bootstrapServers: ["127.0.0.1:9092"],
    autoOffsetReset: "earliest",
    ...options,
  });
  const subscription = new SubscriptionState();
  const initial = new InitialPositions(resolved, subscription, null, cluster.clock, () => {});
  const reset = new OffsetReset(resolved, cluster, subscription, cluster.clock);
  subscription.assign([0, 1, 2].map((partition) => ({ topic: "orders", partition })));
  const state = (partition: number) => subscription.get({ topic: "orders", partition });
  const poll = () => {
    initial.poll();
    return reset.poll(cluster.clock.now());
  };
  return { cluster, subscription, initial, reset, state, poll };
}

/** `node: partition@timestamp` of each request. */
const asked = (requests: readonly RequestTo<typeof ListOffsets>[]) =>
  requests.map(({ nodeId, parts: { body } }) => {
    if (typeof body === "function") throw new Error("the body does not depend on the version");
    const partitions = body.topics.flatMap(({ partitions }) => partitions);
    return `${nodeId}: ${partitions.map(({ partitionIndex, timestamp }) => `${partitionIndex}@${timestamp}`).join()}`;
  });

describe("OffsetReset", () => {
  test("asks each leader once for all that is to be set to the policy", () => {
    const { poll } = fixture();
    expect(asked(poll().requests)).toEqual(["1: 0@-2,2@-2", "2: 1@-2"]);
    expect(poll().requests).toEqual([]);
  });

  test("asks for what is paused too, and for nothing that has a position", () => {
    const { poll, state } = fixture();
    state(0).pause();
    state(1).pause();
    state(1).seek({ offset: 5n, leaderEpoch: -1 });
    const { requests } = poll();
    expect(asked(requests)).toEqual(["1: 0@-2,2@-2"]);
    requests[0]?.parts.onAnswer(listAnswer("orders", [listed(0, 3n), listed(2, 4n)]));
    expect(state(0)).toMatchObject({ position: { offset: 3n }, isPaused: true, isFetchable: false });
  });

  test("asks for the end the partition was sent to, for the end of the policy otherwise", () => {
    const { poll, state } = fixture({ autoOffsetReset: "latest" });
    state(0).requestReset({ kind: "earliest" });
    expect(asked(poll().requests)).toEqual(["1: 0@-2,2@-1", "2: 1@-1"]);
  });

  test("asks for a time where the policy is a duration, and for the end where no record is that young", () => {
    const { poll, state, cluster } = fixture({ autoOffsetReset: "by_duration:PT1H" });
    const since = BigInt(cluster.clock.wallTimeMs() - 3_600_000);
    const [, second] = poll().requests;
    expect(asked(second ? [second] : [])).toEqual([`2: 1@${since}`]);
    second?.parts.onAnswer(listAnswer("orders", [listed(1, -1n)]));
    expect(state(1).resetTo).toEqual({ kind: "latest" });
    expect(asked(poll().requests)).toEqual(["2: 1@-1"]);
  });

  test("pauses before it asks again for an end of the log that the answer does not tell", () => {
    const { poll, state, cluster } = fixture();
    const { requests } = poll();
    requests[1]?.parts.onAnswer(listAnswer("orders", [listed(1, -1n)]));
    expect(poll()).toEqual({ requests: [], nextMs: state(1).retryAtMs });
    cluster.clock.advance(1_000);
    expect(asked(poll().requests)).toEqual(["2: 1@-2"]);
  });

  test("sets the positions to what the leaders answer", () => {
    const { poll, state } = fixture();
    const [first] = poll().requests;
    first?.parts.onAnswer(listAnswer("orders", [listed(0, 17n), listed(2, 0n)]));
    expect(state(0)).toMatchObject({ state: "FETCHING", position: { offset: 17n, leaderEpoch: 5 } });
    expect(state(2).position?.offset).toBe(0n);
    expect(state(1).position).toBeNull();
  });

  test("knows of which log the position is, and asks again where another leads it by the time the answer comes", () => {
    const { cluster, poll, state } = fixture();
    const [first, second] = poll().requests;
    first?.parts.onAnswer(listAnswer("orders", [listed(0, 3n), listed(2, 4n)]));
    expect(state(0).log).toMatchObject({ leaderEpoch: 5 });
    cluster.learn([
      topicAnswer(
        "orders",
        [0, 1, 2].map((partition) => partitionAnswer(partition, 1, 6)),
      ),
    ]);
    second?.parts.onAnswer(listAnswer("orders", [listed(1, 7n)]));
    const { requests } = poll();
    expect(asked(requests)).toEqual(["1: 1@-2"]);
    requests[0]?.parts.onAnswer(listAnswer("orders", [listed(1, 6n)]));
    expect(state(1)).toMatchObject({ position: { offset: 6n }, log: { leaderEpoch: 6 } });
  });

  test("begins the connection for the fetches to come", () => {
    const { poll, cluster } = fixture();
    poll();
    expect(cluster.readied).toContain("1 fetch");
  });

  test("leaves a partition that was sent elsewhere meanwhile where it is", () => {
    const { poll, state } = fixture();
    const { requests } = poll();
    state(1).seek({ offset: 99n, leaderEpoch: -1 });
    requests[1]?.parts.onAnswer(listAnswer("orders", [listed(1, 3n)]));
    expect(state(1).position?.offset).toBe(99n);
  });

  test("asks again where another end is wanted by the time the answer comes", () => {
    const { poll, state } = fixture();
    const { requests } = poll();
    state(1).requestReset({ kind: "latest" });
    requests[1]?.parts.onAnswer(listAnswer("orders", [listed(1, 3n)]));
    expect(state(1).position).toBeNull();
    expect(asked(poll().requests)).toEqual(["2: 1@-1"]);
  });

  test("names all partitions that nobody gave an offset, where the policy is none", () => {
    const { poll, initial, state } = fixture({ autoOffsetReset: "none" });
    state(1).seek({ offset: 5n, leaderEpoch: -1 });
    expect(poll().requests).toEqual([]);
    expect(initial.takeError()).toMatchObject({
      code: "NO_OFFSET",
      partitions: [{ partition: 0 }, { partition: 2 }],
      message: expect.stringContaining("orders-0, orders-2"),
    });
    expect(initial.takeError()).toBeNull();
    poll();
    expect(initial.takeError()).not.toBeNull();
  });

  test("asks again after an error that may pass, with fresh metadata and after a pause", () => {
    const { poll, reset, cluster, state } = fixture();
    const { requests } = poll();
    requests[1]?.parts.onAnswer(listAnswer("orders", [listed(1, -1n, { error: "NOT_LEADER_OR_FOLLOWER" })]));
    expect(cluster.updatesRequested).toBe(1);
    expect(poll()).toEqual({ requests: [], nextMs: state(1).retryAtMs });
    cluster.clock.advance(1_000);
    expect(asked(poll().requests)).toEqual(["2: 1@-2"]);
    expect(reset.takeError()).toBeNull();
  });

  test("asks again for what an answer leaves out, and after a lost connection", () => {
    const { poll, reset, cluster } = fixture();
    const { requests } = poll();
    requests[0]?.parts.onAnswer(listAnswer("orders", [listed(0, 17n)]));
    requests[1]?.parts.onFailure(new ConnectionError({ host: "127.0.0.1", port: 9092 }, "closed"));
    expect(poll().requests).toEqual([]);
    cluster.clock.advance(1_000);
    expect(asked(poll().requests)).toEqual(["2: 1@-2", "1: 2@-2"]);
    expect(reset.takeError()).toBeNull();
  });

  test("tells of an error that will not pass", () => {
    const { poll, reset } = fixture();
    const { requests } = poll();
    requests[1]?.parts.onAnswer(listAnswer("orders", [listed(1, -1n, { error: "TOPIC_AUTHORIZATION_FAILED" })]));
    expect(reset.takeError()).toMatchObject({
      code: "TOPIC_AUTHORIZATION_FAILED",
      message: expect.stringContaining("orders-1"),
    });
    const refused = new UnsupportedVersionError("no common version");
    requests[0]?.parts.onFailure(refused);
    expect(reset.takeError()).toBe(refused);
  });

  test("tells of a topic that the cluster refuses to tell of", () => {
    const { poll, reset, cluster } = fixture();
    cluster.learn([topicAnswer("orders", [], { errorCode: 29 })]);
    expect(poll().requests).toEqual([]);
    expect(reset.takeError()).toMatchObject({ code: "TOPIC_AUTHORIZATION_FAILED" });
    expect(cluster.updatesRequested).toBe(0);
  });

  test("looks again at a node that is not ready when its back-off ends", () => {
    const { poll, cluster } = fixture();
    cluster.unready.set(1, 1_500);
    cluster.unready.set(2, Number.POSITIVE_INFINITY);
    expect(poll()).toEqual({ requests: [], nextMs: 1_500 });
  });
});
