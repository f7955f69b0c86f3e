import { describe, expect, onTestFinished, test } from "vitest";
import type { DeliveryError } from "../src/delivery-error.ts";
import { KafkaProducer } from "../src/producer.ts";
import { good } from "./outcomes.ts";
import { ScriptedBroker } from "./scripted-broker.ts";

const topic = "orders";

async function setUp() {
  const broker = await ScriptedBroker.listen();
  const producer = new KafkaProducer({ bootstrapServers: broker.bootstrapServers, acks: 1 });
  onTestFinished(() => producer.close({ timeoutMs: 0 }));
  return { broker, producer };
}

describe("no callback, for which send gives a promise,", () => {
  test.each([[null], [undefined]])("may be said by %s", async (none) => {
    const { broker, producer } = await setUp();
    const sent = producer.send({ topic }, none);
    good(await broker.nextCall(), 7n);
    expect((await sent).offset).toBe(7n);
  });

  test.each([[null], [undefined]])("may be said by %s before a signal", async (none) => {
    const { producer } = await setUp();
    const signal = AbortSignal.abort(new Error("no longer needed"));
    await expect(producer.send({ topic }, none, { signal })).rejects.toMatchObject({ code: "ABORTED" });
  });
});

test("a callback may stand before a signal", async () => {
  const { producer } = await setUp();
  const signal = AbortSignal.abort(new Error("no longer needed"));
  const error = await new Promise<DeliveryError | null>((resolve) => producer.send({ topic }, resolve, { signal }));
  expect(error?.code).toBe("ABORTED");
});

test("a signal that is none is refused at once, wherever it stands", async () => {
  const { producer } = await setUp();
  const options = { signal: JSON.parse("7") };
  const refused = expect.objectContaining({ code: "OPTIONS" });
  expect(() => producer.send({ topic }, options)).toThrow(refused);
  expect(() => producer.send({ topic }, null, options)).toThrow(refused);
  expect(() => producer.send({ topic }, () => {}, options)).toThrow(refused);
});

test.each([
  [
    { compression: "gzip" },
    "compression gzip: one of the options ackTimeoutMs, acks, compressionType, signal is expected",
  ],
  [7, "options 7: an object is expected"],
])("options that would change nothing are refused at once: %j", async (given, message) => {
  const { producer } = await setUp();
  const options = JSON.parse(JSON.stringify(given));
  const refused = expect.objectContaining({ code: "OPTIONS", message });
  expect(() => producer.send({ topic }, null, options)).toThrow(refused);
  expect(() => producer.send({ topic }, () => {}, options)).toThrow(refused);
  await expect(producer.sendBatch([{ topic }], options)).rejects.toEqual(refused);
});
