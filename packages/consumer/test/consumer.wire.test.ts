import { ClosedError, OptionsError, StateError, string, TimeoutError } from "@odradek/network";
import { defaultCodecs } from "@odradek/protocol";
import type { MetadataResponse } from "@odradek/protocol/messages/metadata";
import { afterEach, describe, expect, test, vi } from "vitest";
import { brokerAnswer, metadataAnswer, topicAnswer } from "../../network/test/metadata-answers.ts";
import { quiet } from "../../network/test/passing.ts";
import { ScriptedPeer } from "../../network/test/scripted-peer.ts";
import { until } from "../../network/test/until.ts";
import { KafkaConsumer } from "../src/consumer.ts";
import type { ConsumerOptions } from "../src/consumer-options.ts";
import { CorruptLogError, NoOffsetForPartitionError, OffsetOutOfRangeError, WakeupError } from "../src/errors.ts";
import { fetchAnswer, fetched, listAnswer, listed } from "./answers.ts";
import { batch, counted, damaged } from "./log.ts";
import { type BrokerScript, ScriptedBroker } from "./scripted-broker.ts";
import { topicLedBy } from "./test-cluster.ts";

const orders = { topic: "orders", partition: 0 };
const topicId = "AAAAAAAAAAAAAAAAAAAAAg";

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]();
});

async function brokerWith(script: BrokerScript, nodeId = 1): Promise<ScriptedBroker> {
  const broker = await ScriptedBroker.start(script, nodeId);
  opened.push(broker);
  return broker;
}

function consumerOf(broker: ScriptedBroker, options: Partial<ConsumerOptions<Uint8Array, string>> = {}) {
  const consumer = new KafkaConsumer<Uint8Array, string>({
    bootstrapServers: broker.bootstrapServers,
    autoOffsetReset: "earliest",
    fetchMaxWaitMs: 20,
    retryBackoffMs: 10,
    retryBackoffMaxMs: 20,
    reconnectBackoffMs: 10,
    reconnectBackoffMaxMs: 20,
    valueDeserializer: string,
    ...options,
  });
  opened.push(consumer);
  return consumer;
}

/** A broker with a log of batches, and a consumer that is assigned to it. */
async function fixture(script: BrokerScript, options: Partial<ConsumerOptions<Uint8Array, string>> = {}) {
  const broker = await brokerWith(script);
  const consumer = consumerOf(broker, options);
  consumer.assign([orders]);
  return { broker, consumer };
}

/** Gives the batch that holds the asked offset, and nothing at the end. */
const logOf =
  (
    ...batches: readonly { readonly from: number; readonly to: number; readonly bytes: Buffer }[]
  ): NonNullable<BrokerScript["fetch"]> =>
  ({ offset }) => {
    const found = batches.find(({ from, to }) => from <= offset && offset < to);
    return found === undefined ? null : fetchAnswer("orders", [fetched(0, { records: found.bytes })]);
  };

const span = async (from: number, to: number) => ({ from, to, bytes: await counted(to - from, { baseOffset: from }) });

async function values(consumer: KafkaConsumer<Uint8Array, string>, count: number): Promise<(string | null)[]> {
  const got: (string | null)[] = [];
  while (got.length < count) {
    const records = await consumer.poll(30_000);
    if (records.isEmpty) throw new Error(`only ${got.length} of ${count} records came`);
    got.push(...[...records].map(({ value }) => value));
  }
  return got;
}

