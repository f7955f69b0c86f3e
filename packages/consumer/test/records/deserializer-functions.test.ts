import { string } from "@odradek/network";
import { expect, expectTypeOf, test } from "vitest";
import { KafkaConsumer } from "../../src/consumer.ts";
import { resolveConsumerOptions } from "../../src/consumer-options.ts";

const bootstrapServers = ["localhost:9092"];

test("a deserializer may be a function of bytes and context", () => {
  const { valueDeserializer } = resolveConsumerOptions({
    bootstrapServers,
    valueDeserializer: (bytes: Buffer, { topic, role }) => `${topic} ${role} ${bytes.toString()}`,
  });
  expect(valueDeserializer.deserialize(Buffer.from("7"), { topic: "orders", role: "value" })).toBe("orders value 7");
});

test("what functions give is what the records have", () => {
  const plain = () =>
    new KafkaConsumer({
      bootstrapServers,
      keyDeserializer: string,
      valueDeserializer: (bytes: Buffer) => bytes.length,
    });
  expectTypeOf<ReturnType<typeof plain>>().toEqualTypeOf<KafkaConsumer<string, number>>();
});

test("what promises of deserializers become is what the records have", () => {
  const awaited = () =>
    new KafkaConsumer({
      bootstrapServers,
      keyDeserializer: { deserialize: async (bytes: Buffer) => bytes.length },
      valueDeserializer: async (bytes: Buffer) => ({ text: bytes.toString() }),
      interceptors: [{ onConsume: (records) => records.filter(({ key, value }) => key === value?.text.length) }],
    });
  expectTypeOf<ReturnType<typeof awaited>>().toEqualTypeOf<KafkaConsumer<number, { text: string }>>();
});
