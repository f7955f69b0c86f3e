import { type ConsumerOptions, KafkaAdmin, KafkaError, KafkaProducer, string } from "odradek";
import { expect } from "vitest";
import { until } from "../cluster/readiness.ts";
import { deleteTopic } from "./deletions.ts";
import { GroupLedger, Member } from "./group-member.ts";
import { newName } from "./opened.ts";
import { addPartitions } from "./partitions.ts";
import { measured } from "./round-trip.ts";

/** More than members ask who wait for a topic: a heartbeat every 200 ms, metadata at a back-off, and what they ask once. */
const mostRequestsPerSecond = 40;

/**
 * What a group promises whose topic is deleted while it reads it: its members wait without a fuss, and read all of a topic that
 * is created later under the same name, from its beginning, and partitions that are added to that. On brokers of any release.
 */
export async function readRecreated(
  bootstrapServers: readonly string[],
  options: Partial<ConsumerOptions<string, string>> = {},
): Promise<void> {
  const topic = newName();
  await using admin = new KafkaAdmin({ bootstrapServers });
  const create = () => createAgain(admin, topic, 2);
  await create();
  const ledger = new GroupLedger();
  const start = (name: string) =>
    new Member(name, [topic], ledger, {
      bootstrapServers,
      groupId: topic,
      autoCommitIntervalMs: 100,
      metadataMaxAgeMs: 500,
      // Else a member that asks for it would create it.
      allowAutoCreateTopics: false,
      ...options,
    }).start();
  await using one = start("one");
  await using other = start("other");
  const members = [one, other];
  const shared = (shares: string) =>
    until(`the members share ${shares}`, async () => {
      for (const { error } of members) if (error !== null) throw error;
      return `${ledger.shares(members)}` === shares || `they share ${ledger.shares(members)}`;
    });
  const written: string[] = [];
  const write = async (what: string, count: number, partitions: number) => {
    // One that knows nothing of the topic before.
    await using producer = new KafkaProducer({ bootstrapServers, valueSerializer: string });
    const values = Array.from({ length: count }, (_, index) => `${what} ${index}`);
    written.push(...values);
    await producer.sendBatch(values.map((value, index) => ({ topic, partition: index % partitions, value })));
    await until(`all of ${what} is read`, async () => {
      for (const { error } of members) if (error !== null) throw error;
      return ledger.read.size === written.length || `${ledger.read.size} of ${written.length} are`;
    });
  };

  await shared("1,1");
  await write("the old topic", 60, 2);
  await deleteTopic(bootstrapServers, topic);
  await shared("0,0");
  await expectQuiet(members);
  await create();
  await shared("1,1");
  // More than there was, so that a position of old would hide some of it.
  await write("the new topic", 100, 2);
  await addPartitions(bootstrapServers, topic, 4);
  await shared("2,2");
  await write("more partitions", 40, 4);
  expect(ledger.wrongs).toEqual([]);
  expect([...ledger.read].filter(([, count]) => count > 1)).toEqual([]);
  expect([...ledger.read.keys()].sort()).toEqual(written.sort());
}

/** Creates a topic; where it was deleted a moment ago, its name may not be free yet. */
export async function createAgain(admin: KafkaAdmin, topic: string, numPartitions: number): Promise<void> {
  await until(`${topic} is created`, async () => {
    try {
      (await admin.createTopics([{ topic, numPartitions, replicationFactor: 1 }])).orThrow();
      return true;
    } catch (error) {
      if (error instanceof KafkaError && error.code === "TOPIC_ALREADY_EXISTS") return error.message;
      throw error;
    }
  });
}

/** Holds that members do not ask on and on for what is not there. */
async function expectQuiet(members: readonly Member[]): Promise<void> {
  const counts = () => members.map(({ consumer }) => measured(consumer.metrics(), "request-total"));
  const [before, startMs] = [counts(), performance.now()];
  const fewest = 8;
  await until("members have asked a few times", async () => {
    return counts().every((count, index) => count - (before[index] ?? 0) >= fewest) || "not yet";
  });
  const seconds = (performance.now() - startMs) / 1_000;
  for (const [index, count] of counts().entries()) {
    expect((count - (before[index] ?? 0)) / seconds).toBeLessThan(mostRequestsPerSecond);
  }
}
