import { type ConsumerOptions, KafkaAdmin, KafkaConsumer, KafkaProducer } from "odradek";
import { afterAll, describe, expect, test } from "vitest";
import { becomes } from "./becomes.ts";
import { clusterTool, javaTool } from "./java-tool.ts";
import { newName, opened } from "./opened.ts";
import { bootstrapServers, newTopic } from "./topics.ts";

const admin = new KafkaAdmin({ bootstrapServers });
afterAll(() => admin.close());

/** Writes so many records to each of the three partitions. */
async function write(topic: string, count: number): Promise<void> {
  await using producer = new KafkaProducer({ bootstrapServers });
  const records = Array.from({ length: count * 3 }, (_, index) => ({ topic, partition: index % 3, value: "v" }));
  await producer.sendBatch(records);
}

/** Reads all of the topic as the one member of a group, which stays in it. */
async function readAll(topic: string, groupId: string, count: number, more: Partial<ConsumerOptions> = {}) {
  const consumer = new KafkaConsumer({
    bootstrapServers,
    groupId,
    autoOffsetReset: "earliest",
    enableAutoCommit: false,
    clientId: "reader",
    ...more,
  });
  opened.push(consumer);
  consumer.subscribe([topic]);
  for (let read = 0; read < count; ) read += (await consumer.poll(20_000)).count;
  return consumer;
}

