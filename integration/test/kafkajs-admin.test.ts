import { KafkaConsumer } from "odradek";
import { afterEach, describe, expect, test } from "vitest";
import { becomes } from "./becomes.ts";
import { collection, committedOf, type EachMessage, textOf, written } from "./kafkajs-handling.ts";
import { type AdminOfJS, type ConsumerOfJS, candidates, type EventOfJS } from "./kafkajs-libraries.ts";
import { newName, opened } from "./opened.ts";
import { untilAll } from "./partitions.ts";
import { recordTimeMs } from "./record-time.ts";
import { bootstrapServers, brokers, newTopic } from "./topics.ts";

const connected: (AdminOfJS | ConsumerOfJS)[] = [];
afterEach(async () => {
  for (const client of connected.splice(0)) await client.disconnect();
});

/** Waits until each broker knows a topic that was created by the client that is tested: any of them may be asked. */
const isKnown = (topic: string): Promise<void> => untilAll(brokers, topic, "are led", ({ leaderId }) => leaderId >= 0);

const byPartition = <T extends { readonly partition: number }>(all: readonly T[]): T[] =>
  [...all].sort((one, other) => one.partition - other.partition);

const protocolError = (type: string, code: number) => ({ name: "KafkaJSProtocolError", type, code });
const nonRetriable = (message: string) => ({ name: "KafkaJSNonRetriableError", retriable: false, message });

