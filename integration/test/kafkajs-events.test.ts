import { createServer } from "node:net";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { collection, type EachMessage, happening, numbers, textOf, written } from "./kafkajs-handling.ts";
import {
  type AdminOfJS,
  type ConsumerOfJS,
  candidates,
  type EventOfJS,
  libraries,
  type ProducerOfJS,
} from "./kafkajs-libraries.ts";
import { newName } from "./opened.ts";
import { bootstrapServers, newTopic } from "./topics.ts";

const connected: (AdminOfJS | ConsumerOfJS | ProducerOfJS)[] = [];
afterEach(async () => {
  for (const client of connected.splice(0)) await client.disconnect();
});

const request = {
  broker: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
  clientId: "kafkajs",
  correlationId: expect.any(Number),
  createdAt: expect.any(Number),
  sentAt: expect.any(Number),
  pendingDuration: expect.any(Number),
  apiName: expect.any(String),
  apiKey: expect.any(Number),
  apiVersion: expect.any(Number),
};
const answered = { ...request, size: expect.any(Number), duration: expect.any(Number) };

/** All that a client tells of these events. */
function heard(client: AdminOfJS | ConsumerOfJS | ProducerOfJS, ...names: readonly string[]) {
  const all: EventOfJS[] = [];
  const { complete, add } = collection<string>(names.length);
  const seen = new Set<string>();
  for (const name of names) {
    client.on(client.events[name] ?? name, (event) => {
      all.push(event);
      if (!seen.has(name)) add(name);
      seen.add(name);
    });
  }
  const payloads = (name: string) =>
    all.filter(({ type }) => type === client.events[name]).map(({ payload }) => payload);
  return { all, payloads, complete };
}

