import { KafkaProducer } from "odradek";
import { afterEach, describe, expect, test } from "vitest";
import {
  collection,
  committedOf,
  type EachBatch,
  type EachMessage,
  happening,
  numbers,
  textOf,
  written,
} from "./kafkajs-handling.ts";
import { type ConsumerOfJS, candidates, type EventOfJS } from "./kafkajs-libraries.ts";
import { newName } from "./opened.ts";
import { recordTimeMs } from "./record-time.ts";
import { bootstrapServers, newTopic } from "./topics.ts";

const connected: ConsumerOfJS[] = [];
afterEach(async () => {
  for (const consumer of connected.splice(0)) await consumer.disconnect();
});

describe.each(candidates)("a consumer of %s", (name, { Kafka }) => {
  const isOurs = name === "@odradek/kafkajs";
  const newConsumer = (groupId: string, config: object = {}): ConsumerOfJS => {
    const kafka = new Kafka({ brokers: [...bootstrapServers], logLevel: 0 });
    const retry = { retries: 2, initialRetryTime: 50 };
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200, retry, ...config });
    connected.push(consumer);
    return consumer;
  };

  test("gives each message what it is", async () => {
    const topic = await newTopic();
    await using producer = new KafkaProducer({ bootstrapServers });
    const headers = [
      { key: "one", value: "1" },
      { key: "many", value: "2" },
      { key: "many", value: "3" },
    ];
    await producer.send({ topic, key: "k", value: "v", headers, timestamp: recordTimeMs });
    await producer.send({ topic, value: null });
    const { items, complete, add } = collection<EachMessage>(2);
    const consumer = newConsumer(newName());
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({ eachMessage: async (payload: EachMessage) => add(payload) });
    await complete;
    expect(items[0]).toMatchObject({ topic, partition: 0 });
    expect(items[0]?.message).toMatchObject({
      key: Buffer.from("k"),
      value: Buffer.from("v"),
      offset: "0",
      timestamp: String(recordTimeMs),
      attributes: 0,
      headers: { one: Buffer.from("1"), many: [Buffer.from("2"), Buffer.from("3")] },
    });
    expect(items[1]?.message).toMatchObject({ key: null, value: null, offset: "1", headers: {} });
    // NestJS does both.
    expect(Object.keys({ ...items[0]?.message })).toEqual(
      expect.arrayContaining(["key", "value", "offset", "headers"]),
    );
    expect(Object.assign(items[0]?.message ?? {}, { topic })).toMatchObject({ topic });
  });

  test("takes its numbers from an environment, where they are text", async () => {
    const topic = await newTopic();
    await written(topic, numbers(3));
    const { items, complete, add } = collection<string>(3);
    const consumer = newConsumer(newName(), {
      heartbeatInterval: 300,
      maxBytes: "1000",
      maxBytesPerPartition: "100",
      maxWaitTimeInMs: "200",
      metadataMaxAge: "60000",
      minBytes: "1",
      rebalanceTimeout: "20000",
      retry: { initialRetryTime: "50", retries: "2" },
      sessionTimeout: "10000",
    });
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommitInterval: "10",
      autoCommitThreshold: "1",
      partitionsConsumedConcurrently: "2",
      eachMessage: async ({ message }: EachMessage) => add(textOf(message)),
    });
    await complete;
    expect(items).toEqual(numbers(3));
  });

  test.each([
    ["maxBytes", { maxBytes: 2 ** 31 - 1, maxBytesPerPartition: 2 ** 31 - 1 }],
    ["no maxBytesPerPartition", { maxBytesPerPartition: 0 }],
    ["sessionTimeout that is no whole number", { sessionTimeout: 10_000.5 }],
    ["maxRetryTime that never ends", { retry: { maxRetryTime: Number.POSITIVE_INFINITY } }],
    ["metadataMaxAge that never ends", { metadataMaxAge: Number.POSITIVE_INFINITY }],
  ])("reads with a large or small number, such as %s", async (_, config) => {
    const topic = await newTopic();
    await written(topic, numbers(3));
    const { complete, add } = collection<string>(3);
    const consumer = newConsumer(newName(), config);
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }: EachMessage) => add(textOf(message)) });
    await complete;
  });

  test("commits what was handled when it stops, and goes on from there", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    await written(topic, numbers(5));
    const first = collection<string>(5);
    const consumer = newConsumer(groupId);
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }: EachMessage) => first.add(textOf(message)) });
    await first.complete;
    await consumer.stop();
    expect(await committedOf(groupId, topic)).toBe(5n);
    await written(topic, ["5", "6"]);
    const second = collection<string>(2);
    await consumer.run({ eachMessage: async ({ message }: EachMessage) => second.add(textOf(message)) });
    await second.complete;
    expect(first.items).toEqual(numbers(5));
    expect(second.items).toEqual(["5", "6"]);
  });

  test("without autoCommit it commits what it is told to", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    await written(topic, numbers(3));
    const { complete, add } = collection<string>(3);
    const consumer = newConsumer(groupId);
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ autoCommit: false, eachMessage: async ({ message }: EachMessage) => add(textOf(message)) });
    await complete;
    await consumer.commitOffsets([{ topic, partition: 0, offset: "2" }]);
    await consumer.stop();
    expect(await committedOf(groupId, topic)).toBe(2n);
    await expect(consumer.commitOffsets([{ topic, partition: 0, offset: "1" }])).rejects.toMatchObject({
      name: "KafkaJSNonRetriableError",
      message: "Consumer group was not initialized, consumer#run must be called first",
    });
  });

  test("a batch says where it stands", async () => {
    const topic = await newTopic();
    await written(topic, numbers(4));
    const { happened, happen } = happening<object>();
    const consumer = newConsumer(newName());
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachBatch: async ({ batch, isRunning, isStale, uncommittedOffsets, resolveOffset }: EachBatch) => {
        resolveOffset("1");
        happen({
          ...batch,
          messages: batch.messages.map(textOf),
          isEmpty: batch.isEmpty(),
          firstOffset: batch.firstOffset(),
          lastOffset: batch.lastOffset(),
          offsetLag: batch.offsetLag(),
          offsetLagLow: batch.offsetLagLow(),
          isRunning: isRunning(),
          isStale: isStale(),
          uncommitted: JSON.parse(JSON.stringify(uncommittedOffsets()), (key, value: unknown) =>
            // kafkajs has the number as a text.
            key === "partition" ? Number(value) : value,
          ),
        });
      },
    });
    expect(await happened).toMatchObject({
      topic,
      partition: 0,
      highWatermark: "4",
      messages: numbers(4),
      isEmpty: false,
      firstOffset: "0",
      lastOffset: "3",
      offsetLag: "0",
      offsetLagLow: "3",
      isRunning: true,
      isStale: false,
      uncommitted: { topics: [{ topic, partitions: [{ partition: 0, offset: "2" }] }] },
    });
  });

  test("a batch has what kafkajs' types do not tell", async () => {
    const topic = await newTopic();
    await written(topic, numbers(4));
    const { items, complete, add } = collection<object>(2);
    const consumer = newConsumer(newName());
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset }: EachBatch) => {
        resolveOffset(batch.messages.length === 4 ? "1" : "3");
        add({
          ...batch,
          messages: batch.messages.map(textOf),
          rawMessages: batch.rawMessages.map(textOf),
          messagesWithinOffset: batch.messagesWithinOffset.map(textOf),
          isSame: batch.messagesWithinOffset[0] === batch.messages[0],
          emptiness: [
            batch.isEmptyIncludingFiltered(),
            batch.isEmptyDueToFiltering(),
            batch.isEmptyControlRecord(),
            batch.isEmptyDueToLogCompactedMessages(),
          ],
        });
      },
    });
    await complete;
    const told = { topic, partition: 0, highWatermark: "4", isSame: true, emptiness: [false, false, false, false] };
    const [all, last] = [numbers(4), ["2", "3"]];
    expect(items.slice(0, 2)).toEqual([
      { ...told, fetchedOffset: "0", messages: all, rawMessages: all, messagesWithinOffset: all },
      // kafkajs is given the whole of a batch, from before where it has asked, too.
      { ...told, fetchedOffset: "2", messages: last, rawMessages: isOurs ? last : all, messagesWithinOffset: last },
    ]);
  });

  test("with eachBatchAutoResolve off, what is not resolved comes again", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    await written(topic, numbers(4));
    const { items, complete, add } = collection<readonly string[]>(2);
    const consumer = newConsumer(groupId);
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, resolveOffset }: EachBatch) => {
        const isFirst = items.length === 0;
        resolveOffset(isFirst ? "1" : batch.lastOffset());
        add(batch.messages.map(textOf));
      },
    });
    await complete;
    await consumer.stop();
    expect(items).toEqual([numbers(4), ["2", "3"]]);
    expect(await committedOf(groupId, topic)).toBe(4n);
  });

  test("a handler may commit within its batch", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    await written(topic, numbers(4));
    const { happened, happen } = happening<bigint | null>();
    const consumer = newConsumer(groupId);
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ commitOffsetsIfNecessary, heartbeat }: EachBatch) => {
        await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition: 0, offset: "3" }] }] });
        await heartbeat();
        happen(await committedOf(groupId, topic));
      },
    });
    expect(await happened).toBe(3n);
  });

  test("autoCommitThreshold commits while a batch is handled", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    await written(topic, numbers(4));
    const { happened, happen } = happening<bigint | null>();
    const consumer = newConsumer(groupId);
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommitThreshold: 2,
      eachMessage: async ({ message }: EachMessage) => {
        if (message.offset === "3") happen(await committedOf(groupId, topic));
      },
    });
    expect(await happened).toBe(2n);
  });

  test("an error of the handler brings the message again, and those before it only once", async () => {
    const topic = await newTopic();
    await written(topic, numbers(3));
    const { items, complete, add } = collection<string>(4);
    const consumer = newConsumer(newName());
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }: EachMessage) => {
        const isAgain = items.includes("1");
        add(textOf(message));
        if (textOf(message) === "1" && !isAgain) throw new Error("not now");
      },
    });
    await complete;
    expect(items).toEqual(["0", "1", "1", "2"]);
  });

  test("an error that stays is a crash, and the consumer starts again", async () => {
    const topic = await newTopic();
    await written(topic, numbers(2));
    const events: EventOfJS[] = [];
    const { items, complete, add } = collection<string>(5);
    const consumer = newConsumer(newName());
    for (const event of ["STOP", "DISCONNECT", "CRASH"]) {
      consumer.on(consumer.events[event] ?? "", (told) => events.push(told));
    }
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }: EachMessage) => {
        add(textOf(message));
        if (textOf(message) === "1" && items.length < 5) throw new Error("never");
      },
    });
    await complete;
    // Three attempts, and one more after the crash.
    expect(items).toEqual(["0", "1", "1", "1", "1"]);
    expect(events.slice(0, 3).map(({ type }) => type)).toEqual([
      "consumer.stop",
      "consumer.disconnect",
      "consumer.crash",
    ]);
    expect(events[2]?.payload).toMatchObject({
      restart: true,
      error: { name: "KafkaJSNumberOfRetriesExceeded", message: "never", retryCount: 2 },
    });
  });

  test("a defect of the handler is the end", async () => {
    const topic = await newTopic();
    await written(topic, ["0"]);
    const { happened, happen } = happening<EventOfJS>();
    const consumer = newConsumer(newName());
    consumer.on("consumer.crash", happen);
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async () => {
        throw new TypeError("not a function");
      },
    });
    const { payload } = await happened;
    expect(payload).toMatchObject({
      restart: false,
      error: { name: "KafkaJSNonRetriableError", message: "not a function" },
    });
  });

  test("restartOnFailure decides", async () => {
    const topic = await newTopic();
    await written(topic, ["0"]);
    const { happened, happen } = happening<EventOfJS>();
    const asked: unknown[] = [];
    const restartOnFailure = async (error: unknown) => {
      asked.push(error);
      return false;
    };
    const consumer = newConsumer(newName(), { retry: { retries: 0, initialRetryTime: 50, restartOnFailure } });
    consumer.on("consumer.crash", happen);
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async () => {
        throw new Error("no");
      },
    });
    expect((await happened).payload).toMatchObject({ restart: false });
    expect(asked).toMatchObject([{ name: "KafkaJSNumberOfRetriesExceeded" }]);
  });

  test("run resolves after a crash at the start", async () => {
    const kafka = new Kafka({ brokers: ["127.0.0.1:1"], logLevel: 0, retry: { retries: 0, initialRetryTime: 50 } });
    const restartOnFailure = async () => false;
    const consumer = kafka.consumer({
      groupId: newName(),
      retry: { retries: 0, initialRetryTime: 50, restartOnFailure },
    });
    connected.push(consumer);
    const crashes: EventOfJS[] = [];
    consumer.on("consumer.crash", (event) => crashes.push(event));
    await consumer.run({ eachMessage: async () => {} });
    expect(crashes).toHaveLength(1);
    expect(crashes[0]?.payload).toMatchObject({ error: { name: "KafkaJSNumberOfRetriesExceeded" } });
  });

  // So it is with kafkajs, where no topic of the cluster is without a leader: it looks at all of them then.
  test.runIf(isOurs)("that subscribes to nothing is in its group all the same", async () => {
    const groupId = newName();
    const consumer = newConsumer(groupId);
    const told: EventOfJS[] = [];
    for (const event of ["consumer.crash", "consumer.group_join"]) consumer.on(event, (tell) => told.push(tell));
    await consumer.connect();
    await consumer.run({ eachMessage: async () => {} });
    expect(told.map(({ type, payload }) => ({ type, payload }))).toMatchObject([
      { type: "consumer.group_join", payload: { groupId, memberAssignment: {} } },
    ]);
    expect(await consumer.describeGroup()).toMatchObject({ state: "Stable", members: [{}] });
  });

  test("that cannot connect says so when it subscribes", async () => {
    const kafka = new Kafka({ brokers: ["127.0.0.1:1"], logLevel: 0, connectionTimeout: 100 });
    const consumer = kafka.consumer({ groupId: newName(), retry: { retries: 1, initialRetryTime: 10 } });
    connected.push(consumer);
    await expect(consumer.subscribe({ topics: ["t"] })).rejects.toMatchObject({
      name: "KafkaJSNumberOfRetriesExceeded",
      cause: { name: "KafkaJSConnectionError", code: "ECONNREFUSED" },
    });
  });

  test("tells of the group and of batches", async () => {
    const [topic, groupId] = [await newTopic(2), newName()];
    await written(topic, numbers(3));
    const events: EventOfJS[] = [];
    const { happened, happen } = happening();
    const consumer = newConsumer(groupId);
    const names = ["CONNECT", "GROUP_JOIN", "START_BATCH_PROCESS", "END_BATCH_PROCESS", "COMMIT_OFFSETS"];
    for (const event of names) consumer.on(consumer.events[event] ?? "", (told) => events.push(told));
    consumer.on("consumer.commit_offsets", () => happen());
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({ eachMessage: async () => {} });
    // Before run resolves: whoever waits for it knows what it reads.
    expect(events.map(({ type }) => type).slice(0, 3)).toEqual([
      "consumer.connect",
      "consumer.connect",
      "consumer.group_join",
    ]);
    await happened;
    expect(events[2]?.payload).toMatchObject({
      groupId,
      memberId: expect.any(String),
      isLeader: true,
      memberAssignment: { [topic]: [0, 1] },
      groupProtocol: "RoundRobinAssigner",
      duration: expect.any(Number),
    });
    const { leaderId, memberId }: { readonly leaderId?: unknown; readonly memberId?: unknown } = Object(
      events[2]?.payload,
    );
    expect(leaderId).toBe(memberId);
    const batch = {
      topic,
      partition: 0,
      highWatermark: "3",
      offsetLag: "0",
      offsetLagLow: "2",
      batchSize: 3,
      firstOffset: "0",
      lastOffset: "2",
    };
    expect(events.slice(3).map(({ type, payload }) => ({ type, payload }))).toMatchObject([
      { type: "consumer.start_batch_process", payload: batch },
      { type: "consumer.end_batch_process", payload: { ...batch, duration: expect.any(Number) } },
      {
        type: "consumer.commit_offsets",
        payload: { groupId, memberId, groupGenerationId: 1, topics: [{ topic, partitions: [{ offset: "3" }] }] },
      },
    ]);
  });

  test("seek goes elsewhere, and the rest of the batch is void", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    await written(topic, numbers(4));
    const { items, complete, add } = collection<string>(4);
    const consumer = newConsumer(groupId);
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }: EachMessage) => {
        if (items.length === 0) consumer.seek({ topic, partition: 0, offset: "1" });
        add(textOf(message));
      },
    });
    await complete;
    expect(items).toEqual(["0", "1", "2", "3"]);
    await consumer.stop();
    expect(await committedOf(groupId, topic)).toBe(4n);
  });

  test("seek and pause may follow run at once, without a wait for it", async () => {
    const topic = await newTopic(2);
    await written(topic, numbers(4), 0);
    await written(topic, ["other"], 1);
    const { items, complete, add } = collection<string>(2);
    const resumed = collection<string>(3);
    const consumer = newConsumer(newName(), { retry: { retries: 10, initialRetryTime: 50 } });
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    const running = consumer.run({
      eachMessage: async ({ message }: EachMessage) => {
        add(textOf(message));
        resumed.add(textOf(message));
      },
    });
    consumer.seek({ topic, partition: 0, offset: "2" });
    consumer.pause([{ topic, partitions: [1] }]);
    await running;
    await complete;
    expect([items, consumer.paused()]).toEqual([["2", "3"], [{ topic, partitions: [1] }]]);
    consumer.resume([{ topic }]);
    await resumed.complete;
    expect(resumed.items[2]).toBe("other");
  });

  test("pause holds a partition back, and resume brings what it left out", async () => {
    const topic = await newTopic(2);
    await written(topic, ["a", "b"], 0);
    const first = happening<() => void>();
    const { items, complete, add, has } = collection<string>(3);
    const consumer = newConsumer(newName());
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message, pause }: EachMessage) => {
        if (textOf(message) === "a") first.happen(pause());
        add(textOf(message));
      },
    });
    const resume = await first.happened;
    expect(consumer.paused()).toEqual([{ topic, partitions: [0] }]);
    // What comes of the other partition shows that reading goes on.
    await written(topic, ["c"], 1);
    await has("c");
    expect(items).toEqual(["a", "c"]);
    resume();
    await complete;
    expect(items).toEqual(["a", "c", "b"]);
    expect(consumer.paused()).toEqual([]);
  });

  test("messages that come while a handler is at work follow at once, with quiet partitions beside them", async () => {
    const topic = await newTopic(6);
    await using producer = new KafkaProducer({ bootstrapServers });
    const send = (value: number) => producer.send({ topic, partition: 0, value: String(value) });
    const { items, complete, add } = collection<string>(6);
    const consumer = newConsumer(newName(), { maxWaitTimeInMs: 20_000 });
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }: EachMessage) => {
        add(textOf(message));
        // One comes while the handler is at work, the next when it is done: as soon as nothing else is on its way, and no sooner.
        if (items.length % 2 === 1 && items.length < 6) await send(items.length);
        else if (items.length < 6) setImmediate(() => void send(items.length));
      },
    });
    await send(0);
    await complete;
    expect(items).toEqual(numbers(6));
  }, 20_000);

  test("what is called before run says so", () => {
    const consumer = newConsumer(newName());
    const message = "Consumer group was not initialized, consumer#run must be called first";
    expect(() => consumer.seek({ topic: "t", partition: 0, offset: "1" })).toThrow(message);
    expect(() => consumer.pause([{ topic: "t" }])).toThrow(message);
    expect(() => consumer.resume([{ topic: "t" }])).toThrow(message);
    expect(consumer.paused()).toEqual([]);
  });

  test.each([
    [{}, 'Missing required argument "topics"'],
    [{ topics: "t" }, 'Argument "topics" must be an array'],
    [{ topics: [5] }, "Invalid topic 5 (number), the topic name has to be a String or a RegExp"],
  ])("does not subscribe to %j", async (subscription, message) => {
    const error = { name: "KafkaJSNonRetriableError", message };
    await expect(newConsumer(newName()).subscribe(subscription)).rejects.toMatchObject(error);
  });

  test.each([
    [{ topic: "t", partition: 0, offset: "-3" }, "Offset must not be a negative number"],
    [{ topic: "t", partition: 0, offset: "x" }, "Invalid offset, expected a long received x"],
    [{ topic: "", partition: 0, offset: "1" }, "Invalid topic "],
    [{ topic: "t", partition: "x", offset: "1" }, "Invalid partition, expected a number received x"],
  ])("does not seek %j", (position, message) => {
    expect(() => newConsumer(newName()).seek(position)).toThrow(message);
  });

  test.each([
    [{ groupId: "" }, "Consumer groupId must be a non-empty string."],
    [
      { groupId: "g", heartbeatInterval: 5, sessionTimeout: 5 },
      "Consumer heartbeatInterval (5) must be lower than sessionTimeout (5). It is recommended to set heartbeatInterval to approximately a third of the sessionTimeout.",
    ],
  ])("does not take %j", (config, message) => {
    expect(() => new Kafka({ brokers: [], logLevel: 0 }).consumer(config)).toThrow(message);
  });

  test("two members share the partitions, and one goes on with all when the other leaves", async () => {
    const [topic, groupId] = [await newTopic(2), newName()];
    const joins: EventOfJS[] = [];
    const both = happening();
    const alone = happening();
    const add = (event: EventOfJS) => {
      joins.push(event);
      const counts = joins.slice(-2).map(({ payload }) => partitionCountOf(payload));
      if (counts.join() === "1,1") both.happen();
      if (joins.length > 2 && counts.at(-1) === 2) alone.happen();
    };
    const { items, complete, add: got } = collection<string>(2);
    const start = async () => {
      const consumer = newConsumer(groupId, { heartbeatInterval: 100 });
      consumer.on("consumer.group_join", add);
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({ eachMessage: async ({ message }: EachMessage) => got(textOf(message)) });
      return consumer;
    };
    await start();
    const second = await start();
    await both.happened;
    await written(topic, ["a"], 0);
    await written(topic, ["b"], 1);
    await complete;
    expect([...items].sort()).toEqual(["a", "b"]);
    await second.disconnect();
    await alone.happened;
  });

  test.runIf(isOurs)("seek knows the ends of the log", async () => {
    const topic = await newTopic();
    await written(topic, numbers(3));
    const { items, complete, add, has } = collection<string>(3 + 3 + 1);
    const consumer = newConsumer(newName());
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }: EachMessage) => add(textOf(message)) });
    await has("2");
    consumer.seek({ topic, partition: 0, offset: "-2" });
    await has("2", 2);
    await written(topic, ["3"]);
    await complete;
    expect(items).toEqual([...numbers(3), ...numbers(4)]);
  });

  test.runIf(isOurs)("a pattern takes in topics that come later; others begin where they say", async () => {
    const prefix = newName();
    const topic = await newTopic();
    await written(topic, ["old"]);
    const { items, complete, add } = collection<string>(2);
    await using producer = new KafkaProducer({ bootstrapServers });
    await producer.send({ topic: `${prefix}-a`, value: "a" });
    const consumer = newConsumer(newName(), { metadataMaxAge: 300 });
    await consumer.subscribe({ topics: [new RegExp(`^${prefix}-`, "g")], fromBeginning: true });
    await consumer.subscribe({ topics: [topic] });
    await consumer.run({ eachMessage: async ({ message }: EachMessage) => add(textOf(message)) });
    await producer.send({ topic: `${prefix}-b`, value: "b" });
    await complete;
    expect([...items].sort()).toEqual(["a", "b"]);
  });

  test.runIf(isOurs)("partitions are handled at the same time, each in order", async () => {
    const topic = await newTopic(2);
    await written(topic, ["a0", "a1"], 0);
    await written(topic, ["b0", "b1"], 1);
    const [a, b] = [happening(), happening()];
    const { items, complete, add } = collection<string>(4);
    const consumer = newConsumer(newName());
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      partitionsConsumedConcurrently: 2,
      eachMessage: async ({ message }: EachMessage) => {
        const text = textOf(message);
        (text.startsWith("a") ? a : b).happen();
        // Each waits for the other: one after the other they would wait for ever.
        await (text.startsWith("a") ? b : a).happened;
        add(text);
      },
    });
    await complete;
    expect(items.filter((text) => text.startsWith("a"))).toEqual(["a0", "a1"]);
    expect(items.filter((text) => text.startsWith("b"))).toEqual(["b0", "b1"]);
  });
});

const partitionCountOf = (payload: unknown): number => {
  const { memberAssignment }: { readonly memberAssignment?: Readonly<Record<string, readonly number[]>> } =
    Object(payload);
  return Object.values(memberAssignment ?? {}).flat().length;
};
