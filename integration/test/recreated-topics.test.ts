import { KafkaAdmin, KafkaConsumer, KafkaProducer, string } from "odradek";
import { describe, expect, test } from "vitest";
import { until } from "../cluster/readiness.ts";
import { committedOffset } from "./committed-offset.ts";
import { deleteTopic } from "./deletions.ts";
import { GroupLedger, Member } from "./group-member.ts";
import { createAgain, readRecreated } from "./recreated-topic.ts";
import { measured } from "./round-trip.ts";
import { bootstrapServers, newTopic, opened } from "./topics.ts";

const numbered = (what: string, count: number) => Array.from({ length: count }, (_, index) => `${what} ${index}`);

describe.each([
  ["eager", { partitionAssignmentStrategy: ["range"] }],
  ["cooperative", { partitionAssignmentStrategy: ["cooperative-sticky"] }],
  ["of the consumer protocol", { groupProtocol: "consumer" }],
] as const)("a group of members that are %s", (_kind, options) => {
  test("waits for a topic that was deleted, and reads all of the one that comes in its place", () =>
    readRecreated(bootstrapServers, options));

  test.each([
    ["shorter", 20],
    ["longer", 100],
  ] as const)("reads all of a topic that was made anew before it noticed, where that is %s", async (_how, count) => {
    const topic = await newTopic();
    const ledger = new GroupLedger();
    const admin = new KafkaAdmin({ bootstrapServers });
    const member = new Member("one", [topic], ledger, {
      groupId: topic,
      autoCommitIntervalMs: 100,
      allowAutoCreateTopics: false,
      ...options,
    });
    opened.push(member, admin);
    member.start();
    const written: string[] = [];
    const write = async (what: string, length: number) => {
      await using producer = new KafkaProducer({ bootstrapServers, valueSerializer: string });
      const values = numbered(what, length);
      written.push(...values);
      await producer.sendBatch(values.map((value) => ({ topic, partition: 0, value })));
    };
    const untilRead = () =>
      until("all is read", async () => {
        if (member.error !== null) throw member.error;
        return ledger.read.size === written.length || `${ledger.read.size} of ${written.length} are`;
      });
    await write("old", 60);
    await untilRead();
    // It is told only when all is done, so that it finds its position of old within the new topic.
    await member.stop();
    await deleteTopic(bootstrapServers, topic);
    await createAgain(admin, topic, 1);
    await write("new", count);
    member.start();
    await untilRead();
    await write("new, later", 20);
    await untilRead();
    expect([...ledger.read].filter(([, times]) => times > 1)).toEqual([]);
    expect([...ledger.read.keys()]).toEqual(written);
  });
});

test("where it was in a topic is not committed as a place in the one that came after it under the same name", async () => {
  const topic = await newTopic();
  const partition = { topic, partition: 0 };
  const admin = new KafkaAdmin({ bootstrapServers });
  const producer = new KafkaProducer({ bootstrapServers, valueSerializer: string });
  const consumer = new KafkaConsumer({
    bootstrapServers,
    groupId: topic,
    autoOffsetReset: "earliest",
    autoCommitIntervalMs: 50,
    allowAutoCreateTopics: false,
    valueDeserializer: string,
  });
  opened.push(admin, producer, consumer);
  const send = (what: string, count: number) =>
    producer.sendBatch(numbered(what, count).map((value) => ({ ...partition, value })));
  const seen: (string | null)[] = [];
  const readUntil = (what: string, holds: () => Promise<boolean>) =>
    until(what, async () => {
      for (const { value } of await consumer.poll(100)) seen.push(value);
      return (await holds()) || "not yet";
    });
  await send("old", 5);
  consumer.assign([partition]);
  const committed = () => committedOffset(bootstrapServers, topic, topic);
  await readUntil("all is committed", async () => (await committed()) === 5n);
  // What it does not read, it hears of late.
  consumer.pause([partition]);
  await deleteTopic(bootstrapServers, topic);
  await createAgain(admin, topic, 1);
  await send("new", 10);
  const commits = () => measured(consumer.metrics(), "commit-total");
  const before = commits();
  await readUntil("it has tried to commit", async () => {
    // Nothing, or, once it has noticed, where it begins.
    expect([-1n, 0n]).toContain(await committed());
    return commits() >= before + 3;
  });
  consumer.resume([partition]);
  await readUntil("all is committed again", async () => (await committed()) === 10n);
  expect(seen).toEqual([...numbered("old", 5), ...numbered("new", 10)]);
});