describe("KafkaConsumer.poll", () => {
  test("gives records from the beginning on, no more at once than maxPollRecords", async () => {
    const { consumer } = await fixture({ fetch: logOf(await span(0, 5)) }, { maxPollRecords: 3 });
    const first = await consumer.poll(30_000);
    expect([...first].map(({ offset, value }) => `${offset}:${value}`)).toEqual(["0:v0", "1:v1", "2:v2"]);
    expect(first.nextOffsets()).toMatchObject([{ ...orders, offset: 3n, leaderEpoch: 0 }]);
    expect((await consumer.poll(30_000)).count).toBe(2);
    expect(await consumer.position(orders)).toBe(5n);
  });

  test("asks for more before it hands records out", async () => {
    const { consumer, broker } = await fixture({ fetch: logOf(await span(0, 2), await span(2, 4)) });
    await consumer.poll(30_000);
    await until(() => broker.fetches.some(({ offset }) => offset === 2));
  });

  test("asks for nothing while nobody polls", async () => {
    const { consumer, broker } = await fixture({ fetch: () => fetchAnswer("orders", [fetched(0)]) });
    while (broker.fetches.length < 2) await consumer.poll(10);
    // Whatever was under way when the poll ended is answered by then: the broker answers at once.
    await quiet();
    const before = broker.fetches.length;
    for (let rounds = 0; rounds < 5; rounds++) await consumer.endOffsets([orders]);
    await quiet();
    expect(broker.fetches.length).toBe(before);
  });

  test("is empty when its time is over, not before", async () => {
    const { consumer } = await fixture({});
    const startMs = performance.now();
    expect((await consumer.poll(80)).isEmpty).toBe(true);
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(79);
  });

  test("makes progress although each poll waits for nothing", async () => {
    const { consumer } = await fixture({ fetch: logOf(await span(0, 2)) });
    let polls = 1;
    const giveUpAtMs = performance.now() + 30_000;
    for (; (await consumer.poll(0)).count < 2; polls++) {
      if (performance.now() > giveUpAtMs) throw new Error("no progress");
    }
    expect(polls).toBeGreaterThan(1);
  });

  test("refuses partitions that are none", async () => {
    const { consumer } = await fixture({});
    // As plain JavaScript may call it.
    const assign = consumer.assign.bind(consumer) as (partitions: unknown) => void;
    for (const wrong of [null, "orders", [null], [{ topic: "orders", partition: -1 }]]) {
      expect(() => assign(wrong)).toThrow(OptionsError);
    }
    expect(consumer.assignment()).toEqual([orders]);
    for (const call of ["seek", "position", "currentLag"] as const) {
      const ask = consumer[call].bind(consumer) as (partition: unknown, offset: number) => unknown;
      for (const wrong of [undefined, "orders", { topic: "orders" }]) {
        await expect((async () => ask(wrong, 0))()).rejects.toThrow(OptionsError);
      }
    }
  });

  test("refuses a second poll while one waits, and a poll of nothing", async () => {
    const { consumer } = await fixture({});
    const first = consumer.poll(50);
    await expect(consumer.poll(50)).rejects.toThrow(StateError);
    expect((await first).count).toBe(0);
    await consumer.unsubscribe();
    await expect(consumer.poll(50)).rejects.toThrow("nothing to read");
    await expect(consumer.poll(-1)).rejects.toMatchObject({ code: "OPTIONS" });
  });

  test("ends with the reason of its signal, and loses nothing", async () => {
    const { consumer } = await fixture({ fetch: logOf(await span(0, 2)) });
    const controller = new AbortController();
    consumer.pause([orders]);
    const poll = consumer.poll(5_000, { signal: controller.signal });
    setImmediate(() => controller.abort(new Error("enough")));
    await expect(poll).rejects.toThrow("enough");
    consumer.resume([orders]);
    expect(await values(consumer, 2)).toEqual(["v0", "v1"]);
  });

  test("reads compressed batches, whichever way their codec works", async () => {
    const batches = [];
    for (const [index, codec] of (["gzip", "snappy", "lz4", "zstd"] as const).entries()) {
      const from = index * 2;
      batches.push({ from, to: from + 2, bytes: await counted(2, { codec, baseOffset: from }) });
    }
    const { consumer } = await fixture({ fetch: logOf(...batches) });
    expect(await values(consumer, 8)).toEqual(Array.from({ length: 8 }, (_, index) => `v${index}`));
  });

  test("asks with a larger size for a batch that came cut short", async () => {
    const whole = await counted(50);
    const { consumer, broker } = await fixture(
      {
        fetch: ({ partitionMaxBytes, offset }) =>
          offset > 0 ? null : fetchAnswer("orders", [fetched(0, { records: whole.subarray(0, partitionMaxBytes) })]),
      },
      { maxPartitionFetchBytes: 100 },
    );
    expect(await values(consumer, 50)).toHaveLength(50);
    expect(broker.fetches.slice(0, 2).map(({ partitionMaxBytes }) => partitionMaxBytes)).toEqual([100, whole.length]);
  });

  test("names topics by their ids where they have some and the broker can, by their names otherwise", async () => {
    const metadata = (self: ScriptedBroker) => self.metadata(1, topicId);
    const fetch = logOf(await span(0, 1));
    const newer = await fixture({ fetch, metadata });
    await values(newer.consumer, 1);
    expect(newer.broker.fetches[0]).toMatchObject({ topic: "", topicId });
    expect(newer.broker.fetches[0]?.version).toBeGreaterThan(12);
    const older = await fixture({ fetch, metadata, newestFetch: 11 });
    await values(older.consumer, 1);
    expect(older.broker.fetches[0]).toMatchObject({ topic: "orders", version: 11 });
    const withoutIds = await fixture({ fetch });
    await values(withoutIds.consumer, 1);
    expect(withoutIds.broker.fetches[0]).toMatchObject({ topic: "orders", version: 12 });
  });
});