describe.each(["classic", "consumer"] as const)("a group of the %s protocol", (groupProtocol) => {
  test("is listed and described with its members, its lag is told, and what it has committed changes", async () => {
    const [topic, groupId] = [await newTopic(3), newName()];
    await write(topic, 4);
    const consumer = await readAll(topic, groupId, 12, { groupProtocol, groupInstanceId: "first" });
    await consumer.commitSync([
      { topic, partition: 0, offset: 4n },
      { topic, partition: 1, offset: 1n, metadata: "slow" },
    ]);

    const all = [0, 1, 2].map((partition) => ({ topic, partition }));
    const type = groupProtocol === "classic" ? "Classic" : "Consumer";
    const listed = async () =>
      (await admin.listGroups({ states: ["Stable"], types: [type] }))
        .orThrow()
        .flat()
        .filter((one) => one.groupId === groupId);
    await becomes("the group in the list", listed, [{ groupId, type, protocolType: "consumer", state: "Stable" }]);
    const [group] = (await admin.describeConsumerGroups([groupId], { includeAuthorizedOperations: true })).orThrow();
    expect(group).toMatchObject({ groupId, type, state: "Stable", isSimpleConsumerGroup: false });
    expect(group?.authorizedOperations).toContain("READ");
    expect(group?.members).toMatchObject([{ groupInstanceId: "first", clientId: "reader" }]);
    const [member] = group?.members ?? [];
    expect([...(member?.assignment ?? [])].sort((a, b) => a.partition - b.partition)).toEqual(all);

    const offsets = await admin.listConsumerGroupOffsets([groupId, { groupId: newName(), partitions: all.slice(2) }]);
    const [ours = [], others = []] = offsets.orThrow();
    expect(ours.map(({ partition, offset, metadata }) => [partition, offset, metadata]).sort()).toEqual([
      [0, 4n, ""],
      [1, 1n, "slow"],
    ]);
    expect(others).toMatchObject([{ topic, partition: 2, offset: null, error: null }]);

    const lag = (await admin.lag(groupId)).orThrow();
    expect(lag.map((one) => [one.partition, one.committed, one.end, one.lag])).toEqual([
      [0, 4n, 4n, 0n],
      [1, 1n, 4n, 3n],
      [2, null, 4n, null],
    ]);
    expect(new Set(lag.map((one) => one.member?.groupInstanceId))).toEqual(new Set(["first"]));

    const lines = await javaTool(
      "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
      ...["--bootstrap-server", bootstrapServers.join(","), "--describe", "--group", groupId],
    );
    const printed = lines.flatMap((line) => {
      const [, , partition, committed, end, behind] = line.trim().split(/\s+/);
      return line.startsWith(groupId) ? [[partition, committed, end, behind].join(" ")] : [];
    });
    const text = (value: bigint | null) => (value === null ? "-" : String(value));
    expect(printed.sort()).toEqual(
      lag.map((one) => [one.partition, ...[one.committed, one.end, one.lag].map(text)].join(" ")),
    );

    const busy = await admin.alterConsumerGroupOffsets(groupId, [{ topic, partition: 0, offset: 0 }]);
    expect([...busy][0]?.error).toMatchObject({ code: "UNKNOWN_MEMBER_ID" });
    const read = await admin.deleteConsumerGroupOffsets(groupId, all.slice(0, 1));
    expect([...read][0]?.error).toMatchObject({ code: "GROUP_SUBSCRIBED_TO_TOPIC" });
    expect([...(await admin.deleteConsumerGroups([groupId]))][0]?.error).toMatchObject({ code: "NON_EMPTY_GROUP" });
  });

  test("loses members, and goes on from where it is told before it is deleted", async () => {
    const [topic, groupId] = [await newTopic(3), newName()];
    await write(topic, 1);
    // It stays a member when it is closed, since it is static.
    const consumer = await readAll(topic, groupId, 3, { groupProtocol, groupInstanceId: "gone" });
    await consumer.commitSync();
    await consumer.close();
    const removed = await admin.removeMembersFromConsumerGroup(groupId, ["gone", "nobody"], { reason: "it is gone" });
    expect([...removed].map(({ key, error }) => [key, error?.code])).toEqual([
      ["gone", undefined],
      ["nobody", "UNKNOWN_MEMBER_ID"],
    ]);
    expect((await admin.removeMembersFromConsumerGroup(groupId, null)).size).toBe(0);

    const altered = await admin.alterConsumerGroupOffsets(groupId, [
      { topic, partition: 0, offset: 0, metadata: "again" },
      { topic: newName(), partition: 0, offset: 0 },
    ]);
    expect([...altered].map(({ error }) => error?.code)).toEqual([undefined, "UNKNOWN_TOPIC_OR_PARTITION"]);
    (await admin.deleteConsumerGroupOffsets(groupId, [{ topic, partition: 1 }])).orThrow();
    const [offsets = []] = (await admin.listConsumerGroupOffsets([groupId], { requireStable: true })).orThrow();
    expect(offsets.map(({ partition, offset, metadata }) => [partition, offset, metadata]).sort()).toEqual([
      [0, 0n, "again"],
      [2, 1n, ""],
    ]);
    const results = await admin.deleteConsumerGroups([groupId, newName()]);
    expect([...results].map(({ error }) => error?.code)).toEqual([undefined, "GROUP_ID_NOT_FOUND"]);
    const gone = await admin.describeConsumerGroups([groupId]);
    expect(gone.get(groupId)?.error).toMatchObject({ code: "GROUP_ID_NOT_FOUND" });
    await expect(admin.lag(groupId)).rejects.toMatchObject({ code: "GROUP_ID_NOT_FOUND" });
  });
});

test("every member of a group is removed, and one that still runs comes back", async () => {
  const [topic, groupId] = [await newTopic(3), newName()];
  await write(topic, 1);
  const consumer = await readAll(topic, groupId, 3);
  const memberId = async () => (await admin.describeConsumerGroups([groupId])).orThrow()[0]?.members[0]?.memberId;
  const before = await memberId();
  const removed = await admin.removeMembersFromConsumerGroup(groupId, null);
  expect([...removed].map(({ key, error }) => [key, error])).toEqual([[before, null]]);
  const returned = async () => {
    await consumer.poll(100);
    const now = await memberId();
    return now !== undefined && now !== before;
  };
  await becomes("whether it is back under another id", returned, true);
});

