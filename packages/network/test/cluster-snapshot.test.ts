import { codeOf, DecodeError, zeroUuid } from "@odradek/protocol";
import type { MetadataResponse } from "@odradek/protocol/messages/metadata";
import { describe, expect, test } from "vitest";
import {
  bootstrapSnapshot,
  type ClusterSnapshot,
  isSameCluster,
  leaderOf,
  updatedSnapshot,
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
  ])("with %s is refused", (_, brokers) => {
    const update = () => after(metadataAnswer([], { brokers }));
    expect(update).toThrow(DecodeError);
    expect(update).toThrow("names no broker that could be connected to");
  });

  test("has only those brokers that could be connected to", () => {
    const cluster = after(metadataAnswer([], { brokers: [brokerAnswer(1, ""), brokerAnswer(2)] }));
    expect([...cluster.nodes.keys()]).toEqual([2]);
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

describe("two snapshots", () => {
  const orders = (leaderId: number, leaderEpoch: number, more: Partial<MetadataResponse> = {}) =>
    after(metadataAnswer([topicAnswer("orders", [partitionAnswer(0, leaderId, leaderEpoch)])], more));

  test("are the same where they say the same", () => {
    expect(isSameCluster(orders(1, 1), orders(1, 1))).toBe(true);
  });

  test.each([
    ["the leader", orders(2, 1)],
    ["the leader's epoch", orders(1, 2)],
    ["the controller", orders(1, 1, { controllerId: 2 })],
    ["the brokers", orders(1, 1, { brokers: [brokerAnswer(1)] })],
    ["a broker's address", orders(1, 1, { brokers: [brokerAnswer(1), brokerAnswer(2), brokerAnswer(3, "::1")] })],
    ["the topics", after(metadataAnswer())],
    [
      "the partitions",
      after(metadataAnswer([topicAnswer("orders", [partitionAnswer(0, 1, 1), partitionAnswer(1, 1, 1)])])),
    ],
    ["an error", after(metadataAnswer([topicAnswer("orders", [], { errorCode: codeOf("INVALID_TOPIC_EXCEPTION") })]))],
  ])("are not the same where %s differ", (_, other) => {
    expect(isSameCluster(orders(1, 1), other)).toBe(false);
    expect(isSameCluster(other, orders(1, 1))).toBe(false);
  });
});
