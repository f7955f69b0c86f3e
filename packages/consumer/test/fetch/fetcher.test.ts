import { AuthenticationError, ConnectionError } from "@odradek/network";
import { codeOf, DecodeError, UnsupportedVersionError, zeroUuid } from "@odradek/protocol";
import type { Fetch } from "@odradek/protocol/messages/fetch";
import { describe, expect, test } from "vitest";
import { type ConsumerOptions, resolveConsumerOptions } from "../../src/consumer-options.ts";
import { FetchBuffer } from "../../src/fetch/fetch-buffer.ts";
import { Fetcher } from "../../src/fetch/fetcher.ts";
import type { RequestTo } from "../../src/outgoing-request.ts";
import { SubscriptionState } from "../../src/positions/subscription-state.ts";
import { fetchAnswer, fetched } from "../answers.ts";
import { counted } from "../log.ts";
import { TestCluster, topicLedBy } from "../test-cluster.ts";

type FetchRequest = RequestTo<typeof Fetch>;

/** A consumer of `orders`, whose partitions 0 to 3 are led by 1, 2, 1, 3, at offset 10. */
function fixture(options: Partial<ConsumerOptions> = {}) {
  const cluster = new TestCluster([topicLedBy("orders", [1, 2, 1, 3])]);
  const resolved = resolveConsumerOptions({ bootstrapServers: ["127.0.0.1:9092"], ...options });
  const subscription = new SubscriptionState();
  const buffer = new FetchBuffer<Uint8Array, Uint8Array>(subscription);
  const fetcher = new Fetcher(resolved, cluster, subscription, buffer, cluster.clock, () => {});
  subscription.assign([0, 1, 2, 3].map((partition) => ({ topic: "orders", partition })));
  for (const state of subscription.partitions()) state.seek({ offset: 10n, leaderEpoch: -1 });
  const state = (partition: number) => subscription.get({ topic: "orders", partition });
  const poll = () => fetcher.poll(cluster.clock.now());
  return { cluster, subscription, buffer, fetcher, state, poll };
}

const bodyOf = ({ parts: { body } }: FetchRequest) => {
  if (typeof body !== "function") throw new Error("the body depends on the version");
  return body(18);
};

/** `node: partition, partition` of each request. */
const routes = (requests: readonly FetchRequest[]) =>
  requests.map((request) => {
    const named = bodyOf(request).topics.flatMap(({ partitions }) => partitions.map(({ partition }) => partition));
    return `${request.nodeId}: ${named.join()}`;
  });

const to = (requests: readonly FetchRequest[], nodeId: number): FetchRequest => {
  const found = requests.find((request) => request.nodeId === nodeId);
  if (found === undefined) throw new Error(`no request to node ${nodeId}`);
  return found;
};

