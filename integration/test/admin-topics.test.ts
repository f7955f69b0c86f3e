import { KafkaAdmin, KafkaProducer } from "odradek";
import { afterAll, describe, expect, test } from "vitest";
import { createTopic } from "../cluster/topic.ts";
import { becomes } from "./becomes.ts";
import { clusterTool, javaTool } from "./java-tool.ts";
import { newName } from "./opened.ts";
import { recordTimeMs } from "./record-time.ts";
import { bootstrapServers, brokers } from "./topics.ts";

const admin = new KafkaAdmin({ bootstrapServers });
afterAll(() => admin.close());

/** Three partitions with three replicas each, their leaders being brokers 1, 2 and 3. */
const spread = [
  [1, 2, 3],
  [2, 3, 1],
  [3, 1, 2],
] as const;

/** Creates a topic whose replicas are where they are wanted, and known to every broker. @returns its name */
async function placedTopic(replicas: readonly (readonly number[])[] = spread): Promise<string> {
  const name = newName();
  await createTopic(brokers, { name, replicas });
  return name;
}

/** Writes so many records of one second each to every partition. */
async function write(topic: string, partitions: number, count: number, firstMs: number): Promise<void> {
  await using producer = new KafkaProducer({ bootstrapServers });
  for (let partition = 0; partition < partitions; partition++) {
    const records = Array.from({ length: count }, (_, index) => ({
      topic,
      partition,
      value: "v",
      timestamp: firstMs + index * 1_000,
    }));
    await producer.sendBatch(records);
  }
}

describe("topics", () => {
  test("are described with leaders and replicas, by name and by id, page by page, as Kafka's own tool has them", async () => {
    const topic = await placedTopic();
    const [described] = (await admin.describeTopics([topic], { partitionSizeLimitPerResponse: 2 })).orThrow();
    expect(described).toMatchObject({ topic, isInternal: false, authorizedOperations: null });
    expect(
      described?.partitions.map(({ partition, replicaIds, leaderId }) => [partition, replicaIds, leaderId]),
    ).toEqual(spread.map((replicaIds, partition) => [partition, replicaIds, replicaIds[0]]));
    expect(described?.partitions[0]).toMatchObject({ offlineReplicaIds: [], eligibleLeaderReplicaIds: [] });

    const topicId = described?.topicId ?? "";
    const results = await admin.describeTopics([topic, { topicId }, newName(), { topicId: "AAAAAAAAAAAAAAAAAAAAaQ" }], {
      includeAuthorizedOperations: true,
    });
    expect([...results].map(({ value, error }) => value?.topic ?? error?.code)).toEqual([
      topic,
      topic,
      "UNKNOWN_TOPIC_OR_PARTITION",
      "UNKNOWN_TOPIC_ID",
    ]);
    expect(results.get({ topicId })?.value?.authorizedOperations).toContain("DESCRIBE");

    const lines = await javaTool(
      "org.apache.kafka.tools.TopicCommand",
      ...["--bootstrap-server", bootstrapServers.join(","), "--describe", "--topic", topic],
    );
    const [summary = "", ...partitions] = lines;
    expect(summary).toContain(`TopicId: ${topicId}`);
    expect(
      partitions.map((line) => /Partition: (\d+)\s+Leader: (\d+)\s+Replicas: ([\d,]+)/.exec(line)?.slice(1)),
    ).toEqual(
      described?.partitions.map(({ partition, leaderId, replicaIds }) => [
        `${partition}`,
        `${leaderId}`,
        replicaIds.join(),
      ]),
    );
  });

  test("are listed, and gone when they are deleted by name or by id", async () => {
    const [one, other] = [await placedTopic(), await placedTopic()];
    const listed = async () => (await admin.listTopics()).filter(({ topic }) => topic === one || topic === other);
    expect((await listed()).map(({ topic }) => topic).sort()).toEqual([one, other].sort());
    const names = await clusterTool(bootstrapServers, "org.apache.kafka.tools.TopicCommand", "--list");
    expect(names.filter((name) => name === one || name === other).sort()).toEqual([one, other].sort());
    const topicId = (await listed()).find(({ topic }) => topic === other)?.topicId ?? "";
    const nobody = newName();
    const results = await admin.deleteTopics([one, { topicId }, nobody]);
    expect([...results].map(({ error }) => error?.code)).toEqual([undefined, undefined, "UNKNOWN_TOPIC_OR_PARTITION"]);
    await becomes("what is left of both", listed, []);
  });

  test("among which are those that Kafka keeps for itself, where they are asked for", async () => {
    // Whoever asks for the offsets of a group has its topic created.
    await admin.listConsumerGroupOffsets([newName()]);
    const internal = (await admin.listTopics({ listInternal: true })).filter(({ isInternal }) => isInternal);
    expect(internal.map(({ topic }) => topic)).toContain("__consumer_offsets");
    expect((await admin.listTopics()).filter(({ isInternal }) => isInternal)).toEqual([]);
  });

  test("get more partitions, placed as told", async () => {
    const topic = await placedTopic([[1, 2]]);
    const nobody = newName();
    const assignments = [
      [2, 3],
      [3, 1],
    ];
    const results = await admin.createPartitions([
      { topic, totalCount: 3, assignments },
      { topic: nobody, totalCount: 2 },
    ]);
    expect([...results].map(({ error }) => error?.code)).toEqual([undefined, "UNKNOWN_TOPIC_OR_PARTITION"]);
    const replicas = async () =>
      (await admin.describeTopics([topic])).orThrow()[0]?.partitions.map(({ replicaIds }) => [...replicaIds]);
    await becomes("replicas of the topic", replicas, [[1, 2], ...assignments]);
    const fewer = await admin.createPartitions([{ topic, totalCount: 2 }], { validateOnly: true });
    expect(fewer.get(topic)?.error).toMatchObject({ code: "INVALID_PARTITIONS" });
  });

  test("are created by nobody who only asks about them", async () => {
    const topic = newName();
    const results = await admin.listOffsets([{ topic, partition: 0, spec: "latest" }]);
    expect(results.get({ topic, partition: 0 })?.error).toMatchObject({ code: "UNKNOWN_TOPIC_OR_PARTITION" });
    expect((await admin.listTopics()).filter((listing) => listing.topic === topic)).toEqual([]);
  });
});

