import { type Encoded, type Header, type Serializer, type SerializerContext, string } from "@odradek/network";
import { describe, expect, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import type { ProducerRecord } from "../src/producer-record.ts";
import { RecordSerializer } from "../src/record-serializer.ts";
import { Told } from "./told.ts";

interface Given {
  readonly keySerializer?: Serializer<string>;
  readonly valueSerializer?: Serializer<string>;
}

function setUp({ keySerializer = string, valueSerializer = string }: Given = {}) {
  const limits = { batchSize: 1_000, bufferMemory: 20_000, maxRequestSize: 10_000 };
  const serializer = new RecordSerializer({ ...limits, keySerializer, valueSerializer }, new ManualClock());
  return async (record: ProducerRecord<string, string>) => serializer.serialize(record, new Told(), 0, null);
}

/** Adds a header with the role and the headers that it saw. */
const noting = (later?: Promise<void>): Serializer<string> => ({
  serialize(value: string, { role, headers }: SerializerContext): Encoded | Promise<Encoded> {
    headers.push({ key: role, value: headers.map(({ key }) => key).join() });
    return later === undefined ? value : later.then(() => value);
  },
});

describe("headers", () => {
  const given: readonly Header[] = Object.freeze([{ key: "h", value: null }]);
  const noted = [
    { key: "h", value: null },
    { key: "key", value: "h" },
    { key: "value", value: "h,key" },
  ];

  test("travel as they were given where no serializer looks at them", async () => {
    expect((await setUp()({ topic: "orders", headers: given })).headers).toBe(given);
  });

  test("travel as serializers leave them, the key's before the value's, and those given stay as they are", async () => {
    const serialize = setUp({ keySerializer: noting(), valueSerializer: noting() });
    expect((await serialize({ topic: "orders", key: "k", value: "v", headers: given })).headers).toEqual(noted);
    expect(given).toHaveLength(1);
  });

  test("travel so too where serializers give promises", async () => {
    const later = Promise.resolve();
    const serialize = setUp({ keySerializer: noting(later), valueSerializer: noting(later) });
    const { key, value, headers } = await serialize({ topic: "orders", key: "k", value: "v", headers: given });
    expect([key, value, headers]).toEqual(["k", "v", noted]);
  });

  test("are checked again where a serializer changed them", async () => {
    const valueSerializer: Serializer<string> = {
      serialize(value, { headers }) {
        headers.push({ key: "h", value: 5 as never });
        return value;
      },
    };
    await expect(setUp({ valueSerializer })({ topic: "orders", value: "v" })).rejects.toMatchObject({
      code: "OPTIONS",
    });
  });
});

describe("a serializer that gives a promise", () => {
  const promising = (encoded: Promise<Encoded>): Serializer<string> => ({ serialize: () => encoded });

  test("fails its record where the promise rejects, saying which serializer and why", async () => {
    const cause = new Error("no such schema");
    const serialize = setUp({ valueSerializer: promising(Promise.reject(cause)) });
    await expect(serialize({ topic: "orders", value: "v" })).rejects.toMatchObject({
      code: "SERIALIZATION",
      message: "valueSerializer failed for topic orders: no such schema",
      cause,
    });
  });

  test("fails its record where it gives neither bytes nor text", async () => {
    const serialize = setUp({ keySerializer: promising(Promise.resolve(5 as never)) });
    await expect(serialize({ topic: "orders", key: "k" })).rejects.toThrow(
      "keySerializer gave neither bytes nor text for topic orders",
    );
  });

  test("is not asked for null", async () => {
    const asked = () => Promise.reject(new Error("asked"));
    const serialize = setUp({ valueSerializer: { serialize: asked } });
    expect((await serialize({ topic: "orders", value: null })).value).toBeNull();
  });

  test("has its bytes counted against the limits", async () => {
    const serialize = setUp({ valueSerializer: promising(Promise.resolve("v".repeat(10_001))) });
    await expect(serialize({ topic: "orders", value: "v" })).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE" });
  });
});
