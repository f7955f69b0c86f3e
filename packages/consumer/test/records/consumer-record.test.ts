import { inspect } from "node:util";
import { bytes, json, type Serde, string } from "@odradek/network";
import { defaultRecordBatchesOptions, RecordBatches } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { RecordDeserializationError } from "../../src/errors.ts";
import { ConsumerRecord } from "../../src/records/consumer-record.ts";
import { batch, type LogRecord } from "../log.ts";

/** The record as it comes out of a batch at offset 40, and the frame that it came in. */
async function read<K, V>(record: LogRecord, keySerde: Serde<K>, valueSerde: Serde<V>) {
  const frame = await batch([record], { baseOffset: 40, leaderEpoch: 3 });
  const [view] = [...new RecordBatches(frame, defaultRecordBatchesOptions)].flatMap((one) => [...one]);
  if (view === undefined) throw new Error("no record");
  const origin = {
    topic: "orders",
    partition: 2,
    leaderEpoch: 3,
    timestampType: "createTime",
    keyDeserializer: keySerde,
    valueDeserializer: valueSerde,
    keyContext: { topic: "orders", role: "key" },
    valueContext: { topic: "orders", role: "value" },
  } as const;
  return { frame, record: new ConsumerRecord(origin, view) };
}

describe("ConsumerRecord", () => {
  test("deserializes key and value, each once and only when looked at", async () => {
    const looks: string[] = [];
    const noting: Serde<string> = {
      serialize: (value) => value,
      deserialize: (data, { topic, role }) => {
        looks.push(`${topic} ${role}`);
        return data.toString();
      },
    };
    const { record } = await read({ key: "k", value: "v" }, noting, noting);
    expect(record.offset).toBe(40n);
    expect(looks).toEqual([]);
    expect([record.value, record.key, record.value]).toEqual(["v", "k", "v"]);
    expect(looks).toEqual(["orders value", "orders key"]);
  });

  test("gives null for null, without asking a deserializer", async () => {
    const { record } = await read({ key: null, value: null }, json, json);
    expect([record.key, record.value]).toEqual([null, null]);
    expect([record.serializedKeySize, record.serializedValueSize]).toEqual([-1, -1]);
  });

  test("tells place, role and bytes of what cannot be deserialized, at each look", async () => {
    const { record } = await read({ key: "k", value: "{oops" }, string, json);
    const look = () => record.value;
    expect(look).toThrow(RecordDeserializationError);
    expect(look).toThrow("the value of the record at orders-2@40 (5 bytes)");
    expect(record.key).toBe("k");
    try {
      look();
    } catch (error) {
      expect(error).toMatchObject({
        code: "SERIALIZATION",
        topic: "orders",
        partition: 2,
        offset: 40n,
        role: "value",
        bytes: Buffer.from("{oops"),
        cause: { code: "SERIALIZATION" },
      });
    }
  });

  test("is a view of the frame it came in, unless it is copied", async () => {
    const headers = [{ key: "trace", value: "abc" }];
    const { frame, record } = await read({ key: "key", value: "value", headers }, bytes, bytes);
    const copy = record.copy();
    frame.fill(0);
    expect(String(record.value)).toBe("\0\0\0\0\0");
    expect(String(copy.key)).toBe("key");
    expect(String(copy.value)).toBe("value");
    expect(copy.headers).toEqual([{ key: "trace", value: Buffer.from("abc") }]);
    expect(copy).toMatchObject({ topic: "orders", partition: 2, offset: 40n, leaderEpoch: 3, serializedKeySize: 3 });
  });

  test("keeps nulls in a copy", async () => {
    const { record } = await read({ key: null, value: null, headers: [{ key: "h", value: null }] }, bytes, bytes);
    const copy = record.copy();
    expect([copy.key, copy.value, copy.headers]).toEqual([null, null, [{ key: "h", value: null }]]);
  });

  test("has a JSON form: the offset as text, bytes in base64", async () => {
    const headers = [
      { key: "trace", value: "abc" },
      { key: "none", value: null },
    ];
    const { record } = await read({ key: "key", value: '{"total":7}', timestamp: 1_234, headers }, bytes, json);
    expect(JSON.parse(JSON.stringify(record))).toEqual({
      topic: "orders",
      partition: 2,
      offset: "40",
      timestamp: 1_234,
      timestampType: "createTime",
      leaderEpoch: 3,
      key: "a2V5",
      value: { total: 7 },
      headers: [
        { key: "trace", value: "YWJj" },
        { key: "none", value: null },
      ],
    });
  });

  test("can be shown, whatever its bytes are", async () => {
    const { record } = await read({ key: "k", value: "{oops" }, string, json);
    expect(inspect(record)).toContain("offset: 40n");
    expect(inspect(record)).toContain("7b 6f 6f 70 73");
  });

  test("gets another key, value or headers by with, and stays what it is besides", async () => {
    const headers = [{ key: "trace", value: "abc" }];
    const { record } = await read({ key: "k", value: "v", headers, timestamp: 1_234 }, string, string);
    const changed = record.with({ value: "w", headers: [] });
    expect([changed.key, changed.value, changed.headers]).toEqual(["k", "w", []]);
    expect([record.value, record.headers.length]).toEqual(["v", 1]);
    expect(changed).toMatchObject({ topic: "orders", partition: 2, offset: 40n, timestamp: 1_234, leaderEpoch: 3 });
    expect(changed.serializedValueSize).toBe(1);
    expect(changed.with({ key: null }).copy()).toMatchObject({ key: null, value: "w" });
    expect(inspect(changed)).toContain("value: 'w'");
    expect(changed.toJSON()).toMatchObject({ key: "k", value: "w", headers: [] });
  });

  test("gets a value by with where it had none, and none where it had one", async () => {
    const { record } = await read({ key: "k", value: null }, string, string);
    expect(record.with({ value: "v" }).value).toBe("v");
    expect(record.with({ value: "v" }).with({ value: null }).value).toBeNull();
  });

  test("gets a value by with in the place of one that cannot be deserialized", async () => {
    const { record } = await read({ key: "k", value: "{oops" }, string, json);
    expect(record.with({ value: "unreadable" }).value).toBe("unreadable");
  });
});
