import { describe, expect, expectTypeOf, test } from "vitest";
import { readMessage, writeMessage } from "../src/codec.ts";
import { Reader } from "../src/reader.ts";
import {
  api,
  array,
  blob,
  type Input,
  int16,
  int32,
  int64,
  type Message,
  type Output,
  type RequestOf,
  type RequestReadOf,
  type ResponseOf,
  type ResponseWrittenOf,
  records,
  string,
  struct,
  type Type,
} from "../src/schema.ts";
import { Writer } from "../src/writer.ts";

const Task = api({
  name: "Task",
  key: 900,
  versions: [2, 5],
  flexible: 4,
  latestStable: 4,
  request: {
    group: string,
    epoch: int64.since(3).default(-1n),
    old: int32.until(3),
    topics: array({ name: string.nullable(), partitions: array(int32) }).nullable(4),
    leader: struct({ id: int32.default(-1) })
      .since(4)
      .tagged(0),
  },
  response: { errorCode: int16, payload: records },
});

describe("an API", () => {
  test("names its messages and gives both its versions", () => {
    expect([Task.request.name, Task.response.name]).toEqual(["TaskRequest", "TaskResponse"]);
    for (const message of [Task.request, Task.response]) {
      expect(message.versions).toEqual([2, 5]);
      expect(message.flexible).toBe(4);
    }
    expect(Task.latestStable).toBe(4);
  });

  test("is stable up to its last version, and never flexible, where nothing else is said", () => {
    const plain = api({ name: "Plain", key: 901, versions: [0, 3], request: {}, response: {} });
    expect(plain.latestStable).toBe(3);
    expect(plain.flexible).toBe(Number.POSITIVE_INFINITY);
    expect(blob({ name: "Blob", versions: [0, 1], fields: {} }).flexible).toBe(Number.POSITIVE_INFINITY);
  });

  test("cannot be changed", () => {
    expect([Task, Task.request, Task.response].every((each) => Object.isFrozen(each))).toBe(true);
  });
});

test("a modifier leaves the type that it is called on as it was", () => {
  const { rules } = int32;
  const before = { ...rules };
  const modified = int32.since(1).until(2).nullable(3).default(4).tagged(5).ignorable();
  expect(modified.rules).toEqual({ since: 1, until: 2, nullableSince: 3, default: 4, tag: 5, ignorable: true });
  expect(int32.rules).toBe(rules);
  expect(rules).toEqual(before);
});

test("what a reader gives is fresh each time: changing one value changes no other", () => {
  const message: Message = blob({
    name: "Fresh",
    versions: [0, 1],
    fields: { list: array(int32).since(1), inner: struct({ list: array(int32) }).since(1) },
  });
  const read = (): unknown => readMessage(new Reader(Buffer.alloc(0)), message, 0);
  const [first, second] = [read(), read()];
  expect(first).toEqual({ list: [], inner: { list: [] } });
  expect(first).toStrictEqual(second);
  expect(first).toHaveProperty("list", []);
  for (const path of ["list", "inner", "inner.list"]) {
    const at = (value: unknown): unknown =>
      path.split(".").reduce<unknown>((each, key) => new Map(Object.entries(each ?? {})).get(key), value);
    expect(at(first)).not.toBe(at(second));
  }
});

describe("the types that a declaration gives", () => {
  test("have every field on the reader's side", () => {
    interface Read {
      group: string;
      epoch: bigint;
      old: number;
      topics: { name: string | null; partitions: number[] }[] | null;
      leader: { id: number };
    }
    expectTypeOf<RequestReadOf<typeof Task>>().toEqualTypeOf<Read>();
    expectTypeOf<ResponseOf<typeof Task>>().toEqualTypeOf<{ errorCode: number; payload: Buffer }>();
  });

  test("let a writer leave out what has a default or is bounded by versions, and nothing else", () => {
    const least = { group: "g", topics: null };
    expectTypeOf(least).toExtend<RequestOf<typeof Task>>();
    expectTypeOf<{ group: string }>().not.toExtend<RequestOf<typeof Task>>();
    expectTypeOf<{ topics: null }>().not.toExtend<RequestOf<typeof Task>>();
    expectTypeOf<{ group: string; topics: null; leader: { id: string } }>().not.toExtend<RequestOf<typeof Task>>();
    expectTypeOf<{ errorCode: number; payload: Buffer }>().toExtend<ResponseWrittenOf<typeof Task>>();

    const writer = new Writer();
    writeMessage(writer, Task.request, 5, least);
    expect(Buffer.concat(writer.finish()).toString("hex")).toBe("0267" + "ffffffffffffffff" + "00" + "00");
  });

  test("take back what a reader gave", () => {
    type Fields = { readonly a: Type<number>; readonly b: Type<string | null, true> };
    expectTypeOf<Output<Fields>>().toExtend<Input<Fields>>();
    expectTypeOf<RequestReadOf<typeof Task>>().toExtend<RequestOf<typeof Task>>();
  });
});
