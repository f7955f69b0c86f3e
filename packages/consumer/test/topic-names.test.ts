import { expect, onTestFinished, test } from "vitest";
import { KafkaConsumer } from "../src/consumer.ts";

const consumerOf = () => {
  const consumer = new KafkaConsumer({ bootstrapServers: ["localhost:1"], groupId: "billing" });
  onTestFinished(() => consumer.close());
  return consumer;
};

const refused = expect.objectContaining({ code: "INVALID_TOPIC_EXCEPTION" });

test.each(["a".repeat(40_000), "\ud800", ".."])("what no topic can be called is refused at once: %#", async (name) => {
  const consumer = consumerOf();
  const partition = { topic: name, partition: 0 };
  expect(() => consumer.subscribe(["orders", name])).toThrow(refused);
  expect(consumer.subscription()).toEqual([]);
  expect(() => consumer.assign([partition])).toThrow(refused);
  expect(consumer.assignment()).toEqual([]);
  await expect(consumer.partitionsFor(name)).rejects.toEqual(refused);
  await expect(consumer.endOffsets([partition])).rejects.toEqual(refused);
  await expect(consumer.committed([partition])).rejects.toEqual(refused);
});
