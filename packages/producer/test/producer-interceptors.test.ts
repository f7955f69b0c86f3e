import { KafkaError } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { RecordingLogger } from "../../network/test/recording-logger.ts";
import { DeliveryError } from "../src/delivery-error.ts";
import { type ProducerInterceptor, ProducerInterceptors } from "../src/producer-interceptors.ts";
import type { ProducerRecord } from "../src/producer-record.ts";
import { RecordMetadata } from "../src/record-metadata.ts";
import { Told } from "./told.ts";

type Interceptor = ProducerInterceptor<string, string>;

function setUp(...interceptors: Interceptor[]) {
  const logger = new RecordingLogger();
  return { logger, interceptors: new ProducerInterceptors<string, string>(interceptors, logger) };
}

/** Writes its name behind the value. */
const signing = (name: string): Interceptor => ({
  onSend: (record) => ({ ...record, value: `${record.value}${name}` }),
});

const throwing = (method: keyof ProducerInterceptor): Interceptor => ({
  [method]: () => {
    throw new Error("a defect of its author");
  },
});

const metadata = new RecordMetadata(
  { topic: "orders", partition: 2, baseOffset: 7n, logAppendTimeMs: -1, logStartOffset: -1n },
  0,
  5,
  1,
  1,
);
const error = new DeliveryError("orders", null, "no", new KafkaError("too large", { code: "MESSAGE_TOO_LARGE" }));
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("records on their way in", () => {
  test("go through the interceptors in their order", () => {
    const { interceptors } = setUp(signing("a"), { close: () => {} }, signing("b"));
    expect(interceptors.onSend({ topic: "orders", value: "0" })).toEqual({ topic: "orders", value: "0ab" });
  });

  test("go on as the last interceptor left them that did not throw", () => {
    const { interceptors, logger } = setUp(signing("a"), throwing("onSend"), signing("b"));
    expect(interceptors.onSend({ topic: "orders", partition: 3, value: "0" }).value).toBe("0ab");
    expect(logger.lines).toEqual([
      'warn: onSend of an interceptor failed: a defect of its author {"topic":"orders","partition":3}',
    ]);
  });

  test.each([
    ["nothing", undefined],
    ["null", null],
    ["a promise", Promise.resolve({ topic: "orders" })],
    ["no record", {}],
  ])("are not lost to an interceptor that gives %s", (_, given) => {
    const { interceptors, logger } = setUp({ onSend: () => given as ProducerRecord<string, string> }, signing("b"));
    expect(interceptors.onSend({ topic: "orders", value: "0" }).value).toBe("0b");
    expect(logger.count("it gave no record, which is an object with a topic")).toBe(1);
  });
});

describe("what became of a record", () => {
  test("is told to interceptors in their order, with the headers as they were sent, then to its sender", () => {
    const told = new Told();
    const heard: string[] = [];
    const hearing = (name: string): Interceptor => ({
      onAcknowledgement: (about, failure, headers) =>
        heard.push(`${name} ${about} ${failure?.code} ${headers.map(({ key }) => key)} ${told.all.length}`),
    });
    const { interceptors } = setUp(hearing("a"), throwing("onAcknowledgement"), hearing("b"));
    const record = { topic: "orders", headers: [{ key: "h", value: null }] };
    const delivery = interceptors.deliveryOf(record, told, 4);
    delivery.headersChanged([...record.headers, { key: "schema", value: "1" }]);
    delivery.delivered(metadata);
    expect(heard).toEqual(["a orders-2@7 undefined h,schema 0", "b orders-2@7 undefined h,schema 0"]);
    expect(told.all).toEqual(["4@7"]);
  });

  test("is told with topic and partition -1 where it failed before one was chosen", () => {
    const told = new Told();
    const heard: unknown[] = [];
    const { interceptors } = setUp({
      onAcknowledgement: (about, failure, headers) => heard.push([about.toJSON(), failure, headers]),
    });
    interceptors.deliveryOf({ topic: "orders" }, told, 0).failed(error);
    const unknown = { offset: "-1", timestamp: -1, serializedKeySize: -1, serializedValueSize: -1 };
    expect(heard).toEqual([[{ topic: "orders", partition: -1, ...unknown }, error, []]]);
    expect(told.errors).toEqual([error]);
  });

  test("is told to a sender whose interceptors throw or reject", async () => {
    const told = new Told();
    const { interceptors, logger } = setUp(throwing("onAcknowledgement"), {
      onAcknowledgement: (async () => {
        throw new Error("later");
      }) as () => void,
    });
    interceptors.deliveryOf({ topic: "orders" }, told, 0).delivered(metadata);
    await turn();
    expect(told.all).toEqual(["0@7"]);
    expect(logger.lines.map((line) => line.split(" {")[0])).toEqual([
      "warn: onAcknowledgement of an interceptor failed: a defect of its author",
      "warn: onAcknowledgement of an interceptor failed: later",
    ]);
  });
});

test("all interceptors are closed, also behind one that cannot be", () => {
  let isClosed = false;
  const { interceptors, logger } = setUp(throwing("close"), {
    close: () => {
      isClosed = true;
    },
  });
  interceptors.close();
  expect([isClosed, logger.count("close of an interceptor failed")]).toEqual([true, 1]);
});
