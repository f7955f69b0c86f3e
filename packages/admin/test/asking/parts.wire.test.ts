import { codeOf } from "@odradek/protocol";
import { ConsumerGroupDescribe } from "@odradek/protocol/messages/consumer-group-describe";
import { DeleteTopics } from "@odradek/protocol/messages/delete-topics";
import { DescribeGroups } from "@odradek/protocol/messages/describe-groups";
import { FindCoordinator } from "@odradek/protocol/messages/find-coordinator";
import { InitProducerId } from "@odradek/protocol/messages/init-producer-id";
import { ListOffsets } from "@odradek/protocol/messages/list-offsets";
import { OffsetFetch } from "@odradek/protocol/messages/offset-fetch";
import { describe, expect, test } from "vitest";
import { partitionAnswer, topicAnswer } from "../../../network/test/metadata-answers.ts";
import { answerCoordinator, scriptedAdmin, versions } from "../scripted-admin.ts";

/** Says once that it is time to fail. */
function once(): () => boolean {
  let count = 0;
  return () => count++ === 0;
}

describe("a request that worked is not sent again beside another that did not", () => {
  test("of topics by name and by id", async () => {
    const topicId = "AAAAAAAAAAAAAAAAAAAAaQ";
    const asked: string[][] = [];
    const fails = once();
    const { admin } = await scriptedAdmin({
      serve(connection, request) {
        const { topics } = request.body(DeleteTopics);
        asked.push(topics.map(({ name, topicId: id }) => name ?? id));
        if (topics[0]?.name === null && fails()) return connection.end();
        const responses = topics.map((topic) => ({ ...topic, errorCode: 0, errorMessage: null }));
        connection.answer(request, DeleteTopics, { throttleTimeMs: 0, responses });
      },
    });
    const results = await admin.deleteTopics(["t", { topicId }, "u"]);
    expect(results.orThrow()).toEqual(["t", { topicId }, "u"]);
    expect(asked).toEqual([["t", "u"], [topicId], [topicId]]);
  });

  test("of transactional ids, whose producers would be fenced twice", async () => {
    const asked: (string | null)[] = [];
    const fails = once();
    const { admin, cluster } = await scriptedAdmin({
      serve(connection, request) {
        if (request.apiKey === FindCoordinator.key) return answerCoordinator(connection, request, cluster, () => 2);
        const { transactionalId } = request.body(InitProducerId);
        asked.push(transactionalId);
        if (transactionalId === "b" && fails()) return connection.end();
        connection.answer(request, InitProducerId, {
          throttleTimeMs: 0,
          errorCode: 0,
          producerId: 5n,
          producerEpoch: asked.length,
        });
      },
    });
    const fenced = (await admin.fenceProducers(["a", "b"])).orThrow();
    expect(fenced.map(({ transactionalId, producerEpoch }) => [transactionalId, producerEpoch])).toEqual([
      ["a", 1],
      ["b", 3],
    ]);
    expect(asked).toEqual(["a", "b", "b"]);
  });

  test("of groups of either protocol", async () => {
    const asked: string[][] = [];
    const fails = once();
    const { admin, cluster } = await scriptedAdmin({
      serve(connection, request) {
        if (request.apiKey === FindCoordinator.key) return answerCoordinator(connection, request, cluster, () => 2);
        if (request.apiKey === ConsumerGroupDescribe.key) {
          const { groupIds } = request.body(ConsumerGroupDescribe);
          asked.push(groupIds);
          const about = {
            groupState: "Empty",
            groupEpoch: 1,
            assignmentEpoch: 1,
            assignorName: "uniform",
            members: [],
          };
          const groups = groupIds.map((groupId) => ({
            groupId,
            errorCode: groupId === "modern" ? 0 : codeOf("GROUP_ID_NOT_FOUND"),
            ...about,
          }));
          return connection.answer(request, ConsumerGroupDescribe, { throttleTimeMs: 0, groups });
        }
        if (fails()) return connection.end();
        const about = { groupState: "Empty", protocolType: "consumer", protocolData: "", members: [], errorCode: 0 };
        const groups = request.body(DescribeGroups).groups.map((groupId) => ({ groupId, ...about }));
        connection.answer(request, DescribeGroups, { groups });
      },
    });
    const described = (await admin.describeConsumerGroups(["modern", "classic"])).orThrow();
    expect(described.map(({ type }) => type)).toEqual(["Consumer", "Classic"]);
    expect(asked).toEqual([["modern", "classic"], ["classic"]]);
  });

  test("of offsets at places that different versions know of", async () => {
    const asked: number[][] = [];
    const fails = once();
    const { admin } = await scriptedAdmin({
      metadata: (self) => self.answer({ topics: [topicAnswer("t", [partitionAnswer(0, 1), partitionAnswer(1, 1)])] }),
      serve(connection, request) {
        const { topics } = request.body(ListOffsets);
        const partitions = topics.flatMap(({ partitions: all }) => all.map(({ partitionIndex }) => partitionIndex));
        asked.push(partitions);
        if (partitions.includes(1) && fails()) return connection.end();
        const told = partitions.map((partitionIndex) => ({ partitionIndex, errorCode: 0, offset: 7n }));
        connection.answer(request, ListOffsets, { throttleTimeMs: 0, topics: [{ name: "t", partitions: told }] });
      },
    });
    const results = await admin.listOffsets([
      { topic: "t", partition: 0, spec: "latest" },
      { topic: "t", partition: 1, spec: "maxTimestamp" },
    ]);
    expect(results.orThrow().map(({ offset }) => offset)).toEqual([7n, 7n]);
    expect(asked).toEqual([[0], [1], [1]]);
  });

  test("of groups that an older broker is asked about one by one", async () => {
    const asked: string[] = [];
    const fails = once();
    const { admin, cluster } = await scriptedAdmin({
      versions: versions({ [FindCoordinator.key]: 3, [OffsetFetch.key]: 5 }),
      serve(connection, request) {
        if (request.apiKey === FindCoordinator.key) return answerCoordinator(connection, request, cluster, () => 2);
        const { groupId } = request.body(OffsetFetch);
        asked.push(groupId);
        if (groupId === "c" && fails()) return connection.end();
        connection.answer(request, OffsetFetch, { topics: [] });
      },
    });
    expect((await admin.listConsumerGroupOffsets(["a", "b", "c"])).orThrow()).toEqual([[], [], []]);
    expect(asked).toEqual(["a", "b", "c", "c"]);
  });
});
