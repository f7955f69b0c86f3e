import { codeOf, DecodeError, zeroUuid } from "@odradek/protocol";
import type { MetadataResponse } from "@odradek/protocol/messages/metadata";
import { describe, expect, test } from "vitest";
import {
  bootstrapSnapshot,
  type ClusterSnapshot,
  leaderOf,
  type Node,
  updatedSnapshot,
  withLeaders,
  withNode,
} from "../src/cluster-snapshot.ts";
import { brokerAnswer, metadataAnswer, partitionAnswer, topicAnswer } from "./metadata-answers.ts";

const empty = bootstrapSnapshot([{ host: "localhost", port: 9092 }]);
/** The first version of Metadata whose leader epochs can be relied on. */
const version = 9;

/** What is known after these answers, one after the other, each having asked for all topics that are known. */
const after = (...answers: readonly MetadataResponse[]): ClusterSnapshot =>
  answers.reduce((before, answer) => updatedSnapshot(before, answer, { version, kept: () => false }), empty);

const idOf = (letter: string): string => letter.repeat(22);
const epochs = (cluster: ClusterSnapshot, topic = "orders"): (number | undefined)[] | undefined =>
  cluster.topics.get(topic)?.partitions.map(({ leaderEpoch }) => leaderEpoch);

describe("before any broker was asked", () => {
  test("the bootstrap servers are nodes with negative ids", () => {
    const cluster = bootstrapSnapshot([
      { host: "one", port: 1 },
      { host: "two", port: 2 },
    ]);
    expect([...cluster.nodes.values()]).toEqual([
      { id: -1, host: "one", port: 1, rack: null },
      { id: -2, host: "two", port: 2, rack: null },
    ]);
    expect(cluster.controllerId).toBeNull();
    expect(cluster.topics.size).toBe(0);
  });
});