describe.each(candidates)("an admin client of %s", (name, library) => {
  const { Kafka, ConfigResourceTypes, AssignerProtocol } = library;
  const isOurs = name === "@odradek/kafkajs";
  const kafka = new Kafka({
    brokers: [...bootstrapServers],
    logLevel: 0,
    retry: { retries: 3, initialRetryTime: 100 },
  });

  const newAdmin = async (): Promise<AdminOfJS> => {
    const admin = kafka.admin();
    connected.push(admin);
    await admin.connect();
    return admin;
  };

  /** A member of a group of its own that reads a topic. */
  const newMember = async (topic: string): Promise<{ readonly groupId: string; readonly consumer: ConsumerOfJS }> => {
    const groupId = newName();
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200 });
    connected.push(consumer);
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({ eachMessage: async () => {} });
    return { groupId, consumer };
  };

  test("has these methods and events, of its own and without this", async () => {
    const admin = await newAdmin();
    expect(Object.keys(admin).sort()).toEqual([
      "alterConfigs",
      "alterPartitionReassignments",
      "connect",
      "createAcls",
      "createPartitions",
      "createTopics",
      "deleteAcls",
      "deleteGroups",
      "deleteTopicRecords",
      "deleteTopics",
      "describeAcls",
      "describeCluster",
      "describeConfigs",
      "describeGroups",
      "disconnect",
      "events",
      "fetchOffsets",
      "fetchTopicMetadata",
      "fetchTopicOffsets",
      "fetchTopicOffsetsByTimestamp",
      "listGroups",
      "listPartitionReassignments",
      "listTopics",
      "logger",
      "on",
      "resetOffsets",
      "setOffsets",
    ]);
    expect(admin.events).toEqual({
      CONNECT: "admin.connect",
      DISCONNECT: "admin.disconnect",
      REQUEST: "admin.network.request",
      REQUEST_TIMEOUT: "admin.network.request_timeout",
      REQUEST_QUEUE_SIZE: "admin.network.request_queue_size",
    });
    const { listTopics } = admin;
    expect(await listTopics()).toEqual(expect.any(Array));
  });

  test("says when it is connected and disconnected", async () => {
    const admin = kafka.admin();
    const events: EventOfJS[] = [];
    const remove = admin.on(admin.events["CONNECT"] ?? "", (event) => events.push(event));
    admin.on("admin.disconnect", (event) => events.push(event));
    await admin.connect();
    remove();
    await admin.connect();
    await admin.disconnect();
    await admin.disconnect();
    expect(events.map(({ type }) => type)).toEqual(["admin.connect", "admin.disconnect", "admin.disconnect"]);
    expect(events[0]).toMatchObject({ id: expect.any(Number), timestamp: expect.any(Number), payload: undefined });
    expect(() => admin.on("admin.nothing", () => {})).toThrow(
      "Event name should be one of admin.events.CONNECT, admin.events.DISCONNECT, admin.events.REQUEST, admin.events.REQUEST_TIMEOUT, admin.events.REQUEST_QUEUE_SIZE",
    );
  });

  test("gives up where nobody listens", async () => {
    const retry = { retries: 1, initialRetryTime: 50 };
    const admin = new Kafka({ brokers: ["127.0.0.1:1"], logLevel: 0 }).admin({ retry });
    await expect(admin.connect()).rejects.toMatchObject({
      name: "KafkaJSNumberOfRetriesExceeded",
      retriable: false,
      cause: { name: "KafkaJSConnectionError", code: "ECONNREFUSED", broker: "127.0.0.1:1" },
    });
  });

  test("describes the cluster", async () => {
    const admin = await newAdmin();
    const addresses = bootstrapServers.map((server) => {
      const [host, port] = server.split(":");
      return { nodeId: expect.any(Number), host, port: Number(port) };
    });
    expect(await admin.describeCluster()).toEqual({
      brokers: expect.arrayContaining(addresses),
      controller: expect.any(Number),
      clusterId: expect.any(String),
    });
  });

  describe("topics", () => {
    test("are created once, listed, and deleted", async () => {
      const admin = await newAdmin();
      const topic = newName();
      expect(await admin.createTopics({ topics: [{ topic }] })).toBe(true);
      expect(await admin.createTopics({ topics: [{ topic }] })).toBe(false);
      expect(await admin.createTopics({ topics: [{ topic: newName() }], waitForLeaders: false })).toBe(true);
      await isKnown(topic);
      const isListed = async () => (await admin.listTopics()).includes(topic);
      expect(await isListed()).toBe(true);
      expect(await admin.deleteTopics({ topics: [topic] })).toBeUndefined();
      await becomes("that the topic is listed", isListed, false);
      await expect(admin.deleteTopics({ topics: [topic] })).rejects.toMatchObject({
        name: "KafkaJSNumberOfRetriesExceeded",
        retriable: false,
        cause: protocolError("UNKNOWN_TOPIC_OR_PARTITION", 3),
      });
    });

    test("are as they were asked for", async () => {
      const admin = await newAdmin();
      const [counted, placed] = [newName(), newName()];
      const topics = [
        {
          topic: counted,
          numPartitions: 2,
          replicationFactor: 3,
          configEntries: [{ name: "cleanup.policy", value: "compact" }],
        },
        {
          topic: placed,
          replicaAssignment: [
            { partition: 1, replicas: [3, 1] },
            { partition: 0, replicas: [2, 1] },
          ],
        },
      ];
      expect(await admin.createTopics({ topics })).toBe(true);
      await isKnown(counted);
      await isKnown(placed);
      const partitionsOf = async (topic: string) => (await admin.fetchTopicMetadata({ topics: [topic] })).topics;
      const shape = { partitionErrorCode: 0, leader: expect.any(Number), offlineReplicas: [] };
      expect(await partitionsOf(counted)).toMatchObject([
        {
          name: counted,
          partitions: expect.arrayContaining(
            [0, 1].map((partitionId) => expect.objectContaining({ ...shape, partitionId })),
          ),
        },
      ]);
      expect(await partitionsOf(placed)).toMatchObject([
        {
          name: placed,
          partitions: expect.arrayContaining([
            { ...shape, partitionId: 0, replicas: [2, 1], isr: expect.any(Array) },
            { ...shape, partitionId: 1, replicas: [3, 1], isr: expect.any(Array) },
          ]),
        },
      ]);
      expect((await admin.fetchTopicMetadata()).topics.map((one) => one.name)).toContain(counted);
    });

    test("have numbers from an environment, where they are text", async () => {
      const admin = await newAdmin();
      const topic = newName();
      const config = { topic, numPartitions: "2", replicationFactor: "1" };
      expect(await admin.createTopics({ topics: [config], timeout: "5000", validateOnly: 0 })).toBe(true);
      await isKnown(topic);
      await admin.createPartitions({ topicPartitions: [{ topic, count: "3" }], timeout: "5000" });
      await becomes("the topic has three partitions", async () => (await admin.fetchTopicOffsets(topic)).length, 3);
      await admin.deleteTopics({ topics: [topic], timeout: "5000" });
    });

    test("have each its error", async () => {
      const admin = await newAdmin();
      const [topic, fresh] = [await newTopic(), newName()];
      const topics = [{ topic }, { topic: "no such" }, { topic: fresh, replicationFactor: 99 }];
      await expect(admin.createTopics({ topics })).rejects.toMatchObject({
        name: "KafkaJSAggregateError",
        message: "Topic creation errors",
        errors: expect.arrayContaining([
          expect.objectContaining({ name: "KafkaJSCreateTopicError", type: "TOPIC_ALREADY_EXISTS", code: 36, topic }),
          expect.objectContaining({ type: "INVALID_TOPIC_EXCEPTION", code: 17, topic: "no such" }),
          expect.objectContaining({ type: "INVALID_REPLICATION_FACTOR", code: 38, topic: fresh }),
        ]),
      });
      const placed = (partition: number, more: object = {}) => ({
        topic: newName(),
        replicaAssignment: [{ partition, replicas: [1] }],
        ...more,
      });
      const wrong = [
        { topic: newName(), numPartitions: 0 },
        { topic: newName(), replicationFactor: 0 },
        placed(1),
        placed(0, { numPartitions: 1 }),
        { topic: "" },
      ];
      const types = [
        "INVALID_PARTITIONS",
        "INVALID_REPLICATION_FACTOR",
        "INVALID_REPLICA_ASSIGNMENT",
        "INVALID_REQUEST",
        "INVALID_TOPIC_EXCEPTION",
      ];
      const beside = newName();
      await expect(admin.createTopics({ topics: [...wrong, { topic: beside }] })).rejects.toMatchObject({
        errors: expect.arrayContaining(
          types.map((type, index) => expect.objectContaining({ type, topic: wrong[index]?.topic })),
        ),
      });
      // Those that nothing is wrong with are created all the same.
      await isKnown(beside);
      await expect(admin.fetchTopicMetadata({ topics: [topic, newName()] })).rejects.toMatchObject(
        protocolError("UNKNOWN_TOPIC_OR_PARTITION", 3),
      );
    });

    test("get more partitions, and not fewer", async () => {
      const admin = await newAdmin();
      const topic = newName();
      await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] });
      await isKnown(topic);
      await admin.createPartitions({ topicPartitions: [{ topic, count: 3, assignments: [[1], [2]] }] });
      const countOf = async () => (await admin.fetchTopicOffsets(topic)).length;
      await becomes("how many partitions there are", countOf, 3);
      const fewer = admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] });
      await expect(fewer).rejects.toMatchObject({ ...protocolError("INVALID_PARTITIONS", 37), retriable: false });
      const none = admin.createPartitions({ topicPartitions: [{ topic, count: 0 }] });
      await expect(none).rejects.toMatchObject(protocolError("INVALID_PARTITIONS", 37));
      const nowhere = admin.createPartitions({ topicPartitions: [{ topic: newName(), count: 2 }] });
      await expect(nowhere).rejects.toMatchObject(protocolError("UNKNOWN_TOPIC_OR_PARTITION", 3));
      const misplaced = admin.createPartitions({ topicPartitions: [{ topic, count: 4, assignments: [[99]] }] });
      await expect(misplaced).rejects.toMatchObject(protocolError("INVALID_REPLICA_ASSIGNMENT", 39));
    });

    // In kafkajs it rejects, since a topic that is not created has no leaders.
    test.runIf(isOurs)("may only be checked", async () => {
      const admin = await newAdmin();
      const topic = newName();
      expect(await admin.createTopics({ topics: [{ topic }], validateOnly: true })).toBe(true);
      const topics = [{ topic, replicationFactor: 99 }];
      await expect(admin.createTopics({ topics, validateOnly: true })).rejects.toMatchObject({
        errors: [{ type: "INVALID_REPLICATION_FACTOR", topic }],
      });
      expect(await admin.listTopics()).not.toContain(topic);
    });

    test("tell offsets of their ends and of a time", async () => {
      const admin = await newAdmin();
      const topic = await newTopic(2);
      await written(topic, ["a", "b"]);
      expect(byPartition(await admin.fetchTopicOffsets(topic))).toEqual([
        { partition: 0, offset: "2", high: "2", low: "0" },
        { partition: 1, offset: "0", high: "0", low: "0" },
      ]);
      const at = async (timestamp?: number) => byPartition(await admin.fetchTopicOffsetsByTimestamp(topic, timestamp));
      const ends = [
        { partition: 0, offset: "2" },
        { partition: 1, offset: "0" },
      ];
      expect(await at(recordTimeMs)).toEqual([{ partition: 0, offset: "0" }, ends[1]]);
      expect(await at(recordTimeMs + 1)).toEqual(ends);
      expect(await at()).toEqual(ends);
      await expect(admin.fetchTopicOffsets(newName())).rejects.toMatchObject({
        name: "KafkaJSNumberOfRetriesExceeded",
        cause: protocolError("UNKNOWN_TOPIC_OR_PARTITION", 3),
      });
    });

    test("lose their oldest records", async () => {
      const admin = await newAdmin();
      const topic = await newTopic(2);
      await written(topic, ["a", "b", "c"]);
      await written(topic, ["d", "e"], 1);
      // Without it, kafkajs does not know the topic.
      await admin.fetchTopicOffsets(topic);
      const partitions = [
        { partition: 0, offset: "2" },
        { partition: 1, offset: "-1" },
      ];
      expect(await admin.deleteTopicRecords({ topic, partitions })).toBeUndefined();
      expect(byPartition(await admin.fetchTopicOffsets(topic))).toEqual([
        { partition: 0, offset: "3", high: "3", low: "2" },
        { partition: 1, offset: "2", high: "2", low: "2" },
      ]);
      const beyond = admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "99" }] });
      const outOfRange = { partition: 0, offset: "99", error: protocolError("OFFSET_OUT_OF_RANGE", 1) };
      await expect(beyond).rejects.toMatchObject({
        name: "KafkaJSNonRetriableError",
        cause: { name: "KafkaJSDeleteTopicRecordsError", retriable: false, partitions: [outOfRange] },
      });
      const nowhere = admin.deleteTopicRecords({ topic, partitions: [{ partition: 7, offset: "1" }] });
      await expect(nowhere).rejects.toMatchObject({
        name: "KafkaJSDeleteTopicRecordsError",
        partitions: [{ partition: 7, offset: "1", error: { name: "KafkaJSBrokerNotFound", retriable: false } }],
      });
    });

    test.runIf(isOurs)("lose them to a client that has never heard of them too", async () => {
      const admin = await newAdmin();
      const topic = await newTopic();
      await written(topic, ["a"]);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "1" }] });
      expect(await admin.fetchTopicOffsets(topic)).toMatchObject([{ low: "1" }]);
    });

    test("move between brokers, and have each partition its error", async () => {
      const admin = await newAdmin();
      const topic = newName();
      const replicaAssignment = [
        { partition: 0, replicas: [1, 2] },
        { partition: 1, replicas: [1, 2] },
      ];
      await admin.createTopics({ topics: [{ topic, replicaAssignment }] });
      await isKnown(topic);
      const move = (partition: number, replicas: readonly number[]) =>
        admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment: [{ partition, replicas }] }] });
      expect(await move(0, [3, 1])).toBeUndefined();
      const moving = () => admin.listPartitionReassignments({ topics: [{ topic, partitions: [0, 1] }] });
      await becomes("moves under way", moving, { topics: [] });
      expect(await admin.listPartitionReassignments({})).toMatchObject({ topics: expect.any(Array) });
      await expect(
        admin.alterPartitionReassignments({
          topics: [
            {
              topic,
              partitionAssignment: [
                { partition: 7, replicas: [1] },
                { partition: 1, replicas: [99, 1] },
              ],
            },
          ],
        }),
      ).rejects.toMatchObject({
        name: "KafkaJSAggregateError",
        message: "Errors altering partition reassignments",
        errors: expect.arrayContaining(
          (
            [
              [7, "UNKNOWN_TOPIC_OR_PARTITION"],
              [1, "INVALID_REPLICA_ASSIGNMENT"],
            ] as const
          ).map(([partition, type]) =>
            expect.objectContaining({ name: "KafkaJSAlterPartitionReassignmentsError", topic, partition, type }),
          ),
        ),
      });
    });
  });

  describe("configs", () => {
    test("are told, with their sources", async () => {
      const admin = await newAdmin();
      const topic = await newTopic(1, { "cleanup.policy": "compact" });
      const configNames = ["cleanup.policy", "retention.ms"];
      const resource = { type: ConfigResourceTypes.TOPIC, name: topic };
      const policy = { configName: "cleanup.policy", configValue: "compact", configSource: 1 };
      const told = { errorCode: 0, resourceType: 2, resourceName: topic };
      const plain = { readOnly: false, isSensitive: false };
      expect(await admin.describeConfigs({ resources: [{ ...resource, configNames }] })).toMatchObject({
        resources: [
          {
            ...told,
            configEntries: [
              { ...policy, ...plain, isDefault: false, configSynonyms: [] },
              {
                ...plain,
                configName: "retention.ms",
                configValue: "604800000",
                configSource: 5,
                isDefault: true,
                configSynonyms: [],
              },
            ],
          },
        ],
      });
      const withSynonyms = { resources: [{ ...resource, configNames: ["cleanup.policy"] }], includeSynonyms: true };
      expect(await admin.describeConfigs(withSynonyms)).toMatchObject({
        resources: [
          {
            configEntries: [
              {
                configSynonyms: [policy, { configName: "log.cleanup.policy", configValue: "delete", configSource: 5 }],
              },
            ],
          },
        ],
      });
    });

    test("of brokers are those of each of them", async () => {
      const admin = await newAdmin();
      const resources = ["1", "2"].map((id) => ({
        type: ConfigResourceTypes.BROKER,
        name: id,
        configNames: ["node.id", "ssl.key.password"],
      }));
      const secret = { configName: "ssl.key.password", configValue: null, isSensitive: true };
      expect(await admin.describeConfigs({ resources })).toMatchObject({
        resources: ["1", "2"].map((id) => ({
          resourceType: 4,
          resourceName: id,
          configEntries: expect.arrayContaining([
            expect.objectContaining({ configName: "node.id", configValue: id, readOnly: true, configSource: 4 }),
            expect.objectContaining(secret),
          ]),
        })),
      });
      const nobody = admin.describeConfigs({ resources: [{ type: ConfigResourceTypes.BROKER, name: "99" }] });
      await expect(nobody).rejects.toMatchObject({ name: "KafkaJSBrokerNotFound", retriable: true });
    });

    test("are replaced as a whole", async () => {
      const admin = await newAdmin();
      const topic = await newTopic(1, { "cleanup.policy": "compact" });
      const resource = { type: ConfigResourceTypes.TOPIC, name: topic };
      const alter = (value: string, more: object = {}) => {
        const resources = [{ ...resource, configEntries: [{ name: "retention.ms", value }] }];
        return admin.alterConfigs({ resources, ...more });
      };
      const valuesBecome = async (...values: readonly string[]) => {
        const configNames = ["cleanup.policy", "retention.ms"];
        const read = async () => {
          const described: { readonly resources?: readonly { readonly configEntries: readonly object[] }[] } = Object(
            await admin.describeConfigs({ resources: [{ ...resource, configNames }] }),
          );
          return described.resources?.[0]?.configEntries.map((entry) => String(Reflect.get(entry, "configValue")));
        };
        await becomes("configs of the topic", read, [...values]);
      };
      const altered = { resources: [{ errorCode: 0, errorMessage: null, resourceType: 2, resourceName: topic }] };
      expect(await alter("60000", { validateOnly: true })).toEqual(altered);
      await expect(alter("soon")).rejects.toMatchObject(protocolError("INVALID_CONFIG", 40));
      await valuesBecome("compact", "604800000");
      expect(await alter("60000")).toEqual(altered);
      await valuesBecome("delete", "60000");
      const nowhere = { resources: [{ ...resource, name: newName(), configEntries: [] }] };
      await expect(admin.alterConfigs(nowhere)).rejects.toMatchObject(protocolError("UNKNOWN_TOPIC_OR_PARTITION", 3));
    });
  });

  describe("groups", () => {
    test("have members that say what they read, and what they were given", async () => {
      const admin = await newAdmin();
      const topic = await newTopic(2);
      const { groupId, consumer } = await newMember(topic);
      const { groups } = await admin.describeGroups([groupId]);
      expect(groups).toMatchObject([
        {
          errorCode: 0,
          groupId,
          state: "Stable",
          protocolType: "consumer",
          protocol: "RoundRobinAssigner",
          members: [
            {
              memberId: expect.any(String),
              clientId: "kafkajs",
              clientHost: expect.any(String),
              memberMetadata: expect.any(Buffer),
              memberAssignment: expect.any(Buffer),
            },
          ],
        },
      ]);
      const [member] = groups[0]?.members ?? [];
      const none = Buffer.alloc(0);
      expect(AssignerProtocol.MemberMetadata.decode(member?.memberMetadata ?? none)).toMatchObject({ topics: [topic] });
      expect(AssignerProtocol.MemberAssignment.decode(member?.memberAssignment ?? none)).toMatchObject({
        assignment: { [topic]: [0, 1] },
      });
      expect(await consumer.describeGroup()).toEqual(groups[0]);
    });

    test("that there are not are dead, also to their own consumers", async () => {
      const admin = await newAdmin();
      const groupId = newName();
      const dead = { errorCode: 0, groupId, state: "Dead", protocolType: "", protocol: "", members: [] };
      expect(await admin.describeGroups([groupId])).toEqual({ groups: [dead] });
      expect(await admin.describeGroups([])).toEqual({ groups: [] });
      const consumer = kafka.consumer({ groupId });
      connected.push(consumer);
      await consumer.connect();
      expect(await consumer.describeGroup()).toEqual(dead);
    });

    test("are listed, and deleted once nobody is in them", async () => {
      const admin = await newAdmin();
      const topic = await newTopic();
      const { groupId, consumer } = await newMember(topic);
      const listed = async () => (await admin.listGroups()).groups.filter((group) => group.groupId === groupId);
      expect(await listed()).toEqual([{ groupId, protocolType: "consumer" }]);
      const inUse = { groupId, errorCode: 68, error: protocolError("NON_EMPTY_GROUP", 68) };
      await expect(admin.deleteGroups([groupId])).rejects.toMatchObject({
        name: "KafkaJSDeleteGroupsError",
        message: "Error in DeleteGroups",
        groups: [inUse],
      });
      await consumer.disconnect();
      expect(await admin.deleteGroups([groupId])).toEqual([{ groupId, errorCode: 0 }]);
      expect(await listed()).toEqual([]);
      await expect(admin.deleteGroups([groupId])).rejects.toMatchObject({
        groups: [{ groupId, errorCode: 69, error: protocolError("GROUP_ID_NOT_FOUND", 69) }],
      });
      expect(await admin.deleteGroups([])).toEqual([]);
    });

    test("go on where they are set to", async () => {
      const admin = await newAdmin();
      const [topic, groupId] = [await newTopic(2), newName()];
      await written(topic, ["a", "b", "c"]);
      const offsets = async (options: object = { topics: [topic] }) => admin.fetchOffsets({ groupId, ...options });
      const told = (...partitions: readonly string[]) => [
        { topic, partitions: partitions.map((offset, partition) => ({ partition, offset, metadata: null })) },
      ];
      expect(await offsets()).toEqual(told("-1", "-1"));
      expect(await offsets({})).toEqual([]);
      const set = { groupId, topic, partitions: [{ partition: 0, offset: "1" }] };
      expect(await admin.setOffsets(set)).toBeUndefined();
      expect(await offsets()).toEqual(told("1", "-1"));
      expect(await offsets({})).toEqual(told("1"));
      expect(await committedOf(groupId, topic)).toBe(1n);
      await expect(offsets({ topics: [newName()] })).rejects.toMatchObject(
        protocolError("UNKNOWN_TOPIC_OR_PARTITION", 3),
      );
    });

    test("go on at the ends or the beginnings, once that is resolved", async () => {
      const admin = await newAdmin();
      const [topic, groupId] = [await newTopic(), newName()];
      await written(topic, ["a", "b"]);
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "1" }] });
      const resolved = () => admin.fetchOffsets({ groupId, topics: [topic], resolveOffsets: true });
      const told = (offset: string) => [{ topic, partitions: [{ partition: 0, offset, metadata: null }] }];
      expect(await resolved()).toEqual(told("2"));
      expect(await committedOf(groupId, topic)).toBe(2n);
      await admin.resetOffsets({ groupId, topic, earliest: true });
      expect(await resolved()).toEqual(told("1"));
      await admin.resetOffsets({ groupId, topic });
      expect(await resolved()).toEqual(told("2"));
    });

    // kafkajs commits -2 and -1, in which every consumer sees no offset: it begins where it would without a reset.
    test.runIf(isOurs)("begin where they were reset to, whatever they begin with otherwise", async () => {
      const admin = await newAdmin();
      const [topic, groupId] = [await newTopic(), newName()];
      await written(topic, ["a", "b"]);
      await admin.resetOffsets({ groupId, topic, earliest: true });
      expect(await admin.fetchOffsets({ groupId, topics: [topic] })).toMatchObject([{ partitions: [{ offset: "0" }] }]);
      const { items, complete, add } = collection<string>(2);
      const consumer = kafka.consumer({ groupId });
      connected.push(consumer);
      await consumer.subscribe({ topics: [topic], fromBeginning: false });
      await consumer.run({ eachMessage: async ({ message }: EachMessage) => add(textOf(message)) });
      await complete;
      expect(items).toEqual(["a", "b"]);
    });

    test("are not set while somebody is in them", async () => {
      const admin = await newAdmin();
      const topic = await newTopic();
      const { groupId } = await newMember(topic);
      const set = admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: "0" }] });
      const message = "The consumer group must have no running instances, current state: Stable";
      await expect(set).rejects.toMatchObject(nonRetriable(message));
      await expect(admin.resetOffsets({ groupId, topic })).rejects.toMatchObject(nonRetriable(message));
    });

    // kafkajs commits nothing, and resolves.
    test.runIf(isOurs)("have no offsets of partitions that there are not", async () => {
      const admin = await newAdmin();
      const partitions = [{ partition: 7, offset: "0" }];
      const set = admin.setOffsets({ groupId: newName(), topic: await newTopic(), partitions });
      await expect(set).rejects.toMatchObject(protocolError("UNKNOWN_TOPIC_OR_PARTITION", 3));
    });

    test.runIf(isOurs)("of Kafka's newer protocol are described as those of the older one", async () => {
      const admin = await newAdmin();
      const [topic, groupId] = [await newTopic(2), newName()];
      const consumer = new KafkaConsumer({ bootstrapServers, groupId, groupProtocol: "consumer" });
      opened.push(consumer);
      consumer.subscribe([topic]);
      while (consumer.assignment().length < 2) await consumer.poll(100);
      const { groups } = await admin.describeGroups([groupId]);
      expect(groups).toMatchObject([{ errorCode: 0, groupId, protocolType: "consumer", members: [{}] }]);
      expect(["Stable", "CompletingRebalance"]).toContain(groups[0]?.state);
      const [member] = groups[0]?.members ?? [];
      const none = Buffer.alloc(0);
      expect(AssignerProtocol.MemberMetadata.decode(member?.memberMetadata ?? none)).toMatchObject({ topics: [topic] });
      const set = admin.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: "0" }] });
      await expect(set).rejects.toThrow("The consumer group must have no running instances");
    });
  });

  // After kafkajs was disconnected, its first call writes to a connection that is closed.
  test.runIf(isOurs)("connects by itself, and again", async () => {
    const admin = kafka.admin();
    connected.push(admin);
    expect(await admin.listTopics()).toEqual(expect.any(Array));
    await admin.disconnect();
    expect(await admin.listTopics()).toEqual(expect.any(Array));
  });
});
