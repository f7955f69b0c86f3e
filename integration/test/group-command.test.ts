import { KafkaConsumer, KafkaProducer, string } from "odradek";
import { expect, test } from "vitest";
import { javaTool } from "./java-tool.ts";
import { newName } from "./opened.ts";
import { bootstrapServers, newTopic, opened } from "./topics.ts";

type Row = Readonly<Record<string, string>>;

/** What `kafka-consumer-groups --describe` prints of groups, by the names of its columns. */
async function describeGroups(groupIds: readonly string[]): Promise<Row[]> {
  const lines = await javaTool(
    "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    ...["--bootstrap-server", bootstrapServers.join(), "--describe"],
    ...groupIds.flatMap((groupId) => ["--group", groupId]),
    ...["--offsets", "--verbose"],
  );
  const rows: Row[] = [];
  let names: readonly string[] = [];
  for (const line of lines) {
    const cells = line.trim().split(/\s+/);
    if (cells[0] === "GROUP") names = cells;
    else if (groupIds.includes(cells[0] ?? "")) {
      rows.push(Object.fromEntries(names.map((name, index) => [name, cells[index] ?? ""])));
    }
  }
  return rows.sort((one, other) => (textOf(one) < textOf(other) ? -1 : 1));
}

const textOf = ({ GROUP, PARTITION }: Row): string => `${GROUP} ${PARTITION}`;

const offsetsTopic = "__consumer_offsets";

/** What Java reads in a partition of the log of committed offsets from an offset on, as far as it is of these groups. */
async function committedSince(partition: number, offset: bigint, groupIds: readonly string[]): Promise<unknown[]> {
  const lines = await javaTool(
    "org.apache.kafka.tools.consumer.ConsoleConsumer",
    ...["--bootstrap-server", bootstrapServers.join(), "--topic", offsetsTopic],
    ...["--partition", `${partition}`, "--offset", `${offset}`, "--timeout-ms", "3000"],
    ...["--formatter", "org.apache.kafka.tools.consumer.OffsetsMessageFormatter"],
  );
  // It prints one behind the other, in one line: objects with an object in each of their two parts.
  const texts = lines.join("").match(/\{"key":\{[^{}]*\{[^{}]*\}\},"value":\{[^{}]*\{[^{}]*\}\}\}/g) ?? [];
  return texts
    .filter((text) => groupIds.some((groupId) => text.includes(groupId)))
    .map((text): unknown => JSON.parse(text));
}

/** Which partition of that log is a group's: Java's `String.hashCode` decides. */
function partitionOf(groupId: string, partitionCount: number): number {
  let hash = 0;
  for (let index = 0; index < groupId.length; index++) hash = (Math.imul(31, hash) + groupId.charCodeAt(index)) | 0;
  return Math.abs(hash) % partitionCount;
}

test("Java's kafka-consumer-groups tells what was committed, the lag and the members, while they are there and later", async () => {
  const producer = new KafkaProducer({ bootstrapServers, valueSerializer: string });
  opened.push(producer);
  const outsider = new KafkaConsumer({ bootstrapServers });
  opened.push(outsider);
  const { length: partitionCount } = await outsider.partitionsFor(offsetsTopic);
  const join = async (groupProtocol: "classic" | "consumer") => {
    const topic = await newTopic(2);
    // Both groups in one partition, so that it is looked at once.
    let groupId = newName();
    while (partitionOf(groupId, partitionCount) !== 0) groupId = newName();
    const clientId = `${groupProtocol}-reader`;
    for (const [partition, count] of [10, 6].entries()) {
      await producer.sendBatch(Array.from({ length: count }, (_, index) => ({ topic, partition, value: `${index}` })));
    }
    const consumer = new KafkaConsumer({
      bootstrapServers,
      groupId,
      groupProtocol,
      clientId,
      autoOffsetReset: "earliest",
      enableAutoCommit: false,
    });
    opened.push(consumer);
    consumer.subscribe([topic]);
    while (consumer.assignment().length < 2) await consumer.poll(100);
    return { topic, groupId, clientId, consumer };
  };
  const members = [await join("classic"), await join("consumer")];
  const groupIds = members.map(({ groupId }) => groupId);
  const [end] = await outsider.endOffsets([{ topic: offsetsTopic, partition: 0 }]);
  for (const { topic, consumer } of members) {
    await consumer.commitSync([
      { topic, partition: 0, offset: 4, leaderEpoch: 0, metadata: "größer als drei" },
      { topic, partition: 1, offset: 6 },
    ]);
  }

  /** Both partitions of both groups, in the order of the groups' names. */
  const rowsOf = (who: (member: (typeof members)[number]) => Row): Row[] =>
    members
      .toSorted((one, other) => (one.groupId < other.groupId ? -1 : 1))
      .flatMap((member) => {
        const row = { GROUP: member.groupId, TOPIC: member.topic, ...who(member) };
        return [
          { ...row, PARTITION: "0", "LEADER-EPOCH": "0", "CURRENT-OFFSET": "4", "LOG-END-OFFSET": "10", LAG: "6" },
          { ...row, PARTITION: "1", "LEADER-EPOCH": "-", "CURRENT-OFFSET": "6", "LOG-END-OFFSET": "6", LAG: "0" },
        ];
      });
  const isThere = rowsOf(({ consumer, clientId }) => ({
    "CONSUMER-ID": consumer.groupMetadata().memberId,
    HOST: "/127.0.0.1",
    "CLIENT-ID": clientId,
  }));
  expect(await describeGroups(groupIds)).toEqual(isThere);

  for (const { consumer } of members) await consumer.close();
  const hasLeft = rowsOf(() => ({ "CONSUMER-ID": "-", HOST: "-", "CLIENT-ID": "-" }));
  expect(await describeGroups(groupIds)).toEqual(hasLeft);

  const logged = await committedSince(0, end?.offset ?? 0n, groupIds);
  expect(logged).toMatchObject(
    members.flatMap(({ topic, groupId: group }) => [
      {
        key: { data: { group, topic, partition: 0 } },
        value: { data: { offset: 4, leaderEpoch: 0, metadata: "größer als drei" } },
      },
      { key: { data: { group, topic, partition: 1 } }, value: { data: { offset: 6, leaderEpoch: -1, metadata: "" } } },
    ]),
  );
});