describe("an answer about the cluster", () => {
  test("takes the place of the bootstrap servers", () => {
    const cluster = after(metadataAnswer([topicAnswer("orders", [partitionAnswer(0, 1), partitionAnswer(1, 2)])]));
    expect([...cluster.nodes.keys()]).toEqual([1, 2, 3]);
    expect(cluster.controllerId).toBe(1);
    expect(cluster.clusterId).toBe("cluster");
    expect(leaderOf(cluster, "orders", 1)?.id).toBe(2);
    expect(leaderOf(cluster, "orders", 2)).toBeNull();
    expect(leaderOf(cluster, "payments", 0)).toBeNull();
  });

  test("knows topics by their ids, where the broker has ids", () => {
    const cluster = after(
      metadataAnswer([
        topicAnswer("orders", [partitionAnswer(0, 1)], { topicId: idOf("a") }),
        topicAnswer("old", [partitionAnswer(0, 1)], { topicId: zeroUuid }),
      ]),
    );
    expect(cluster.topicNames).toEqual(new Map([[idOf("a"), "orders"]]));
  });

  test("has no controller where the broker names none", () => {
    expect(after(metadataAnswer([], { controllerId: -1 })).controllerId).toBeNull();
  });

  test("has the partitions in the order of their numbers, whatever the order of the answer", () => {
    const partitions = [partitionAnswer(2, 3), partitionAnswer(0, 1), partitionAnswer(1, 2)];
    const cluster = after(metadataAnswer([topicAnswer("orders", partitions)]));
    expect(cluster.topics.get("orders")?.partitions.map(({ partition, leaderId }) => [partition, leaderId])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  test("leaves topics alone that it was not asked for, if they are kept", () => {
    const orders = metadataAnswer([topicAnswer("orders", [partitionAnswer(0, 1, 4)])]);
    const payments = metadataAnswer([topicAnswer("payments", [partitionAnswer(0, 2)])]);
    const kept = updatedSnapshot(after(orders), payments, { version, kept: (topic) => topic === "orders" });
    expect([...kept.topics.keys()].sort()).toEqual(["orders", "payments"]);
    expect(epochs(kept)).toEqual([4]);
    const dropped = updatedSnapshot(after(orders), payments, { version, kept: () => false });
    expect([...dropped.topics.keys()]).toEqual(["payments"]);
  });

  test("skips a topic without a name: an id that nobody knows", () => {
    expect(
      after(metadataAnswer([topicAnswer(null, [], { errorCode: codeOf("UNKNOWN_TOPIC_ID") })])).topicErrors.size,
    ).toBe(0);
  });
});

describe("the epoch of a leader", () => {
  const answer = (leaderId: number, leaderEpoch: number, topicId = zeroUuid) =>
    metadataAnswer([topicAnswer("orders", [partitionAnswer(0, leaderId, leaderEpoch)], { topicId })]);

  test("moves forward with an election", () => {
    const cluster = after(answer(1, 4), answer(2, 5));
    expect(epochs(cluster)).toEqual([5]);
    expect(leaderOf(cluster, "orders", 0)?.id).toBe(2);
  });

  test("never goes back: an answer of a broker that lags behind is not believed for that partition", () => {
    const cluster = after(answer(2, 5), answer(1, 4));
    expect(epochs(cluster)).toEqual([5]);
    expect(leaderOf(cluster, "orders", 0)?.id).toBe(2);
  });

  test("goes back partition by partition only: the others are believed", () => {
    const both = (first: number, second: number) =>
      metadataAnswer([topicAnswer("orders", [partitionAnswer(0, 1, first), partitionAnswer(1, 1, second)])]);
    expect(epochs(after(both(5, 5), both(4, 6)))).toEqual([5, 6]);
  });

  test("starts anew with a topic that was created anew under the same name", () => {
    expect(epochs(after(answer(2, 5, idOf("a")), answer(1, 0, idOf("b"))))).toEqual([0]);
  });

  test("starts anew with the first id that is known of a topic", () => {
    expect(epochs(after(answer(2, 5), answer(1, 0, idOf("a"))))).toEqual([0]);
  });

  test("does not start anew because a broker knows no ids yet", () => {
    expect(epochs(after(answer(2, 5, idOf("a")), answer(1, 4)))).toEqual([5]);
  });

  test("starts anew with a topic that was gone meanwhile", () => {
    const gone = metadataAnswer([topicAnswer("orders", [], { errorCode: codeOf("UNKNOWN_TOPIC_OR_PARTITION") })]);
    expect(epochs(after(answer(2, 5), gone, answer(1, 0)))).toEqual([0]);
  });

  test("is not known where the broker does not tell", () => {
    const cluster = after(answer(2, 5), answer(1, -1));
    expect(epochs(cluster)).toEqual([-1]);
    expect(leaderOf(cluster, "orders", 0)?.id).toBe(1);
  });

  test("is not believed before version 9, whose brokers tell old ones at times", () => {
    const before = after(answer(2, 5));
    const cluster = updatedSnapshot(before, answer(1, 4), { version: 8, kept: () => false });
    expect(epochs(cluster)).toEqual([-1]);
    expect(leaderOf(cluster, "orders", 0)?.id).toBe(1);
  });
});

describe("an error of a topic", () => {
  const known = metadataAnswer([topicAnswer("orders", [partitionAnswer(0, 1)])]);
  const failing = (name: Parameters<typeof codeOf>[0]) =>
    metadataAnswer([topicAnswer("orders", [], { errorCode: codeOf(name) })]);

  test("takes the place of what was known", () => {
    const cluster = after(known, failing("TOPIC_AUTHORIZATION_FAILED"));
    expect(cluster.topics.has("orders")).toBe(false);
    expect(cluster.topicErrors.get("orders")).toBe(codeOf("TOPIC_AUTHORIZATION_FAILED"));
  });

  test("leaves what was known where it is only out of reach for the moment", () => {
    const cluster = after(known, failing("LEADER_NOT_AVAILABLE"));
    expect(leaderOf(cluster, "orders", 0)?.id).toBe(1);
    expect(cluster.topicErrors.get("orders")).toBe(codeOf("LEADER_NOT_AVAILABLE"));
  });

  test("ends with an answer that has none", () => {
    expect(after(failing("LEADER_NOT_AVAILABLE"), known).topicErrors.size).toBe(0);
  });
});

describe("an answer that no cluster would give", () => {
  test.each([
    ["no broker", []],
    ["a broker without a host", [brokerAnswer(1, "")]],
    ["a broker with a negative id", [brokerAnswer(-1)]],
    ["a broker with port 0", [brokerAnswer(1, "127.0.0.1", 0)]],
    ["a broker with port 65536", [brokerAnswer(1, "127.0.0.1", 65_536)]],
    ["a broker with a negative port", [brokerAnswer(1, "127.0.0.1", -1)]],
    ["a broker whose name is longer than names are", [brokerAnswer(1, "x".repeat(256))]],
  ])("with %s is refused", (_, brokers) => {
    const update = () => after(metadataAnswer([], { brokers }));
    expect(update).toThrow(DecodeError);
    expect(update).toThrow("names no broker that could be connected to");
  });

  test("has only those brokers that could be connected to", () => {
    const cluster = after(metadataAnswer([], { brokers: [brokerAnswer(1, ""), brokerAnswer(2)] }));
    expect([...cluster.nodes.keys()]).toEqual([2]);
  });

  test("with more brokers than any cluster has is refused", () => {
    const brokers = Array.from({ length: 1_000_000 }, (_, id) => brokerAnswer(id, `broker-${id}`, 9_092));
    expect(() => after(metadataAnswer([], { brokers }))).toThrow(
      "it names 1000000 brokers, and no cluster has so many",
    );
    expect(after(metadataAnswer([], { brokers: brokers.slice(0, 100_000) })).nodes.size).toBe(100_000);
  });

  test("with two brokers of one id has one of them", () => {
    const cluster = after(metadataAnswer([], { brokers: [brokerAnswer(1, "one"), brokerAnswer(1, "two")] }));
    expect([...cluster.nodes.values()].map(({ host }) => host)).toEqual(["two"]);
  });

  test("with a topic twice has one of them, whole", () => {
    const twice = [topicAnswer("orders", [partitionAnswer(0, 1)]), topicAnswer("orders", [partitionAnswer(0, 2)])];
    const cluster = after(metadataAnswer(twice));
    expect(cluster.topics.size).toBe(1);
    expect(leaderOf(cluster, "orders", 0)?.id).toBe(2);
    const failed = topicAnswer("orders", [], { errorCode: codeOf("TOPIC_AUTHORIZATION_FAILED") });
    expect(after(metadataAnswer([...twice, failed]))).toMatchObject({ topics: new Map(), topicNames: new Map() });
    expect(after(metadataAnswer([failed, ...twice])).topicErrors.size).toBe(0);
  });

  test("has no leader where it names one that is no broker", () => {
    const cluster = after(metadataAnswer([topicAnswer("orders", [partitionAnswer(0, 77)])]));
    expect(leaderOf(cluster, "orders", 0)).toBeNull();
  });

  test.each([
    ["huge", [partitionAnswer(0, 1), partitionAnswer(0x7fff_ffff, 1)]],
    ["negative", [partitionAnswer(-1, 1), partitionAnswer(0, 1)]],
    ["missing", [partitionAnswer(0, 1), partitionAnswer(2, 1)]],
    ["doubled", [partitionAnswer(0, 1), partitionAnswer(0, 2)]],
    ["not there at all", []],
  ])("with a partition number that is %s leaves what was known of that topic, and of others", (_, partitions) => {
    const known = metadataAnswer([topicAnswer("orders", [partitionAnswer(0, 1)])]);
    const cluster = after(
      known,
      metadataAnswer([topicAnswer("orders", partitions), topicAnswer("payments", [partitionAnswer(0, 2)])]),
    );
    expect(cluster.topics.get("orders")?.partitions).toHaveLength(1);
    expect(cluster.topicErrors.get("orders")).toBe(codeOf("LEADER_NOT_AVAILABLE"));
    expect(leaderOf(cluster, "payments", 0)?.id).toBe(2);
  });
});

describe("a broker that tells who leads a partition by now", () => {
  const before = after(
    metadataAnswer([
      topicAnswer("orders", [partitionAnswer(0, 1, 4), partitionAnswer(1, 1, 4)], { topicId: idOf("a") }),
      topicAnswer("old", [partitionAnswer(0, 1, -1)]),
    ]),
  );
  const hint = (partition: number, leaderId: number, leaderEpoch: number, topic = "orders") => ({
    topic,
    partition,
    leaderId,
    leaderEpoch,
  });
  const nodeAt = (id: number, host = "new", port = 9_092): Node => ({ id, host, port, rack: null });

  test("is believed where its epoch is newer, and leaves the other partitions as they are", () => {
    const { snapshot, changed } = withLeaders(before, [hint(1, 2, 5)], []);
    expect(changed).toEqual([hint(1, 2, 5)]);
    expect(leaderOf(snapshot, "orders", 1)?.id).toBe(2);
    expect(leaderOf(snapshot, "orders", 0)?.id).toBe(1);
    expect(epochs(snapshot)).toEqual([4, 5]);
    expect(epochs(before)).toEqual([4, 4]);
    expect(snapshot.topicNames).toEqual(before.topicNames);
    expect(snapshot).toMatchObject({ clusterId: "cluster", controllerId: 1 });
  });

  test("is believed where no epoch was known, and the newest of several is", () => {
    expect(epochs(withLeaders(before, [hint(0, 2, 0, "old")], []).snapshot, "old")).toEqual([0]);
    const { snapshot, changed } = withLeaders(before, [hint(0, 2, 5), hint(0, 3, 7), hint(0, 1, 6)], []);
    expect(leaderOf(snapshot, "orders", 0)?.id).toBe(3);
    expect(changed).toEqual([hint(0, 2, 5), hint(0, 3, 7)]);
  });

  test("may tell where the leader is, which counts for more than what is known", () => {
    const nodes = [nodeAt(7), nodeAt(2, "moved"), nodeAt(9, "unasked")];
    const { snapshot } = withLeaders(before, [hint(0, 7, 5), hint(1, 2, 5)], nodes);
    expect(leaderOf(snapshot, "orders", 0)).toEqual(nodeAt(7));
    expect(leaderOf(snapshot, "orders", 1)).toEqual(nodeAt(2, "moved"));
    expect([...snapshot.nodes.keys()]).toEqual([1, 2, 3, 7]);
  });

  test.each([
    ["an epoch that is known already", hint(0, 2, 4), []],
    ["an older epoch", hint(0, 2, 3), []],
    ["no epoch", hint(0, 2, -1, "old"), []],
    ["no leader", hint(0, -1, 5), []],
    ["a leader whose address nobody knows", hint(0, 7, 5), []],
    ["a leader without a host", hint(0, 7, 5), [nodeAt(7, "")]],
    ["a leader whose port is none", hint(0, 7, 5), [nodeAt(7, "new", 65_536)]],
    ["a leader with a negative id", hint(0, -7, 5), [nodeAt(-7)]],
    ["a topic that is not known", hint(0, 2, 5, "payments"), []],
    ["a partition that is not known", hint(2, 2, 5), []],
    ["a partition that there cannot be", hint(-1, 2, 5), []],
  ])("is not believed with %s", (_, unbelieved, nodes) => {
    const { snapshot, changed } = withLeaders(before, [unbelieved], nodes);
    expect(changed).toEqual([]);
    expect(snapshot).toBe(before);
  });

  test("ends the error of the partition", () => {
    const leaderless = partitionAnswer(0, -1, 4, { errorCode: codeOf("LEADER_NOT_AVAILABLE") });
    const { snapshot } = withLeaders(after(metadataAnswer([topicAnswer("orders", [leaderless])])), [hint(0, 2, 5)], []);
    expect(snapshot.topics.get("orders")?.partitions[0]).toMatchObject({ errorCode: 0, leaderId: 2 });
  });
});

describe("a broker that is named by the way", () => {
  const before = after(metadataAnswer());

  test("is added where it is not known, and left as it is where it is", () => {
    expect(withNode(before, { id: 7, host: "seven", port: 1, rack: null }).nodes.get(7)?.host).toBe("seven");
    expect(withNode(before, { id: 1, host: "elsewhere", port: 1, rack: null })).toBe(before);
  });

  test.each([
    ["a negative id", -1, "host", 1],
    ["no host", 7, "", 1],
    ["no port", 7, "host", 0],
    ["a port out of range", 7, "host", 65_536],
  ])("is nobody with %s", (_, id, host, port) => {
    expect(withNode(before, { id, host, port, rack: null })).toBe(before);
  });
});
