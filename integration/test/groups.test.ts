import {
  KafkaAdmin,
  KafkaConsumer,
  type KafkaError,
  KafkaProducer,
  StateError,
  string,
  type TopicPartition,
} from "odradek";
import { afterAll, describe, expect, test } from "vitest";
import { until } from "../cluster/readiness.ts";
import { GroupLedger, Member } from "./group-member.ts";
import { newName } from "./opened.ts";
import { addPartitions } from "./partitions.ts";
import { setSessionTimeout } from "./session-timeout.ts";
import { bootstrapServers, newTopic, opened } from "./topics.ts";

const producer = new KafkaProducer({ bootstrapServers, valueSerializer: string });
const admin = new KafkaAdmin({ bootstrapServers });
afterAll(async () => {
  await producer.close();
  await admin.close();
});

/** Writes numbered values, round the partitions. */
const write = (topic: string, partitions: number, from: number, count: number) =>
  producer.sendBatch(
    Array.from({ length: count }, (_, index) => ({
      topic,
      partition: (from + index) % partitions,
      value: `${from + index}`,
    })),
  );

const numbered = (count: number) => Array.from({ length: count }, (_, index) => `${index}`).sort();

const partitionsOf = (topic: string, count: number): TopicPartition[] =>
  Array.from({ length: count }, (_, partition) => ({ topic, partition }));

const consumerOf = (groupId: string, options = {}) => {
  const consumer = new KafkaConsumer({
    bootstrapServers,
    groupId,
    autoOffsetReset: "earliest",
    valueDeserializer: string,
    ...options,
  });
  opened.push(consumer);
  return consumer;
};

const when = (what: string, holds: () => boolean): Promise<void> => until(what, async () => holds() || "not yet");

/** Polls until there are records. */
async function some(consumer: KafkaConsumer<Uint8Array, string>) {
  for (;;) {
    const records = await consumer.poll(60_000);
    if (!records.isEmpty) return records;
  }
}

