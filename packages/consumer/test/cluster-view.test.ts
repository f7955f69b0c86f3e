import { describe, expect, test } from "vitest";
import { topicAnswer } from "../../network/test/metadata-answers.ts";
import { byLeader } from "../src/cluster-view.ts";
import { TestCluster, topicLedBy } from "./test-cluster.ts";

const of = (topic: string, ...partitions: number[]) => partitions.map((partition) => ({ topic, partition }));
const unexpected = (error: Error) => {
  throw error;
};

describe("byLeader", () => {
  test("groups partitions by their leaders, in the order in which they were given", () => {
    const cluster = new TestCluster([topicLedBy("orders", [1, 2, 1])]);
    expect([...byLeader(cluster, of("orders", 2, 1, 0), unexpected)]).toEqual([
      [1, of("orders", 2, 0)],
      [2, of("orders", 1)],
    ]);
    expect(cluster.updatesRequested).toBe(0);
  });

  test("asks for metadata once, however many leaders are missing", () => {
    const cluster = new TestCluster([topicLedBy("orders", [-1, 2, -1])]);
    const partitions = [...of("orders", 0, 1, 2, 3), ...of("bills", 0)];
    expect([...byLeader(cluster, partitions, unexpected)]).toEqual([[2, of("orders", 1)]]);
    expect(cluster.updatesRequested).toBe(1);
  });

  test("tells of topics that asking again will not bring, and does not ask", () => {
    const cluster = new TestCluster([topicAnswer("orders", [], { errorCode: 29 })]);
    const errors: Error[] = [];
    expect(byLeader(cluster, of("orders", 0), (error) => errors.push(error)).size).toBe(0);
    expect(errors).toMatchObject([{ code: "TOPIC_AUTHORIZATION_FAILED" }]);
    expect(cluster.updatesRequested).toBe(0);
  });
});