describe("Fetcher.poll", () => {
  test("asks each leader for its partitions, on a connection for fetches", () => {
    const { poll } = fixture();
    const { requests, nextMs } = poll();
    expect(routes(requests)).toEqual(["1: 0,2", "2: 1", "3: 3"]);
    expect(new Set(requests.map(({ purpose }) => purpose))).toEqual(new Set(["fetch"]));
    expect(nextMs).toBe(Number.POSITIVE_INFINITY);
  });

  test("says of which leader it asks: the one that the position was held against", () => {
    const { poll, state } = fixture();
    state(1).ledBy({ topicId: zeroUuid, leaderEpoch: 4 });
    const { requests } = poll();
    const epochOf = (nodeId: number) => bodyOf(to(requests, nodeId)).topics[0]?.partitions[0]?.currentLeaderEpoch;
    expect([epochOf(2), epochOf(3)]).toEqual([4, 5]);
  });

  test("has one request under way for each node", async () => {
    const { poll } = fixture();
    const { requests } = poll();
    expect(poll().requests).toEqual([]);
    to(requests, 2).parts.onAnswer(fetchAnswer("orders", [fetched(1)]));
    expect(routes(poll().requests)).toEqual(["2: 1"]);
  });

  test("leaves out what is paused, what has no position, and what waits in the buffer", async () => {
    const { poll, state } = fixture();
    state(1).pause();
    state(3).requestReset({ kind: "earliest" });
    const { requests } = poll();
    expect(routes(requests)).toEqual(["1: 0,2"]);
    to(requests, 1).parts.onAnswer(
      fetchAnswer("orders", [fetched(0, { records: await counted(1, { baseOffset: 10 }) }), fetched(2)]),
    );
    expect(routes(poll().requests)).toEqual(["1: 2"]);
  });

  describe("where records of one partition wait, and the broker's other one is", () => {
    const waitingBeside = async (ends: Parameters<typeof fetched>[1], options: Partial<ConsumerOptions> = {}) => {
      const found = fixture(options);
      const records = await counted(1, { baseOffset: 10 });
      to(found.poll().requests, 1).parts.onAnswer(
        fetchAnswer("orders", [fetched(0, { records }), fetched(2, { ...ends })]),
      );
      return found;
    };

    test("read to its end, asks for neither: the broker would wait, and the first one could not be asked for meanwhile", async () => {
      const { poll, buffer } = await waitingBeside({ highWatermark: 10n });
      expect(routes(poll().requests)).toEqual([]);
      buffer.drain(1);
      expect(routes(poll().requests)).toEqual(["1: 2,0"]);
    });

    // Java learns of a lag when an answer is polled, which is behind those that came before it.
    test("read to its end, is told how far it is behind as soon as the first one was polled", async () => {
      const { poll, buffer, state } = await waitingBeside({ highWatermark: 10n });
      expect(state(2).lag("read_uncommitted")).toBe(0n);
      expect(poll().requests).toEqual([]);
      buffer.drain(1);
      const more = fetched(2, { highWatermark: 17n, records: await counted(1, { baseOffset: 10 }) });
      to(poll().requests, 1).parts.onAnswer(fetchAnswer("orders", [more]));
      expect(state(2).lag("read_uncommitted")).toBe(7n);
    });

    test("not read to its end, asks for that", async () => {
      const { poll } = await waitingBeside({ highWatermark: 11n });
      expect(routes(poll().requests)).toEqual(["1: 2"]);
    });

    test("read to the last stable offset, asks for neither where only what is committed is read", async () => {
      const ends = { highWatermark: 11n, lastStableOffset: 10n };
      const committed = await waitingBeside(ends, { isolationLevel: "read_committed" });
      expect(routes(committed.poll().requests)).toEqual([]);
      const all = await waitingBeside(ends);
      expect(routes(all.poll().requests)).toEqual(["1: 2"]);
    });

    test("read to its end, asks for that while the first one is paused", async () => {
      const { poll, state } = await waitingBeside({ highWatermark: 10n });
      state(0).pause();
      expect(routes(poll().requests)).toEqual(["1: 2"]);
    });

    test("read to its end, asks for that once the first one has another leader", async () => {
      const { poll, cluster } = await waitingBeside({ highWatermark: 10n });
      cluster.learn([topicLedBy("orders", [2, 2, 1, 3])]);
      expect(routes(poll().requests)).toEqual(["1: 2"]);
    });
  });

  test("asks again for a partition once its records were handed out", async () => {
    const { poll, buffer } = fixture();
    const { requests } = poll();
    const records = await counted(2, { baseOffset: 10 });
    to(requests, 2).parts.onAnswer(fetchAnswer("orders", [fetched(1, { records })]));
    buffer.drain(1);
    expect(poll().requests).toEqual([]);
    buffer.drain(1);
    expect(routes(poll().requests)).toEqual(["2: 1"]);
  });

  test("asks first for those that have waited longest", async () => {
    const { poll, buffer } = fixture();
    const { requests } = poll();
    const records = await counted(1, { baseOffset: 10 });
    to(requests, 1).parts.onAnswer(fetchAnswer("orders", [fetched(0, { records }), fetched(2)]));
    buffer.drain(10);
    expect(routes(poll().requests)).toEqual(["1: 2,0"]);
  });

  test("waits for a node that is not ready, and looks again when its back-off ends", () => {
    const { poll, cluster } = fixture();
    cluster.unready.set(1, Number.POSITIVE_INFINITY);
    expect(routes(poll().requests)).toEqual(["2: 1", "3: 3"]);
    cluster.unready.set(1, 1_234);
    expect(poll()).toEqual({ requests: [], nextMs: 1_234 });
  });

  test("asks for metadata where a partition has no leader, and fetches the others", () => {
    const { poll, cluster } = fixture();
    cluster.metadata.retain(["orders"]);
    cluster.learn([topicLedBy("orders", [-1, 2, 1, 3])]);
    expect(routes(poll().requests)).toEqual(["2: 1", "1: 2", "3: 3"]);
    expect(cluster.updatesRequested).toBe(1);
  });

  test("fetches no more while as many bytes wait as an answer may have", async () => {
    const records = await counted(3, { baseOffset: 10 });
    const { poll, buffer } = fixture({ fetchMaxBytes: records.length });
    const { requests } = poll();
    to(requests, 2).parts.onAnswer(fetchAnswer("orders", [fetched(1, { records })]));
    to(requests, 3).parts.onAnswer(fetchAnswer("orders", [fetched(3)]));
    expect(poll().requests).toEqual([]);
    buffer.drain(3);
    expect(routes(poll().requests)).toEqual(["3: 3", "2: 1"]);
  });

  test("has brokers share what may be kept ready, less what waits and what is on its way", async () => {
    const records = await counted(100, { baseOffset: 10 });
    const { poll, state, buffer } = fixture({ fetchMaxBytes: 9_000, maxPartitionFetchBytes: 1_000 });
    const limits = (requests: readonly FetchRequest[]) =>
      requests.map((request) => `${request.nodeId}: ${bodyOf(request).maxBytes}`);
    state(3).pause();
    const { requests } = poll();
    expect(limits(requests)).toEqual(["1: 4500", "2: 4500"]);
    state(3).resume();
    // All is spoken for, and each broker may give what one partition may have.
    expect(limits(poll().requests)).toEqual(["3: 1000"]);
    to(requests, 1).parts.onAnswer(fetchAnswer("orders", [fetched(0, { records }), fetched(2)]));
    expect(limits(poll().requests)).toEqual([`1: ${9_000 - 4_500 - 1_000 - records.length}`]);
    buffer.drain(1_000);
    to(requests, 2).parts.onAnswer(fetchAnswer("orders", [fetched(1)]));
    expect(limits(poll().requests)).toEqual([`2: ${9_000 - 1_000 - (9_000 - 4_500 - 1_000 - records.length)}`]);
  });

  test("fetches batch by batch where nothing may wait", async () => {
    const { poll, buffer } = fixture({ fetchMaxBytes: 0 });
    const { requests } = poll();
    expect(routes(requests)).toEqual(["1: 0,2", "2: 1", "3: 3"]);
    const records = await counted(1, { baseOffset: 10 });
    to(requests, 2).parts.onAnswer(fetchAnswer("orders", [fetched(1, { records })]));
    to(requests, 3).parts.onAnswer(fetchAnswer("orders", [fetched(3)]));
    expect(poll().requests).toEqual([]);
    buffer.drain(1);
    expect(routes(poll().requests)).toEqual(["3: 3", "2: 1"]);
  });
});

