import { describe, expect, onTestFinished, test } from "vitest";
import { KafkaProducer } from "../src/producer.ts";
import type { ProducerRecord } from "../src/producer-record.ts";
import { good } from "./outcomes.ts";
import { ScriptedBroker } from "./scripted-broker.ts";

const topic = "orders";

async function setUp() {
  const broker = await ScriptedBroker.listen();
  const producer = new KafkaProducer({ bootstrapServers: broker.bootstrapServers, acks: 1 });
  onTestFinished(() => producer.close({ timeoutMs: 0 }));
  return { broker, producer };
}

function* counting(count: number): Generator<ProducerRecord> {
  for (let value = 0; value < count; value++) yield { topic, value: String(value) };
}

describe("many records", () => {
  test.each([
    ["a generator", () => counting(3)],
    ["a Set", () => new Set(counting(3))],
  ])("may come from %s", async (_, records) => {
    const { broker, producer } = await setUp();
    const sent = producer.sendBatch(records());
    const call = await broker.nextCall();
    expect(call.batches.flatMap(({ values }) => values)).toEqual(["0", "1", "2"]);
    good(call, 7n);
    expect((await sent).map(({ offset }) => offset)).toEqual([7n, 8n, 9n]);
  });

  test.each([
    ["nothing", "undefined"],
    ["null", "null"],
    ["a number", "7"],
    ["a text", '"orders"'],
    ["one record", '{ "topic": "orders" }'],
  ])("that are %s are refused", async (_, text) => {
    const { producer } = await setUp();
    const given = text === "undefined" ? undefined : JSON.parse(text);
    await expect(producer.sendBatch(given)).rejects.toMatchObject({ name: "KafkaError", code: "OPTIONS" });
  });

  test("whose source breaks are not sent", async () => {
    const { broker, producer } = await setUp();
    const broken = function* (): Generator<ProducerRecord> {
      yield { topic };
      throw new Error("no more");
    };
    await expect(producer.sendBatch(broken())).rejects.toThrow("no more");
    await producer.flush();
    expect(broker.waitingCalls).toBe(0);
  });
});