describe("KafkaConsumer, when a broker does not give what it is asked for", () => {
  test("begins anew where autoOffsetReset says, when its position is out of range", async () => {
    const log = logOf(await span(40, 42));
    const { consumer } = await fixture({
      fetch: (asked, count) =>
        asked.offset < 40 ? fetchAnswer("orders", [fetched(0, { error: "OFFSET_OUT_OF_RANGE" })]) : log(asked, count),
      listOffsets: () => listAnswer("orders", [listed(0, 40n)]),
    });
    consumer.seek(orders, 7);
    expect(await values(consumer, 2)).toEqual(["v40", "v41"]);
  });

  test("tells of a position out of range where autoOffsetReset is none, until a seek", async () => {
    const log = logOf(await span(40, 42));
    const { consumer } = await fixture(
      {
        fetch: (asked, count) =>
          asked.offset < 40 ? fetchAnswer("orders", [fetched(0, { error: "OFFSET_OUT_OF_RANGE" })]) : log(asked, count),
      },
      { autoOffsetReset: "none" },
    );
    await expect(consumer.poll(30_000)).rejects.toThrow(NoOffsetForPartitionError);
    consumer.seek(orders, 41);
    expect(await values(consumer, 1)).toEqual(["v41"]);
    consumer.assign([]);
    consumer.assign([orders]);
    await expect(consumer.position(orders)).rejects.toThrow(NoOffsetForPartitionError);
    consumer.seek(orders, 7n);
    const error: unknown = await consumer.poll(30_000).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OffsetOutOfRangeError);
    expect(error).toMatchObject({ positions: [{ ...orders, offset: 7n }] });
    consumer.seek(orders, 40n);
    expect(await values(consumer, 2)).toEqual(["v40", "v41"]);
  });

  test("follows a partition to its new leader", async () => {
    const second = await brokerWith({ fetch: logOf(await span(0, 2)) }, 2);
    const led = (leaderId: number, brokers: MetadataResponse["brokers"]) =>
      metadataAnswer([topicLedBy("orders", [leaderId])], { brokers });
    const first = await brokerWith({
      metadata: (self, count) =>
        led(count === 0 ? 1 : 2, [brokerAnswer(1, "127.0.0.1", self.port), brokerAnswer(2, "127.0.0.1", second.port)]),
      fetch: () => fetchAnswer("orders", [fetched(0, { error: "NOT_LEADER_OR_FOLLOWER" })]),
    });
    const consumer = consumerOf(first);
    consumer.assign([orders]);
    consumer.seek(orders, 0);
    expect(await values(consumer, 2)).toEqual(["v0", "v1"]);
    expect(second.fetches[0]).toMatchObject({ offset: 0 });
  });

  test("goes on at the same offset after a connection was lost during a fetch", async () => {
    const log = logOf(await span(0, 2), await span(2, 4));
    const { consumer, broker } = await fixture({
      fetch: (asked, count) => (count === 1 || count === 2 ? "reset" : log(asked, count)),
    });
    expect(await values(consumer, 4)).toEqual(["v0", "v1", "v2", "v3"]);
    expect(broker.fetches.slice(0, 4).map(({ offset }) => offset)).toEqual([0, 2, 2, 2]);
  });

  test("goes on after a broker that did not answer in time", async () => {
    const log = logOf(await span(0, 2));
    const { consumer } = await fixture(
      { fetch: (asked, count) => (count === 0 ? "silence" : log(asked, count)) },
      { requestTimeoutMs: 100 },
    );
    expect(await values(consumer, 2)).toEqual(["v0", "v1"]);
  });

  test("tells where bytes are corrupt, at each poll, and goes on behind them after a seek", async () => {
    const broken = { from: 2, to: 5, bytes: damaged(await counted(3, { baseOffset: 2 })) };
    const { consumer } = await fixture({ fetch: logOf(await span(0, 2), broken, await span(5, 7)) });
    expect(await values(consumer, 2)).toEqual(["v0", "v1"]);
    for (let polls = 0; polls < 2; polls++) {
      await expect(consumer.poll(30_000)).rejects.toMatchObject({ ...orders, offset: 2n, nextOffset: 5n });
    }
    const error = await consumer.poll(30_000).catch((thrown: unknown) => thrown);
    if (!(error instanceof CorruptLogError)) throw error;
    consumer.seek(error, error.nextOffset);
    expect(await values(consumer, 2)).toEqual(["v5", "v6"]);
  });

  test.each(["gzip", "snappy", "lz4", "zstd"] as const)(
    "tells of a batch that %s makes larger than maxDecompressedBytes, and goes on behind it",
    async (codec) => {
      const bomb = { from: 2, to: 3, bytes: await batch([{ value: "x".repeat(2_000) }], { codec, baseOffset: 2 }) };
      const { consumer } = await fixture(
        { fetch: logOf(await span(0, 2), bomb, await span(3, 5)) },
        { maxDecompressedBytes: 1_000 },
      );
      expect(await values(consumer, 2)).toEqual(["v0", "v1"]);
      const error = await consumer.poll(30_000).catch((thrown: unknown) => thrown);
      if (!(error instanceof CorruptLogError)) throw error;
      expect(error.message).toMatch(/orders-0@2: .* more than 1000 bytes .*maxDecompressedBytes.*seek to 3/);
      consumer.seek(error, error.nextOffset);
      expect(await values(consumer, 2)).toEqual(["v3", "v4"]);
    },
  );

  test.each([
    ["on this thread", { decompressSync: defaultCodecs.lz4.decompressSync }],
    ["in the background", {}],
  ])("reads batches with a codec of the user's own, %s", async (_, sync) => {
    const decompress = vi.fn(defaultCodecs.lz4.decompress);
    const { compress } = defaultCodecs.lz4;
    const lz4 = { name: "lz4" as const, levels: null, compress, decompress, ...sync };
    const { consumer } = await fixture(
      { fetch: logOf({ from: 0, to: 2, bytes: await counted(2, { codec: "lz4" }) }) },
      { compressionCodecs: { lz4 } },
    );
    expect(await values(consumer, 2)).toEqual(["v0", "v1"]);
    expect(decompress).toHaveBeenCalledTimes("decompressSync" in sync ? 0 : 1);
  });

  test("reads a batch that was only damaged on its way when it is polled again", async () => {
    const whole = await counted(2);
    const { consumer } = await fixture({
      fetch: ({ offset }, count) =>
        offset > 0 ? null : fetchAnswer("orders", [fetched(0, { records: count === 0 ? damaged(whole) : whole })]),
    });
    await expect(consumer.poll(30_000)).rejects.toThrow(CorruptLogError);
    expect(await values(consumer, 2)).toEqual(["v0", "v1"]);
  });

  test("tells of a frame that means nothing, and asks again when it is polled again", async () => {
    const log = logOf(await span(0, 2));
    const { consumer } = await fixture({
      fetch: (asked, count) => (count === 0 ? { bytes: "HTTP/1.1 400 Bad Request\r\n\r\n" } : log(asked, count)),
    });
    await expect(consumer.poll(30_000)).rejects.toMatchObject({ code: "CONNECTION", cause: { code: "DECODE" } });
    expect(await values(consumer, 2)).toEqual(["v0", "v1"]);
  });

  test("tells of a topic that it may not read", async () => {
    const { consumer } = await fixture({
      metadata: (self) => ({ ...self.metadata(), topics: [topicAnswer("orders", [], { errorCode: 29 })] }),
    });
    await expect(consumer.poll(30_000)).rejects.toMatchObject({ code: "TOPIC_AUTHORIZATION_FAILED" });
    await expect(consumer.partitionsFor("orders")).rejects.toMatchObject({ code: "TOPIC_AUTHORIZATION_FAILED" });
  });
});

