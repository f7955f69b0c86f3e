import { describe, expect, test } from "vitest";
import { listedOffsets, listOffsetsBody } from "../../src/positions/list-offsets.ts";
import { listAnswer, listed } from "../answers.ts";
import { TestCluster, topicLedBy } from "../test-cluster.ts";

const query = (topic: string, partition: number, timestamp = -1n) => ({ topic, partition, timestamp });

describe("listOffsetsBody", () => {
  test("names each topic once, and each partition with the epoch of its leader", () => {
    const { snapshot } = new TestCluster([topicLedBy("orders", [1, 1])]).metadata;
    const queries = [query("orders", 1), query("bills", 0), query("orders", 0, 1_234n)];
    expect(listOffsetsBody(snapshot, queries, "read_uncommitted", 900)).toEqual({
      replicaId: -1,
      isolationLevel: 0,
      timeoutMs: 900,
      topics: [
        {
          name: "orders",
          partitions: [
            { partitionIndex: 1, currentLeaderEpoch: 5, timestamp: -1n },
            { partitionIndex: 0, currentLeaderEpoch: 5, timestamp: 1_234n },
          ],
        },
        { name: "bills", partitions: [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp: -1n }] },
      ],
    });
  });

  test("asks for the last stable offset with read_committed", () => {
    const { snapshot } = new TestCluster().metadata;
    expect(listOffsetsBody(snapshot, [], "read_committed", 900).isolationLevel).toBe(1);
  });
});

describe("listedOffsets", () => {
  test("finds answers by their partition", () => {
    const found = listedOffsets(listAnswer("orders", [listed(1, 40n), listed(0, 7n)]));
    expect(found.get("orders-1")?.offset).toBe(40n);
    expect(found.get("orders-0")?.offset).toBe(7n);
    expect(found.get("orders-2")).toBeUndefined();
  });
});
