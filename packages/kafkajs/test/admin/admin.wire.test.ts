import { codeOf } from "@odradek/protocol";
import { CreateTopics } from "@odradek/protocol/messages/create-topics";
import { DescribeTopicPartitions } from "@odradek/protocol/messages/describe-topic-partitions";
import { ListOffsets } from "@odradek/protocol/messages/list-offsets";
import type { MetadataResponse } from "@odradek/protocol/messages/metadata";
import { describe, expect, onTestFinished, test } from "vitest";
import { versions } from "../../../admin/test/scripted-admin.ts";
import { partitionAnswer, topicAnswer } from "../../../network/test/metadata-answers.ts";
import { type BrokerScript, ScriptedCluster } from "../../../network/test/scripted-cluster.ts";
import { type Admin, Kafka } from "../../src/index.ts";

type TopicAnswer = MetadataResponse["topics"][number];

const unknown = topicAnswer("t", [], { errorCode: codeOf("UNKNOWN_TOPIC_OR_PARTITION") });
const leaderless = topicAnswer("t", [partitionAnswer(0, 1), partitionAnswer(1, -1)]);
const led = topicAnswer("t", [partitionAnswer(0, 1)]);

/** An admin client of a broker that creates what it is asked for, or answers with that error; asked about topics, it goes through `told`. */
async function setUp(told: readonly TopicAnswer[], errorCode = 0): Promise<{ admin: Admin; operationMs: number[] }> {
  let asked = 0;
  const operationMs: number[] = [];
  const script: BrokerScript = {
    versions: versions({ [DescribeTopicPartitions.key]: null }),
    metadata: (self) => {
      const isAboutTopics = self.questions.at(-1)?.includes("t") === true;
      return self.answer(isAboutTopics ? { topics: [told[Math.min(asked++, told.length - 1)] ?? unknown] } : {});
    },
    serve(connection, request) {
      if (request.apiKey === ListOffsets.key) {
        const { topics } = request.body(ListOffsets);
        const partitions = (topics[0]?.partitions ?? []).map(({ partitionIndex }) => ({
          partitionIndex,
          errorCode: 0,
          offset: 5n,
        }));
        connection.answer(request, ListOffsets, { topics: [{ name: "t", partitions }] });
        return;
      }
      const { topics, timeoutMs } = request.body(CreateTopics);
      operationMs.push(timeoutMs);
      const answers = topics.map(({ name }) => ({ name, errorCode, errorMessage: null }));
      connection.answer(request, CreateTopics, { throttleTimeMs: 0, topics: answers });
    },
  };
  const { bootstrapServers } = await ScriptedCluster.listen(1, script);
  const retry = { retries: 2, initialRetryTime: 10, maxRetryTime: 10 };
  const admin = new Kafka({ brokers: bootstrapServers, logLevel: 0, requestTimeout: 200, retry }).admin();
  onTestFinished(() => admin.disconnect());
  return { admin, operationMs };
}

describe("createTopics", () => {
  test("waits until each partition is led", async () => {
    const { admin } = await setUp([unknown, leaderless, led]);
    expect(await admin.createTopics({ topics: [{ topic: "t" }] })).toBe(true);
  });

  test("does not wait for longer than it is told to, and tells brokers so", async () => {
    const { admin, operationMs } = await setUp([leaderless]);
    const creating = admin.createTopics({ topics: [{ topic: "t" }], timeout: 50 });
    const message = "Timed out while waiting for topic leaders";
    await expect(creating).rejects.toMatchObject({ name: "KafkaJSTimeout", message });
    expect(operationMs).toEqual([50]);
  });

  test("does not wait at all where nobody wants to", async () => {
    const { admin } = await setUp([leaderless]);
    expect(await admin.createTopics({ topics: [{ topic: "t" }], waitForLeaders: false })).toBe(true);
  });

  test("says that a controller was looked for too often, and not that a topic was at fault", async () => {
    const { admin } = await setUp([unknown], codeOf("NOT_CONTROLLER"));
    await expect(admin.createTopics({ topics: [{ topic: "t" }] })).rejects.toMatchObject({
      name: "KafkaJSNumberOfRetriesExceeded",
      retryCount: 2,
      retriable: false,
    });
  });
});

test("offsets of a topic that brokers do not know yet are asked for again", async () => {
  const { admin } = await setUp([unknown, led]);
  expect(await admin.fetchTopicOffsets("t")).toEqual([{ partition: 0, offset: "5", high: "5", low: "5" }]);
});

test("partitions that nobody leads are told of", async () => {
  const { admin } = await setUp([leaderless]);
  const { topics } = await admin.fetchTopicMetadata({ topics: ["t"] });
  expect(topics[0]?.partitions).toMatchObject([
    { partitionErrorCode: 0, leader: 1 },
    { partitionErrorCode: 5, leader: -1 },
  ]);
});
