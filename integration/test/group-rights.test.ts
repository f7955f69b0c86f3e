import { BrokerError, KafkaConsumer, KafkaProducer, string } from "odradek";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type KafkaCluster, startCluster } from "../cluster/cluster.ts";
import { until } from "../cluster/readiness.ts";
import { newName, opened } from "./opened.ts";
import { type Right, Rights } from "./rights.ts";

let cluster: KafkaCluster;
beforeAll(async () => {
  cluster = await startCluster({ secure: true, brokers: 1 });
});
afterAll(() => cluster?.stop());

const rightsTo = (kind: "topic" | "group", name: string) => new Rights(cluster.bootstrapServers, kind, name, "alice");

async function newTopic(): Promise<string> {
  const name = newName();
  await cluster.createTopic({ name });
  return name;
}

/** Writes values to a topic, as somebody who may. */
async function write(topic: string, ...values: readonly string[]): Promise<void> {
  await using producer = new KafkaProducer({ bootstrapServers: cluster.bootstrapServers, valueSerializer: string });
  await producer.sendBatch(values.map((value) => ({ topic, value })));
}

/** Too few to read. */
const fewRights: readonly (readonly [what: string, rights: readonly Right[]])[] = [
  ["do nothing with", []],
  ["only describe", ["describe"]],
];

