import { bytes, string } from "@odradek/network";
import { defaultRecordBatchesOptions, RecordBatches } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { RecordingLogger } from "../../network/test/recording-logger.ts";
import { type ConsumerInterceptor, ConsumerInterceptors } from "../src/consumer-interceptors.ts";
import type { Drained } from "../src/fetch/fetch-buffer.ts";
import { ConsumerRecord } from "../src/records/consumer-record.ts";
import { ConsumerRecords } from "../src/records/consumer-records.ts";
import { counted } from "./log.ts";

type Interceptor = ConsumerInterceptor<Uint8Array, string>;

function setUp(...interceptors: Interceptor[]) {
  const logger = new RecordingLogger();
  return { logger, interceptors: new ConsumerInterceptors<Uint8Array, string>(interceptors, logger) };
}

/** Records of `orders-0`, and then of `orders-1`, with values such as `v7`, from an offset on. */
async function drained(count: number, baseOffset = 0): Promise<Drained<Uint8Array, string>> {
  const records: ConsumerRecord<Uint8Array, string>[] = [];
  const spans = [];
  for (const partition of [0, 1]) {
    const origin = {
      topic: "orders",
      partition,
      leaderEpoch: 3,
      timestampType: "createTime",
      keyDeserializer: bytes,
      valueDeserializer: string,
      keyContext: { topic: "orders", role: "key" },
      valueContext: { topic: "orders", role: "value" },
    } as const;
    const start = records.length;
    for (const batch of new RecordBatches(await counted(count, { baseOffset }), defaultRecordBatchesOptions)) {
      for (const view of batch) records.push(new ConsumerRecord(origin, view));
    }
    const next = { offset: BigInt(baseOffset + count), leaderEpoch: 3 };
    spans.push({ topic: "orders", partition, start, end: records.length, next });
  }
  return { records, spans };
}

const recordsOf = ({ records, spans }: Drained<Uint8Array, string>): ConsumerRecords<Uint8Array, string> =>
  new ConsumerRecords(records, spans);

const elsewhere = ({ records, spans }: Drained<Uint8Array, string>): ConsumerRecords<Uint8Array, string> =>
  new ConsumerRecords(
    records,
    spans.map((span) => ({ ...span, topic: "refunds" })),
  );

const valuesOf = ({ records }: Drained<Uint8Array, string>) => records.map(({ value }) => value);
const spansOf = ({ spans }: Drained<Uint8Array, string>) => spans.map(({ start, end }) => [start, end]);

/** Writes its name behind the value. */
const signing = (name: string): Interceptor => ({
  onConsume: (records) => records.map((record) => record.with({ value: `${record.value}${name}` })),
});

