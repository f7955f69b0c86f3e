import { codeOf } from "@odradek/protocol";
import type { MetadataResponse } from "@odradek/protocol/messages/metadata";
import { describe, expect, test } from "vitest";
import { bootstrapSnapshot, updatedSnapshot } from "../src/cluster-snapshot.ts";
import { isSameCluster } from "../src/same-cluster.ts";
import { brokerAnswer, metadataAnswer, partitionAnswer, topicAnswer } from "./metadata-answers.ts";

const after = (answer: MetadataResponse) =>
  updatedSnapshot(bootstrapSnapshot([{ host: "localhost", port: 9092 }]), answer, { version: 9, kept: () => false });

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