describe("KafkaConsumer.seek", () => {
  test("drops what a fetch under way brings for the old position", async () => {
    let answer = () => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const log = logOf(await span(0, 2), await span(50, 52));
    const { consumer, broker } = await fixture({
      fetch: async (asked, count) => {
        if (asked.offset === 0) await answered;
        return log(asked, count);
      },
    });
    const poll = consumer.poll(30_000);
    await until(() => broker.fetches.length > 0);
    consumer.seek(orders, 50);
    answer();
    expect([...(await poll)].map(({ value }) => value)).toEqual(["v50", "v51"]);
    expect(broker.fetches.map(({ offset }) => offset).slice(0, 2)).toEqual([0, 50]);
  });

  test("drops what waits to be polled", async () => {
    const { consumer } = await fixture({ fetch: logOf(await span(0, 10)) }, { maxPollRecords: 2 });
    await consumer.poll(30_000);
    consumer.seek(orders, 7);
    expect([...(await consumer.poll(30_000))].map(({ value }) => value)).toEqual(["v7", "v8"]);
  });

  test("refuses a partition that is not assigned and an offset that is none", async () => {
    const { consumer } = await fixture({});
    expect(() => consumer.seek({ topic: "orders", partition: 3 }, 0)).toThrow(StateError);
    for (const offset of [-1, 1.5, -1n, Number.MAX_VALUE]) {
      expect(() => consumer.seek(orders, offset)).toThrow("option offset");
    }
    for (const leaderEpoch of [-2, 1.5, Number.NaN, 2 ** 31]) {
      expect(() => consumer.seek(orders, { offset: 7, leaderEpoch })).toThrow("option leaderEpoch");
    }
  });

  test("looks the ends of the log up", async () => {
    const { consumer } = await fixture({}, { autoOffsetReset: "latest" });
    expect(await consumer.position(orders)).toBe(100n);
    consumer.seekToBeginning();
    expect(await consumer.position(orders)).toBe(0n);
    consumer.seekToEnd([orders]);
    expect(await consumer.position(orders)).toBe(100n);
    expect(() => consumer.seekToEnd([{ topic: "orders", partition: 3 }])).toThrow(StateError);
  });
});

