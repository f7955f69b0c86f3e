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
import { bootstrapServers, newTopic } from "./topics.ts";

const connected: ConsumerOfJS[] = [];
afterEach(async () => {
  for (const consumer of connected.splice(0)) await consumer.disconnect();
});

describe.each(candidates)("handlers of %s", (name, { Kafka }) => {
  const isOurs = name === "@odradek/kafkajs";
  const kafka = new Kafka({ brokers: [...bootstrapServers], logLevel: 0 });
  const newConsumer = (groupId: string, config: object = {}): ConsumerOfJS => {
    const retry = { retries: 2, initialRetryTime: 50 };
    const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200, heartbeatInterval: 100, retry, ...config });
    connected.push(consumer);
    return consumer;
  };

  test("may pause their partition and throw: the message comes again when it is resumed", async () => {
    const topic = await newTopic();
    await written(topic, numbers(3));
    const paused = happening<() => void>();
    const { items, complete, add } = collection<string>(4);
    const consumer = newConsumer(newName());
    const crashes: EventOfJS[] = [];
    consumer.on("consumer.crash", (event) => crashes.push(event));
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message, pause }: EachMessage) => {
        const isFirst = !items.includes("1");
        add(textOf(message));
        if (textOf(message) !== "1" || !isFirst) return;
        paused.happen(pause());
        throw new Error("too many requests");
      },
    });
    const resume = await paused.happened;
    expect(consumer.paused()).toEqual([{ topic, partitions: [0] }]);
    setTimeout(resume, 300);
    await complete;
    expect(items).toEqual(["0", "1", "1", "2"]);
    expect(crashes).toEqual([]);
  });

  test("of batches hear of a seek, and what they were given is void", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    await written(topic, numbers(4));
    const stale: boolean[] = [];
    const { items, complete, add } = collection<string>(5);
    const consumer = newConsumer(groupId);
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachBatchAutoResolve: false,
      eachBatch: async ({ batch, isStale, resolveOffset }: EachBatch) => {
        for (const message of batch.messages) {
          if (isStale()) break;
          add(textOf(message));
          resolveOffset(message.offset);
          if (items.length !== 2) continue;
          stale.push(isStale());
          consumer.seek({ topic, partition: 0, offset: "1" });
          stale.push(isStale());
        }
      },
    });
    await complete;
    await consumer.stop();
    expect(stale).toEqual([false, true]);
    expect(items).toEqual(["0", "1", "1", "2", "3"]);
    expect(await committedOf(groupId, topic)).toBe(4n);
  });

  test("of batches know what is not committed, until it is", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    await written(topic, numbers(4));
    const { happened, happen } = happening<readonly unknown[]>();
    const consumer = newConsumer(groupId);
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    const offsetsOf = (uncommitted: object): unknown =>
      JSON.parse(JSON.stringify(uncommitted)).topics.flatMap((of: { partitions: { offset: string }[] }) =>
        of.partitions.map(({ offset }) => offset),
      );
    await consumer.run({
      autoCommitThreshold: 3,
      eachBatch: async ({ batch, resolveOffset, uncommittedOffsets, commitOffsetsIfNecessary }: EachBatch) => {
        const told: unknown[] = [];
        for (const { offset } of batch.messages) {
          resolveOffset(offset);
          await commitOffsetsIfNecessary();
          told.push(offsetsOf(uncommittedOffsets()));
        }
        happen([...told, await committedOf(groupId, topic)]);
      },
    });
    expect(await happened).toEqual([["1"], ["2"], [], ["4"], 3n]);
  });

  test("without autoCommit commit nothing, whatever the threshold says", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    await written(topic, numbers(4));
    const { complete, add } = collection<string>(4);
    const consumer = newConsumer(groupId);
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      autoCommitThreshold: 1,
      autoCommitInterval: 0,
      eachMessage: async ({ message }: EachMessage) => add(textOf(message)),
    });
    await complete;
    await consumer.stop();
    expect(await committedOf(groupId, topic)).toBeNull();
  });

  test("with autoCommitInterval have what they are done with committed as time goes by", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    await written(topic, numbers(3));
    const { happened, happen } = happening<bigint | null>();
    const committed = happening();
    const consumer = newConsumer(groupId);
    consumer.on("consumer.commit_offsets", () => committed.happen());
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      autoCommitInterval: 1,
      eachMessage: async ({ message }: EachMessage) => {
        // The consumer's clock is what it goes by.
        if (message.offset === "0") await new Promise((resolve) => setTimeout(resolve, 20));
        if (message.offset === "2") happen(await committed.happened.then(() => committedOf(groupId, topic)));
      },
    });
    expect(await happened).toBeGreaterThanOrEqual(1n);
  });

  test("that fail have what was done with before them committed", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    await written(topic, numbers(3));
    const crashed = happening();
    const consumer = newConsumer(groupId, { retry: { retries: 0, restartOnFailure: async () => false } });
    consumer.on("consumer.crash", () => crashed.happen());
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }: EachMessage) => {
        if (message.offset === "2") throw new Error("no");
      },
    });
    await crashed.happened;
    expect(await committedOf(groupId, topic)).toBe(2n);
  });

  test("are waited for by stop and disconnect, which may be called again", async () => {
    const [topic, groupId] = [await newTopic(), newName()];
    await written(topic, numbers(2));
    const [begun, goOn] = [happening(), happening()];
    const items: string[] = [];
    const consumer = newConsumer(groupId);
    await consumer.connect();
    await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message }: EachMessage) => {
        begun.happen();
        await goOn.happened;
        items.push(textOf(message));
      },
    });
    await begun.happened;
    const ends = Promise.all([consumer.stop(), consumer.disconnect()]);
    goOn.happen();
    await ends;
    await consumer.disconnect();
    expect(items).toEqual(["0"]);
    expect(await committedOf(groupId, topic)).toBe(1n);
  });

  test.runIf(isOurs)(
    "that are told that their place is lost, and let that pass, are tried again, and are no crash",
    async () => {
      const [topic, groupId] = [await newTopic(), newName()];
      await written(topic, numbers(2));
      const [begun, goOn, hasLost] = [happening(), happening(), happening()];
      const [one, other] = [newConsumer(groupId, { rebalanceTimeout: 1_000 }), newConsumer(groupId)];
      const crashes: EventOfJS[] = [];
      const errors: unknown[] = [];
      const { complete, add } = collection<string>(2);
      one.on("consumer.crash", (event) => crashes.push(event));
      other.on("consumer.group_join", () => hasLost.happen());
      for (const consumer of [one, other]) await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await one.run({
        autoCommit: false,
        eachBatch: async ({ batch, commitOffsetsIfNecessary }: EachBatch) => {
          begun.happen();
          await goOn.happened;
          const partitions = [{ partition: 0, offset: String(Number(batch.lastOffset()) + 1) }];
          await commitOffsetsIfNecessary({ topics: [{ topic, partitions }] }).catch((error: unknown) => {
            errors.push(error);
            throw error;
          });
          // It may be given the partition again before the other has read it.
          for (const message of batch.messages) add(textOf(message));
        },
      });
      await begun.happened;
      const running = other.run({ eachMessage: async ({ message }: EachMessage) => add(textOf(message)) });
      await hasLost.happened;
      goOn.happen();
      await Promise.all([running, complete]);
      expect(errors).toMatchObject([{ name: "KafkaJSProtocolError", type: "ILLEGAL_GENERATION" }]);
      await one.stop();
      expect(crashes).toEqual([]);
    },
  );
});
