import { codeOf, type ResponseWrittenOf, zeroUuid } from "@odradek/protocol";
import { DeleteTopics } from "@odradek/protocol/messages/delete-topics";
import { DescribeCluster } from "@odradek/protocol/messages/describe-cluster";
import { DescribeConfigs } from "@odradek/protocol/messages/describe-configs";
import { DescribeGroups } from "@odradek/protocol/messages/describe-groups";
import { DescribeTopicPartitions } from "@odradek/protocol/messages/describe-topic-partitions";
import { FindCoordinator } from "@odradek/protocol/messages/find-coordinator";
import { IncrementalAlterConfigs } from "@odradek/protocol/messages/incremental-alter-configs";
import { ListGroups } from "@odradek/protocol/messages/list-groups";
import { ListOffsets } from "@odradek/protocol/messages/list-offsets";
import { OffsetFetch } from "@odradek/protocol/messages/offset-fetch";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../../network/test/manual-clock.ts";
import { partitionAnswer, topicAnswer } from "../../../network/test/metadata-answers.ts";
import { passing } from "../../../network/test/passing.ts";
import type { PeerConnection, PeerRequest } from "../../../network/test/scripted-peer.ts";
import { answerCoordinator, scriptedAdmin, versions } from "../scripted-admin.ts";

function answerOffsets(
  connection: PeerConnection,
  request: PeerRequest,
  told: (partition: number) => Partial<ResponseWrittenOf<typeof ListOffsets>["topics"][number]["partitions"][number]>,
): number[] {
  const { topics } = request.body(ListOffsets);
  connection.answer(request, ListOffsets, {
    throttleTimeMs: 0,
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode: 0, ...told(partitionIndex) })),
    })),
  });
  return topics.flatMap(({ partitions }) => partitions.map(({ partitionIndex }) => partitionIndex));
}

const latest = (...partitions: number[]) =>
  partitions.map((partition) => ({ topic: "t", partition, spec: "latest" }) as const);

describe("what leaders know", () => {
  test("is asked of each of them once, and again of the one that leads by then", async () => {
    const asked: [number, number[]][] = [];
    let leader = 1;
    const { admin } = await scriptedAdmin({
      metadata: (self) =>
        self.answer({
          topics: [topicAnswer("t", [partitionAnswer(0, leader), partitionAnswer(1, 3), partitionAnswer(2, 3)])],
        }),
      serve(connection, request, broker) {
        const errorCode = broker === 1 ? codeOf("NOT_LEADER_OR_FOLLOWER") : 0;
        asked.push([broker, answerOffsets(connection, request, () => ({ errorCode, offset: BigInt(broker) }))]);
        leader = 2;
      },
    });
    const results = await admin.listOffsets(latest(0, 1, 2));
    expect(results.orThrow().map(({ offset }) => offset)).toEqual([2n, 3n, 3n]);
    expect(asked.sort()).toEqual([
      [1, [0]],
      [2, [0]],
      [3, [1, 2]],
    ]);
  });

  test("is asked of somebody else when the leader has left the cluster, and not waited for until the end", async () => {
    let hasLeft = false;
    const { admin } = await scriptedAdmin({
      metadata: (self) => {
        const answer = self.answer({ topics: [topicAnswer("t", [partitionAnswer(0, hasLeft ? 2 : 1)])] });
        return hasLeft ? { ...answer, brokers: answer.brokers.filter(({ nodeId }) => nodeId !== 1) } : answer;
      },
      serve(connection, request, broker) {
        if (broker === 1) {
          hasLeft = true;
          connection.end();
        } else answerOffsets(connection, request, () => ({ offset: 7n }));
      },
    });
    const results = await admin.listOffsets(latest(0));
    expect(results.get({ topic: "t", partition: 0 })?.value?.offset).toBe(7n);
  });

  test("is asked for again when the leader has waited for others in vain", async () => {
    let asked = 0;
    const { admin } = await scriptedAdmin({
      metadata: (self) => self.answer({ topics: [topicAnswer("t", [partitionAnswer(0, 1)])] }),
      serve: (connection, request) =>
        void answerOffsets(connection, request, () =>
          asked++ === 0 ? { errorCode: codeOf("REQUEST_TIMED_OUT") } : { offset: 3n },
        ),
    });
    expect((await admin.listOffsets(latest(0))).orThrow()[0]?.offset).toBe(3n);
  });

  test("is no answer of a partition without a leader until it has one", async () => {
    let asked = 0;
    const { admin } = await scriptedAdmin({
      metadata: (self) => self.answer({ topics: [topicAnswer("t", [partitionAnswer(0, asked++ < 3 ? -1 : 2)])] }),
      serve: (connection, request) => void answerOffsets(connection, request, () => ({ offset: 1n })),
    });
    expect((await admin.listOffsets(latest(0))).orThrow()[0]?.offset).toBe(1n);
  });
});

