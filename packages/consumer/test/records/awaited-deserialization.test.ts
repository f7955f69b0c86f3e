import { type Deserializer, type DeserializerFunction, deserializerOf, string } from "@odradek/network";
import { defaultRecordBatchesOptions, RecordBatches } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { RecordDeserializationError } from "../../src/errors.ts";
import { AwaitedDeserialization } from "../../src/records/awaited-deserialization.ts";
import { ConsumerRecord } from "../../src/records/consumer-record.ts";
import { batch, type LogRecord } from "../log.ts";

type Given = Deserializer<string> | DeserializerFunction<string>;

/** What one consumer does with its deserializers, and the records that it is about to hand out. */
function setUp(given: Given, keys: Given = string) {
  const keyDeserializer = deserializerOf(keys);
  const valueDeserializer = deserializerOf(given);
  const deserialization = new AwaitedDeserialization(keyDeserializer, valueDeserializer);
  const recordsOf = async (...records: readonly LogRecord[]) => {
    const origin = {
      topic: "orders",
      partition: 2,
      leaderEpoch: 3,
      timestampType: "createTime",
      keyDeserializer,
      valueDeserializer,
      keyContext: { topic: "orders", role: "key" },
      valueContext: { topic: "orders", role: "value" },
    } as const;
    const batches = new RecordBatches(await batch(records, { baseOffset: 40 }), defaultRecordBatchesOptions);
    return [...batches].flatMap((one) => [...one].map((view) => new ConsumerRecord<string, string>(origin, view)));
  };
  return { deserialization, recordsOf };
}

/** What a look gives, or the error that it throws. */
function look(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return error;
  }
}

const values = (...texts: readonly (string | null)[]): LogRecord[] => texts.map((value) => ({ value }));

