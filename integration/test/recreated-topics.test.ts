import { KafkaAdmin, KafkaProducer, string } from "odradek";
import { describe, expect, test } from "vitest";
import { until } from "../cluster/readiness.ts";
import { deleteTopic } from "./deletions.ts";
import { GroupLedger, Member } from "./group-member.ts";
import { createAgain, readRecreated } from "./recreated-topic.ts";
import { bootstrapServers, newTopic, opened } from "./topics.ts";

describe.each([
  ["eager", { partitionAssignmentStrategy: ["range"] }],
  ["cooperative", { partitionAssignmentStrategy: ["cooperative-sticky"] }],
  ["of the consumer protocol", { groupProtocol: "consumer" }],
] as const)("a group of members that are %s", (_kind, options) => {
  test("waits for a topic that was deleted, and reads all of the one that comes in its place", () =>
    readRecreated(bootstrapServers, options));

  test("reads all of a topic that was made anew before it noticed, where that is shorter than it has read", async () => {
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
    const write = async (what: string, count: number) => {
      await using producer = new KafkaProducer({ bootstrapServers, valueSerializer: string });
      const values = Array.from({ length: count }, (_, index) => `${what} ${index}`);
      written.push(...values);
      await producer.sendBatch(values.map((value) => ({ topic, partition: 0, value })));
      await until(`${what} is read`, async () => {
        if (member.error !== null) throw member.error;
        return ledger.read.size === written.length || `${ledger.read.size} of ${written.length} are`;
      });
    };
    await write("old", 60);
    await deleteTopic(bootstrapServers, topic);
    await createAgain(admin, topic, 1);
    await write("new", 20);
    await write("new, later", 20);
    expect([...ledger.read].filter(([, count]) => count > 1)).toEqual([]);
    expect([...ledger.read.keys()]).toEqual(written);
  });
});