describe("what coordinators know", () => {
  test("is asked in one request for all groups of each, and again of the one that coordinates by then", async () => {
    const asked: [number, string[]][] = [];
    let moved = false;
    const { admin, cluster } = await scriptedAdmin({
      serve(connection, request, broker) {
        if (request.apiKey === FindCoordinator.key) {
          answerCoordinator(connection, request, cluster, (id) => (id === "c" || (id === "a" && moved) ? 3 : 1));
          return;
        }
        const ids = request.body(OffsetFetch).groups.map(({ groupId }) => groupId);
        asked.push([broker, ids]);
        const groups = ids.map((groupId) => ({
          groupId,
          topics: [],
          errorCode: groupId === "a" && broker === 1 ? codeOf("NOT_COORDINATOR") : 0,
        }));
        moved = true;
        connection.answer(request, OffsetFetch, { groups });
      },
    });
    expect((await admin.listConsumerGroupOffsets(["a", "b", "c"])).orThrow()).toEqual([[], [], []]);
    expect(asked.sort()).toEqual([
      [1, ["a", "b"]],
      [3, ["a"]],
      [3, ["c"]],
    ]);
  });

  test("is asked of those that have one, while another has none", async () => {
    const clock = new ManualClock();
    const asked: [atMs: number, groups: string[]][] = [];
    const { admin, cluster } = await scriptedAdmin(
      {
        serve(connection, request) {
          if (request.apiKey === FindCoordinator.key) {
            return answerCoordinator(connection, request, cluster, (id) => (id === "b" ? null : 2));
          }
          const ids = request.body(OffsetFetch).groups.map(({ groupId }) => groupId);
          asked.push([clock.now(), ids]);
          const groups = ids.map((groupId) => ({ groupId, topics: [], errorCode: 0 }));
          connection.answer(request, OffsetFetch, { groups });
        },
      },
      clock,
    );
    const startMs = clock.now();
    const results = admin.listConsumerGroupOffsets(["b", "a"], { timeoutMs: 100 });
    await passing(clock).pass(100);
    expect((await results).get("a")?.value).toEqual([]);
    expect((await results).get("b")?.error).toMatchObject({
      code: "TIMEOUT",
      cause: { code: "COORDINATOR_NOT_AVAILABLE" },
    });
    expect(asked).toEqual([[startMs, ["a"]]]);
  });

  test("is asked group by group of a broker that knows no other way", async () => {
    const asked: string[] = [];
    const { admin, cluster } = await scriptedAdmin({
      versions: versions({ [FindCoordinator.key]: 3, [OffsetFetch.key]: 5 }),
      serve(connection, request) {
        if (request.apiKey === FindCoordinator.key) return answerCoordinator(connection, request, cluster, () => 2);
        const { groupId } = request.body(OffsetFetch);
        asked.push(groupId);
        const partitions = [{ partitionIndex: 0, committedOffset: BigInt(asked.length), metadata: null, errorCode: 0 }];
        connection.answer(request, OffsetFetch, { topics: [{ name: groupId, partitions }] });
      },
    });
    const [a, b] = (await admin.listConsumerGroupOffsets(["a", "b"])).orThrow();
    expect([a?.[0]?.topic, b?.[0]?.topic]).toEqual(["a", "b"]);
    expect(asked.sort()).toEqual(["a", "b"]);
  });

  test("is of no use in a group whose assignment cannot be read, and of all use in the others", async () => {
    const { admin, cluster } = await scriptedAdmin({
      versions: versions({ 69: null }),
      serve(connection, request) {
        if (request.apiKey === FindCoordinator.key) return answerCoordinator(connection, request, cluster, () => 2);
        const about = { groupState: "Stable", protocolType: "consumer", protocolData: "range", errorCode: 0 };
        const member = { memberId: "m", clientId: "c", clientHost: "h", memberMetadata: Buffer.alloc(0) };
        connection.answer(request, DescribeGroups, {
          groups: request.body(DescribeGroups).groups.map((groupId) => {
            const memberAssignment =
              groupId === "odd" ? Buffer.of(0, 1, 9) : Buffer.of(0, 0, 0, 0, 0, 0, 255, 255, 255, 255);
            return { groupId, ...about, members: [{ ...member, memberAssignment }] };
          }),
        });
      },
    });
    const results = await admin.describeConsumerGroups(["odd", "even"]);
    expect(results.get("odd")?.error).toMatchObject({ code: "DECODE", retriable: false });
    expect(results.get("even")?.value?.members).toMatchObject([{ memberId: "m", assignment: [] }]);
  });

  test("is that a group is dead where there is none, before brokers had an error for it", async () => {
    const { admin, cluster } = await scriptedAdmin({
      versions: versions({ 69: null, [DescribeGroups.key]: 5 }),
      serve(connection, request) {
        if (request.apiKey === FindCoordinator.key) return answerCoordinator(connection, request, cluster, () => 2);
        const dead = { groupState: "Dead", protocolType: "", protocolData: "", members: [] };
        connection.answer(request, DescribeGroups, {
          groups: request.body(DescribeGroups).groups.map((groupId) => ({ groupId, errorCode: 0, ...dead })),
        });
      },
    });
    const results = await admin.describeConsumerGroups(["a"]);
    expect(results.get("a")?.error).toMatchObject({ code: "GROUP_ID_NOT_FOUND" });
  });
});

