import { KafkaConsumer, KafkaProducer, string } from "odradek";
import { describe, expect, test } from "vitest";
import { deleteGroup, deleteOffset } from "./deletions.ts";
import { beginAnew } from "./lost-offsets.ts";
import { bootstrapServers, newTopic, opened } from "./topics.ts";

describe.each(["classic", "consumer"] as const)("a group of the %s protocol", (groupProtocol) => {
  test("that was deleted begins anew as autoOffsetReset says", () =>
    beginAnew({ bootstrapServers, groupProtocol, lose: (groupId) => deleteGroup(bootstrapServers, groupId) }));

  test("whose offsets were deleted begins anew as autoOffsetReset says", () =>
    beginAnew({
      bootstrapServers,
      groupProtocol,
      lose: (groupId, topic) => deleteOffset(bootstrapServers, groupId, topic),
    }));
});

test("a consumer goes on where it is, although what it committed is lost meanwhile", async () => {
  const topic = await newTopic();
  const partition = { topic, partition: 0 };
  const producer = new KafkaProducer({ bootstrapServers, valueSerializer: string });
  const consumer = new KafkaConsumer({
    bootstrapServers,
    groupId: topic,
    autoOffsetReset: "earliest",
    enableAutoCommit: false,
    maxPollRecords: 2,
    fetchMaxBytes: 1,
    valueDeserializer: string,
  });
  opened.push(producer, consumer);
  for (let index = 0; index < 6; index++) await producer.send({ ...partition, value: `${index}` });
  consumer.assign([partition]);
  const seen: (string | null)[] = [];
  const read = async (count: number) => {
    while (seen.length < count) for (const { value } of await consumer.poll(60_000)) seen.push(value);
  };
  await read(2);
  await consumer.commitSync();
  await deleteGroup(bootstrapServers, topic);
  expect(await consumer.committed([partition])).toMatchObject([{ offset: null }]);
  await read(6);
  expect(seen).toEqual(["0", "1", "2", "3", "4", "5"]);
  await consumer.commitSync();
  expect(await consumer.committed([partition])).toMatchObject([{ offset: 6n }]);
});