describe("Fetcher, given an answer", () => {
  test("notes the ends of the log", () => {
    const { poll, state } = fixture();
    to(poll().requests, 2).parts.onAnswer(fetchAnswer("orders", [fetched(1, { highWatermark: 25n })]));
    expect(state(1).lag("read_uncommitted")).toBe(15n);
  });

  test("notes the ends of the log also where its position was left meanwhile: within a session they come once", () => {
    const { poll, state } = fixture();
    const { requests } = poll();
    state(1).seek({ offset: 4n, leaderEpoch: -1 });
    to(requests, 2).parts.onAnswer(fetchAnswer("orders", [fetched(1, { highWatermark: 25n })]));
    expect(state(1).lag("read_uncommitted")).toBe(21n);
  });

  test("drops what came for a position that was left meanwhile", async () => {
    const { poll, state, buffer } = fixture();
    const { requests } = poll();
    state(1).seek({ offset: 4n, leaderEpoch: -1 });
    const records = await counted(2, { baseOffset: 10 });
    to(requests, 2).parts.onAnswer(fetchAnswer("orders", [fetched(1, { records })]));
    expect(buffer.drain(10)).toBeNull();
    expect(routes(poll().requests)).toEqual(["2: 1"]);
  });

  test("keeps what came for a partition that was paused meanwhile", async () => {
    const { poll, state, buffer } = fixture();
    const { requests } = poll();
    state(1).pause();
    const records = await counted(2, { baseOffset: 10 });
    to(requests, 2).parts.onAnswer(fetchAnswer("orders", [fetched(1, { records })]));
    expect(buffer.drain(10)).toBeNull();
    state(1).resume();
    expect(poll().requests).toEqual([]);
    expect(buffer.drain(10)?.records.map(({ offset }) => offset)).toEqual([10n, 11n]);
  });

  test("drops what came for a partition that was given up and taken again", async () => {
    const { poll, subscription, buffer } = fixture();
    const { requests } = poll();
    subscription.assign([]);
    subscription.assign([{ topic: "orders", partition: 1 }]);
    const records = await counted(2, { baseOffset: 10 });
    to(requests, 2).parts.onAnswer(fetchAnswer("orders", [fetched(1, { records })]));
    expect(buffer.drain(10)).toBeNull();
  });

  test("drops what came of a leader that leads no more, which may not be in the log of the next one", async () => {
    const { poll, state, buffer } = fixture({ autoOffsetReset: "latest" });
    for (const partition of [0, 1]) state(partition).ledBy({ topicId: zeroUuid, leaderEpoch: 5 });
    const { requests } = poll();
    for (const partition of [0, 1]) state(partition).ledBy({ topicId: zeroUuid, leaderEpoch: 6 });
    const records = await counted(2, { baseOffset: 10 });
    to(requests, 2).parts.onAnswer(fetchAnswer("orders", [fetched(1, { records, highWatermark: 12n })]));
    to(requests, 1).parts.onAnswer(fetchAnswer("orders", [fetched(0, { error: "OFFSET_OUT_OF_RANGE" }), fetched(2)]));
    expect(buffer.drain(10)).toBeNull();
    expect(state(1).lag("read_uncommitted")).toBeNull();
    expect(state(0)).toMatchObject({ state: "FETCHING", position: { offset: 10n } });
    expect(routes(poll().requests)).toEqual(["1: 0,2", "2: 1"]);
  });

  test.each([
    "NOT_LEADER_OR_FOLLOWER",
    "REPLICA_NOT_AVAILABLE",
    "KAFKA_STORAGE_ERROR",
    "FENCED_LEADER_EPOCH",
    "UNKNOWN_LEADER_EPOCH",
    "OFFSET_NOT_AVAILABLE",
    "UNKNOWN_TOPIC_OR_PARTITION",
    "UNKNOWN_TOPIC_ID",
    "INCONSISTENT_TOPIC_ID",
    "LEADER_NOT_AVAILABLE",
    "UNKNOWN_SERVER_ERROR",
  ] as const)("asks again after %s, with fresh metadata and after a pause", (error) => {
    const { poll, cluster, fetcher, state } = fixture();
    to(poll().requests, 2).parts.onAnswer(fetchAnswer("orders", [fetched(1, { error })]));
    expect(cluster.updatesRequested).toBe(1);
    const { requests, nextMs } = poll();
    expect(requests).toEqual([]);
    expect(nextMs).toBe(state(1).retryAtMs);
    cluster.clock.advance(nextMs - cluster.clock.now());
    expect(routes(poll().requests)).toEqual(["2: 1"]);
    expect(fetcher.takeError()).toBeNull();
  });

  test("asks the new leader at once where the old one says who that is", () => {
    const { poll, cluster } = fixture();
    const currentLeader = { leaderId: 9, leaderEpoch: 6 };
    const answer = fetchAnswer("orders", [fetched(1, { error: "NOT_LEADER_OR_FOLLOWER", currentLeader })]);
    const nodeEndpoints = [{ nodeId: 9, host: "127.0.0.1", port: 9_009, rack: null }];
    to(poll().requests, 2).parts.onAnswer({ ...answer, nodeEndpoints });
    expect(routes(poll().requests)).toEqual(["9: 1"]);
    expect(cluster.metadata.snapshot.nodes.get(9)).toMatchObject({ port: 9_009 });
  });

  test("asks again after a pause where what the old leader says is no news", () => {
    const { poll } = fixture();
    const currentLeader = { leaderId: 2, leaderEpoch: 5 };
    const answer = fetchAnswer("orders", [fetched(1, { error: "FENCED_LEADER_EPOCH", currentLeader })]);
    to(poll().requests, 2).parts.onAnswer(answer);
    expect(poll().requests).toEqual([]);
  });

  test("tells the user of a broker that does not let us in, and asks the others", () => {
    const { poll, cluster, fetcher } = fixture();
    const refusal = new AuthenticationError({ host: "b", port: 1 }, "PLAIN", "credentialsRefused", "no");
    cluster.unready.set(2, cluster.clock.now() + 50);
    cluster.refusals.set(2, refusal);
    const { requests, nextMs } = poll();
    expect(routes(requests)).toEqual(["1: 0,2", "3: 3"]);
    expect(nextMs).toBe(cluster.clock.now() + 50);
    expect(fetcher.takeError()).toBe(refusal);
  });

  test("resets a position that is out of range, as the policy says", () => {
    const { poll, fetcher, state } = fixture({ autoOffsetReset: "earliest" });
    to(poll().requests, 2).parts.onAnswer(fetchAnswer("orders", [fetched(1, { error: "OFFSET_OUT_OF_RANGE" })]));
    expect(state(1)).toMatchObject({ state: "AWAIT_RESET", resetTo: { kind: "earliest" } });
    expect(state(1).retryAtMs).toBe(Number.NEGATIVE_INFINITY);
    expect(fetcher.takeError()).toBeNull();
  });

  test("tells the user of all positions that are out of range where the policy is none", () => {
    const { poll, fetcher, state } = fixture({ autoOffsetReset: "none" });
    const error = "OFFSET_OUT_OF_RANGE";
    to(poll().requests, 1).parts.onAnswer(fetchAnswer("orders", [fetched(0, { error }), fetched(2, { error })]));
    expect(fetcher.takeError()).toMatchObject({
      code: error,
      positions: [
        { topic: "orders", partition: 0, offset: 10n },
        { topic: "orders", partition: 2, offset: 10n },
      ],
    });
    expect(state(2).position?.offset).toBe(10n);
    expect(poll().requests).toEqual([]);
    expect(fetcher.takeError()).toBeNull();
  });

  test("tells once of a position that is out of range, however often it was found to be, and no more once it was left", () => {
    const { poll, fetcher, state, cluster } = fixture({ autoOffsetReset: "none" });
    const error = "OFFSET_OUT_OF_RANGE";
    const beAnswered = () => {
      cluster.clock.advance(2_000);
      to(poll().requests, 1).parts.onAnswer(fetchAnswer("orders", [fetched(0, { error }), fetched(2, { error })]));
    };
    beAnswered();
    beAnswered();
    state(2).seek({ offset: 10n, leaderEpoch: -1 });
    expect(fetcher.takeError()).toMatchObject({ positions: [{ partition: 0 }] });
    beAnswered();
    expect(fetcher.takeError()).toMatchObject({ positions: [{ partition: 0 }, { partition: 2 }] });
  });

  test("tells of a batch that the broker itself finds corrupt, and how to step over it", () => {
    const { poll, fetcher } = fixture();
    to(poll().requests, 2).parts.onAnswer(fetchAnswer("orders", [fetched(1, { error: "CORRUPT_MESSAGE" })]));
    expect(fetcher.takeError()).toMatchObject({ code: "CORRUPT_MESSAGE", partition: 1, offset: 10n, nextOffset: 11n });
  });

  test.each(["TOPIC_AUTHORIZATION_FAILED", "UNSUPPORTED_COMPRESSION_TYPE"] as const)("tells of %s", (error) => {
    const { poll, fetcher } = fixture();
    to(poll().requests, 2).parts.onAnswer(fetchAnswer("orders", [fetched(1, { error })]));
    expect(fetcher.takeError()).toMatchObject({
      code: error,
      message: expect.stringContaining("orders-1 at offset 10"),
    });
    expect(poll().requests).toEqual([]);
  });

  test("takes an error of the whole answer for one of each partition", () => {
    const { poll, cluster } = fixture();
    to(poll().requests, 1).parts.onAnswer({ ...fetchAnswer("orders", [fetched(0), fetched(2)]), errorCode: 6 });
    expect(cluster.updatesRequested).toBe(2);
    expect(poll().requests).toEqual([]);
  });

  test("slows down, and tells the user, where answers hold batches and none leads on", async () => {
    const { poll, cluster, buffer, fetcher, state } = fixture();
    const records = await counted(10);
    const errors: unknown[] = [];
    const waits: number[] = [];
    for (let answers = 0; answers < 6; answers++) {
      to(poll().requests, 2).parts.onAnswer(fetchAnswer("orders", [fetched(1, { records })]));
      expect(buffer.drain(10)).toBeNull();
      errors.push(fetcher.takeError());
      waits.push(Math.max(0, state(1).retryAtMs - cluster.clock.now()));
      cluster.clock.advance(waits.at(-1) ?? 0);
    }
    expect(waits[0]).toBe(0);
    expect(waits.slice(1).every((wait) => wait > 0)).toBe(true);
    expect(waits[4]).toBeGreaterThan((waits[1] ?? 0) * 2);
    expect(errors.slice(0, 4)).toEqual([null, null, null, null]);
    expect(errors[4]).toMatchObject({
      code: "CORRUPT_MESSAGE",
      topic: "orders",
      partition: 1,
      offset: 10n,
      nextOffset: 11n,
      message: expect.stringContaining("5 answers in a row held no batch that leads on; seek to 11"),
    });
    expect(errors[5]).toMatchObject({ code: "CORRUPT_MESSAGE" });
  });

  test("asks again, after a pause, for a partition that the answer leaves out", () => {
    const { poll, state } = fixture();
    to(poll().requests, 1).parts.onAnswer(fetchAnswer("orders", [fetched(0)]));
    expect(state(2).retryAtMs).toBeGreaterThan(0);
    expect(routes(poll().requests)).toEqual(["1: 0"]);
  });
});

