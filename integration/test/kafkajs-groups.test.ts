import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as pass } from "node:timers/promises";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
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
import { type ConsumerOfJS, type EventOfJS, type KafkaJS, libraries } from "./kafkajs-libraries.ts";
import { newName } from "./opened.ts";
import { bootstrapServers, newTopic } from "./topics.ts";

const connected: ConsumerOfJS[] = [];
afterEach(async () => {
  for (const consumer of connected.splice(0)) await consumer.disconnect();
});

const library = (name: string): KafkaJS => {
  const found = libraries.find(([candidate]) => candidate === name)?.[1];
  if (found === undefined) throw new Error(`no library ${name}`);
  return found;
};

const ours = library("@odradek/kafkajs");

function newConsumer({ Kafka }: KafkaJS, groupId: string, config: object = {}): ConsumerOfJS {
  const kafka = new Kafka({ brokers: [...bootstrapServers], logLevel: 0 });
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 200, heartbeatInterval: 100, ...config });
  connected.push(consumer);
  return consumer;
}

const partitionCountOf = ({ payload }: EventOfJS): number => {
  const { memberAssignment = {} }: { readonly memberAssignment?: Readonly<Record<string, readonly number[]>> } =
    Object(payload);
  return Object.values(memberAssignment).flat().length;
};

/** Settles when each of the consumers has been assigned one partition. */
function shared(consumers: readonly ConsumerOfJS[]): Promise<void> {
  const { happened, happen } = happening();
  const counts = new Map<ConsumerOfJS, number>();
  for (const consumer of consumers) {
    consumer.on("consumer.group_join", (event) => {
      counts.set(consumer, partitionCountOf(event));
      if (consumers.every((other) => counts.get(other) === 1)) happen();
    });
  }
  return happened;
}

describe("a rebalance", () => {
  test("waits for the message that a handler is at, and neither loses nor repeats one", async () => {
    const [topic, groupId] = [await newTopic(2), newName()];
    await written(topic, ["a0", "a1", "a2"], 0);
    await written(topic, ["b0", "b1", "b2"], 1);
    const { items, complete, add } = collection<string>(6);
    const [begun, goOn, rebalancing] = [happening(), happening(), happening()];
    const [one, other] = [newConsumer(ours, groupId), newConsumer(ours, groupId)];
    const isShared = shared([one, other]);
    one.on("consumer.rebalancing", () => rebalancing.happen());
    for (const consumer of [one, other]) await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await one.run({
      eachMessage: async ({ message }: EachMessage) => {
        begun.happen();
        await goOn.happened;
        add(textOf(message));
      },
    });
    await begun.happened;
    const joining = other.run({ eachMessage: async ({ message }: EachMessage) => add(textOf(message)) });
    await rebalancing.happened;
    goOn.happen();
    await Promise.all([joining, isShared, complete]);
    await Promise.all([one.stop(), other.stop()]);
    expect([...items].sort()).toEqual(["a0", "a1", "a2", "b0", "b1", "b2"]);
    expect(await committedOf(groupId, topic, 0)).toBe(3n);
    expect(await committedOf(groupId, topic, 1)).toBe(3n);
  });

  test("is told to a handler of batches by its heartbeat, and what it has resolved is committed", async () => {
    const [topic, groupId] = [await newTopic(1), newName()];
    await written(topic, numbers(4));
    const rebalancing = happening();
    const thrown = happening<unknown>();
    const begun = happening();
    const { complete, items, add } = collection<string>(2);
    const [one, other] = [newConsumer(ours, groupId), newConsumer(ours, groupId)];
    one.on("consumer.rebalancing", () => rebalancing.happen());
    const crashes: EventOfJS[] = [];
    one.on("consumer.crash", (event) => crashes.push(event));
    for (const consumer of [one, other]) await consumer.subscribe({ topics: [topic], fromBeginning: true });
    await one.run({
      eachBatch: async ({ batch, resolveOffset, heartbeat }: EachBatch) => {
        if (batch.firstOffset() !== "0") {
          batch.messages.map(textOf).forEach(add);
          return;
        }
        resolveOffset("1");
        await heartbeat();
        begun.happen();
        await rebalancing.happened;
        await heartbeat().catch((error: unknown) => {
          thrown.happen(error);
          throw error;
        });
      },
    });
    await begun.happened;
    const running = other.run({ eachMessage: async ({ message }: EachMessage) => add(textOf(message)) });
    expect(await thrown.happened).toMatchObject({
      name: "KafkaJSProtocolError",
      type: "REBALANCE_IN_PROGRESS",
      code: 27,
    });
    await Promise.all([running, complete]);
    expect(items).toEqual(["2", "3"]);
    expect(crashes).toEqual([]);
  });

  test.each([
    ["kafkajs 2.2.4", "@odradek/kafkajs"],
    ["@odradek/kafkajs", "kafkajs 2.2.4"],
  ])("divides a group of %s, which leads it, and %s", async (first, second) => {
    const [topic, groupId] = [await newTopic(2), newName()];
    const { items, complete, add } = collection<string>(2);
    const consumers = [newConsumer(library(first), groupId), newConsumer(library(second), groupId)];
    const isShared = shared(consumers);
    for (const consumer of consumers) {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({ eachMessage: async ({ message }: EachMessage) => add(textOf(message)) });
    }
    await isShared;
    await written(topic, ["a"], 0);
    await written(topic, ["b"], 1);
    await complete;
    expect([...items].sort()).toEqual(["a", "b"]);
  });
});