describe.each(candidates)("events of %s", (name, { Kafka }) => {
  const isOurs = name === "@odradek/kafkajs";
  const newKafka = (config: object = {}) => new Kafka({ brokers: [...bootstrapServers], logLevel: 0, ...config });
  const newConsumer = (groupId: string, config: object = {}) => {
    const consumer = newKafka().consumer({ groupId, maxWaitTimeInMs: 200, heartbeatInterval: 100, ...config });
    connected.push(consumer);
    return consumer;
  };

  test("tell of heartbeats, fetches and requests of a consumer, and of nothing that is not so", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    const consumer = newConsumer(groupId);
    const { payloads, complete } = heard(consumer, "HEARTBEAT", "FETCH_START", "FETCH", "REQUEST");
    const others = heard(consumer, "REBALANCING", "REQUEST_TIMEOUT", "RECEIVED_UNSUBSCRIBED_TOPICS", "CRASH");
    const queue = heard(consumer, "REQUEST_QUEUE_SIZE");
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({ eachMessage: async () => {} });
    await complete;
    await consumer.disconnect();
    const nodeId = expect.stringMatching(/^\d+$/);
    expect(payloads("HEARTBEAT")[0]).toEqual({ groupId, memberId: expect.any(String), groupGenerationId: 1 });
    expect(payloads("FETCH_START")[0]).toEqual({ nodeId });
    expect(payloads("FETCH")[0]).toEqual({ nodeId, numberOfBatches: 0, duration: expect.any(Number) });
    for (const payload of payloads("REQUEST")) expect(payload).toEqual(answered);
    expect(payloads("REQUEST")).toEqual(
      expect.arrayContaining([
        { ...answered, apiName: "GroupCoordinator", apiKey: 10 },
        { ...answered, apiName: "JoinGroup", apiKey: 11 },
        { ...answered, apiName: "Fetch", apiKey: 1 },
      ]),
    );
    // kafkajs tells only of requests that had to wait, and by default none has.
    const { broker, clientId } = request;
    const sizes = queue.payloads("REQUEST_QUEUE_SIZE");
    expect(sizes.length > 0).toBe(isOurs);
    for (const size of sizes) expect(size).toEqual({ broker, clientId, queueSize: expect.any(Number) });
    expect(others.all).toEqual([]);
  });

  test("are few where there is nothing to read", async () => {
    const topic = await newTopic(6);
    const consumer = newConsumer(newName(), { maxWaitTimeInMs: 500, heartbeatInterval: 300 });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic] });
    await consumer.run({ eachMessage: async () => {} });
    await heard(consumer, "HEARTBEAT").complete;
    const { payloads } = heard(consumer, "REQUEST");
    const startMs = performance.now();
    // Five more take at least 1.5 s, in which each of the three brokers is asked three or four times; on a busy machine they take longer.
    const { complete, add } = collection<number>(5);
    let heartbeats = 0;
    consumer.on("consumer.heartbeat", () => add(heartbeats++));
    await complete;
    const seconds = (performance.now() - startMs) / 1_000;
    expect(payloads("REQUEST").length).toBeGreaterThanOrEqual(5);
    expect(payloads("REQUEST").length / seconds).toBeLessThan(40);
  });

  test("tell of the requests of a producer", async () => {
    const topic = await newTopic();
    const producer = newKafka().producer();
    connected.push(producer);
    const { payloads, complete } = heard(producer, "REQUEST");
    await producer.connect();
    await producer.send({ topic, messages: [{ value: "1" }] });
    await complete;
    expect(payloads("REQUEST")).toEqual(expect.arrayContaining([{ ...answered, apiName: "Produce", apiKey: 0 }]));
  });

  test("tell of the requests of an admin client", async () => {
    const admin = newKafka().admin();
    connected.push(admin);
    const { payloads, complete } = heard(admin, "REQUEST");
    await admin.connect();
    await admin.listTopics();
    await complete;
    expect(payloads("REQUEST")).toEqual(expect.arrayContaining([{ ...answered, apiName: "Metadata", apiKey: 3 }]));
  });

  test("tell of a request that has no answer in time", async () => {
    const silent = createServer((socket) => socket.on("error", () => {}));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void silent.close());
    const { port } = Object(silent.address());
    const kafka = newKafka({ brokers: [`127.0.0.1:${port}`], requestTimeout: 200, retry: { retries: 0 } });
    const consumer = kafka.consumer({ groupId: "g", retry: { retries: 0 } });
    const { payloads } = heard(consumer, "REQUEST_TIMEOUT");
    await expect(consumer.connect()).rejects.toMatchObject({ name: "KafkaJSNumberOfRetriesExceeded" });
    expect(payloads("REQUEST_TIMEOUT")[0]).toEqual({ ...request, apiName: "ApiVersions", apiKey: 18 });
  });

  test("tell of topics that a member is given and did not subscribe to, which it leaves out", async () => {
    const [topic, other, groupId] = [await newTopic(2), await newTopic(2), newName()];
    const original = libraries[0]?.[1];
    if (original === undefined) throw new Error("there is no kafkajs");
    const leader = new original.Kafka({ brokers: [...bootstrapServers], logLevel: 0 }).consumer({
      groupId,
      maxWaitTimeInMs: 200,
      heartbeatInterval: 100,
    });
    connected.push(leader);
    await leader.connect();
    await leader.subscribe({ topics: [topic, other], fromBeginning: true });
    await leader.run({ eachMessage: async () => {} });
    const consumer = newConsumer(groupId);
    const { payloads, complete } = heard(consumer, "RECEIVED_UNSUBSCRIBED_TOPICS", "GROUP_JOIN", "FETCH");
    const rebalances = heard(consumer, "REBALANCING");
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({ eachMessage: async () => {} });
    await complete;
    const [join] = payloads("GROUP_JOIN");
    expect(payloads("RECEIVED_UNSUBSCRIBED_TOPICS")).toEqual([
      {
        groupId,
        memberId: Object(join).memberId,
        generationId: expect.any(Number),
        assignedTopics: expect.arrayContaining([topic, other]),
        topicsSubscribed: [topic],
        topicsNotSubscribed: [other],
      },
    ]);
    expect(Object(join)).toMatchObject({ isLeader: false, memberAssignment: { [topic]: [expect.any(Number)] } });
    expect(Object(join).memberAssignment).not.toHaveProperty([other]);
    expect(Object(join).leaderId).not.toBe(Object(join).memberId);
    // It stays as it is: to join again would change nothing.
    const later = heard(consumer, "HEARTBEAT");
    await later.complete;
    expect(rebalances.all).toEqual([]);
  });

  test("come in the order of kafkajs", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    await written(topic, numbers(2));
    const consumer = newConsumer(groupId);
    const names = ["CONNECT", "GROUP_JOIN", "START_BATCH_PROCESS", "END_BATCH_PROCESS", "COMMIT_OFFSETS", "STOP"];
    const { all } = heard(consumer, ...names, "DISCONNECT");
    const committed = happening();
    consumer.on("consumer.commit_offsets", () => committed.happen());
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }: EachMessage) => void textOf(message) });
    await committed.happened;
    await consumer.disconnect();
    expect(all.map(({ type }) => type)).toEqual([
      "consumer.connect",
      "consumer.connect",
      "consumer.group_join",
      "consumer.start_batch_process",
      "consumer.end_batch_process",
      "consumer.commit_offsets",
      "consumer.stop",
      "consumer.disconnect",
    ]);
    const ids = all.map(({ id }) => id);
    expect(ids).toEqual([...ids].sort((one, next) => one - next));
  });
});
