import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { createRequire } from "node:module";
import type { ProducerConfig } from "@odradek/kafkajs";
import { type ConsumerRecord, KafkaAdmin, KafkaConsumer, type ProducerRecord as SentRecord } from "odradek";
import { afterEach, describe, expect, test } from "vitest";
import { candidates, type EventOfJS, type ProducerOfJS, type SentOfJS } from "./kafkajs-libraries.ts";
import { newName } from "./opened.ts";
import { recordTimeMs } from "./record-time.ts";
import { bootstrapServers, newTopic } from "./topics.ts";

process.env["KAFKAJS_NO_PARTITIONER_WARNING"] = "1";

const connected: ProducerOfJS[] = [];
afterEach(async () => {
  for (const producer of connected.splice(0)) await producer.disconnect();
});

/** All that a reader sees of a topic now. */
async function contents(topic: string, partitionCount = 1): Promise<ConsumerRecord[]> {
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    autoOffsetReset: "earliest",
    isolationLevel: "read_committed",
  });
  const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }));
  consumer.assign(partitions);
  // The end of the log, and not of what is committed: a commit is acknowledged before its markers are in the partitions.
  await using latest = new KafkaConsumer({ bootstrapServers });
  const ends = await latest.endOffsets(partitions);
  const records: ConsumerRecord[] = [];
  for (const { partition, offset } of ends) {
    // Control records have offsets, and are not handed out.
    while ((await consumer.position({ topic, partition })) < offset) records.push(...(await consumer.poll(1_000)));
  }
  return records;
}

type ProducerOptionsOfOurs = NonNullable<ProducerConfig["odradek"]>;

/** How many Produce requests there are meanwhile. */
async function requestsOf(work: () => Promise<unknown>): Promise<number> {
  let count = 0;
  const listener = (message: unknown) => {
    if (Reflect.get(Object(message), "api") === "Produce") count += 1;
  };
  subscribe("odradek:request", listener);
  await work();
  unsubscribe("odradek:request", listener);
  return count;
}

const textOf = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString());
const valuesOf = async (topic: string, partitionCount = 1): Promise<(string | null)[]> =>
  (await contents(topic, partitionCount)).map(({ value }) => textOf(value));

