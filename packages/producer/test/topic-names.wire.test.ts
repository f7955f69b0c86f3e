import { expect, onTestFinished, test } from "vitest";
import { KafkaProducer } from "../src/producer.ts";
import { ScriptedBroker } from "./scripted-broker.ts";

const topic = "orders";

async function setUp() {
  const broker = await ScriptedBroker.listen();
  const producer = new KafkaProducer({ bootstrapServers: broker.bootstrapServers, acks: 1, maxBlockMs: 2_000 });
  onTestFinished(() => producer.close({ timeoutMs: 0 }));
  return { producer };
}

// As callers without types have them, too.
const noNames: [string, string][] = [
  ["a name that is far too long", "a".repeat(40_000)],
  ["half of a character", "\ud800"],
  ["no name", Reflect.get({}, "topic")],
];

test.each(noNames)("%s is refused at once, and is in nobody's way", async (_, name) => {
  const { producer } = await setUp();
  const refused = { code: "INVALID_TOPIC_EXCEPTION" };
  await expect(producer.send({ topic: name })).rejects.toMatchObject({ ...refused, persisted: "no" });
  await expect(producer.partitionsFor(name)).rejects.toMatchObject(refused);
  expect(await producer.partitionsFor(topic)).toHaveLength(1);
});