describe("KafkaConsumer.wakeup", () => {
  test("ends the poll that waits, and no other", async () => {
    const { consumer } = await fixture({ fetch: logOf(await span(0, 2)) });
    consumer.pause([orders]);
    const poll = consumer.poll(30_000);
    setImmediate(() => consumer.wakeup());
    await expect(poll).rejects.toThrow(WakeupError);
    consumer.resume([orders]);
    expect(await values(consumer, 2)).toEqual(["v0", "v1"]);
  });

  test("ends the next call where none waits, once", async () => {
    const { consumer } = await fixture({});
    consumer.wakeup();
    await expect(consumer.endOffsets([orders])).rejects.toThrow(WakeupError);
    expect(await consumer.endOffsets([orders])).toEqual([{ ...orders, offset: 100n }]);
  });

  test("ends connect, which may be called again", async () => {
    const { host, port } = await ScriptedPeer.nobody();
    const nobody = new KafkaConsumer({ bootstrapServers: [`${host}:${port}`] });
    opened.push(nobody);
    const connecting = nobody.connect();
    nobody.wakeup();
    await expect(connecting).rejects.toThrow(WakeupError);
    await expect(nobody.connect({ timeoutMs: 60 })).rejects.toThrow(TimeoutError);
  });

  test("ends questions and positions that wait", async () => {
    let asked = 0;
    const listOffsets = () => {
      asked += 1;
      return "silence" as const;
    };
    const { consumer } = await fixture({ listOffsets });
    const calls = [consumer.position(orders), consumer.endOffsets([orders]), consumer.partitionsFor("bills")];
    await until(() => asked > 0);
    consumer.wakeup();
    for (const result of await Promise.allSettled(calls)) {
      expect(result).toMatchObject({ status: "rejected", reason: { code: "WAKEUP" } });
    }
  });
});