describe("AwaitedDeserialization", () => {
  test("awaits what gives promises, all at once, and a look finds what came of it", async () => {
    const asked: string[] = [];
    const { deserialization, recordsOf } = setUp(async (bytes) => {
      asked.push(bytes.toString());
      return bytes.toString().toUpperCase();
    });
    const records = await recordsOf(...values("a", "b", null));
    const pending = deserialization.begin(records);
    expect(pending).toBeInstanceOf(Promise);
    expect(asked).toEqual(["a", "b"]);
    await pending;
    expect(records.map(({ value }) => value)).toEqual(["A", "B", null]);
    expect(records.map(({ value }) => value)).toEqual(["A", "B", null]);
    expect(asked).toEqual(["a", "b"]);
  });

  test("awaits keys as it does values", async () => {
    const { deserialization, recordsOf } = setUp(string, async (bytes) => `key ${bytes}`);
    const records = await recordsOf({ key: "a", value: "v" }, { key: null, value: "w" });
    await deserialization.begin(records);
    expect(records.map(({ key, value }) => [key, value])).toEqual([
      ["key a", "v"],
      [null, "w"],
    ]);
  });

  test("has one that cannot be read fail at its look, and not those behind it", async () => {
    const { deserialization, recordsOf } = setUp({
      isAsync: true,
      deserialize: (bytes) => {
        const text = bytes.toString();
        if (text === "thrown") throw new Error("not even a promise");
        return text === "poison" ? Promise.reject(new Error("no such schema")) : Promise.resolve(text);
      },
    });
    const records = await recordsOf(...values("a", "poison", "thrown", "b"));
    await deserialization.begin(records);
    const [first, poison, thrown, last] = records.map((record) => look(() => record.value));
    expect([first, last]).toEqual(["a", "b"]);
    expect(poison).toBeInstanceOf(RecordDeserializationError);
    expect(poison).toMatchObject({ offset: 41n, role: "value", bytes: Buffer.from("poison") });
    expect(poison).toMatchObject({ cause: { message: "no such schema" } });
    expect(thrown).toMatchObject({ offset: 42n, cause: { message: "not even a promise" } });
  });

  test("tries one key and one value of what gives values, and leaves the rest to looks", async () => {
    const asked: string[] = [];
    const noting = (bytes: Buffer): string => {
      asked.push(bytes.toString());
      return bytes.toString();
    };
    const { deserialization, recordsOf } = setUp(noting, noting);
    const records = await recordsOf({ value: null }, { key: "k", value: "v" }, { key: "l", value: "w" });
    expect(deserialization.begin(records)).toBeNull();
    expect(asked).toEqual(["k", "v"]);
    expect(records.map(({ key }) => key)).toEqual([null, "k", "l"]);
    expect(asked).toEqual(["k", "v", "l"]);
    expect(deserialization.begin(await recordsOf({ key: "m", value: "x" }))).toBeNull();
    expect(asked).toEqual(["k", "v", "l"]);
  });

  test("learns nothing by what throws, which it does not try again", async () => {
    const asked: string[] = [];
    const { deserialization, recordsOf } = setUp((bytes) => {
      asked.push(bytes.toString());
      if (bytes.toString() === "poison") throw new Error("unreadable");
      return Promise.resolve(bytes.toString());
    });
    const poisoned = await recordsOf(...values("poison"));
    expect(deserialization.begin(poisoned)).toBeNull();
    const records = await recordsOf(...values("poison", "a"));
    await deserialization.begin(records);
    expect(look(() => poisoned[0]?.value)).toMatchObject({ cause: { message: "unreadable" } });
    expect(records[1]?.value).toBe("a");
    expect(asked).toEqual(["poison", "poison", "a"]);
  });

  test("tries nothing where it is told", async () => {
    const asked: string[] = [];
    const deserialize = (bytes: Buffer): string => {
      asked.push(bytes.toString());
      return bytes.toString();
    };
    const lazy = setUp({ isAsync: false, deserialize });
    expect(lazy.deserialization.begin(await lazy.recordsOf(...values("a", "b")))).toBeNull();
    expect(asked).toEqual([]);
    const awaited = setUp({ isAsync: true, deserialize });
    expect(awaited.deserialization.begin(await awaited.recordsOf(...values("a", "b")))).toBeNull();
    expect(asked).toEqual(["a", "b"]);
  });

  test("keeps what one gave at once that may give a promise the next time", async () => {
    let calls = 0;
    const { deserialization, recordsOf } = setUp({
      isAsync: true,
      deserialize: (bytes) => (calls++ === 0 ? bytes.toString() : Promise.resolve("later")),
    });
    const [record] = await recordsOf(...values("now"));
    if (record === undefined) throw new Error("no record");
    expect(deserialization.begin([record])).toBeNull();
    expect([record.value, record.copy().value, calls]).toEqual(["now", "now", 1]);
  });

  test("has a look say what to do where one was taken for giving values, and gives a promise", async () => {
    let calls = 0;
    const { deserialization, recordsOf } = setUp((bytes) =>
      calls++ === 0 ? bytes.toString() : Promise.reject(new Error("not to end the process")),
    );
    const records = await recordsOf(...values("a", "b"));
    expect(deserialization.begin(records)).toBeNull();
    const failure = look(() => records[1]?.value);
    expect(failure).toBeInstanceOf(RecordDeserializationError);
    expect(failure).toMatchObject({ message: expect.stringContaining("give it isAsync: true"), offset: 41n });
  });

  test("takes thenables for promises", async () => {
    const { deserialization, recordsOf } = setUp((bytes) => {
      const { then } = Promise.prototype;
      const promise = Promise.resolve(bytes.toString());
      // biome-ignore lint/suspicious/noThenProperty: what other libraries call a promise
      return { then: (...reactions) => then.apply(promise, reactions) } as PromiseLike<string>;
    });
    const records = await recordsOf(...values("a"));
    await deserialization.begin(records);
    expect(records[0]?.value).toBe("a");
  });
});