test("a classic group is described with what its members say of themselves, and a group of consumers is none", async () => {
  const [topic, classic, modern] = [await newTopic(3), newName(), newName()];
  await write(topic, 1);
  await readAll(topic, classic, 3);
  await readAll(topic, modern, 3, { groupProtocol: "consumer" });
  const results = await admin.describeClassicGroups([classic, modern]);
  expect(results.get(classic)?.value).toMatchObject({
    type: "Classic",
    protocolType: "consumer",
    protocolData: "range",
  });
  expect(results.get(classic)?.value?.members[0]?.metadata.length).toBeGreaterThan(0);
  expect(results.get(modern)?.error).toMatchObject({ code: "GROUP_ID_NOT_FOUND" });
  const listed = (await admin.listGroups()).orThrow().flat();
  const rows = (await clusterTool(bootstrapServers, "org.apache.kafka.tools.GroupsCommand", "--list")).map((line) =>
    line.trim().split(/\s+/),
  );
  for (const groupId of [classic, modern]) {
    const one = listed.find((group) => group.groupId === groupId);
    expect(rows).toContainEqual([groupId, one?.type, one?.protocolType]);
  }
});

test("a share group has offsets before anybody is in it", async () => {
  const [topic, groupId] = [await newTopic(3), newName()];
  await write(topic, 3);
  const all = [0, 1].map((partition) => ({ topic, partition }));
  const altered = await admin.alterShareGroupOffsets(groupId, [
    { topic, partition: 0, startOffset: 1 },
    { topic, partition: 1, startOffset: 2n },
  ]);
  expect(altered.orThrow()).toEqual(all);
  const offsets = async () =>
    (await admin.listShareGroupOffsets([groupId]))
      .orThrow()
      .flat()
      .map(({ partition, startOffset }) => [partition, startOffset])
      .sort();
  expect(await offsets()).toEqual([
    [0, 1n],
    [1, 2n],
  ]);
  const some = (await admin.listShareGroupOffsets([{ groupId, partitions: [all[1]!] }])).orThrow().flat();
  expect(some).toMatchObject([{ ...all[1], startOffset: 2n, lag: 1n, error: null }]);
  const command = "org.apache.kafka.tools.consumer.group.ShareGroupCommand";
  const lines = await clusterTool(bootstrapServers, command, "--describe", "--group", groupId);
  const printed = lines.filter((line) => line.startsWith(groupId)).map((line) => line.trim().split(/\s+/));
  expect(printed.map(([, name, partition, startOffset]) => [name, partition, startOffset]).sort()).toEqual([
    [topic, "0", "1"],
    [topic, "1", "2"],
  ]);
  const [group] = (await admin.describeShareGroups([groupId])).orThrow();
  expect(group).toMatchObject({ groupId, type: "Share", state: "Empty", members: [] });
  expect((await admin.deleteShareGroupOffsets(groupId, [topic])).orThrow()).toEqual([topic]);
  expect(await offsets()).toEqual([]);
  expect((await admin.deleteShareGroups([groupId])).orThrow()).toEqual([groupId]);
});

test("a group without a name is one as well, which holds offsets", async () => {
  const at = { topic: await newTopic(1), partition: 0 };
  (await admin.alterConsumerGroupOffsets("", [{ ...at, offset: 7 }])).orThrow();
  const [offsets = []] = (await admin.listConsumerGroupOffsets([""])).orThrow();
  expect(offsets.find(({ topic }) => topic === at.topic)).toMatchObject({ ...at, offset: 7n });
  expect((await admin.describeConsumerGroups([""])).orThrow()[0]).toMatchObject({ groupId: "", state: "Empty" });
  expect((await admin.lag("")).get(at)?.value).toMatchObject({ committed: 7n, end: 0n, lag: 0n });
  (await admin.deleteConsumerGroups([""])).orThrow();
});