describe("KafkaConsumer.close", () => {
  test("refuses a time that is none, and stays open", async () => {
    const { consumer } = await fixture({ fetch: logOf(await span(0, 1)) });
    await expect(consumer.close({ timeoutMs: -1 })).rejects.toThrow(/timeoutMs/);
    expect(await values(consumer, 1)).toEqual(["v0"]);
  });

  test("ends what waits, at once, although a fetch is under way, and leaves no connection", async () => {
    const { consumer, broker } = await fixture({ fetch: () => "silence" }, { requestTimeoutMs: 60_000 });
    const poll = consumer.poll(120_000);
    await until(() => broker.fetches.length > 0);
    // Who waited for the answer would wait for as long as a request may take, which is more than a test may.
    const closing = consumer.close();
    await expect(poll).rejects.toThrow(ClosedError);
    await closing;
    await until(() => broker.openConnections === 0);
  });

  describe("has brokers forget their fetch sessions", () => {
    /** A consumer that has read what there was, and whose broker keeps a session in which it has more to answer, or none. */
    const inSession = async (more: NonNullable<BrokerScript["fetch"]>, script: BrokerScript = {}) => {
      const first = { ...fetchAnswer("orders", [fetched(0, { records: await counted(1) })]), sessionId: 42 };
      const fetch: BrokerScript["fetch"] = (asked, count) => (count === 0 ? first : more(asked, count));
      const found = await fixture({ ...script, fetch });
      expect(await values(found.consumer, 1)).toEqual(["v0"]);
      await until(() => found.broker.fetches.length === 2);
      return found;
    };

    test("and waits until they have", async () => {
      const { consumer, broker } = await inSession(() => ({ ...fetchAnswer("orders", []), sessionId: 42 }));
      await quiet();
      await consumer.close();
      expect(broker.sessionEnds).toEqual([{ sessionId: 42, held: 0 }]);
    });

    test("while they hold a fetch, which would have it wait", async () => {
      const { consumer, broker } = await inSession(() => new Promise(() => {}));
      await consumer.close();
      expect(broker.sessionEnds).toEqual([{ sessionId: 42, held: 1 }]);
    });

    test("and does not wait for one that is gone", async () => {
      const { consumer, broker } = await inSession(() => new Promise(() => {}));
      await broker[Symbol.asyncDispose]();
      await consumer.close();
      expect(broker.sessionEnds).toEqual([]);
    });

    test("and waits for no longer than closing may take", async () => {
      const { consumer, broker } = await inSession(() => new Promise(() => {}), { answersEnds: false });
      await consumer.close({ timeoutMs: 50 });
      expect(broker.sessionEnds).toHaveLength(1);
    });
  });

  test("may be called again, and before anything was connected", async () => {
    const { consumer } = await fixture({});
    await Promise.all([consumer.close(), consumer.close({ timeoutMs: 5 })]);
    await consumer.close();
  });

  test("leaves a consumer that refuses every call", async () => {
    const { consumer } = await fixture({});
    await consumer.close();
    expect(() => consumer.assign([orders])).toThrow(ClosedError);
    expect(() => consumer.seek(orders, 0)).toThrow(ClosedError);
    expect(() => consumer.pause([orders])).toThrow(ClosedError);
    await expect(consumer.poll(0)).rejects.toThrow(ClosedError);
    await expect(consumer.position(orders)).rejects.toThrow(ClosedError);
    await expect(consumer.endOffsets([orders])).rejects.toThrow(ClosedError);
    await expect(consumer.partitionsFor("orders")).rejects.toThrow(ClosedError);
    await expect(consumer.connect()).rejects.toThrow(ClosedError);
  });
});

describe("KafkaConsumer as an async iterator", () => {
  test("gives record after record until it is closed", async () => {
    const { consumer } = await fixture({ fetch: logOf(await span(0, 3), await span(3, 5)) }, { maxPollRecords: 2 });
    const got: (string | null)[] = [];
    for await (const { value } of consumer) {
      got.push(value);
      if (got.length === 5) setImmediate(() => void consumer.close());
    }
    expect(got).toEqual(["v0", "v1", "v2", "v3", "v4"]);
  });

  test("ends behind the record at which it is closed", async () => {
    const { consumer } = await fixture({ fetch: logOf(await span(0, 5)) });
    const got: (string | null)[] = [];
    for await (const { value } of consumer) {
      got.push(value);
      if (value === "v1") await consumer.close();
    }
    expect(got).toEqual(["v0", "v1"]);
  });

  test("begins again with the record that the last loop did not finish", async () => {
    const { consumer } = await fixture({ fetch: logOf(await span(0, 5)) });
    for await (const { value } of consumer) if (value === "v2") break;
    expect(await consumer.position(orders)).toBe(2n);
    const again: (string | null)[] = [];
    const failing = (async () => {
      for await (const { value } of consumer) {
        again.push(value);
        if (value === "v4") throw new Error("not handled");
      }
    })();
    await expect(failing).rejects.toThrow("not handled");
    expect(again).toEqual(["v2", "v3", "v4"]);
    expect(await values(consumer, 1)).toEqual(["v4"]);
  });

  test("leaves a position alone that the loop has moved", async () => {
    const { consumer } = await fixture({ fetch: logOf(await span(0, 5)) });
    for await (const { value } of consumer) {
      if (value !== "v1") continue;
      consumer.seek(orders, 4);
      break;
    }
    expect(await values(consumer, 1)).toEqual(["v4"]);
  });
});

