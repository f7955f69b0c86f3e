import { describe, expect, onTestFinished, test } from "vitest";
import { until } from "../../network/test/until.ts";
import { batchOf, bomb } from "../../odradek/test/hostile/batches.ts";
import { type Attack, fetching, flood, hostileBroker, int32, raw, uvarint } from "../../odradek/test/hostile/broker.ts";
import { Kafka, KafkaJSError, logLevel } from "../src/index.ts";

const int32Max = 0x7fff_ffff;

/** Clients that give up soon, at a broker that attacks. */
async function kafkaAt(attack: Attack): Promise<Kafka> {
  const port = await hostileBroker(attack);
  const retry = { retries: 1, initialRetryTime: 10, maxRetryTime: 20 };
  return new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING, requestTimeout: 1_000, retry });
}

/** Ends with the error that a promise rejects with. */
const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "nothing went wrong",
    (error: unknown) => error,
  );

/** What an error says, and those that caused it. */
const texts = (error: unknown): string => (error instanceof Error ? `${error.message}\n${texts(error.cause)}` : "");

function expectTyped(error: unknown, says: RegExp): void {
  expect(error).toBeInstanceOf(KafkaJSError);
  expect(texts(error)).toMatch(says);
}

type Row = readonly [name: string, attack: Attack | Promise<Attack>, says: RegExp];

describe("a producer of kafkajs rejects with an error of kafkajs where the peer", () => {
  test.each<Row>([
    ["speaks HTTP", { apiVersions: () => Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n") }, /speaks HTTP/],
    ["announces a frame of 2 GiB, and floods", { apiVersions: flood(int32Max) }, /frame length 2147483647/],
    ["announces a frame of -60 bytes", { apiVersions: () => int32(-60) }, /frame length -60/],
    ["has 2^31 - 1 versions", { apiVersions: raw(Buffer.alloc(2), uvarint(int32Max)) }, /2147483646 items announced/],
    ["has 2^31 - 1 brokers", { metadata: raw(Buffer.alloc(5), uvarint(int32Max)) }, /2147483646 items announced/],
    ["answers to nobody's question", { metadata: () => Buffer.from("0000000400000063", "hex") }, /correlation id 99/],
  ])("%s, when it connects", async (_, attack, says) => {
    const producer = (await kafkaAt(await attack)).producer();
    expectTyped(await errorOf(producer.connect()), says);
    await producer.disconnect();
  });

  test.each<Row>([
    ["has 2^31 - 1 answers", { produce: raw(Buffer.of(0), uvarint(int32Max)) }, /2147483646 items announced/],
    ["leaves the partition out", {}, /orders/],
  ])("%s, when it sends", async (_, attack, says) => {
    const producer = (await kafkaAt(await attack)).producer();
    await producer.connect();
    expectTyped(await errorOf(producer.send({ topic: "orders", messages: [{ value: "v", partition: 0 }] })), says);
    await producer.disconnect();
  });
});

/** One bit of the records is another than when the checksum was made. */
const tampered = (): Buffer => {
  const batch = batchOf("none", Buffer.alloc(20), 1);
  batch.writeUInt8(1, 70);
  return batch;
};

describe("a consumer of kafkajs crashes with an error of kafkajs, and can be disconnected, where the peer", () => {
  test.each<Row>([
    ["sends a wrong checksum", { fetch: fetching(tampered()) }, /orders-0@0/],
    [
      "lies about the count of records",
      { fetch: fetching(batchOf("none", Buffer.alloc(99), int32Max)) },
      /orders-0@0.*2147483647/,
    ],
    ...(["gzip", "snappy", "lz4", "zstd"] as const).map(
      (codec): Row => [
        `sends a bomb in ${codec}`,
        bomb(codec).then((records) => ({ fetch: fetching(records) })),
        new RegExp(`orders-0@0.* ${codec} data of more than 67108864 bytes`),
      ],
    ),
    [
      "assigns nonsense",
      // No throttling, no error, no protocol, and 3 bytes that are no assignment.
      { syncGroup: raw(Buffer.from("00000000000000000004000301", "hex"), Buffer.of(0)) },
      /ConsumerProtocolAssignment|SyncGroupResponse/,
    ],
  ])("%s", async (_, attack, says) => {
    const consumer = (await kafkaAt(await attack)).consumer({
      groupId: "hostile",
      retry: { restartOnFailure: async () => false },
    });
    onTestFinished(() => consumer.disconnect());
    const crashed = new Promise<unknown>((resolve) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => resolve(payload.error));
    });
    const seen: unknown[] = [];
    await consumer.connect();
    await consumer.subscribe({ topic: "orders", fromBeginning: true });
    await consumer.run({ eachMessage: async ({ message }) => void seen.push(message) });
    expectTyped(await crashed, says);
    expect(seen).toEqual([]);
  });
});

test("a consumer of kafkajs that is made to join with nonsense goes on trying, and can be disconnected", async () => {
  let joins = 0;
  const nonsense = raw(Buffer.alloc(43, 0xff));
  const kafka = await kafkaAt({
    joinGroup: (request, connection) => {
      joins += 1;
      return nonsense(request, connection);
    },
  });
  const consumer = kafka.consumer({ groupId: "hostile" });
  await consumer.connect();
  await consumer.subscribe({ topic: "orders" });
  const running = consumer.run({ eachMessage: async () => {} });
  await until(() => joins > 2);
  await consumer.disconnect();
  await running;
});
