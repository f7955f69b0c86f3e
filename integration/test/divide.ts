import { type ConsumerOptions, KafkaAdmin, KafkaProducer, UnsupportedVersionError } from "odradek";
import { expect } from "vitest";
import { until } from "../cluster/readiness.ts";
import { GroupLedger, Member } from "./group-member.ts";
import { newName } from "./opened.ts";

/** What groups promise, on brokers of any release: members divide a topic of two partitions, commit, and follow each other. */
export async function divide(bootstrapServers: readonly string[], isWithStatic: boolean): Promise<void> {
  const topic = newName();
  await using admin = new KafkaAdmin({ bootstrapServers });
  (await admin.createTopics([{ topic, numPartitions: 2, replicationFactor: 1 }])).orThrow();
  await using producer = new KafkaProducer({ bootstrapServers });
  await producer.sendBatch([0, 1].map((partition) => ({ topic, partition, value: "one" })));
  for (const partitionAssignmentStrategy of [["range"], ["cooperative-sticky"]] as const) {
    const groupId = newName();
    const ledger = new GroupLedger();
    const start = (name: string, options: Partial<ConsumerOptions<string, string>> = {}) =>
      new Member(name, [topic], ledger, { bootstrapServers, groupId, partitionAssignmentStrategy, ...options }).start();
    const shared = (members: readonly Member[], shares: string) =>
      until(`the members share ${shares}`, async () => {
        for (const { error } of members) if (error !== null) throw error;
        return `${ledger.shares(members)}` === shares || `they share ${ledger.shares(members)}`;
      });
    const first = start("first");
    await shared([first], "2");
    await until("something is read", async () => ledger.read.size > 0 || "nothing is");
    const second = start("second");
    await shared([first, second], "1,1");
    await first[Symbol.asyncDispose]();
    await shared([second], "2");
    await second[Symbol.asyncDispose]();
    const committed = await committedOf(bootstrapServers, groupId, topic);
    expect(committed.some((offset) => offset !== null && offset > 0n)).toBe(true);
    const third = start("third", { groupInstanceId: "third" });
    if (isWithStatic) await shared([third], "2");
    else await until("it is refused", async () => third.error instanceof UnsupportedVersionError || "it is not");
    await third[Symbol.asyncDispose]();
    expect(ledger.wrongs).toEqual([]);
  }
}

async function committedOf(bootstrapServers: readonly string[], groupId: string, topic: string) {
  await using asking = new Member("asking", [topic], new GroupLedger(), { bootstrapServers, groupId });
  const committed = await asking.consumer.committed([0, 1].map((partition) => ({ topic, partition })));
  return committed.map(({ offset }) => offset);
}