describe.each(["classic", "consumer"] as const)("a member of a group of the %s protocol", (groupProtocol) => {
  /** Alice's, who has to log in, and may do everything that no rule is about. */
  const memberOf = (groupId: string) => {
    const consumer = new KafkaConsumer({
      bootstrapServers: cluster.bootstrapServersOf("SASL_PLAINTEXT"),
      sasl: { mechanism: "PLAIN", username: "alice", password: cluster.security?.passwords.alice ?? "" },
      groupId,
      groupProtocol,
      autoOffsetReset: "earliest",
      enableAutoCommit: false,
      allowAutoCreateTopics: false,
      valueDeserializer: string,
      ...(groupProtocol === "classic" ? { heartbeatIntervalMs: 200 } : {}),
    });
    opened.push(consumer);
    return consumer;
  };

  /** While its session lasts; by the consumer protocol it may join again at once. */
  const keepsPlace = groupProtocol === "classic";

  type Reader = ReturnType<typeof memberOf>;

  /** Polls once. @returns what a broker said against it; `null` where it found what there was */
  async function poll(consumer: Reader, seen: string[]): Promise<BrokerError | null> {
    try {
      for (const { value } of await consumer.poll(60_000)) seen.push(value ?? "");
      return null;
    } catch (error) {
      if (error instanceof BrokerError) return error;
      throw error;
    }
  }

  /** Polls as an application does that goes on whatever it is told, until it has so many. @returns what it was told */
  async function read(consumer: Reader, seen: string[], count: number): Promise<Set<string>> {
    const told = new Set<string>();
    while (seen.length < count) {
      const error = await poll(consumer, seen);
      if (error !== null) told.add(error.code);
    }
    return told;
  }

  /** Polls until that is refused. */
  async function refusal(consumer: Reader, seen: string[]): Promise<BrokerError> {
    for (;;) {
      const error = await poll(consumer, seen);
      if (error !== null) return error;
    }
  }

  const ofGroup = (groupId: string) => ({
    name: "BrokerError",
    code: "GROUP_AUTHORIZATION_FAILED",
    retriable: false,
    message: expect.stringContaining(groupId),
  });

  test.each(fewRights)(
    "that may %s its group hears so of each poll, and reads once it may read",
    async (_what, rights) => {
      const [topic, groupId] = [await newTopic(), newName()];
      await write(topic, "one", "two", "three");
      const group = rightsTo("group", groupId);
      await group.are(...rights);
      const consumer = memberOf(groupId);
      consumer.subscribe([topic]);
      for (let round = 0; round < 3; round++) {
        await expect(consumer.poll(60_000)).rejects.toMatchObject(ofGroup(groupId));
      }
      const committed = consumer.committed([{ topic, partition: 0 }]);
      if (rights.length === 0) await expect(committed).rejects.toMatchObject(ofGroup(groupId));
      else expect(await committed).toMatchObject([{ offset: null }]);
      await group.are("read");
      const seen: string[] = [];
      const told = await read(consumer, seen, 3);
      expect(seen).toEqual(["one", "two", "three"]);
      // What was under way when it was granted may still be refused.
      expect([...told].filter((code) => code !== "GROUP_AUTHORIZATION_FAILED")).toEqual([]);
      await consumer.commitSync();
      expect(await consumer.committed([{ topic, partition: 0 }])).toMatchObject([{ offset: 3n }]);
    },
  );

  test("that may not read as its group any more is told so, and goes on once it may", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    const group = rightsTo("group", groupId);
    await group.are("read");
    await write(topic, "one", "two");
    const consumer = memberOf(groupId);
    const calls: string[] = [];
    consumer.subscribe([topic], {
      onPartitionsAssigned: () => void calls.push("assigned"),
      onPartitionsRevoked: () => void calls.push("revoked"),
      onPartitionsLost: () => void calls.push("lost"),
    });
    const seen: string[] = [];
    await read(consumer, seen, 2);
    await consumer.commitSync([{ topic, partition: 0, offset: 1 }]);
    await group.are();
    expect(await refusal(consumer, seen)).toMatchObject(ofGroup(groupId));
    await expect(consumer.commitSync([{ topic, partition: 0, offset: 2 }])).rejects.toMatchObject({
      code: keepsPlace ? "GROUP_AUTHORIZATION_FAILED" : "COMMIT_FAILED",
    });
    await group.are("read");
    await write(topic, "three");
    await until("all is read", async () => {
      await poll(consumer, seen);
      return seen.at(-1) === "three" || `${seen} is`;
    });
    expect(seen).toEqual(keepsPlace ? ["one", "two", "three"] : ["one", "two", "two", "three"]);
    expect(calls).toEqual(keepsPlace ? ["assigned"] : ["assigned", "lost", "assigned"]);
  });

  const ofTopic = (topic: string) => ({
    name: "BrokerError",
    code: "TOPIC_AUTHORIZATION_FAILED",
    retriable: false,
    message: expect.stringContaining(topic),
  });

  test.each(fewRights)(
    "that may %s one of its topics hears of that one alone, and reads all once it may read",
    async (_what, rights) => {
      const [free, closed, groupId] = [await newTopic(), await newTopic(), newName()];
      await write(free, "free");
      await write(closed, "closed");
      const topic = rightsTo("topic", closed);
      await topic.are(...rights);
      const consumer = memberOf(groupId);
      consumer.subscribe([free, closed]);
      const seen: string[] = [];
      for (let round = 0; round < 3; round++) {
        const error = await refusal(consumer, seen);
        expect(error).toMatchObject(ofTopic(closed));
        expect(String(error)).not.toContain(free);
      }
      // One partition that may not be fetched keeps none of the others.
      if (rights.length > 0) await read(consumer, seen, 1);
      await topic.are("read");
      const told = await read(consumer, seen, 2);
      expect(seen.sort()).toEqual(["closed", "free"]);
      expect([...told].filter((code) => code !== "TOPIC_AUTHORIZATION_FAILED")).toEqual([]);
    },
  );

  test("that may not read its topic any more is told so, and goes on with the next record once it may", async () => {
    const [name, groupId] = [await newTopic(), newName()];
    const topic = rightsTo("topic", name);
    await topic.are("read");
    await write(name, "one", "two");
    const consumer = memberOf(groupId);
    consumer.subscribe([name]);
    const seen: string[] = [];
    await read(consumer, seen, 2);
    await topic.are("describe");
    expect(await refusal(consumer, seen)).toMatchObject(ofTopic(name));
    await expect(consumer.commitSync()).rejects.toMatchObject(ofTopic(name));
    await write(name, "three");
    await topic.are("read");
    await read(consumer, seen, 3);
    expect(seen).toEqual(["one", "two", "three"]);
    await consumer.commitSync();
    expect(await consumer.committed([{ topic: name, partition: 0 }])).toMatchObject([{ offset: 3n }]);
  });
});
