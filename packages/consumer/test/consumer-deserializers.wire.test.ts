import { type Deserializer, type DeserializerFunction, StateError } from "@odradek/network";
import { afterEach, describe, expect, test } from "vitest";
import { until } from "../../network/test/until.ts";
import { KafkaConsumer } from "../src/consumer.ts";
import type { ConsumerInterceptor } from "../src/consumer-interceptors.ts";
import type { ConsumerOptions } from "../src/consumer-options.ts";
import { RecordDeserializationError, WakeupError } from "../src/errors.ts";
import { fetchAnswer, fetched } from "./answers.ts";
import { counted } from "./log.ts";
import { ScriptedBroker } from "./scripted-broker.ts";

const orders = { topic: "orders", partition: 0 };

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

/** A broker with the records `v0` to `v4`, and a consumer that is assigned to them. */
async function fixture(
  valueDeserializer: Deserializer<string> | DeserializerFunction<string>,
  options: Partial<ConsumerOptions<Uint8Array, string>> = {},
) {
  const records = await counted(5);
  const broker = await ScriptedBroker.start({
    fetch: ({ offset }) => (offset < 5 ? fetchAnswer("orders", [fetched(0, { records })]) : null),
  });
  opened.push(broker);
  const consumer = new KafkaConsumer<Uint8Array, string>({
    bootstrapServers: broker.bootstrapServers,
    autoOffsetReset: "earliest",
    fetchMaxWaitMs: 20,
    valueDeserializer,
    ...options,
  });
  opened.push(consumer);
  consumer.assign([orders]);
  return { broker, consumer };
}

/** Gives promises that end when the test says so; for ever, if it never does. */
function held() {
  const asked: string[] = [];
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const deserialize = async (bytes: Buffer): Promise<string> => {
    asked.push(bytes.toString());
    await released;
    return bytes.toString().toUpperCase();
  };
  return { asked, release, deserialize };
}

/** What a look at the value gives: the value, or that it cannot be read. */
const look = (record: { readonly value: string | null }): string | null => {
  try {
    return record.value;
  } catch (error) {
    if (error instanceof RecordDeserializationError) return `${error.offset} is poison: ${error.bytes}`;
    throw error;
  }
};

describe("KafkaConsumer, with a deserializer that gives promises", () => {
  const picky = async (bytes: Buffer): Promise<string> => {
    if (bytes.toString() === "v2") throw new Error("no such schema");
    return bytes.toString().toUpperCase();
  };

  test("hands out values, and records that cannot be read among the others", async () => {
    const { consumer } = await fixture(picky);
    const records = await consumer.poll(5_000);
    expect([...records].map(look)).toEqual(["V0", "V1", "2 is poison: v2", "V3", "V4"]);
    expect(await consumer.position(orders)).toBe(5n);
  });

  test("does the same in a loop, which may go on", async () => {
    const { consumer } = await fixture(picky, { maxPollRecords: 2 });
    const got: (string | null)[] = [];
    for await (const record of consumer) {
      got.push(look(record));
      if (got.length === 5) break;
    }
    expect(got).toEqual(["V0", "V1", "2 is poison: v2", "V3", "V4"]);
    const { records } = (await consumer.batches().next()).value ?? { records: [] };
    expect(records.map(look)).toEqual(["V4"]);
  });

  test("is woken up while values are awaited, and hands the same records out the next time", async () => {
    const { asked, release, deserialize } = held();
    const { consumer } = await fixture(deserialize);
    const polling = consumer.poll(5_000);
    const refused = expect(polling).rejects.toThrow(WakeupError);
    await until(() => asked.length === 5);
    expect(await consumer.position(orders)).toBe(0n);
    consumer.wakeup();
    await refused;
    release();
    expect([...(await consumer.poll(5_000))].map(look)).toEqual(["V0", "V1", "V2", "V3", "V4"]);
  });

  test.each([
    ["woken up", "WAKEUP", (consumer: KafkaConsumer<Uint8Array, string>) => consumer.wakeup()],
    ["closed", "CLOSED", (consumer: KafkaConsumer<Uint8Array, string>) => void consumer.close()],
  ])("is %s by the deserializer itself, before it is awaited", async (_, code, end) => {
    const { consumer } = await fixture(() => {
      end(consumer);
      return new Promise<string>(() => {});
    });
    await expect(consumer.poll(5_000)).rejects.toMatchObject({ code });
  });

  test("is closed while values are awaited that never come", async () => {
    const { asked, deserialize } = held();
    const { consumer, broker } = await fixture(deserialize);
    const polling = consumer.poll(5_000);
    const refused = expect(polling).rejects.toMatchObject({ code: "CLOSED" });
    await until(() => asked.length === 5);
    await consumer.close();
    await refused;
    await until(() => broker.openConnections === 0);
  });

  test("ends its poll with the reason of a signal, and is left as it was", async () => {
    const { asked, deserialize } = held();
    const { consumer } = await fixture(deserialize);
    const controller = new AbortController();
    const polling = consumer.poll(5_000, { signal: controller.signal });
    const refused = expect(polling).rejects.toThrow("enough");
    await until(() => asked.length === 5);
    controller.abort(new Error("enough"));
    await refused;
    expect(await consumer.position(orders)).toBe(0n);
  });

  test("says that there is nothing to read where all was given up meanwhile", async () => {
    const { asked, release, deserialize } = held();
    const { consumer } = await fixture(deserialize);
    const polling = consumer.poll(5_000);
    const refused = expect(polling).rejects.toThrow(StateError);
    await until(() => asked.length === 5);
    await consumer.unsubscribe();
    release();
    await refused;
  });
});

describe("KafkaConsumer, with interceptors", () => {
  test("asks them before a poll ends, with what was deserialized, and closes them last", async () => {
    const heard: string[] = [];
    const hearing: ConsumerInterceptor<Uint8Array, string> = {
      onConsume: (records) => {
        heard.push(`${[...records].map(({ value }) => value)}`);
        return records.filter(({ offset }) => offset !== 1n);
      },
      close: () => heard.push("closed"),
    };
    const { consumer } = await fixture(async (bytes) => bytes.toString().toUpperCase(), {
      interceptors: [hearing],
      maxPollRecords: 2,
    });
    const records = await consumer.poll(5_000);
    expect([...records].map(look)).toEqual(["V0"]);
    expect(records.nextOffsets()).toMatchObject([{ ...orders, offset: 2n }]);
    const got: (string | null)[] = [];
    for await (const { value } of consumer) {
      got.push(value);
      if (got.length === 3) break;
    }
    expect(got).toEqual(["V2", "V3", "V4"]);
    await consumer.close();
    await consumer.close();
    expect(heard).toEqual(["V0,V1", "V2,V3", "V4", "closed"]);
  });
});