describe.each(candidates)("a producer of %s", (name, { Kafka, CompressionTypes }) => {
  const isOurs = name === "@odradek/kafkajs";
  const newProducer = async (config: object = {}, client: object = {}): Promise<ProducerOfJS> => {
    const kafka = new Kafka({ brokers: [...bootstrapServers], logLevel: 0, ...client });
    const producer = kafka.producer(config);
    await producer.connect();
    connected.push(producer);
    return producer;
  };

  test("says for each partition where its messages are", async () => {
    const topic = await newTopic(2);
    const producer = await newProducer();
    const messages = [0, 1, 0].map((partition, index) => ({ partition, value: `v${index}` }));
    const sent = await producer.send({ topic, messages });
    const byPartition = [...sent].sort((a, b) => a.partition - b.partition);
    expect(byPartition).toMatchObject([
      { topicName: topic, partition: 0, errorCode: 0, baseOffset: "0", logAppendTime: "-1" },
      { topicName: topic, partition: 1, errorCode: 0, baseOffset: "0", logAppendTime: "-1" },
    ]);
    const [again] = await producer.send({ topic, messages: [{ partition: 0, value: "v3" }] });
    expect(again).toMatchObject({ partition: 0, baseOffset: "2" });
    expect((await valuesOf(topic, 2)).sort()).toEqual(["v0", "v1", "v2", "v3"]);
  });

  test("keeps what a message is: key, value, headers, timestamp, tombstones", async () => {
    const topic = await newTopic();
    const producer = await newProducer();
    const headers = { text: "a", bytes: Buffer.from([1]), many: ["b", Buffer.from("c")] };
    await producer.send({
      topic,
      messages: [{ key: "k", value: Buffer.from("v"), headers, timestamp: String(recordTimeMs) }],
    });
    await producer.send({ topic, messages: [{ key: Buffer.from("k"), value: null }] });
    const [first, second] = await contents(topic);
    expect(textOf(first?.key ?? null)).toBe("k");
    expect(textOf(first?.value ?? null)).toBe("v");
    expect(first?.timestamp).toBe(recordTimeMs);
    expect(first?.headers.map(({ key, value }) => [key, textOf(value)])).toEqual([
      ["text", "a"],
      ["bytes", "\u0001"],
      ["many", "b"],
      ["many", "c"],
    ]);
    expect(second?.value).toBe(null);
    expect(Math.abs((second?.timestamp ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  test("takes what a message of a topic without timestamps has", async () => {
    const topic = await newTopic();
    const producer = await newProducer();
    const messages = [{ value: "v", timestamp: "-1" }];
    expect(await producer.send({ topic, messages })).toMatchObject([{ partition: 0, baseOffset: "0" }]);
  });

  test("takes its numbers from an environment, and such as have no end", async () => {
    const topic = await newTopic();
    const retry = { retries: "3", initialRetryTime: "50", maxRetryTime: Number.POSITIVE_INFINITY };
    const kafka = new Kafka({ brokers: [...bootstrapServers], logLevel: 0, connectionTimeout: "2000", retry });
    const forEver = Number.POSITIVE_INFINITY;
    for (const config of [{ metadataMaxAge: "5000", maxInFlightRequests: "2" }, { metadataMaxAge: forEver }]) {
      const producer = kafka.producer({ ...config, transactionTimeout: "30000" });
      await producer.connect();
      expect(await producer.send({ topic, messages: [{ value: "v" }] })).toHaveLength(1);
      await producer.disconnect();
    }
  });

  test("says of each partition all that kafkajs says", async () => {
    const topic = await newTopic();
    const producer = await newProducer();
    const sent = await producer.send({ topic, messages: [{ value: "v" }] });
    const all = {
      topicName: topic,
      partition: 0,
      errorCode: 0,
      baseOffset: "0",
      logAppendTime: "-1",
      logStartOffset: "0",
    };
    expect(sent).toEqual([all]);
  });

  test("tells the broker's time where the topic has it", async () => {
    const topic = await newTopic(1, { "message.timestamp.type": "LogAppendTime" });
    const producer = await newProducer();
    const [sent] = await producer.send({ topic, messages: [{ value: "v", timestamp: "1700000000000" }] });
    expect(Math.abs(Number(Reflect.get(Object(sent), "logAppendTime")) - Date.now())).toBeLessThan(60_000);
  });

  test("sends to several topics at once, and to one that is named twice in the order of the call", async () => {
    const [one, other] = [await newTopic(), await newTopic()];
    const producer = await newProducer();
    const topicMessages = [
      { topic: one, messages: [{ value: "a" }] },
      { topic: other, messages: [{ value: "b" }] },
      { topic: one, messages: [{ value: "c" }] },
    ];
    const sent = await producer.sendBatch({ topicMessages, compression: CompressionTypes.GZIP });
    expect(sent.map(({ topicName }) => topicName).sort()).toEqual([one, other].sort());
    expect(await valuesOf(one)).toEqual(["a", "c"]);
    expect(await valuesOf(other)).toEqual(["b"]);
  });

  test("keeps the order of one large send", async () => {
    const topic = await newTopic();
    const producer = await newProducer();
    const values = Array.from({ length: 5_000 }, (_, index) => `${index}`.padStart(100, "."));
    const [sent] = await producer.send({ topic, messages: values.map((value) => ({ value })) });
    expect(sent).toMatchObject({ baseOffset: "0" });
    expect(await valuesOf(topic)).toEqual(values);
  });

  test("splits one large send into batches that brokers take", async () => {
    const topic = await newTopic();
    const producer = await newProducer();
    const value = Buffer.alloc(100_000, 1);
    const messages = Array.from({ length: 15 }, () => ({ value }));
    const sending = producer.send({ topic, messages });
    if (!isOurs) {
      // kafkajs makes one batch of it, which is above the brokers' 1 MiB.
      await expect(sending).rejects.toMatchObject({ type: "MESSAGE_TOO_LARGE" });
      return;
    }
    expect(await sending).toMatchObject([{ partition: 0, baseOffset: "0" }]);
    expect(await contents(topic)).toHaveLength(messages.length);
  });

  test("has nothing to say of nothing, and without acks", async () => {
    const topic = await newTopic();
    const producer = await newProducer();
    expect(await producer.send({ topic, messages: [] })).toEqual([]);
    expect(await producer.sendBatch({})).toEqual([]);
    expect(await producer.send({ topic, acks: 0, messages: [{ value: "v" }] })).toEqual([]);
    expect(await producer.send({ topic, acks: 1, messages: [{ value: "v" }] })).toHaveLength(1);
  });

  test("asks its partitioner for every message", async () => {
    const topic = await newTopic(3);
    const asked: object[] = [];
    const createPartitioner = () => (args: { readonly message: { readonly key?: string } }) => {
      asked.push(args);
      return Number(args.message.key);
    };
    const producer = await newProducer({ createPartitioner });
    const messages = [
      { key: "2", value: "a" },
      { key: "1", value: "b", partition: 0 },
    ];
    const sent = await producer.send({ topic, messages });
    expect(sent.map(({ partition }) => partition).sort()).toEqual([1, 2]);
    expect(asked).toHaveLength(2);
    expect(asked[0]).toMatchObject({ topic, message: messages[0] });
    const metadata: unknown = Reflect.get(Object(asked[0]), "partitionMetadata");
    expect(metadata).toHaveLength(3);
    expect(Object(metadata)[0]).toMatchObject({
      partitionErrorCode: 0,
      isr: expect.any(Array),
      leader: expect.any(Number),
    });
  });

  test.each([
    ["no topic", { messages: [{ value: "v" }] }, { name: "KafkaJSNonRetriableError", message: "Invalid topic" }],
    [
      "no messages",
      { topic: "t" },
      { name: "KafkaJSNonRetriableError", message: 'Invalid messages array [undefined] for topic "t"' },
    ],
    [
      "no value",
      { topic: "t", messages: [{ key: "k" }] },
      { name: "KafkaJSNonRetriableError", message: 'Invalid message without value for topic "t": {"key":"k"}' },
    ],
    ["a number as value", { topic: "numbers", messages: [{ value: 5 }] }, { name: "TypeError" }],
    ["a number as key", { topic: "numbers", messages: [{ key: 5, value: "v" }] }, { name: "TypeError" }],
    ["a number as header", { topic: "numbers", messages: [{ value: "v", headers: { a: 5 } }] }, { name: "TypeError" }],
    [
      "a topic that none can be called",
      { topic: "no such", messages: [{ value: "v" }] },
      {
        name: "KafkaJSNonRetriableError",
        retriable: false,
        cause: { name: "KafkaJSProtocolError", type: "INVALID_TOPIC_EXCEPTION", code: 17 },
      },
    ],
  ])("refuses %s", async (_, record, error) => {
    const producer = await newProducer();
    await expect(producer.send(record)).rejects.toMatchObject(error);
  });

  test.each([undefined, null, {}])("refuses a send of %j", async (record) => {
    const producer = await newProducer();
    await expect(producer.send(JSON.parse(JSON.stringify(record) ?? "null"))).rejects.toThrow();
  });

  test("is told by the broker which acks there are", async () => {
    const producer = await newProducer();
    const sending = producer.send({ topic: await newTopic(), acks: 2, messages: [{ value: "v" }] });
    const error = { name: "KafkaJSProtocolError", type: "INVALID_REQUIRED_ACKS", code: 21, retriable: false };
    await expect(sending).rejects.toMatchObject(error);
  });

  test("says how long the replicas may take, and sends all the same", async () => {
    const producer = await newProducer();
    const sent = await producer.send({ topic: await newTopic(), timeout: 5_000, messages: [{ value: "v" }] });
    expect(sent).toMatchObject([{ baseOffset: "0" }]);
  });

  test("creates no topic where it may not", async () => {
    const topic = newName();
    const producer = await newProducer({ allowAutoTopicCreation: false, retry: { retries: 1, initialRetryTime: 50 } });
    await expect(producer.send({ topic, messages: [{ value: "v" }] })).rejects.toMatchObject({
      name: "KafkaJSNumberOfRetriesExceeded",
      cause: { name: "KafkaJSProtocolError", type: "UNKNOWN_TOPIC_OR_PARTITION", code: 3, retriable: true },
    });
    await using admin = new KafkaAdmin({ bootstrapServers });
    expect((await admin.listTopics()).map(({ topic: known }) => known)).not.toContain(topic);
  });

  test("rejects with what its partitioner throws", async () => {
    const lost = new TypeError("lost");
    const createPartitioner = () => () => {
      throw lost;
    };
    const producer = await newProducer({ createPartitioner });
    await expect(producer.send({ topic: await newTopic(), messages: [{ value: "v" }] })).rejects.toBe(lost);
  });

  test("is told by the broker what is too large", async () => {
    const producer = await newProducer();
    const sending = producer.send({ topic: await newTopic(), messages: [{ value: Buffer.alloc(2_000_000) }] });
    const error = { name: "KafkaJSProtocolError", type: "MESSAGE_TOO_LARGE", code: 10, retriable: false };
    await expect(sending).rejects.toMatchObject(error);
  });

  test("sends nothing before it is connected, and after", async () => {
    const topic = await newTopic();
    const producer = await newProducer();
    await producer.disconnect();
    const error = { name: "KafkaJSError", message: "The producer is disconnected", retriable: true };
    await expect(producer.send({ topic, messages: [{ value: "a" }] })).rejects.toMatchObject(error);
    await producer.connect();
    await producer.send({ topic, messages: [{ value: "b" }] });
    expect(await valuesOf(topic)).toEqual(["b"]);
  });

  test("delivers what is under way when it disconnects, and takes nothing more", async () => {
    const topic = await newTopic();
    const producer = await newProducer();
    await producer.send({ topic, messages: [{ value: "a" }] });
    const sent = producer.send({ topic, messages: [{ value: "b" }] });
    // kafkajs takes no account of a send that has not got as far as a request.
    if (!isOurs) await sent;
    const disconnected = producer.disconnect();
    const error = {
      name: "KafkaJSNonRetriableError",
      message: "The producer is disconnecting; therefore, it can't safely accept messages anymore",
    };
    await expect(producer.send({ topic, messages: [{ value: "c" }] })).rejects.toMatchObject(error);
    await disconnected;
    expect(await sent).toMatchObject([{ baseOffset: "1" }]);
    await producer.disconnect();
    expect(await valuesOf(topic)).toEqual(["a", "b"]);
  });

  test("has a logger of its own name", async () => {
    const entries: object[] = [];
    const logCreator = () => (entry: object) => entries.push(entry);
    const producer = new Kafka({ brokers: [], logLevel: 4, logCreator }).producer();
    producer.logger().info("here", { order: 7 });
    expect(entries).toMatchObject([
      { namespace: "Producer", level: 4, label: "INFO", log: { logger: "kafkajs", message: "here", order: 7 } },
    ]);
  });

  test("says when it is connected and disconnected", async () => {
    const producer = await newProducer();
    const events: EventOfJS[] = [];
    const remove = producer.on(producer.events["CONNECT"] ?? "", (event) => events.push(event));
    producer.on("producer.disconnect", (event) => events.push(event));
    await producer.connect();
    remove();
    await producer.connect();
    await producer.disconnect();
    expect(events.map(({ type }) => type)).toEqual(["producer.connect", "producer.disconnect"]);
    expect(events[0]).toMatchObject({ id: expect.any(Number), timestamp: expect.any(Number), payload: undefined });
    expect(() => producer.on("producer.nothing", () => {})).toThrow(
      "Event name should be one of producer.events.CONNECT, producer.events.DISCONNECT, producer.events.REQUEST, producer.events.REQUEST_TIMEOUT, producer.events.REQUEST_QUEUE_SIZE",
    );
  });

  test.each([
    ["null", null, { name: "KafkaJSNonRetriableError", message: "Failed to connect: brokers should not be null" }],
    ["none", [], { name: "KafkaJSNonRetriableError", message: "Failed to connect: brokers array is empty" }],
    [
      "a number",
      [5],
      { name: "KafkaJSNonRetriableError", message: 'Failed to connect: broker at index 0 is invalid "number"' },
    ],
    [
      "a function that throws",
      () => {
        throw new Error("lost");
      },
      { name: "KafkaJSConnectionError", message: 'Failed to connect: "config.brokers" threw: lost' },
    ],
  ])("does not connect to brokers that are %s", async (_, brokers, error) => {
    const producer = new Kafka({ brokers, logLevel: 0, retry: { retries: 0 } }).producer();
    await expect(producer.connect()).rejects.toMatchObject(error);
  });

  test("asks a function for its brokers", async () => {
    const topic = await newTopic();
    const producer = await newProducer({}, { brokers: async () => bootstrapServers });
    expect(await producer.send({ topic, messages: [{ value: "v" }] })).toHaveLength(1);
  });

  test("connects by a factory that leads elsewhere, and opens its sockets as the library does", async () => {
    const library = isOurs ? "@odradek/kafkajs" : "kafkajs";
    const socketFactory: () => (args: object) => object = createRequire(import.meta.url)(
      `${library}/src/network/socketFactory`,
    );
    const open = socketFactory();
    const [port] = [...bootstrapServers].map((server) => server.split(":")[1]);
    const kafka = new Kafka({
      brokers: [`nowhere.invalid:${port}`],
      logLevel: 0,
      socketFactory: (args: { readonly host: string }) =>
        open({ ...args, host: args.host === "nowhere.invalid" ? "127.0.0.1" : args.host }),
    });
    const topic = await newTopic();
    const producer = kafka.producer();
    await producer.connect();
    expect(await producer.send({ topic, messages: [{ value: "v" }] })).toHaveLength(1);
    await producer.disconnect();
  });

  test("gives up where nobody listens", async () => {
    const retry = { retries: 1, initialRetryTime: 50 };
    const producer = new Kafka({ brokers: ["127.0.0.1:1"], logLevel: 0, retry }).producer();
    await expect(producer.connect()).rejects.toMatchObject({
      name: "KafkaJSNumberOfRetriesExceeded",
      retriable: false,
      cause: { name: "KafkaJSConnectionError", retriable: true, code: "ECONNREFUSED", broker: "127.0.0.1:1" },
    });
  });

  describe("idempotent", () => {
    test("sends each message once, and only with acks of all", async () => {
      const topic = await newTopic();
      const producer = await newProducer({ idempotent: true, maxInFlightRequests: 1 });
      expect(producer.isIdempotent()).toBe(true);
      for (let index = 0; index < 3; index++) await producer.send({ topic, messages: [{ value: `${index}` }] });
      expect(await valuesOf(topic)).toEqual(["0", "1", "2"]);
      await expect(producer.send({ topic, acks: 1, messages: [{ value: "v" }] })).rejects.toMatchObject({
        name: "KafkaJSNonRetriableError",
        message: "Not requiring ack for all messages invalidates the idempotent producer's EoS guarantees",
      });
    });

    test("has to be allowed to try again", () => {
      const kafka = new Kafka({ brokers: [], logLevel: 0 });
      expect(() => kafka.producer({ idempotent: true, retry: { retries: 0 } })).toThrow(
        "Idempotent producer must allow retries to protect against transient errors",
      );
    });
  });

  describe("transactional", () => {
    const transactional = () => newProducer({ transactionalId: newName(), idempotent: true, maxInFlightRequests: 1 });

    test("has all count, or nothing", async () => {
      const topic = await newTopic();
      const first = await (await transactional()).transaction();
      expect(first.isActive()).toBe(true);
      await first.send({ topic, messages: [{ value: "a" }] });
      await first.sendBatch({ topicMessages: [{ topic, messages: [{ value: "b" }] }] });
      await first.commit();
      expect(first.isActive()).toBe(false);
      const second = await (await transactional()).transaction();
      await second.send({ topic, messages: [{ value: "c" }] });
      await second.abort();
      expect(await valuesOf(topic)).toEqual(["a", "b"]);
    });

    test("has nothing to do with what the producer itself sends", async () => {
      const topic = await newTopic();
      const producer = await transactional();
      const transaction = await producer.transaction();
      await producer.send({ topic, messages: [{ value: "a" }] });
      await transaction.send({ topic, messages: [{ value: "b" }] });
      await transaction.abort();
      expect(await valuesOf(topic)).toEqual(["a"]);
    });

    test("is one at a time, and ends once", async () => {
      const producer = await transactional();
      const transaction = await producer.transaction();
      const message =
        "There is already an ongoing transaction for this producer. Please end the transaction before beginning another.";
      await expect(producer.transaction()).rejects.toMatchObject({ name: "KafkaJSNonRetriableError", message });
      await transaction.commit();
      const ended = { name: "KafkaJSNonRetriableError", message: "Cannot continue to use transaction once ended" };
      await expect(transaction.send({ topic: "t", messages: [] })).rejects.toMatchObject(ended);
      await expect(transaction.commit()).rejects.toMatchObject(ended);
      await expect(transaction.abort()).rejects.toMatchObject(ended);
      await (await producer.transaction()).abort();
    });

    test("may not be ended by two at once", async () => {
      const transaction = await (await transactional()).transaction();
      const ended = { name: "KafkaJSNonRetriableError", message: "Cannot continue to use transaction once ended" };
      const committed = transaction.commit();
      expect(transaction.isActive()).toBe(false);
      await expect(transaction.abort()).rejects.toMatchObject(ended);
      await committed;
    });

    test("needs a group and its offsets", async () => {
      const transaction = await (await transactional()).transaction();
      await expect(transaction.sendOffsets({ topics: [] })).rejects.toThrow("Missing consumerGroupId");
      await expect(transaction.sendOffsets({ consumerGroupId: "g" })).rejects.toThrow("Missing offset topics");
      await transaction.abort();
    });

    test("can be aborted after a send that failed, and be followed by another", async () => {
      const topic = await newTopic();
      const producer = await transactional();
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value: "a" }] });
      const sending = transaction.send({ topic, messages: [{ value: Buffer.alloc(2_000_000) }] });
      await expect(sending).rejects.toMatchObject({ type: "MESSAGE_TOO_LARGE" });
      expect(transaction.isActive()).toBe(true);
      await transaction.abort();
      const next = await producer.transaction();
      await next.send({ topic, messages: [{ value: "b" }] });
      await next.commit();
      expect(await valuesOf(topic)).toEqual(["b"]);
    });

    test("of a producer that another has taken the place of is fenced", async () => {
      const topic = await newTopic();
      const config = { transactionalId: newName(), idempotent: true, maxInFlightRequests: 1 };
      const [old, young] = [await newProducer(config), await newProducer(config)];
      const fenced = await old.transaction();
      await fenced.send({ topic, messages: [{ value: "a" }] });
      const transaction = await young.transaction();
      await expect(fenced.send({ topic, messages: [{ value: "b" }] })).rejects.toMatchObject({
        name: "KafkaJSProtocolError",
        retriable: false,
        // kafkajs knows no PRODUCER_FENCED.
        type: expect.stringMatching(/^(INVALID_PRODUCER_EPOCH|PRODUCER_FENCED|KAFKAJS_UNKNOWN_ERROR_CODE)$/),
      });
      await transaction.send({ topic, messages: [{ value: "c" }] });
      await transaction.commit();
      expect(await valuesOf(topic)).toEqual(["c"]);
    });

    test("commits offsets of a group with the rest", async () => {
      const [topic, groupId] = [await newTopic(), newName()];
      const committed = async () => {
        await using consumer = new KafkaConsumer({ bootstrapServers, groupId });
        const [found] = await consumer.committed([{ topic, partition: 0 }]);
        return found?.offset;
      };
      const topics = (offset: string) => [{ topic, partitions: [{ partition: 0, offset }] }];
      const first = await (await transactional()).transaction();
      await first.sendOffsets({ consumerGroupId: groupId, topics: topics("5") });
      await first.commit();
      const second = await (await transactional()).transaction();
      await second.sendOffsets({ consumerGroupId: groupId, topics: topics("9") });
      await second.abort();
      expect(await committed()).toBe(5n);
    });

    test("needs an id", async () => {
      const producer = await newProducer();
      await expect(producer.transaction()).rejects.toMatchObject({
        name: "KafkaJSNonRetriableError",
        message: "Must provide transactional id for transactional producer",
      });
    });
  });

  // kafkajs fails here now and then: brokers that are not done with the one answer CONCURRENT_TRANSACTIONS to the next.
  test.runIf(isOurs)("a transaction may follow another at once", async () => {
    const topic = await newTopic();
    const producer = await newProducer({ transactionalId: newName(), idempotent: true });
    for (let index = 0; index < 5; index++) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ value: `${index}` }] });
      await (index % 2 === 0 ? transaction.commit() : transaction.abort());
    }
    expect(await valuesOf(topic)).toEqual(["0", "2", "4"]);
  });

  test.runIf(isOurs)("a commit after a send that failed fails, and the abort after it does not", async () => {
    const topic = await newTopic();
    const producer = await newProducer({ transactionalId: newName(), idempotent: true });
    const transaction = await producer.transaction();
    await expect(transaction.send({ topic, messages: [{ value: Buffer.alloc(2_000_000) }] })).rejects.toMatchObject({
      type: "MESSAGE_TOO_LARGE",
    });
    await expect(transaction.commit()).rejects.toMatchObject({ retriable: false });
    expect(transaction.isActive()).toBe(true);
    await transaction.abort();
    expect(transaction.isActive()).toBe(false);
  });

  test.runIf(isOurs)("an open transaction is aborted when the producer disconnects", async () => {
    const topic = await newTopic();
    const producer = await newProducer({ transactionalId: newName(), idempotent: true });
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ value: "a" }] });
    await producer.disconnect();
    await expect(transaction.send({ topic, messages: [{ value: "b" }] })).rejects.toMatchObject({
      name: "KafkaJSError",
      message: "The producer is disconnected",
    });
    expect(await valuesOf(topic)).toEqual([]);
  });

  describe.runIf(isOurs)("with an option of odradek", () => {
    const odradek = (options: ProducerOptionsOfOurs) => newProducer({ odradek: options });

    test("lingers, so that sends that come one after the other share a batch", async () => {
      const topic = await newTopic();
      // Longer than the test: the end of the producer sends what lingers, and a batch that is full does not linger.
      const producer = await odradek({ lingerMs: 600_000, batchSize: 1_000 });
      await producer.send({ topic, messages: [{ value: Buffer.alloc(2_000) }] });
      const requests = await requestsOf(async () => {
        const sent: Promise<unknown>[] = [];
        for (let index = 0; index < 5; index++) {
          sent.push(producer.send({ topic, messages: [{ value: `${index}` }] }));
          await new Promise((resolve) => setImmediate(resolve));
        }
        await producer.disconnect();
        await Promise.all(sent);
      });
      expect(requests).toBe(1);
    });

    test("has interceptors see what is sent, and change it", async () => {
      const topic = await newTopic();
      const acknowledged: string[] = [];
      const interceptor = {
        onSend: (record: SentRecord) => ({ ...record, headers: [{ key: "by", value: "interceptor" }] }),
        onAcknowledgement: ({ offset }: { readonly offset: bigint }) => acknowledged.push(String(offset)),
      };
      const producer = await odradek({ interceptors: [interceptor] });
      await producer.send({ topic, messages: [{ value: "v" }] });
      const [record] = await contents(topic);
      expect(record?.headers.map(({ key, value }) => [key, textOf(value)])).toEqual([["by", "interceptor"]]);
      expect(acknowledged).toEqual(["0"]);
    });

    test("compresses what says nothing of it", async () => {
      const topic = await newTopic(1, { "max.message.bytes": "10000" });
      const producer = await odradek({ compressionType: "zstd", compressionZstdLevel: 1 });
      const value = "a".repeat(100_000);
      await producer.send({ topic, messages: [{ value }] });
      const plain = producer.send({ topic, messages: [{ value }], compression: CompressionTypes.None });
      await expect(plain).rejects.toMatchObject({ type: "MESSAGE_TOO_LARGE" });
    });

    test("keeps messages without a key together, by Kafka's own partitioner, and the others where they are", async () => {
      const topic = await newTopic(6);
      const producer = await odradek({ partitioner: null });
      const keyless = Array.from({ length: 50 }, () => ({ value: "v" }));
      expect(await producer.send({ topic, messages: keyless })).toHaveLength(1);
      const keyed = ["a", "b", "c"].map((key) => ({ key, value: "v" }));
      const usual = await newProducer();
      const places = async (by: ProducerOfJS) =>
        (await by.send({ topic, messages: keyed })).map(({ partition }) => partition);
      expect(await places(producer)).toEqual(await places(usual));
      expect(await producer.send({ topic, messages: [{ partition: 4, value: "v" }] })).toMatchObject([
        { partition: 4 },
      ]);
    });

    test("has a partitioner of Kafka's kind choose", async () => {
      const producer = await odradek({ partitioner: ({ value }) => Number(value) });
      const messages = ["2", "0"].map((value) => ({ value }));
      const sent = await producer.send({ topic: await newTopic(3), messages });
      expect(sent.map(({ partition }) => partition)).toEqual([2, 0]);
    });

    test("refuses what is too large before it is sent, and makes batches as large as it is told", async () => {
      const topic = await newTopic();
      const producer = await odradek({ batchSize: 1_000, bufferMemory: 1_000_000, maxRequestSize: 5_000 });
      const large = producer.send({ topic, messages: [{ value: Buffer.alloc(6_000) }] });
      await expect(large).rejects.toMatchObject({
        type: "MESSAGE_TOO_LARGE",
        message: expect.stringContaining("5000"),
      });
      const messages = Array.from({ length: 10 }, () => ({ value: Buffer.alloc(900) }));
      const requests = await requestsOf(() => producer.send({ topic, messages }));
      expect(requests).toBe(messages.length);
    });
  });

  test.runIf(isOurs)("options that cannot be used are an error of kafkajs' kind", async () => {
    const error = { name: "KafkaJSNonRetriableError", message: expect.stringContaining("host:port") };
    const producer = new Kafka({ brokers: ["nowhere"], logLevel: 0 }).producer();
    await expect(producer.connect()).rejects.toMatchObject(error);
    const transactional = await newProducer({ transactionalId: newName(), transactionTimeout: -1 });
    await expect(transactional.transaction()).rejects.toMatchObject({
      name: "KafkaJSNonRetriableError",
      message: expect.stringContaining("transactionTimeoutMs"),
    });
  });

  test.runIf(isOurs)("a send to topics that are new to the producer is delivered by disconnect", async () => {
    const topics = [await newTopic(), await newTopic()];
    const producer = await newProducer();
    const topicMessages = topics.map((topic) => ({ topic, messages: [{ value: "v" }] }));
    const sent = producer.sendBatch({ topicMessages });
    await producer.disconnect();
    expect((await sent).map(({ topicName }) => topicName)).toEqual(topics);
  });

  test.runIf(isOurs)("sends of one turn share a request, each of them with its own place", async () => {
    const topic = await newTopic();
    const producer = await newProducer();
    await producer.send({ topic, messages: [{ value: "first" }] });
    let sent: readonly (readonly SentOfJS[])[] = [];
    const requests = await requestsOf(async () => {
      const sends = Array.from({ length: 100 }, (_, index) =>
        producer.send({ topic, messages: [{ value: `${index}` }] }),
      );
      sent = await Promise.all(sends);
    });
    expect(requests).toBe(1);
    expect(sent.map(([place]) => place?.baseOffset)).toEqual(Array.from({ length: 100 }, (_, index) => `${index + 1}`));
  });

  test.runIf(isOurs)("bytes are bytes, and a header may be null or undefined", async () => {
    const topic = await newTopic();
    const producer = await newProducer();
    const headers = { none: null, missing: undefined };
    await producer.send({ topic, messages: [{ value: new Uint8Array([118]), headers }] });
    const [record] = await contents(topic);
    expect(textOf(record?.value ?? null)).toBe("v");
    expect(record?.headers).toEqual([{ key: "none", value: null }]);
  });

  test.runIf(isOurs)("a message for a partition that is not there is an error, and not lost", async () => {
    const producer = await newProducer({ retry: { retries: 1, initialRetryTime: 50 } });
    const sending = producer.send({ topic: await newTopic(), messages: [{ value: "v", partition: 99 }] });
    await expect(sending).rejects.toMatchObject({ name: "KafkaJSNumberOfRetriesExceeded" });
  });
});
