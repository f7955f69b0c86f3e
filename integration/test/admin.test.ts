import { KafkaAdmin } from "odradek";
import { afterAll, describe, expect, inject, test } from "vitest";
import { clusterTool } from "./java-tool.ts";

const bootstrapServers = inject("bootstrapServers");
const admin = new KafkaAdmin({ bootstrapServers });
afterAll(() => admin.close());

let serial = 0;
const newName = (): string => `admin-${process.pid}-${Date.now()}-${serial++}`;

describe("createTopics", () => {
  test("creates what was asked for, and tells what the broker made of it", async () => {
    const topic = newName();
    const configs = { "cleanup.policy": "compact", "min.insync.replicas": "1" };
    const [created] = (
      await admin.createTopics([{ topic, numPartitions: 5, replicationFactor: 2, configs }])
    ).orThrow();
    expect(created).toMatchObject({ topic, numPartitions: 5, replicationFactor: 2 });
    expect(created?.topicId).toMatch(/^[\w-]{22}$/);
    const described = ["--describe", "--topic", topic];
    const [summary = ""] = await clusterTool(bootstrapServers, "org.apache.kafka.tools.TopicCommand", ...described);
    expect(summary.split("\t").map((part) => part.trim())).toEqual([
      `Topic: ${topic}`,
      `TopicId: ${created?.topicId}`,
      "PartitionCount: 5",
      "ReplicationFactor: 2",
      expect.stringMatching(/^Configs: .*cleanup\.policy=compact/),
    ]);
    expect(created?.configs).toContainEqual({
      name: "cleanup.policy",
      value: "compact",
      isReadOnly: false,
      isSensitive: false,
    });
  });

  test("leaves counts that were not given to the broker", async () => {
    const [created] = (await admin.createTopics([{ topic: newName() }])).orThrow();
    expect(created?.numPartitions).toBeGreaterThan(0);
    expect(created?.replicationFactor).toBeGreaterThan(0);
  });

  test("places partitions as assigned", async () => {
    const assignments = [
      [2, 3],
      [3, 1],
    ];
    const [created] = (await admin.createTopics([{ topic: newName(), assignments }])).orThrow();
    expect(created).toMatchObject({ numPartitions: 2, replicationFactor: 2 });
  });

  test("keeps what worked when one topic fails", async () => {
    const [taken, fresh] = [newName(), newName()];
    (await admin.createTopics([{ topic: taken, numPartitions: 1 }])).orThrow();
    const results = await admin.createTopics([
      { topic: taken, numPartitions: 1 },
      { topic: "in valid", numPartitions: 1 },
      { topic: fresh, numPartitions: 1 },
    ]);
    expect(results.get(taken)?.error).toMatchObject({ code: "TOPIC_ALREADY_EXISTS", errorCode: 36, retriable: false });
    expect(results.get("in valid")?.error).toMatchObject({ code: "INVALID_TOPIC_EXCEPTION" });
    expect(results.get(fresh)?.value).toMatchObject({ topic: fresh });
    expect(() => results.orThrow()).toThrow(/already exists/);
  });

  test("only checks when told so", async () => {
    const topic = newName();
    for (let round = 0; round < 2; round++) {
      const results = await admin.createTopics([{ topic, numPartitions: 1 }], { validateOnly: true });
      expect(results.get(topic)?.error).toBeNull();
    }
    const impossible = await admin.createTopics([{ topic, numPartitions: 1, replicationFactor: 99 }], {
      validateOnly: true,
    });
    expect(impossible.get(topic)?.error).toMatchObject({ code: "INVALID_REPLICATION_FACTOR" });
  });

  test("many at once", async () => {
    const topics = Array.from({ length: 50 }, () => ({ topic: newName(), numPartitions: 2, replicationFactor: 1 }));
    const created = (await admin.createTopics(topics)).orThrow();
    expect(created.map(({ topic }) => topic)).toEqual(topics.map(({ topic }) => topic));
  });
});
