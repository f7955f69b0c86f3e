import { KafkaProducer, string } from "odradek";
import { afterAll, expect, test } from "vitest";
import { until } from "../cluster/readiness.ts";
import { GroupLedger, Member } from "./group-member.ts";
import { JavaConsumer } from "./java-consumer.ts";
import { bootstrapServers, newTopic, opened } from "./topics.ts";

const producer = new KafkaProducer({ bootstrapServers, valueSerializer: string });
afterAll(() => producer.close());

const when = (what: string, holds: () => boolean): Promise<void> => until(what, async () => holds() || "not yet");

const javaAssignors = {
  range: "org.apache.kafka.clients.consumer.RangeAssignor",
  "cooperative-sticky": "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
};

const ofConsumer = { groupProtocol: "consumer" } as const;

test.each([
  ["range", "ours leads", { partitionAssignmentStrategy: ["range"] }],
  ["range", "Java's leads", { partitionAssignmentStrategy: ["range"] }],
  ["cooperative-sticky", "ours leads", { partitionAssignmentStrategy: ["cooperative-sticky"] }],
  ["cooperative-sticky", "Java's leads", { partitionAssignmentStrategy: ["cooperative-sticky"] }],
  ["the consumer protocol", "the broker decides", ofConsumer],
] as const)("Java's console consumer and ours share a group by %s, where %s", async (how, whose, options) => {
  const topic = await newTopic(4);
  const ledger = new GroupLedger();
  const ours = new Member("ours", [topic], ledger, { groupId: topic, ...options });
  opened.push(ours);
  const startJava = () =>
    JavaConsumer.start(
      topic,
      topic,
      how === "the consumer protocol"
        ? { "group.protocol": "consumer" }
        : { "partition.assignment.strategy": javaAssignors[how], "heartbeat.interval.ms": "200" },
    );
  let java: JavaConsumer;
  let written = 0;
  const write = async () => {
    const values = Array.from({ length: 40 }, () => `${written++}`);
    await producer.sendBatch(values.map((value, index) => ({ topic, partition: index % 4, value })));
  };
  if (whose === "Java's leads") {
    java = await startJava();
    await write();
    await when("Java's has read", () => java.read.length === 40);
    ours.start();
  } else {
    ours.start();
    await when("ours has all", () => ours.consumer.assignment().length === 4);
    java = await startJava();
  }
  await when("ours has the half", () => ours.consumer.assignment().length === 2);
  await write();
  await when("all is read", () => new Set([...ledger.read.keys(), ...java.read]).size === written);
  expect(ledger.read.size).toBeGreaterThanOrEqual(20);
  expect(java.read.length).toBeGreaterThanOrEqual(20);
  await java.stop();
  await when("ours has all again", () => ours.consumer.assignment().length === 4);
  await write();
  await when("all is read again", () => new Set([...ledger.read.keys(), ...java.read]).size === written);
  expect([ledger.wrongs, ours.error]).toEqual([[], null]);
});

test("a group goes from the classic protocol to that of consumers, member by member, and loses nothing", async () => {
  const topic = await newTopic(4);
  const ledger = new GroupLedger();
  const start = (name: string, options = {}) => {
    const member = new Member(name, [topic], ledger, { groupId: topic, ...options });
    opened.push(member);
    return member.start();
  };
  const old = [start("old 1"), start("old 2")];
  await when("the old ones share", () => `${ledger.shares(old)}` === "2,2");
  const first = start("new 1", ofConsumer);
  await when("three share", () => `${ledger.shares([...old, first])}` === "1,1,2");
  for (const member of old) await member[Symbol.asyncDispose]();
  const second = start("new 2", ofConsumer);
  await when("the new ones share", () => `${ledger.shares([first, second])}` === "2,2");
  const values = Array.from({ length: 40 }, (_, index) => `${index}`);
  await producer.sendBatch(values.map((value, index) => ({ topic, partition: index % 4, value })));
  await when("all is read", () => ledger.read.size === 40);
  expect([ledger.wrongs, first.error, second.error]).toEqual([[], null, null]);
});

test("a group goes from eager to cooperative rebalances in two rounds of restarts, and loses nothing", async () => {
  const topic = await newTopic(4);
  const ledger = new GroupLedger();
  let written = 0;
  const exchange = async () => {
    const values = Array.from({ length: 40 }, () => `${written++}`);
    await producer.sendBatch(values.map((value, index) => ({ topic, partition: index % 4, value })));
    await when("all is read", () => ledger.read.size === written);
  };
  const rounds = [["range"], ["cooperative-sticky", "range"], ["cooperative-sticky"]] as const;
  const members: Member[] = [];
  for (const partitionAssignmentStrategy of rounds) {
    for (const place of [0, 1]) {
      await members[place]?.[Symbol.asyncDispose]();
      const name = `${partitionAssignmentStrategy.join()} ${place}`;
      const member = new Member(name, [topic], ledger, { groupId: topic, partitionAssignmentStrategy });
      opened.push(member);
      members[place] = member.start();
      const shares = members.length === 1 ? "4" : "2,2";
      await when(`they share ${shares}`, () => `${ledger.shares(members)}` === shares);
      await exchange();
    }
  }
  // What it keeps it does not give up when another member comes: that is what it was for.
  const [kept] = members;
  const calls = kept?.calls.length;
  const third = new Member("third", [topic], ledger, { groupId: topic, partitionAssignmentStrategy: rounds[2] });
  opened.push(third);
  third.start();
  await when("three share", () => `${ledger.shares([...members, third])}` === "1,1,2");
  await exchange();
  for (const call of kept?.calls.slice(calls) ?? []) expect(call).toMatch(/^(revoked \d|assigned )$/);
  expect([ledger.wrongs, ...members.map(({ error }) => error)]).toEqual([[], null, null]);
});