describe("what one broker knows", () => {
  test("is asked of that one, and what another cannot say takes nothing from it", async () => {
    const asked: [number, string[]][] = [];
    const { admin } = await scriptedAdmin({
      serve(connection, request, broker) {
        const { resources } = request.body(DescribeConfigs);
        asked.push([broker, resources.map(({ resourceName }) => resourceName)]);
        const errorCode = broker === 2 ? codeOf("CLUSTER_AUTHORIZATION_FAILED") : 0;
        const results = resources.map((resource) => ({ ...resource, errorCode, errorMessage: null, configs: [] }));
        connection.answer(request, DescribeConfigs, { throttleTimeMs: 0, results });
      },
    });
    const resources = ["1", "2", "9"].map((name) => ({ type: "BROKER", name }) as const);
    const results = await admin.describeConfigs(resources);
    expect([...results].map(({ value, error }) => value?.name ?? error?.code)).toEqual([
      "1",
      "CLUSTER_AUTHORIZATION_FAILED",
      "BROKER_NOT_AVAILABLE",
    ]);
    expect(results.get({ type: "BROKER", name: "9" })?.error?.message).toContain("which are 1, 2, 3");
    expect(asked.sort()).toEqual([
      [1, ["1"]],
      [2, ["2"]],
    ]);
  });

  test("is lost with a broker that does not answer in time, and with that one alone", async () => {
    const clock = new ManualClock();
    const { admin } = await scriptedAdmin(
      {
        serve(connection, request, broker) {
          if (broker !== 2) connection.answer(request, ListGroups, { errorCode: 0, groups: [] });
        },
      },
      clock,
    );
    const results = admin.listGroups({ timeoutMs: 5_000 });
    await passing(clock).pass(5_000);
    expect([...(await results)].map(({ key, error }) => [key, error?.code])).toEqual([
      [1, undefined],
      [2, "TIMEOUT"],
      [3, undefined],
    ]);
  });
});