const throwing = (method: keyof ConsumerInterceptor): Interceptor => ({
  [method]: () => {
    throw new Error("a defect of its author");
  },
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("records on their way to the application", () => {
  test("go through the interceptors in their order", async () => {
    const { interceptors } = setUp(signing("a"), { close: () => {} }, signing("b"));
    expect(valuesOf(interceptors.onConsume(await drained(2)))).toEqual(["v0ab", "v1ab", "v0ab", "v1ab"]);
  });

  test("go on as the last interceptor left them that did not throw", async () => {
    const { interceptors, logger } = setUp(signing("a"), throwing("onConsume"), signing("b"));
    expect(valuesOf(interceptors.onConsume(await drained(1)))).toEqual(["v0ab", "v0ab"]);
    expect(logger.lines).toEqual(["warn: onConsume of an interceptor failed: a defect of its author {}"]);
  });

  test("may become fewer, by partitions that stay the same and go on where they did", async () => {
    const { interceptors } = setUp({
      onConsume: (records) => records.filter(({ partition, offset }) => partition === 1 && offset > 0n),
    });
    const given = await drained(3);
    const left = interceptors.onConsume(given);
    expect([valuesOf(left), spansOf(left)]).toEqual([
      ["v1", "v2"],
      [
        [0, 0],
        [0, 2],
      ],
    ]);
    expect(left.spans.map(({ next }) => next)).toEqual(given.spans.map(({ next }) => next));
  });

  test("are the very same where nobody changes them", async () => {
    const { interceptors } = setUp({ onConsume: (records) => records });
    const given = await drained(2);
    expect(interceptors.onConsume(given)).toBe(given);
  });

  test("are shown to nobody where there are none, or none any more", async () => {
    let calls = 0;
    const counting: Interceptor = {
      onConsume: (records) => {
        calls += 1;
        return records.filter(() => false);
      },
    };
    const { interceptors } = setUp(counting, counting);
    interceptors.onConsume({ records: [], spans: [] });
    expect(calls).toBe(0);
    interceptors.onConsume(await drained(2));
    expect(calls).toBe(1);
  });

  const wrongs: readonly (readonly [what: string, make: () => Promise<unknown>, reason: string])[] = [
    ["nothing", async () => undefined, "it gave no ConsumerRecords"],
    ["null", async () => null, "it gave no ConsumerRecords"],
    ["a promise", async () => Promise.resolve(new ConsumerRecords([], [])), "it gave no ConsumerRecords"],
    ["an array", async () => [], "it gave no ConsumerRecords"],
    ["records of an earlier poll", async () => recordsOf(await drained(1, 7)), "it gave records that it did not get"],
    ["more records than it got", async () => recordsOf(await drained(3)), "it gave records that it did not get"],
    ["records of other partitions", async () => elsewhere(await drained(1)), "it gave records that it did not get"],
  ];
  test.each(wrongs)("are not lost to an interceptor that gives %s", async (what, make, reason) => {
    const given: unknown = await make();
    const wrong: Interceptor = { onConsume: () => (what === "a promise" ? Promise.resolve(given) : given) as never };
    const { interceptors, logger } = setUp(wrong, signing("b"));
    expect(valuesOf(interceptors.onConsume(await drained(1)))).toEqual(["v0b", "v0b"]);
    expect(logger.count(reason)).toBe(1);
  });

  test("are not lost to one that works asynchronously, and whose rejection would end the process", async () => {
    const rejecting: Interceptor = { onConsume: (() => Promise.reject(new Error("later"))) as never };
    const { interceptors, logger } = setUp(rejecting);
    expect(valuesOf(interceptors.onConsume(await drained(1)))).toEqual(["v0", "v0"]);
    await turn();
    expect(logger.count("onConsume of an interceptor failed: later")).toBe(1);
  });

  test("cannot be put in the place of others", async () => {
    const [other] = (await drained(1, 7)).records;
    const { interceptors, logger } = setUp({ onConsume: (records) => records.map((record) => other ?? record) });
    expect(valuesOf(interceptors.onConsume(await drained(1)))).toEqual(["v0", "v0"]);
    expect(logger.count("map gave no record in the place of orders-0@0: use record.with()")).toBe(1);
  });
});

describe("what is committed, and the end", () => {
  const offsets = [{ topic: "orders", partition: 0, offset: 7n, leaderEpoch: null, metadata: "" }];

  test("are told to interceptors in their order, whatever those before do", async () => {
    const heard: string[] = [];
    const hearing = (name: string): Interceptor => ({
      onCommit: ([first]) => heard.push(`${name} commit ${first?.offset}`),
      close: () => heard.push(`${name} close`),
    });
    const later = (async () => {
      throw new Error("later");
    }) as () => void;
    const asynchronous: Interceptor = { onCommit: later, close: later };
    const { interceptors, logger } = setUp(
      hearing("a"),
      throwing("onCommit"),
      throwing("close"),
      asynchronous,
      hearing("b"),
    );
    interceptors.onCommit(offsets);
    interceptors.close();
    expect(heard).toEqual(["a commit 7", "b commit 7", "a close", "b close"]);
    await turn();
    expect(logger.lines.sort()).toEqual([
      "warn: close of an interceptor failed: a defect of its author {}",
      "warn: close of an interceptor failed: later {}",
      "warn: onCommit of an interceptor failed: a defect of its author {}",
      "warn: onCommit of an interceptor failed: later {}",
    ]);
  });
});
