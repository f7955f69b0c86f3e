import { bigint, type SerializerContext } from "@odradek/network";
import { expect, expectTypeOf, test } from "vitest";
import { KafkaProducer } from "../src/producer.ts";
import { resolveProducerOptions } from "../src/producer-options.ts";

const bootstrapServers = ["localhost:9092"];

test("a serializer may be a function of value and context", () => {
  const { keySerializer } = resolveProducerOptions({
    bootstrapServers,
    keySerializer: (value: number, { topic, role }: SerializerContext) => `${topic} ${role} ${value}`,
  });
  expect(keySerializer.serialize(7, { topic: "orders", role: "key", headers: [] })).toBe("orders key 7");
});

test("what functions take is what the records have", () => {
  const plain = () =>
    new KafkaProducer({
      bootstrapServers,
      keySerializer: bigint,
      valueSerializer: (value: Date) => value.toISOString(),
    });
  expectTypeOf<ReturnType<typeof plain>>().toEqualTypeOf<KafkaProducer<bigint | number, Date>>();
});