describe("KafkaConsumer, asked about the log", () => {
  test("tells the ends of the log, and offsets by time", async () => {
    const { consumer } = await fixture({
      listOffsets: (timestamp) => {
        if (timestamp === 1_000n) return listAnswer("orders", [listed(0, 30n, { timestamp: 1_007n, leaderEpoch: 2 })]);
        return listAnswer("orders", [listed(0, timestamp === -2n ? 10n : timestamp === -1n ? 100n : -1n)]);
      },
    });
    expect(await consumer.beginningOffsets([orders])).toEqual([{ ...orders, offset: 10n }]);
    expect(await consumer.endOffsets([orders])).toEqual([{ ...orders, offset: 100n }]);
    expect(await consumer.offsetsForTimes([{ ...orders, timestamp: 1_000 }])).toEqual([
      { ...orders, offset: 30n, timestamp: 1_007, leaderEpoch: 2 },
    ]);
    expect(await consumer.offsetsForTimes([{ ...orders, timestamp: 9_000 }])).toEqual([
      { ...orders, offset: null, timestamp: null, leaderEpoch: null },
    ]);
    await expect(consumer.offsetsForTimes([{ ...orders, timestamp: -1 }])).rejects.toMatchObject({ code: "OPTIONS" });
    // As plain JavaScript may call it.
    const ask = consumer.offsetsForTimes.bind(consumer) as (queries?: unknown) => Promise<unknown>;
    await expect(ask()).rejects.toMatchObject({ code: "OPTIONS" });
  });

  test("asks again while the leader is not ready, and gives up at the deadline", async () => {
    const error = "OFFSET_NOT_AVAILABLE";
    const { consumer } = await fixture({
      listOffsets: (_, count) => listAnswer("orders", [count < 2 ? listed(0, -1n, { error }) : listed(0, 9n)]),
    });
    expect(await consumer.endOffsets([orders])).toEqual([{ ...orders, offset: 9n }]);
    const silent = await fixture({ listOffsets: () => "silence" });
    await expect(silent.consumer.endOffsets([orders], { timeoutMs: 60 })).rejects.toThrow(TimeoutError);
    await expect(silent.consumer.position(orders, { timeoutMs: 60 })).rejects.toThrow(TimeoutError);
  });

  test("tells the partitions of a topic, whether it is assigned or not", async () => {
    const { consumer } = await fixture({});
    await consumer.unsubscribe();
    expect(await consumer.partitionsFor("orders")).toMatchObject([{ ...orders, leaderId: 1, leaderEpoch: 5 }]);
    await expect(consumer.partitionsFor("bills", { timeoutMs: 60 })).rejects.toThrow(TimeoutError);
  });

  test("tells how far it is behind, once it was told", async () => {
    const { consumer } = await fixture({ fetch: logOf(await span(0, 5)) }, { maxPollRecords: 2 });
    expect(consumer.currentLag(orders)).toBeNull();
    await consumer.poll(30_000);
    expect(consumer.currentLag(orders)).toBe(98n);
  });

  test("pauses and resumes without fetching anew", async () => {
    const { consumer, broker } = await fixture({ fetch: logOf(await span(0, 5)) }, { maxPollRecords: 2 });
    await consumer.poll(30_000);
    consumer.pause([orders]);
    expect(consumer.paused()).toEqual([orders]);
    expect((await consumer.poll(50)).isEmpty).toBe(true);
    consumer.resume([orders]);
    expect(consumer.paused()).toEqual([]);
    expect((await consumer.poll(0)).count).toBe(2);
    expect(broker.fetches.map(({ offset }) => offset)).toEqual([0]);
  });

  test("connects at once for who wants to fail fast", async () => {
    const { consumer } = await fixture({});
    await consumer.connect();
    const { host, port } = await ScriptedPeer.nobody();
    const nobody = new KafkaConsumer({ bootstrapServers: [`${host}:${port}`] });
    opened.push(nobody);
    await expect(nobody.connect({ timeoutMs: 60 })).rejects.toThrow(TimeoutError);
  });
});