describe("Fetcher, given no answer", () => {
  const address = { host: "127.0.0.1", port: 9092 };

  test("asks again as soon as there is a connection, with fresh metadata", () => {
    const { poll, cluster, fetcher } = fixture();
    to(poll().requests, 1).parts.onFailure(new ConnectionError(address, "closed"));
    expect(cluster.updatesRequested).toBe(1);
    expect(fetcher.takeError()).toBeNull();
    expect(routes(poll().requests)).toEqual(["1: 0,2"]);
  });

  test.each([
    ["bytes that mean nothing", new ConnectionError(address, "bad", { cause: new DecodeError("bad", 4) })],
    ["a broker that does not have the version", new UnsupportedVersionError("no common version")],
  ])("tells of %s, and asks again only after a pause", (_, error) => {
    const { poll, fetcher, state } = fixture();
    to(poll().requests, 2).parts.onFailure(error);
    expect(fetcher.takeError()).toBe(error);
    expect(poll()).toEqual({ requests: [], nextMs: state(1).retryAtMs });
  });
});

describe("Fetcher, within a session", () => {
  /** The leader of partitions 0 and 2 has opened a session. */
  const opened = () => {
    const given = fixture();
    to(given.poll().requests, 1).parts.onAnswer({ ...fetchAnswer("orders", [fetched(0), fetched(2)]), sessionId: 7 });
    return given;
  };
  const nothingNew = { ...fetchAnswer("orders", []), sessionId: 7 };

  test("names what has moved, and takes silence for no news", async () => {
    const { poll, buffer, state } = opened();
    const [request] = poll().requests;
    expect(request && bodyOf(request)).toMatchObject({ sessionId: 7, sessionEpoch: 1, topics: [] });
    state(2).failed(0, () => 0);
    const records = await counted(1, { baseOffset: 10 });
    request?.parts.onAnswer({ ...nothingNew, responses: fetchAnswer("orders", [fetched(0, { records })]).responses });
    expect(state(2).retryAtMs).toBe(Number.NEGATIVE_INFINITY);
    buffer.drain(10);
    const [next] = poll().requests;
    expect(next && bodyOf(next)).toMatchObject({
      sessionEpoch: 2,
      topics: [{ partitions: [{ partition: 0, fetchOffset: 11n }] }],
    });
  });

  test("has the broker forget what waits to be polled, and names it again afterwards", async () => {
    const { poll, buffer } = opened();
    const records = await counted(1, { baseOffset: 10 });
    const responses = fetchAnswer("orders", [fetched(0, { records })]).responses;
    to(poll().requests, 1).parts.onAnswer({ ...nothingNew, responses });
    const [request] = poll().requests;
    expect(request && bodyOf(request)).toMatchObject({ topics: [], forgottenTopicsData: [{ partitions: [0] }] });
    request?.parts.onAnswer(nothingNew);
    buffer.drain(10);
    expect(routes(poll().requests)).toEqual(["1: 0"]);
  });

  test("begins anew, at once and with all, where the broker has lost the session", () => {
    const { poll, state, fetcher } = opened();
    to(poll().requests, 1).parts.onAnswer({
      ...nothingNew,
      sessionId: 0,
      errorCode: codeOf("FETCH_SESSION_ID_NOT_FOUND"),
    });
    expect(state(0).retryAtMs).toBe(Number.NEGATIVE_INFINITY);
    const { requests } = poll();
    expect(routes(requests)).toEqual(["1: 0,2"]);
    expect(bodyOf(to(requests, 1))).toMatchObject({ sessionId: 0, sessionEpoch: 0 });
    expect(fetcher.takeError()).toBeNull();
  });

  test("begins anew where the broker answers what it was not asked", () => {
    const { poll } = opened();
    const { responses } = fetchAnswer("orders", [fetched(0, { highWatermark: 30n }), fetched(1)]);
    to(poll().requests, 1).parts.onAnswer({ ...nothingNew, responses });
    expect(bodyOf(to(poll().requests, 1))).toMatchObject({ sessionId: 7, sessionEpoch: 0 });
  });

  test("does not ask on and on where no session can be begun", () => {
    const { poll, state } = fixture();
    const refused = { ...fetchAnswer("orders", []), errorCode: codeOf("INVALID_FETCH_SESSION_EPOCH") };
    to(poll().requests, 2).parts.onAnswer(refused);
    expect(poll()).toEqual({ requests: [], nextMs: state(1).retryAtMs });
  });

  test("begins anew with all after a request without an answer", () => {
    const { poll } = opened();
    to(poll().requests, 1).parts.onFailure(new ConnectionError({ host: "127.0.0.1", port: 9092 }, "closed"));
    const { requests } = poll();
    expect(routes(requests)).toEqual(["1: 0,2"]);
    expect(bodyOf(to(requests, 1))).toMatchObject({ sessionId: 7, sessionEpoch: 0 });
  });

  test("asks again for what a quota held back, without a pause of its own", () => {
    const { poll, state } = fixture();
    to(poll().requests, 2).parts.onAnswer({ ...fetchAnswer("orders", []), responses: [], throttleTimeMs: 100 });
    expect(state(1).retryAtMs).toBe(Number.NEGATIVE_INFINITY);
    expect(routes(poll().requests)).toEqual(["2: 1"]);
  });
});

