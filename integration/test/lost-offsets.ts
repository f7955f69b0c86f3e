import { OffsetCommit } from "@odradek/protocol/messages/offset-commit";
import { type AutoOffsetReset, type GroupProtocol, KafkaAdmin, KafkaConsumer, KafkaProducer, string } from "odradek";
import { expect } from "vitest";
import { until } from "../cluster/readiness.ts";
import { committedOffset } from "./committed-offset.ts";
import { newName } from "./opened.ts";
import { coordinatorOf, withinAMinute } from "./requests.ts";

const hourMs = 3_600_000;

/** Three records that are two hours old, and three that are new. */
const recordsOf = (topic: string) =>
  ["old 0", "old 1", "old 2", "new 3", "new 4", "new 5"].map((value) => ({
    topic,
    partition: 0,
    value,
    timestamp: value.startsWith("old") ? Date.now() - 2 * hourMs : Date.now(),
  }));

/** Where the group had committed, and where a consumer is to begin that has no offset: the next record it gives. */
const readUpTo = 2n;
const beginnings: readonly (readonly [AutoOffsetReset, bigint, next: string])[] = [
  ["earliest", 0n, "old 0"],
  ["latest", 6n, "written later"],
  ["by_duration:PT1H", 3n, "new 3"],
];

export interface Loss {
  readonly bootstrapServers: readonly string[];
  /** @default "classic" */
  readonly groupProtocol?: GroupProtocol;
  /** Has the group, which has no members, lose what it has committed in partition 0 of a topic. */
  readonly lose: (groupId: string, topic: string) => Promise<void>;
}

/** What a group promises that has lost what it committed: its next member begins as `autoOffsetReset` says, and says so where that is `none`. */
export async function beginAnew(loss: Loss): Promise<void> {
  const { bootstrapServers } = loss;
  await using admin = new KafkaAdmin({ bootstrapServers });
  await using producer = new KafkaProducer({ bootstrapServers, valueSerializer: string });
  const begin = async (policy: AutoOffsetReset, offset: bigint | null, next: string) => {
    const topic = newName();
    (await admin.createTopics([{ topic, numPartitions: 1, replicationFactor: 1 }])).orThrow();
    await producer.sendBatch(recordsOf(topic));
    await commitAndLeave(loss, topic);
    await loss.lose(topic, topic);
    await using consumer = memberOf(loss, topic, policy);
    // Nothing is read before its position was looked at.
    consumer.subscribe([topic], { onPartitionsAssigned: (partitions) => consumer.pause(partitions) });
    const partition = { topic, partition: 0 };
    if (offset === null) {
      const error = await failure(consumer);
      expect(error).toMatchObject({
        name: "NoOffsetForPartitionError",
        code: "NO_OFFSET",
        partitions: [{ ...partition }],
      });
      expect(await failure(consumer)).toMatchObject({ code: "NO_OFFSET" });
      consumer.seek(partition, 4);
    } else {
      while (consumer.assignment().length === 0) await consumer.poll(100);
      expect(await consumer.position(partition)).toBe(offset);
    }
    await producer.send({ ...partition, value: "written later" });
    consumer.resume([partition]);
    expect(await firstValue(consumer)).toBe(next);
  };
  await Promise.all([...beginnings.map((beginning) => begin(...beginning)), begin("none", null, "new 4")]);
}

type Member = KafkaConsumer<Uint8Array, string>;

const memberOf = (
  { bootstrapServers, groupProtocol = "classic" }: Loss,
  groupId: string,
  autoOffsetReset: AutoOffsetReset,
): Member =>
  new KafkaConsumer({
    bootstrapServers,
    groupId,
    groupProtocol,
    autoOffsetReset,
    enableAutoCommit: false,
    valueDeserializer: string,
  });

/** Reads something as a member, commits, and looks whether that would be gone on with. */
async function commitAndLeave(loss: Loss, topic: string): Promise<void> {
  const partition = { topic, partition: 0 };
  await using member = memberOf(loss, topic, "earliest");
  member.subscribe([topic]);
  expect(await firstValue(member)).toBe("old 0");
  await member.commitSync([{ ...partition, offset: readUpTo }]);
  await member.close();
  await using next = memberOf(loss, topic, "none");
  next.assign([partition]);
  expect(await next.position(partition)).toBe(readUpTo);
}

async function firstValue(consumer: Member): Promise<string | null> {
  let value: string | null = null;
  await until("a record comes", async () => {
    const [record] = await consumer.poll(1_000);
    value = record?.value ?? null;
    return record !== undefined || "none has";
  });
  return value;
}

/** What a poll fails with, whatever it needs before. */
async function failure(consumer: Member): Promise<unknown> {
  let failed: unknown = null;
  await until("a poll fails", async () => {
    failed = await consumer.poll(1_000).then(
      () => null,
      (error: unknown) => error,
    );
    return failed !== null || "it does not";
  });
  return failed;
}

/** The last version of OffsetCommit that says how long an offset is to be kept. */
const retentionUntil = 4;

/**
 * Has what a group without members has committed expire. Brokers look for that at their
 * `offsets.retention.check.interval.ms`, which has to be short.
 */
export async function letExpire(bootstrapServers: readonly string[], groupId: string, topic: string): Promise<void> {
  const { network, nodeId } = await coordinatorOf(bootstrapServers, groupId);
  const partitions = [{ partitionIndex: 0, committedOffset: readUpTo, committedMetadata: "" }];
  const { topics } = await network.request(
    OffsetCommit,
    { groupId, memberId: "", retentionTimeMs: 1n, topics: [{ name: topic, partitions }] },
    { to: nodeId, deadline: withinAMinute(), bounds: { newest: retentionUntil } },
  );
  expect(topics).toMatchObject([{ partitions: [{ errorCode: 0 }] }]);
  await until(`the offset of ${groupId} has expired`, async () => {
    const offset = await committedOffset(bootstrapServers, groupId, topic);
    return offset === -1n || `it is ${offset}`;
  });
}