describe("an older broker", () => {
  test("that lacks an API is said to, with the release that has it", async () => {
    const { admin } = await scriptedAdmin({ versions: versions({ [IncrementalAlterConfigs.key]: null }) });
    const ops = [{ name: "a", operation: "DELETE" }] as const;
    const [result] = await admin.incrementalAlterConfigs([{ type: "TOPIC", name: "t", ops }]);
    expect(result?.error).toMatchObject({
      code: "UNSUPPORTED_VERSION",
      message:
        "IncrementalAlterConfigs (Kafka 2.3, and newer): the broker does not have IncrementalAlterConfigs (0 to 1 would do)",
    });
  });

  test("that lacks a part of an API is said to, and not asked for less", async () => {
    const { admin } = await scriptedAdmin({ versions: versions({ [ListGroups.key]: 4 }) });
    const [result] = await admin.listGroups({ types: ["Consumer"] });
    expect(result?.error).toMatchObject({ code: "UNSUPPORTED_VERSION" });
    expect(result?.error?.message).toMatch(
      /^ListGroups v5 \(Kafka 3\.8, and newer\): no common version of ListGroups: 5 to 5 here, 0 to 4 on the broker/,
    );
  });

  test("that knows fewer places of a log tells those that it knows", async () => {
    const { admin } = await scriptedAdmin({
      versions: versions({ [ListOffsets.key]: 6 }),
      metadata: (self) => self.answer({ topics: [topicAnswer("t", [partitionAnswer(0, 1), partitionAnswer(1, 1)])] }),
      serve: (connection, request) => void answerOffsets(connection, request, () => ({ offset: 5n })),
    });
    const results = await admin.listOffsets([...latest(0), { topic: "t", partition: 1, spec: "maxTimestamp" }]);
    expect([...results].map(({ value, error }) => value?.offset ?? error?.code)).toEqual([5n, "UNSUPPORTED_VERSION"]);
  });

  test("that knows topics by name alone deletes those", async () => {
    const { admin } = await scriptedAdmin({
      versions: versions({ [DeleteTopics.key]: 5 }),
      serve(connection, request) {
        const responses = request.body(DeleteTopics).topicNames.map((name) => ({ name, errorCode: 0 }));
        connection.answer(request, DeleteTopics, { throttleTimeMs: 0, responses });
      },
    });
    const results = await admin.deleteTopics(["t", { topicId: "AAAAAAAAAAAAAAAAAAAAaQ" }, "u"]);
    expect([...results].map(({ value, error }) => value ?? error?.code)).toEqual(["t", "UNSUPPORTED_VERSION", "u"]);
  });

  test("describes topics and the cluster by its metadata", async () => {
    const { admin } = await scriptedAdmin({
      versions: versions({ [DescribeTopicPartitions.key]: null, [DescribeCluster.key]: null }),
      metadata: (self, request) =>
        self.answer({
          topics: request.apiVersion >= 8 ? [topicAnswer("t", [partitionAnswer(1, 2), partitionAnswer(0, -1)])] : [],
        }),
    });
    const [topic] = (await admin.describeTopics(["t"])).orThrow();
    expect(topic?.partitions.map(({ partition, leaderId }) => [partition, leaderId])).toEqual([
      [0, null],
      [1, 2],
    ]);
    expect(topic?.partitions[0]?.eligibleLeaderReplicaIds).toBeNull();
    const cluster = await admin.describeCluster();
    expect(cluster).toMatchObject({ clusterId: "cluster", controllerId: 1, authorizedOperations: null });
    expect(cluster.brokers.map(({ id }) => id)).toEqual([1, 2, 3]);
    await expect(admin.describeCluster({ includeFencedBrokers: true })).rejects.toMatchObject({
      code: "UNSUPPORTED_VERSION",
    });
  });
});

describe("topics that are described page by page", () => {
  const page = (name: string, partitions: readonly number[]) => ({
    errorCode: 0,
    name,
    topicId: zeroUuid,
    partitions: partitions.map((partitionIndex) => ({
      ...partitionAnswer(partitionIndex, 1),
      eligibleLeaderReplicas: [],
    })),
  });

  test("are put together, and each page is asked for with what is left", async () => {
    const asked: string[][] = [];
    const { admin } = await scriptedAdmin({
      serve(connection, request) {
        const { topics, cursor } = request.body(DescribeTopicPartitions);
        asked.push(topics.map(({ name }) => name));
        connection.answer(
          request,
          DescribeTopicPartitions,
          cursor === null
            ? {
                throttleTimeMs: 0,
                topics: [page("a", [0]), page("b", [0, 1])],
                nextCursor: { topicName: "b", partitionIndex: 2 },
              }
            : { throttleTimeMs: 0, topics: [page("b", [2]), page("c", [0])], nextCursor: null },
        );
      },
    });
    const described = (await admin.describeTopics(["c", "b", "a"])).orThrow();
    expect(described.map(({ topic, partitions }) => [topic, partitions.length])).toEqual([
      ["c", 1],
      ["b", 3],
      ["a", 1],
    ]);
    expect(asked).toEqual([
      ["a", "b", "c"],
      ["b", "c"],
    ]);
  });

  test("are not asked for without end where the pages do not go on", async () => {
    const { admin } = await scriptedAdmin({
      serve: (connection, request) =>
        connection.answer(request, DescribeTopicPartitions, {
          throttleTimeMs: 0,
          topics: [page("a", [0])],
          nextCursor: { topicName: "a", partitionIndex: 1 },
        }),
    });
    const results = await admin.describeTopics(["a"]);
    expect(results.get("a")?.error).toMatchObject({ code: "DECODE", retriable: false });
  });
});

test("a call that is called off rejects with the reason, and the client goes on", async () => {
  const reason = new Error("no longer needed");
  const controller = new AbortController();
  let isSilent = true;
  const { admin } = await scriptedAdmin({
    serve(connection, request) {
      if (isSilent) controller.abort(reason);
      else connection.answer(request, ListGroups, { errorCode: 0, groups: [] });
    },
  });
  await expect(admin.listGroups({ signal: controller.signal })).rejects.toBe(reason);
  isSilent = false;
  await expect(admin.listGroups({ signal: controller.signal })).rejects.toBe(reason);
  expect((await admin.listGroups()).orThrow()).toEqual([[], [], []]);
});