describe("Fetcher, with a rack", () => {
  /** The leader of partition 1, node 2, has sent it to node 3. */
  const sent = (options: Partial<ConsumerOptions> = {}) => {
    const given = fixture({ clientRack: "a", metadataMaxAgeMs: 60_000, ...options });
    const { requests } = given.poll();
    to(requests, 3).parts.onAnswer(fetchAnswer("orders", [fetched(3)]));
    to(requests, 2).parts.onAnswer(fetchAnswer("orders", [fetched(1, { preferredReadReplica: 3 })]));
    return given;
  };
  const racks = (requests: readonly FetchRequest[]) =>
    requests.map((request) => `${request.nodeId} ${bodyOf(request).rackId}`);

  test("says where it is, and reads at once from the replica that the leader names", () => {
    const { poll } = sent();
    const { requests } = poll();
    expect(routes(requests)).toEqual(["3: 1,3"]);
    expect(racks(requests)).toEqual(["3 a"]);
  });

  test("asks the leader again when what it said is old", () => {
    const { poll, cluster } = sent();
    cluster.clock.advance(60_000);
    expect(routes(poll().requests)).toEqual(["2: 1", "3: 3"]);
  });

  test("reads from the leader, and says so by no rack, while the replica takes no request", () => {
    const { poll, cluster } = sent();
    cluster.unready.set(3, Number.POSITIVE_INFINITY);
    const { requests } = poll();
    expect(racks(requests)).toEqual(["2 "]);
    cluster.unready.delete(3);
    to(requests, 2).parts.onAnswer(fetchAnswer("orders", [fetched(1)]));
    expect(routes(poll().requests)).toEqual(["3: 1,3"]);
  });

  test.each(["OFFSET_OUT_OF_RANGE", "NOT_LEADER_OR_FOLLOWER", "UNKNOWN_SERVER_ERROR"] as const)(
    "goes back to the leader after %s, which says nothing of the log",
    (error) => {
      const { poll, cluster, state, fetcher } = sent({ autoOffsetReset: "none" });
      to(poll().requests, 3).parts.onAnswer(fetchAnswer("orders", [fetched(3), fetched(1, { error })]));
      expect(fetcher.takeError()).toBeNull();
      expect(state(1)).toMatchObject({ state: "FETCHING", position: { offset: 10n } });
      cluster.clock.advance(Math.max(0, state(1).retryAtMs - cluster.clock.now()));
      expect(routes(poll().requests)).toContain("2: 1");
    },
  );

  test("does not take for the log what the replica says after its time is over", () => {
    const { poll, cluster, state } = sent({ autoOffsetReset: "latest" });
    const { requests } = poll();
    cluster.clock.advance(60_000);
    to(requests, 3).parts.onAnswer(fetchAnswer("orders", [fetched(3), fetched(1, { error: "OFFSET_OUT_OF_RANGE" })]));
    expect(state(1)).toMatchObject({ state: "FETCHING", position: { offset: 10n } });
  });

  test("goes back to the leader when the replica is lost", () => {
    const { poll } = sent();
    to(poll().requests, 3).parts.onFailure(new ConnectionError({ host: "127.0.0.1", port: 9092 }, "closed"));
    expect(routes(poll().requests)).toEqual(["2: 1", "3: 3"]);
  });

  test.each([
    ["by itself to itself", 2, 2],
    ["by the replica to a third one", 3, 1],
  ])("is not sent %s: it would be asked on and on", (_, from, preferredReadReplica) => {
    const { poll, state } = from === 3 ? sent() : fixture({ clientRack: "a" });
    const before = state(1).preferredReplica(0);
    to(poll().requests, from).parts.onAnswer(fetchAnswer("orders", [fetched(1, { preferredReadReplica })]));
    expect(state(1).preferredReplica(0)).toBe(before);
    expect(state(1).retryAtMs).toBeGreaterThan(0);
  });
});