describe("partitions", () => {
  test("tell their offsets, and begin later when records are deleted, as Kafka's own tool has it", async () => {
    const topic = await placedTopic();
    await write(topic, 3, 5, recordTimeMs);
    const offsetsOf = async (specs: Parameters<typeof admin.listOffsets>[0]) =>
      (await admin.listOffsets(specs)).orThrow().map(({ offset, timestamp }) => [offset, timestamp]);
    expect(
      await offsetsOf([
        { topic, partition: 0, spec: "earliest" },
        { topic, partition: 1, spec: "latest" },
        { topic, partition: 2, spec: "maxTimestamp" },
      ]),
    ).toEqual([
      [0n, null],
      [5n, null],
      [4n, recordTimeMs + 4_000],
    ]);
    expect(
      await offsetsOf([
        { topic, partition: 0, spec: recordTimeMs + 1_500 },
        { topic, partition: 1, spec: recordTimeMs + 9_000 },
        { topic, partition: 2, spec: "earliestLocal" },
      ]),
    ).toEqual([
      [2n, recordTimeMs + 2_000],
      [null, null],
      [0n, null],
    ]);
    const committed = await admin.listOffsets([{ topic, partition: 0, spec: "latest" }], {
      isolationLevel: "read_committed",
    });
    expect(committed.orThrow()[0]?.offset).toBe(5n);

    const deleted = await admin.deleteRecords([
      { topic, partition: 0, beforeOffset: 2 },
      { topic, partition: 1, beforeOffset: -1n },
      { topic, partition: 2, beforeOffset: 9 },
    ]);
    expect([...deleted].map(({ value, error }) => value?.lowWatermark ?? error?.code)).toEqual([
      2n,
      5n,
      "OFFSET_OUT_OF_RANGE",
    ]);
    const lines = await javaTool(
      "org.apache.kafka.tools.GetOffsetShell",
      ...["--bootstrap-server", bootstrapServers.join(","), "--topic", topic, "--time", "-2"],
    );
    expect(lines.sort()).toEqual([`${topic}:0:2`, `${topic}:1:5`, `${topic}:2:0`]);
    expect(await offsetsOf([0, 1, 2].map((partition) => ({ topic, partition, spec: "earliest" })))).toEqual([
      [2n, null],
      [5n, null],
      [0n, null],
    ]);
  });

  test("move between brokers, and are led by whom the first of their replicas says", async () => {
    const topic = await placedTopic();
    const results = await admin.alterPartitionReassignments([
      { topic, partition: 0, replicaIds: [3, 1] },
      { topic, partition: 1, replicaIds: null },
      { topic, partition: 7, replicaIds: [1] },
    ]);
    expect([...results].map(({ error }) => error?.code)).toEqual([
      undefined,
      "NO_REASSIGNMENT_IN_PROGRESS",
      "UNKNOWN_TOPIC_OR_PARTITION",
    ]);
    await becomes("moves under way", () => admin.listPartitionReassignments([{ topic, partition: 0 }]), []);
    const described = async () => (await admin.describeTopics([topic])).orThrow()[0]?.partitions[0];
    await becomes("replicas of partition 0", async () => [...((await described())?.replicaIds ?? [])], [3, 1]);

    // It was the leader before, and is one of the replicas still.
    await becomes("leader of partition 0", async () => (await described())?.leaderId, 1);

    const asked = [0, 1, 9].map((partition) => ({ topic, partition }));
    const elections = await admin.electLeaders("PREFERRED", asked);
    expect([...elections].map(({ error }) => error?.code)).toEqual([
      undefined,
      "ELECTION_NOT_NEEDED",
      "UNKNOWN_TOPIC_OR_PARTITION",
    ]);
    await becomes("leader of partition 0", async () => (await described())?.leaderId, 3);
    (await admin.alterPartitionReassignments([{ topic, partition: 0, replicaIds: [1, 3] }])).orThrow();
    await becomes("replicas of partition 0", async () => [...((await described())?.replicaIds ?? [])], [1, 3]);
    const all = await admin.electLeaders("PREFERRED", null);
    expect(all.get({ topic, partition: 0 })).toMatchObject({ error: null });
    await becomes("leader of partition 0", async () => (await described())?.leaderId, 1);
  });

  test("lie in log directories of their brokers", async () => {
    const topic = await placedTopic();
    await write(topic, 1, 3, Date.now());
    const results = await admin.describeLogDirs([1, 2, 99]);
    const [dir] = results.get(1)?.value ?? [];
    expect(dir).toMatchObject({ error: null, isCordoned: false });
    expect(dir?.totalBytes).toBeGreaterThan(0n);
    const replica = dir?.replicas.find((one) => one.topic === topic && one.partition === 0);
    expect(replica).toMatchObject({ isFuture: false });
    expect(replica?.size).toBeGreaterThan(0n);
    expect(results.get(99)?.error).toMatchObject({ code: "BROKER_NOT_AVAILABLE" });

    const [here, gone] = [1, 77].map((partition) => ({ topic, partition, brokerId: 1 }));
    const places = (await admin.describeReplicaLogDirs([here!, gone!])).orThrow();
    expect(places).toMatchObject([
      { ...here, currentLogDir: dir?.logDir, futureLogDir: null },
      { ...gone, currentLogDir: null },
    ]);
    const elsewhere = await placedTopic([[2, 3]]);
    const moved = await admin.alterReplicaLogDirs([
      { ...here!, logDir: dir?.logDir ?? "" },
      { topic, partition: 2, brokerId: 1, logDir: "/nowhere" },
      { topic: elsewhere, partition: 0, brokerId: 1, logDir: dir?.logDir ?? "" },
    ]);
    expect([...moved].map(({ error }) => error?.code)).toEqual([
      undefined,
      "LOG_DIR_NOT_FOUND",
      "REPLICA_NOT_AVAILABLE",
    ]);
  });
});