describe("a group of one", () => {
  test("goes on where it has committed, whoever comes after it", async () => {
    const topic = await newTopic(2);
    await write(topic, 2, 0, 10);
    const first = consumerOf(topic, { enableAutoCommit: false, maxPollRecords: 3 });
    first.subscribe([topic]);
    const records = await some(first);
    expect(records.count).toBe(3);
    await first.commitSync(records.nextOffsets());
    await first.poll(1_000);
    await first.close();
    const read = new Set([...records].map(({ value }) => value));
    const second = consumerOf(topic, { enableAutoCommit: false });
    second.subscribe([topic]);
    while (read.size < 10) {
      for (const { value } of await some(second)) {
        expect(read).not.toContain(value);
        read.add(value);
      }
    }
    expect([...read].sort()).toEqual(numbered(10));
  });

  test("commits by itself what polls before handed out, at an interval and at the end", async () => {
    const topic = await newTopic();
    await write(topic, 1, 0, 4);
    const consumer = consumerOf(topic, { maxPollRecords: 1, autoCommitIntervalMs: 0 });
    const [partition] = partitionsOf(topic, 1);
    consumer.subscribe([topic]);
    const committed = async () => (await consumer.committed([partition!]))[0]?.offset;
    await some(consumer);
    // Where the group begins may be committed by now, as Java does; what was handed out is not.
    expect((await committed()) ?? 0n).toBe(0n);
    await some(consumer);
    // Commits are carried out in order: behind this one that of the poll is done.
    await consumer.commitSync([{ topic, partition: 0, offset: 1n }]);
    expect(await committed()).toBe(1n);
    await consumer.close();
    const after = consumerOf(topic);
    expect((await after.committed([partition!]))[0]?.offset).toBe(2n);
  });

  test("commits of a loop what its body is done with, however it ends", async () => {
    const topic = await newTopic();
    await write(topic, 1, 0, 5);
    const committed = async () => {
      const asking = consumerOf(topic);
      const [found] = await asking.committed(partitionsOf(topic, 1));
      return found?.offset;
    };
    const left = consumerOf(topic);
    left.subscribe([topic]);
    for await (const { offset } of left) if (offset === 2n) break;
    await left.close();
    expect(await committed()).toBe(2n);
    const closed = consumerOf(topic);
    closed.subscribe([topic]);
    const seen: bigint[] = [];
    for await (const { offset } of closed) {
      seen.push(offset);
      if (offset === 3n) void closed.close();
    }
    await closed.close();
    expect(seen).toEqual([2n, 3n]);
    expect(await committed()).toBe(3n);
    const ended = consumerOf(topic);
    const end = new AbortController();
    ended.subscribe([topic]);
    for await (const { offset } of ended.records({ signal: end.signal })) if (offset === 3n) end.abort();
    await ended.close();
    expect(await committed()).toBe(4n);
  });

  test("reads by partitions, and commits the batches that are done with", async () => {
    const topic = await newTopic(2);
    await write(topic, 2, 0, 20);
    const consumer = consumerOf(topic);
    consumer.subscribe([topic]);
    const end = new AbortController();
    const read: string[] = [];
    for await (const { partition, records, nextOffset } of consumer.batches({ signal: end.signal })) {
      expect(records.every((record) => record.partition === partition)).toBe(true);
      expect(nextOffset).toMatchObject({ topic, partition, offset: (records.at(-1)?.offset ?? 0n) + 1n });
      read.push(...records.map(({ value }) => value ?? ""));
      if (read.length === 20) end.abort();
    }
    expect(read.sort()).toEqual(numbered(20));
    await consumer.close();
    const offsets = await consumerOf(topic).committed(partitionsOf(topic, 2));
    expect(offsets.map(({ offset }) => offset)).toEqual([10n, 10n]);
  });

  test("loses no record that a loop was not given, when another member joins in the middle of it", async () => {
    const topic = await newTopic(6);
    await write(topic, 6, 0, 600);
    const options = { heartbeatIntervalMs: 100, maxPollRecords: 50 };
    const end = new AbortController();
    const read = new Set<string>();
    const reading = [consumerOf(topic, options), consumerOf(topic, options)].map(async (consumer, index) => {
      consumer.subscribe([topic]);
      // The second comes when the first is in the middle of it.
      while (index > 0 && read.size < 75) await new Promise((resolve) => setImmediate(resolve));
      for await (const { value } of consumer.records({ signal: end.signal })) {
        read.add(value ?? "");
        if (read.size === 600) end.abort();
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    });
    await Promise.all(reading);
    expect([...read].sort()).toEqual(numbered(600));
  });

  test("has a rebalance wait for no more than the record that a loop is at", async () => {
    const topic = await newTopic(2);
    await write(topic, 2, 0, 400);
    const options = { heartbeatIntervalMs: 100, autoCommitIntervalMs: 100 };
    const slow = consumerOf(topic, options);
    const quick = consumerOf(topic, options);
    for (const consumer of [slow, quick]) consumer.subscribe([topic]);
    const seen: string[] = [];
    for await (const { value } of slow) {
      seen.push(value ?? "");
      // Whose turn it is must not wait for 400 of these, which are 80 s.
      await new Promise((resolve) => setTimeout(resolve, 200));
      if (seen.length === 1) void some(quick).catch(() => {});
      if (slow.assignment().length === 1) break;
    }
    expect(seen.length).toBeLessThan(400);
  });

  test("commits what it is told, with a note and an epoch, and gives it back", async () => {
    const topic = await newTopic(2);
    const consumer = consumerOf(topic, { enableAutoCommit: false });
    consumer.assign(partitionsOf(topic, 2));
    const [told, offsets] = await new Promise<[Error | null, readonly unknown[]]>((resolve) => {
      consumer.commitAsync([{ topic, partition: 0, offset: 7, leaderEpoch: 0, metadata: "half way" }], (...said) => {
        resolve(said);
      });
    });
    expect(told).toBeNull();
    expect(offsets).toEqual([{ topic, partition: 0, offset: 7n, leaderEpoch: 0, metadata: "half way" }]);
    expect(await consumer.committed(partitionsOf(topic, 2))).toEqual([
      { topic, partition: 0, offset: 7n, leaderEpoch: 0, metadata: "half way" },
      { topic, partition: 1, offset: null, leaderEpoch: null, metadata: null },
    ]);
    const tooMuch = consumer.commitSync([{ topic, partition: 0, offset: 8, metadata: "x".repeat(5_000) }]);
    await expect(tooMuch).rejects.toMatchObject({ code: "OFFSET_METADATA_TOO_LARGE" });
  });

  test("begins where its listener says, whatever is committed", async () => {
    const topic = await newTopic();
    await write(topic, 1, 0, 10);
    const consumer = consumerOf(topic, { autoOffsetReset: "none" });
    consumer.subscribe([topic], {
      onPartitionsAssigned: (partitions) => {
        for (const partition of partitions) consumer.seek(partition, 6n);
      },
    });
    expect([...(await some(consumer))].map(({ value }) => value)).toEqual(["6", "7", "8", "9"]);
  });

  test("hears of a poll what its listener threw, and goes on", async () => {
    const topic = await newTopic();
    await write(topic, 1, 0, 1);
    const consumer = consumerOf(topic);
    consumer.subscribe([topic], { onPartitionsAssigned: () => Promise.reject(new Error("no room")) });
    await expect(some(consumer)).rejects.toMatchObject({ code: "LISTENER", cause: { message: "no room" } });
    expect((await some(consumer)).count).toBe(1);
  });

  test("has what its listener commits at the end committed, and nothing is read any more", async () => {
    const topic = await newTopic();
    await write(topic, 1, 0, 3);
    const [partition] = partitionsOf(topic, 1);
    const consumer = consumerOf(topic, { enableAutoCommit: false });
    const refused: unknown[] = [];
    consumer.subscribe([topic], {
      onPartitionsRevoked: async () => {
        await consumer.poll(0).catch((error: unknown) => refused.push(error));
        await consumer.commitSync([{ topic, partition: 0, offset: await consumer.position(partition!) }]);
      },
    });
    await some(consumer);
    await consumer.close();
    expect(refused).toMatchObject([{ code: "CLOSED" }]);
    await expect(consumer.commitSync()).rejects.toMatchObject({ code: "CLOSED" });
    expect((await consumerOf(topic).committed([partition!]))[0]?.offset).toBe(3n);
  });

  test("reads topics of a pattern, also those that come later, and gives up those that it does not want any more", async () => {
    const first = await newTopic();
    const consumer = consumerOf(first, { metadataMaxAgeMs: 500 });
    consumer.subscribe(new RegExp(`^${first}`));
    await write(first, 1, 0, 1);
    expect([...(await some(consumer))].map(({ value }) => value)).toEqual(["0"]);
    const second = `${first}-later`;
    (await admin.createTopics([{ topic: second, numPartitions: 2 }])).orThrow();
    await write(second, 2, 1, 1);
    expect([...(await some(consumer))].map(({ value }) => value)).toEqual(["1"]);
    expect(consumer.subscription().sort()).toEqual([first, second]);
    await consumer.unsubscribe();
    expect([consumer.subscription(), consumer.assignment()]).toEqual([[], []]);
    consumer.subscribe([second]);
    while (consumer.assignment().length < 2) await consumer.poll(100);
  });

  test("says who it is to a producer, whose transaction commits its offsets", async () => {
    const topic = await newTopic();
    await write(topic, 1, 0, 3);
    const consumer = consumerOf(topic, { enableAutoCommit: false });
    consumer.subscribe([topic]);
    const records = await some(consumer);
    const transactional = new KafkaProducer({ bootstrapServers, transactionalId: topic });
    opened.push(transactional);
    await transactional.initTransactions();
    await transactional.transaction(() =>
      transactional.sendOffsetsToTransaction(records.nextOffsets(), consumer.groupMetadata()),
    );
    expect((await consumer.committed(partitionsOf(topic, 1)))[0]?.offset).toBe(3n);
    const stale = { ...consumer.groupMetadata(), generationId: 17 };
    const refused = transactional.transaction(() =>
      transactional.sendOffsetsToTransaction(records.nextOffsets(), stale),
    );
    await expect(refused).rejects.toMatchObject({ code: "ILLEGAL_GENERATION" });
  });

  test("is not there without a groupId, nor beside partitions of one's own choice", async () => {
    const consumer = new KafkaConsumer({ bootstrapServers });
    opened.push(consumer);
    expect(() => consumer.subscribe(["orders"])).toThrow(StateError);
    await expect(consumer.commitSync()).rejects.toThrow("give the consumer a groupId");
    const member = consumerOf(newName());
    member.subscribe(["orders"]);
    expect(() => member.assign([{ topic: "orders", partition: 0 }])).toThrow("unsubscribe first");
    expect(() => member.subscribe(/orders/)).toThrow("unsubscribe first");
  });
});

describe.each([
  ["eager", { partitionAssignmentStrategy: ["range"] }],
  ["cooperative", { partitionAssignmentStrategy: ["cooperative-sticky"] }],
  ["static", {}],
  ["of the consumer protocol", { groupProtocol: "consumer" }],
  ["static, of the consumer protocol", { groupProtocol: "consumer" }],
] as const)("a group of members that are %s", (kind, options) => {
  test("grows and shrinks under load: no record is missed, nor read twice by its owner, and none has two", async () => {
    const topic = await newTopic(6);
    const ledger = new GroupLedger();
    const isStatic = kind.startsWith("static");
    // As long as that of the classic members: it is waited for.
    if (kind === "static, of the consumer protocol") await setSessionTimeout(bootstrapServers, topic, 10_000);
    let serial = 0;
    const start = () => {
      const name = `m${serial++}`;
      const own = {
        ...options,
        ...(isStatic ? { groupInstanceId: name } : {}),
      };
      const member = new Member(name, [topic], ledger, { groupId: topic, autoCommitIntervalMs: 100, ...own });
      opened.push(member);
      return member.start();
    };
    const written = { count: 0, isOver: false };
    const writing = (async () => {
      while (!written.isOver) {
        await write(topic, 6, written.count, 20);
        written.count += 20;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    })();
    const shared = (members: readonly Member[], shares: readonly number[]) =>
      until(`the members have ${shares}`, async () => {
        for (const { error } of members) if (error !== null) throw error;
        return `${ledger.shares(members)}` === `${shares}` || `they have ${ledger.shares(members)}`;
      });
    /** Who leaves in the midst of a rebalance may not commit, as in Java; and it may not be over yet for one that keeps what it has. */
    const leave = async (member: Member) => {
      await until("it may commit", () => member.consumer.commitSync().then(() => true, String));
      await member[Symbol.asyncDispose]();
    };
    const members = [start()];
    await shared(members, [6]);
    members.push(start(), start());
    await shared(members, [2, 2, 2]);
    // A static member that is gone is waited for until its session is over.
    await leave(members.shift()!);
    await shared(members, [3, 3]);
    written.isOver = true;
    await writing;
    await when("all is read", () => ledger.read.size === written.count);
    expect(ledger.wrongs).toEqual([]);
    expect([...ledger.read.keys()].sort()).toEqual(numbered(written.count));
    for (const member of members) await leave(member);
    // All that was read was committed before its owner left: nobody read it again.
    if (!isStatic) expect([...ledger.read].filter(([, count]) => count > 1)).toEqual([]);
  });
});

describe("a member", () => {
  test("that does not poll for too long leaves, and joins again when it polls: what it had is lost", async () => {
    const topic = await newTopic(2);
    const ledger = new GroupLedger();
    const options = { groupId: topic, maxPollIntervalMs: 2_000 };
    const slow = new Member("slow", [topic], ledger, { ...options, enableAutoCommit: false });
    opened.push(slow);
    slow.start();
    await when("it has both", () => slow.consumer.assignment().length === 2);
    await slow.stop();
    const { memberId } = slow.consumer.groupMetadata();
    const committing = () => slow.consumer.commitSync([{ topic, partition: 0, offset: 0 }]);
    await until("it has left", () =>
      committing().then(
        () => "it commits still",
        ({ code }: KafkaError) => code === "COMMIT_FAILED" || code,
      ),
    );
    expect(slow.consumer.assignment()).toHaveLength(2);
    slow.start();
    await when("it is back", () => slow.calls.length === 3);
    expect(slow.calls).toEqual(["assigned 0,1", "lost 0,1", "assigned 0,1"]);
    expect(slow.consumer.groupMetadata().memberId).not.toBe(memberId);
    expect(slow.error).toBeNull();
  });

  test("reads new partitions of its topics", async () => {
    const topic = await newTopic(1);
    const ledger = new GroupLedger();
    const member = new Member("one", [topic], ledger, { groupId: topic, metadataMaxAgeMs: 300 });
    opened.push(member);
    member.start();
    await when("it has the one", () => member.consumer.assignment().length === 1);
    await addPartitions(bootstrapServers, topic, 3);
    await when("it has all", () => member.consumer.assignment().length === 3);
    await write(topic, 3, 0, 3);
    await when("all is read", () => ledger.read.size === 3);
  });

  test("has the group rebalanced when it wants that", async () => {
    const topic = await newTopic(1);
    const member = new Member("one", [topic], new GroupLedger(), { groupId: topic });
    opened.push(member);
    member.start();
    await when("it has joined", () => member.calls.length === 1);
    const { generationId } = member.consumer.groupMetadata();
    member.consumer.enforceRebalance("to see whether it works");
    await when("it has joined again", () => member.calls.length === 3);
    expect(member.calls).toEqual(["assigned 0", "revoked 0", "assigned 0"]);
    expect(member.consumer.groupMetadata().generationId).toBe(generationId + 1);
  });

  test("that is static takes its partitions back without a rebalance, and is fenced by another of its name", async () => {
    const topic = await newTopic(2);
    const ledger = new GroupLedger();
    const options = { groupId: topic, groupInstanceId: "one", sessionTimeoutMs: 30_000 };
    const first = new Member("first", [topic], ledger, options);
    first.start();
    await when("the first has both", () => first.consumer.assignment().length === 2);
    const { generationId } = first.consumer.groupMetadata();
    await first[Symbol.asyncDispose]();
    const second = new Member("second", [topic], ledger, options);
    opened.push(second);
    second.start();
    await when("the second has both", () => second.consumer.assignment().length === 2);
    expect(second.consumer.groupMetadata().generationId).toBe(generationId);
    expect(ledger.wrongs).toEqual([]);
    const third = new Member("third", [topic], new GroupLedger(), options);
    opened.push(third);
    third.start();
    await when("the second is fenced", () => second.error !== null);
    expect(second.error).toMatchObject({ code: "FENCED_INSTANCE_ID" });
  });
});