test("a handler may take longer than its session, without a heartbeat of its own", async () => {
  const [topic, groupId] = [await newTopic(), newName()];
  await written(topic, numbers(2));
  const { items, complete, add } = collection<string>(2);
  const consumer = newConsumer(ours, groupId, { sessionTimeout: 6_000, heartbeatInterval: 1_000 });
  const joins: EventOfJS[] = [];
  consumer.on("consumer.group_join", (event) => joins.push(event));
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }: EachMessage) => {
      // The broker's clock is what ends a session, and there is no other way to have it pass.
      if (message.offset === "0") await pass(8_000);
      add(textOf(message));
    },
  });
  await complete;
  await consumer.stop();
  expect(items).toEqual(["0", "1"]);
  expect(joins).toHaveLength(1);
  expect(await committedOf(groupId, topic)).toBe(2n);
});

test("a handler may stop its consumer, as long as it does not wait for it", async () => {
  const [topic, groupId] = [await newTopic(), newName()];
  await written(topic, numbers(3));
  const stopped = happening();
  const handled: string[] = [];
  const consumer = newConsumer(ours, groupId);
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ message }: EachMessage) => {
      handled.push(textOf(message));
      if (message.offset === "1") void consumer.stop().then(() => stopped.happen());
    },
  });
  await stopped.happened;
  expect(handled).toEqual(["0", "1"]);
  expect(await committedOf(groupId, topic)).toBe(2n);
});

const service = `
  const { Kafka } = require("@odradek/kafkajs");
  const { brokers, topic, groupId } = JSON.parse(process.argv[1]);
  const consumer = new Kafka({ brokers, logLevel: 0 }).consumer({ groupId, sessionTimeout: 6_000, heartbeatInterval: 1_000 });
  const eachMessage = async ({ message }) => {
    console.log(String(message.value));
    if (message.offset === "2") await new Promise(() => {});
  };
  consumer.subscribe({ topics: [topic], fromBeginning: true }).then(() => consumer.run({ eachMessage, autoCommitThreshold: 1 }));
`;

test("a service that is killed in the middle of a message loses none", async () => {
  const [topic, groupId] = [await newTopic(), newName()];
  await written(topic, numbers(5));
  const argument = JSON.stringify({ brokers: bootstrapServers, topic, groupId });
  const { pathname: cwd } = new URL(".", import.meta.url);
  const child = spawn(process.execPath, ["-e", service, argument], { cwd, stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const said: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    said.push(line);
    if (line === "2") break;
  }
  expect(said).toEqual(["0", "1", "2"]);
  child.kill("SIGKILL");
  await once(child, "close");
  const { items, complete, add } = collection<string>(3);
  const consumer = newConsumer(ours, groupId);
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({ eachMessage: async ({ message }: EachMessage) => add(textOf(message)) });
  await complete;
  expect(items).toEqual(["2", "3", "4"]);
});
