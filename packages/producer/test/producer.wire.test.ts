import { json, type Serializer } from "@odradek/network";
import { codeOf } from "@odradek/protocol";
import { describe, expect, onTestFinished, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { passing, quiet } from "../../network/test/passing.ts";
import { ScriptedPeer } from "../../network/test/scripted-peer.ts";
import { DeliveryError, SendBatchError } from "../src/delivery-error.ts";
import { KafkaProducer } from "../src/producer.ts";
import type { ProducerOptions } from "../src/producer-options.ts";
import type { RecordMetadata } from "../src/record-metadata.ts";
import { outcomeOf } from "./outcomes.ts";
import { type ProduceCall, ScriptedBroker, type ScriptedBrokerOptions } from "./scripted-broker.ts";
import { closeInTheEnd, soon } from "./soon.ts";

const topic = "orders";

interface Given extends Partial<ProducerOptions> {
  readonly broker?: ScriptedBrokerOptions;
  readonly clock?: ManualClock;
}

/** A producer and the broker that it talks to. */
async function setUp({ broker: brokerOptions, clock, ...options }: Given = {}) {
  const broker = await ScriptedBroker.listen(brokerOptions);
  const given = { bootstrapServers: broker.bootstrapServers, lingerMs: 0, retryBackoffMs: 10, ...options };
  const producer = new KafkaProducer(given, clock);
  closeInTheEnd(producer, clock);
  return { broker, producer };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("a record", () => {
  test("is sent to the leader of its partition, and comes back with its offset", async () => {
    const { broker, producer } = await setUp({ broker: { partitions: 3 } });
    const sent = producer.send({ topic, partition: 2, value: "a" });
    const call = await broker.nextCall();
    expect([call.acks, call.batches]).toMatchObject([-1, [{ topic, partition: 2, values: ["a"] }]]);
    call.answer(() => ({ baseOffset: 41n }));
    expect(String(await sent)).toBe("orders-2@41");
  });

  test("shares a batch with those of the same turn of the event loop, without lingering", async () => {
    const { broker, producer } = await setUp();
    await soonest(broker, producer);
    const sends = ["a", "b"].map((value) => producer.send({ topic, value }));
    await Promise.resolve();
    sends.push(producer.send({ topic, value: "c" }));
    const call = await broker.nextCall();
    expect(call.batches[0]?.values).toEqual(["a", "b", "c"]);
    call.answer(() => ({ baseOffset: 7n }));
    expect((await Promise.all(sends)).map(({ offset }) => offset)).toEqual([7n, 8n, 9n]);
  });

  test.each([0, 1, 2, 3, 4, 5, 6])(
    "keeps its place behind those that waited for metadata, sent %i microtasks after it came",
    async (microtasks) => {
      const { broker, producer } = await setUp();
      const early: Promise<RecordMetadata>[] = [];
      const late = producer.partitionsFor(topic).then(async () => {
        for (let count = 0; count < microtasks; count++) await Promise.resolve();
        return producer.send({ topic, value: "late" });
      });
      for (const value of ["0", "1", "2"]) early.push(producer.send({ topic, value }));
      const values: (string | null)[] = [];
      while (values.length < 4) {
        const call = await broker.nextCall();
        values.push(...(call.batches[0]?.values ?? []));
        call.answer(() => ({ baseOffset: 0n }));
      }
      expect(values).toEqual(["0", "1", "2", "late"]);
      await Promise.all([...early, late]);
    },
  );

  test("is told by a callback where one is given, never inside of the call itself", async () => {
    const { broker, producer } = await setUp();
    const told: string[] = [];
    const given = new Promise<void>((resolve) => {
      producer.send({ topic, value: "a" }, (error, metadata) => {
        told.push(`${error?.code ?? "delivered"} ${metadata}`);
        resolve();
      });
    });
    producer.send({ topic, partition: -1 }, (error, metadata) => told.push(`${error?.code} ${metadata}`));
    expect(told).toEqual([]);
    (await broker.nextCall()).answer(() => ({ baseOffset: 3n }));
    await given;
    expect(told).toEqual(["OPTIONS null", "delivered orders-0@3"]);
  });

  test("has the time of its turn, where it does not bring its own", async () => {
    const clock = new ManualClock();
    const { broker, producer } = await setUp({ clock, lingerMs: 100 });
    await soon(clock, producer.partitionsFor(topic));
    const startMs = clock.wallTimeMs();
    const sends = [producer.send({ topic }), producer.send({ topic, timestamp: 5 })];
    clock.advance(7);
    await turn();
    sends.push(producer.send({ topic }));
    (await soon(clock, broker.nextCall())).answer(() => ({ baseOffset: 0n }));
    const metadata = await soon(clock, Promise.all(sends));
    expect(metadata.map(({ timestamp }) => timestamp)).toEqual([startMs, 5, startMs + 7]);
  });

  test("counts as delivered with acks 0 as soon as it was written", async () => {
    const { broker, producer } = await setUp({ acks: 0 });
    const metadata = await producer.send({ topic, value: "a" });
    expect(metadata.offset).toBe(-1n);
    expect(await broker.nextCall()).toMatchObject({ acks: 0, batches: [{ values: ["a"] }] });
  });

  test("goes by the name of its topic to a broker that has no ids", async () => {
    const { broker, producer } = await setUp({ broker: { topicId: "AAAAAAAAAAAAAAAAAAAAAA" } });
    const sent = producer.send({ topic, value: "a" });
    const call = await broker.nextCall();
    expect(call.version).toBe(12);
    call.answer(() => ({ baseOffset: 5n }));
    expect((await sent).offset).toBe(5n);
  });
});

describe("a batch", () => {
  test("is sent again after an error that may pass, before those behind it, where one may be under way", async () => {
    const { broker, producer } = await setUp({ maxInFlightRequestsPerConnection: 1, enableIdempotence: false });
    const first = producer.send({ topic, value: "a" });
    const call = await broker.nextCall();
    const second = producer.send({ topic, value: "b" });
    call.answer(() => ({ errorCode: codeOf("NOT_LEADER_OR_FOLLOWER") }));
    const again = await broker.nextCall();
    expect(again.batches[0]?.values).toEqual(["a"]);
    again.answer(() => ({ baseOffset: 0n }));
    const behind = await broker.nextCall();
    expect(behind.batches[0]?.values).toEqual(["b"]);
    behind.answer(() => ({ baseOffset: 1n }));
    expect(await Promise.all([first, second].map(outcomeOf))).toEqual(["@0", "@1"]);
  });

  test("has the metadata asked for anew when its broker says that it does not lead", async () => {
    const clock = new ManualClock();
    const { broker, producer } = await setUp({ clock });
    const outcome = outcomeOf(producer.send({ topic, value: "a" }));
    const call = await soon(clock, broker.nextCall());
    // Whatever else is asked for is asked for meanwhile.
    await passing(clock).pass(5_000);
    const questions = broker.metadataQuestions.length;
    call.answer(() => ({ errorCode: codeOf("NOT_LEADER_OR_FOLLOWER") }));
    const failedAtMs = clock.now();
    await passing(clock).passUntil(() => broker.metadataQuestions.length > questions);
    // Not because it is old.
    expect(clock.now() - failedAtMs).toBeLessThan(1_000);
    (await soon(clock, broker.nextCall())).answer(() => ({ baseOffset: 0n }));
    expect(await soon(clock, outcome)).toBe("@0");
  });

  test("goes to the new leader at once where the old one says who that is", async () => {
    const clock = new ManualClock();
    const { broker, producer } = await setUp({ clock });
    const other = await ScriptedBroker.listen();
    const outcome = outcomeOf(producer.send({ topic, value: "a" }));
    const call = await soon(clock, broker.nextCall());
    const port = Number(other.bootstrapServers[0]?.split(":")[1]);
    const sentAtMs = clock.now();
    call.answer(
      () => ({ errorCode: codeOf("NOT_LEADER_OR_FOLLOWER"), currentLeader: { leaderId: 2, leaderEpoch: 1 } }),
      [{ nodeId: 2, host: "127.0.0.1", port, rack: null }],
    );
    (await soon(clock, other.nextCall())).answer(() => ({ baseOffset: 3n }));
    expect(await soon(clock, outcome)).toBe("@3");
    // No back-off is waited for.
    expect(clock.now()).toBe(sentAtMs);
  });

  test("fails at once where its leader does not let us in, as do those behind it", async () => {
    const clock = new ManualClock();
    const leader = await ScriptedBroker.listen({ saslErrorCode: codeOf("UNSUPPORTED_SASL_MECHANISM") });
    const leaderPort = Number(leader.bootstrapServers[0]?.split(":")[1]);
    const sasl = { mechanism: "PLAIN", username: "alice", password: "secret" } as const;
    const { producer } = await setUp({ clock, sasl, batchSize: 1, broker: { leaderPort } });
    const startMs = clock.now();
    const sends = ["a", "b", "c"].map((value) => outcomeOf(producer.send({ topic, value })));
    expect(await Promise.all(sends.map((sent) => soon(clock, sent)))).toEqual([
      "AUTHENTICATION, no",
      "AUTHENTICATION, no",
      "AUTHENTICATION, no",
    ]);
    // No back-off is waited for, and nothing of deliveryTimeoutMs.
    expect(clock.now()).toBe(startMs);
  });

  test("waits for a leader that is not among the brokers yet, and asks until it is", async () => {
    const { broker, producer } = await setUp({ broker: { leaderIds: [7, 7, 7, 7, 1] } });
    const outcome = outcomeOf(producer.send({ topic, value: "a" }));
    (await broker.nextCall()).answer(() => ({ baseOffset: 0n }));
    expect(await outcome).toBe("@0");
    expect(broker.metadataQuestions.length).toBeGreaterThanOrEqual(5);
  });

  test("goes in the next request, without waiting for an answer, where one has no room for all", async () => {
    const { broker, producer } = await setUp({ maxRequestSize: 1_000, broker: { partitions: 3 } });
    await soonest(broker, producer);
    const sends = [0, 1, 2].map((partition) => producer.send({ topic, partition, value: "a".repeat(600) }));
    const calls = [await broker.nextCall(), await broker.nextCall(), await broker.nextCall()];
    expect(calls.map(({ batches }) => batches.map(({ partition }) => partition))).toEqual([[0], [1], [2]]);
    for (const call of calls) call.answer(() => ({ baseOffset: 0n }));
    await Promise.all(sends);
  });

  test("waits for a leader that cannot be reached yet", async () => {
    const clock = new ManualClock();
    const { port: leaderPort } = await ScriptedPeer.nobody();
    const { producer } = await setUp({ clock, broker: { leaderPort } });
    const outcome = outcomeOf(producer.send({ topic, value: "a" }));
    await passing(clock).pass(500);
    const leader = await ScriptedBroker.listen({ port: leaderPort });
    (await soon(clock, leader.nextCall())).answer(() => ({ baseOffset: 0n }));
    expect(await soon(clock, outcome)).toBe("@0");
  });

  test("is followed by up to four more of its partition, under numbers that follow", async () => {
    const { broker, producer } = await setUp();
    await soonest(broker, producer);
    const sends: Promise<string>[] = [];
    const calls: ProduceCall[] = [];
    for (const values of [["a", "b"], ["c"], ["d"], ["e"], ["f"], ["g"]]) {
      sends.push(...values.map((value) => outcomeOf(producer.send({ topic, value }))));
      if (calls.length < 5) calls.push(await broker.nextCall());
    }
    expect(calls.flatMap((call) => call.sequences)).toEqual([
      "1000/0: 1",
      "1000/0: 3",
      "1000/0: 4",
      "1000/0: 5",
      "1000/0: 6",
    ]);
    await quiet();
    expect(broker.waitingCalls).toBe(0);
    calls[0]?.answer(() => ({ baseOffset: 0n }));
    const sixth = await broker.nextCall();
    expect(sixth.sequences).toEqual(["1000/0: 7"]);
    for (const [index, call] of calls.entries()) {
      if (index > 0) call.answer(() => ({ baseOffset: BigInt(index + 1) }));
    }
    sixth.answer(() => ({ baseOffset: 6n }));
    expect(await Promise.all(sends)).toEqual(["@0", "@1", "@2", "@3", "@4", "@5", "@6"]);
  });

  test("is alone until its leader knows the producer, as it would take the second one without the first", async () => {
    const { broker, producer } = await setUp();
    const sends = [outcomeOf(producer.send({ topic, value: "a" }))];
    const first = await broker.nextCall();
    sends.push(outcomeOf(producer.send({ topic, value: "b" })));
    await quiet();
    expect(broker.waitingCalls).toBe(0);
    first.answer(() => ({ errorCode: codeOf("NOT_ENOUGH_REPLICAS") }));
    for (const sequence of [0, 1]) {
      const call = await broker.nextCall();
      expect(call.sequences).toEqual([`1000/0: ${sequence}`]);
      call.answer(() => ({ baseOffset: BigInt(sequence) }));
    }
    expect(await Promise.all(sends)).toEqual(["@0", "@1"]);
  });

  test("keeps its place and its number where it is sent again, and those behind it come again too", async () => {
    const { broker, producer } = await setUp();
    await soonest(broker, producer);
    const sends = [outcomeOf(producer.send({ topic, value: "a" }))];
    const first = await broker.nextCall();
    sends.push(outcomeOf(producer.send({ topic, value: "b" })));
    const second = await broker.nextCall();
    first.answer(() => ({ errorCode: codeOf("NOT_ENOUGH_REPLICAS") }));
    // What follows a batch that is not there leaves a gap, says the broker.
    second.answer(() => ({ errorCode: codeOf("OUT_OF_ORDER_SEQUENCE_NUMBER") }));
    for (const [value, sequence, baseOffset] of [
      ["a", "1000/0: 1", 0n],
      ["b", "1000/0: 2", 1n],
    ] as const) {
      const again = await broker.nextCall();
      expect(again.batches[0]?.values).toEqual([value]);
      expect(again.sequences).toEqual([sequence]);
      again.answer(() => ({ baseOffset }));
    }
    expect(await Promise.all(sends)).toEqual(["@0", "@1"]);
  });

  test("that is refused for good has those behind it begin anew, under the next epoch", async () => {
    const { broker, producer } = await setUp();
    await soonest(broker, producer);
    const refused = outcomeOf(producer.send({ topic, value: "a" }));
    const first = await broker.nextCall();
    const behind = outcomeOf(producer.send({ topic, value: "b" }));
    const second = await broker.nextCall();
    first.answer(() => ({ errorCode: codeOf("INVALID_TIMESTAMP") }));
    second.answer(() => ({ errorCode: codeOf("OUT_OF_ORDER_SEQUENCE_NUMBER") }));
    const again = await broker.nextCall();
    expect(again.sequences).toEqual(["1000/1: 0"]);
    again.answer(() => ({ baseOffset: 0n }));
    expect(await refused).toBe("INVALID_TIMESTAMP, no");
    expect(await behind).toBe("@0");
  });

  test("that a broker has already counts as delivered, though nobody knows where", async () => {
    const { broker, producer } = await setUp();
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    (await broker.nextCall()).answer(() => ({ errorCode: codeOf("DUPLICATE_SEQUENCE_NUMBER") }));
    expect(await sent).toBe("@-1");
  });

  test("that is too large for the broker goes in smaller ones, under the same numbers", async () => {
    const { broker, producer } = await setUp({ batchSize: 1_000 });
    const values = Array.from({ length: 8 }, (_, index) => String(index).repeat(100));
    const sends = values.map((value) => outcomeOf(producer.send({ topic, value })));
    const large = await broker.nextCall();
    expect(large.batches[0]?.values).toHaveLength(8);
    large.answer(() => ({ errorCode: codeOf("MESSAGE_TOO_LARGE") }));
    // The same again: a batch that fits `batchSize` is one part, and a part that is still too large is halved.
    const whole = await broker.nextCall();
    expect(whole.batches[0]?.values).toEqual(values);
    expect(whole.sequences).toEqual(["1000/0: 0"]);
    whole.answer(() => ({ errorCode: codeOf("MESSAGE_TOO_LARGE") }));
    let count = 0;
    while (count < values.length) {
      const part = await broker.nextCall();
      const sent = part.batches[0]?.values ?? [];
      expect(sent).toEqual(values.slice(count, count + sent.length));
      expect(sent.length).toBeLessThan(8);
      expect(part.sequences).toEqual([`1000/0: ${count}`]);
      const baseOffset = BigInt(count);
      part.answer(() => ({ baseOffset }));
      count += sent.length;
    }
    expect(await Promise.all(sends)).toEqual(values.map((_, index) => `@${index}`));
  });

  test("of one record that is too large for the broker fails", async () => {
    const { broker, producer } = await setUp();
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    (await broker.nextCall()).answer(() => ({ errorCode: codeOf("MESSAGE_TOO_LARGE") }));
    expect(await sent).toBe("MESSAGE_TOO_LARGE, no");
  });

  test("shares its request with those of other partitions", async () => {
    const { broker, producer } = await setUp({ broker: { partitions: 3 } });
    await soonest(broker, producer);
    const sends = [0, 1, 2].map((partition) => producer.send({ topic, partition, value: String(partition) }));
    const call = await broker.nextCall();
    expect(call.batches.map(({ partition }) => partition)).toEqual([0, 1, 2]);
    call.answer(({ partition }) =>
      partition === 1 ? { errorCode: codeOf("MESSAGE_TOO_LARGE") } : { baseOffset: BigInt(partition) },
    );
    expect(await Promise.all(sends.map(outcomeOf))).toEqual(["@0", "MESSAGE_TOO_LARGE, no", "@2"]);
  });

  test("is sent again on a new connection when the first is lost", async () => {
    const { broker, producer } = await setUp();
    const sent = producer.send({ topic, value: "a" });
    (await broker.nextCall()).connection.reset();
    const again = await broker.nextCall();
    expect(again.batches[0]?.values).toEqual(["a"]);
    again.answer(() => ({ baseOffset: 9n }));
    expect((await sent).offset).toBe(9n);
  });
});

describe("a record that is not acknowledged", () => {
  test.each([
    ["MESSAGE_TOO_LARGE", "no"],
    ["TOPIC_AUTHORIZATION_FAILED", "no"],
    ["NOT_ENOUGH_REPLICAS", "no"],
    ["NOT_ENOUGH_REPLICAS_AFTER_APPEND", "maybe"],
    ["NOT_LEADER_OR_FOLLOWER", "maybe"],
    ["UNKNOWN_SERVER_ERROR", "maybe"],
  ] as const)("because of %s: in the log? %s", async (name, persisted) => {
    const { broker, producer } = await setUp({ retries: 0 });
    const sent = producer.send({ topic, value: "a" });
    (await broker.nextCall()).answer(() => ({ errorCode: codeOf(name) }));
    const error = await sent.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DeliveryError);
    expect(error).toMatchObject({ code: name, persisted, topic, partition: 0 });
  });

  test("may be in the log when its connection was lost", async () => {
    const { broker, producer } = await setUp({ retries: 0 });
    const sent = producer.send({ topic, value: "a" });
    (await broker.nextCall()).connection.reset();
    expect(await outcomeOf(sent)).toBe("CONNECTION, maybe");
  });

  test("may be in the log when the broker's answer leaves its partition out", async () => {
    const { broker, producer } = await setUp({ retries: 0 });
    const sent = producer.send({ topic, value: "a" });
    (await broker.nextCall()).answer(() => null);
    await expect(sent).rejects.toThrow("Produce to orders-0: the broker left the partition out of its answer");
    expect(await outcomeOf(sent)).toBe("DECODE, maybe");
  });

  test("is told why it was refused itself, or that another of its batch was (KIP-467)", async () => {
    const { broker, producer } = await setUp();
    await soonest(broker, producer);
    const sends = ["a", "b"].map((value) => producer.send({ topic, value }));
    (await broker.nextCall()).answer(() => ({
      errorCode: codeOf("INVALID_RECORD"),
      recordErrors: [{ batchIndex: 1, batchIndexErrorMessage: "a compacted topic needs keys" }],
    }));
    const [a, b] = await Promise.all(sends.map((sent) => sent.catch((error: Error) => error.message)));
    expect(a).toContain("another record of the same batch was refused");
    expect(b).toContain("a compacted topic needs keys");
  });

  test("is not in the log when no broker could be reached in time", async () => {
    const { host, port } = await ScriptedPeer.nobody();
    const clock = new ManualClock();
    const producer = new KafkaProducer({ bootstrapServers: [`${host}:${port}`], maxBlockMs: 50 }, clock);
    closeInTheEnd(producer, clock);
    const sent = producer.send({ topic, value: "a" });
    await expect(soon(clock, sent)).rejects.toMatchObject({ code: "TIMEOUT", persisted: "no", partition: null });
    await expect(sent).rejects.toThrow("topic orders in the metadata: no answer after 50 ms");
  });

  test("fails the whole call of sendBatch once all others are settled", async () => {
    const { broker, producer } = await setUp({ broker: { partitions: 2 } });
    await soonest(broker, producer);
    const records = [0, 1, 0, 1].map((partition) => ({ topic, partition, value: String(partition) }));
    const sent = producer.sendBatch(records);
    (await broker.nextCall()).answer(({ partition }) =>
      partition === 1 ? { errorCode: codeOf("INVALID_TIMESTAMP") } : { baseOffset: 6n },
    );
    const error = await sent.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(SendBatchError);
    const { results, persisted } = error as SendBatchError;
    expect(persisted).toBe("no");
    expect(results.map((result) => (result instanceof DeliveryError ? result.code : result.offset))).toEqual([
      6n,
      "INVALID_TIMESTAMP",
      7n,
      "INVALID_TIMESTAMP",
    ]);
  });
});

describe("a record that cannot be sent at all", () => {
  test.each([
    ["a topic without a name", { topic: "" }, "INVALID_TOPIC_EXCEPTION", 'topic "": 1 to 249 characters'],
    [
      "a negative partition",
      { topic, partition: -1 },
      "OPTIONS",
      "partition -1: a whole number of at least 0 is expected",
    ],
    [
      "a timestamp that is none",
      { topic, timestamp: 1.5 },
      "OPTIONS",
      "timestamp 1.5: a whole number of at least 0 is expected",
    ],
    [
      "a value that is too large",
      { topic, value: "a".repeat(1_100) },
      "MESSAGE_TOO_LARGE",
      /11\d\d bytes .* maxRequestSize \(1000\)/,
    ],
    [
      "many headers that are too large",
      { topic, headers: [{ key: "h", value: Buffer.alloc(999) }] },
      "MESSAGE_TOO_LARGE",
      "maxRequestSize",
    ],
  ])("fails at once: %s", async (_, record, code, message) => {
    const producer = new KafkaProducer({ bootstrapServers: ["localhost:1"], maxRequestSize: 1_000 });
    onTestFinished(() => producer.close());
    const sent = producer.send(record);
    await expect(sent).rejects.toMatchObject({ name: "DeliveryError", code, persisted: "no" });
    await expect(sent).rejects.toThrow(message);
  });

  test.each(["null", "7", '"orders"'])("fails at once where it is no record: %s", async (text) => {
    const producer = new KafkaProducer({ bootstrapServers: ["localhost:1"] });
    onTestFinished(() => producer.close());
    // What JSON.parse gives passes for anything, as everything does for a caller in JavaScript.
    const sent = producer.send(JSON.parse(text));
    const sentAll = producer.sendBatch([JSON.parse(text)]);
    const refused = { code: "OPTIONS", persisted: "no", message: expect.stringContaining("an object with a topic") };
    await Promise.all([
      expect(sent).rejects.toMatchObject({ name: "DeliveryError", ...refused }),
      expect(sentAll).rejects.toMatchObject({ name: "SendBatchError", ...refused }),
    ]);
  });

  test.each([
    ['{"a":"b"}', "headers", 'an array such as [{ key: "trace", value: "7f" }]'],
    ['[{"key":7,"value":"a"}]', "header 0", "text as key"],
    ['[{"key":"a","value":"a"},{"key":"b","value":5}]', "header 1", "text, bytes or null as value"],
    ["[null]", "header 0", "text as key"],
  ])("fails at once where its headers are none: %s", async (text, what, expected) => {
    const producer = new KafkaProducer({ bootstrapServers: ["localhost:1"] });
    onTestFinished(() => producer.close());
    // What JSON.parse gives passes for anything, as everything does for a caller in JavaScript.
    const error: unknown = await producer.send({ topic, headers: JSON.parse(text) }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "DeliveryError", code: "OPTIONS", persisted: "no" });
    expect(String(error)).toContain(what);
    expect(String(error)).toContain(expected);
  });

  test("throws at once for a callback that is no function: there is nobody else to tell", () => {
    const producer = new KafkaProducer({ bootstrapServers: ["localhost:1"] });
    onTestFinished(() => producer.close());
    expect(() => producer.send({ topic }, JSON.parse("7"))).toThrow("callback 7: a function is expected");
  });

  test("fails at once where a serializer throws, saying of what topic and whether key or value", async () => {
    const valueSerializer: Serializer<string> = {
      serialize: () => {
        throw new TypeError("no schema");
      },
    };
    const producer = new KafkaProducer({ bootstrapServers: ["localhost:1"], valueSerializer });
    onTestFinished(() => producer.close());
    await expect(producer.send({ topic, value: "a" })).rejects.toThrow(
      "valueSerializer failed for topic orders: no schema",
    );
    await expect(producer.send({ topic, value: "a" })).rejects.toMatchObject({
      code: "SERIALIZATION",
      persisted: "no",
    });
  });

  test("fails at once where JSON has no form for it", async () => {
    const producer = new KafkaProducer({ bootstrapServers: ["localhost:1"], valueSerializer: json });
    onTestFinished(() => producer.close());
    await expect(producer.send({ topic, value: () => 1 })).rejects.toMatchObject({ code: "SERIALIZATION" });
  });

  test.each([["TOPIC_AUTHORIZATION_FAILED"], ["INVALID_TOPIC_EXCEPTION"]] as const)(
    "fails as soon as the metadata says %s",
    async (name) => {
      const { producer } = await setUp({ broker: { topicErrorCode: codeOf(name) } });
      await expect(producer.send({ topic, value: "a" })).rejects.toMatchObject({ code: name, persisted: "no" });
    },
  );

  test("fails after maxBlockMs where the topic does not exist", async () => {
    const clock = new ManualClock();
    const { producer } = await setUp({ clock, maxBlockMs: 50 });
    await expect(soon(clock, producer.send({ topic: "nowhere", value: "a" }))).rejects.toThrow(
      /^record for nowhere .* topic nowhere in the metadata: no answer after 50 ms; last: topic nowhere: UNKNOWN_TOPIC_OR_PARTITION/,
    );
  });

  test("fails after maxBlockMs where the topic does not have the partition", async () => {
    const clock = new ManualClock();
    const { producer } = await setUp({ clock, maxBlockMs: 50 });
    await expect(soon(clock, producer.send({ topic, partition: 1, value: "a" }))).rejects.toThrow(
      "partition 1 of topic orders",
    );
  });

  test("fails where the partitioner chooses a partition that is none", async () => {
    const { producer } = await setUp({ partitioner: { partition: () => 7 } });
    await expect(producer.send({ topic, value: "a" })).rejects.toThrow(
      "partitioner's choice 7: a partition of topic orders, 0 to 0, is expected",
    );
  });

  test("fails after close", async () => {
    const { producer } = await setUp();
    await producer.close();
    await expect(producer.send({ topic, value: "a" })).rejects.toMatchObject({ code: "CLOSED", persisted: "no" });
    await expect(producer.flush()).rejects.toMatchObject({ code: "CLOSED" });
  });
});

describe("the partitioner", () => {
  test("sees the record, its bytes and the topic", async () => {
    const seen: unknown[] = [];
    const partitioner: ProducerOptions["partitioner"] = {
      partition(record, { partitions }, { controllerId }) {
        seen.push(record, partitions.length, controllerId);
        return 2;
      },
    };
    const { broker, producer } = await setUp({ broker: { partitions: 3 }, partitioner });
    const sent = producer.send({ topic, key: "k", value: "v" });
    (await broker.nextCall()).answer(() => ({ baseOffset: 0n }));
    expect((await sent).partition).toBe(2);
    expect(seen).toEqual([{ topic, key: "k", value: "v", keyBytes: "k", valueBytes: "v" }, 3, 1]);
  });
});

describe("a record for a partition that does not exist", () => {
  test.each([true, false])("holds up no other of its topic, be the topic known or not: %s", async (isKnown) => {
    const clock = new ManualClock();
    const { broker, producer } = await setUp({ clock, maxBlockMs: 20_000 });
    const startMs = clock.now();
    if (isKnown) await soon(clock, producer.partitionsFor(topic));
    const sends = [
      outcomeOf(producer.send({ topic, partition: 7 })),
      outcomeOf(producer.send({ topic, partition: 7 })),
    ];
    const other = outcomeOf(producer.send({ topic, value: "other" }));
    const call = await soon(clock, broker.nextCall());
    expect(call.batches).toMatchObject([{ topic, partition: 0, values: ["other"] }]);
    call.answer(() => ({ baseOffset: 3n }));
    expect(await soon(clock, other)).toBe("@3");
    expect(clock.now() - startMs).toBeLessThan(10_000);
    expect(await soon(clock, Promise.all(sends))).toEqual(["TIMEOUT, no", "TIMEOUT, no"]);
  });

  test("does not keep a flush from sending what lingers, and is waited for all the same", async () => {
    const clock = new ManualClock();
    const { broker, producer } = await setUp({
      clock,
      lingerMs: 60_000,
      maxBlockMs: 5_000,
      deliveryTimeoutMs: 120_000,
    });
    const startMs = clock.now();
    await soon(clock, producer.partitionsFor(topic));
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    const nowhere = outcomeOf(producer.send({ topic, partition: 7 }));
    let isFlushed = false;
    const flushed = producer.flush().then(() => {
      isFlushed = true;
    });
    const call = await soon(clock, broker.nextCall());
    expect(clock.now() - startMs).toBeLessThan(4_000);
    call.answer(() => ({ baseOffset: 0n }));
    expect(await soon(clock, sent)).toBe("@0");
    await passing(clock).pass(0);
    expect(isFlushed).toBe(false);
    expect(await soon(clock, nowhere)).toBe("TIMEOUT, no");
    await soon(clock, flushed);
  });
});

describe("with memory used up", () => {
  test("the partitioner is asked once for each record, also for those that wait", async () => {
    let asked = 0;
    const partitioner: ProducerOptions["partitioner"] = { partition: () => asked++ % 2 };
    const { broker, producer } = await setUp({
      batchSize: 200,
      bufferMemory: 200,
      broker: { partitions: 2 },
      partitioner,
    });
    const sends = Array.from({ length: 20 }, () => producer.send({ topic, value: "a".repeat(20) }));
    for (let arrived = 0; arrived < sends.length; ) {
      const call = await broker.nextCall();
      for (const { values } of call.batches) arrived += values.length;
      call.answer(() => ({ baseOffset: 0n }));
    }
    expect((await Promise.all(sends)).map(({ partition }) => partition)).toEqual(sends.map((_, index) => index % 2));
  });

  test("records wait, and those behind them too; all arrive in order", async () => {
    const { broker, producer } = await setUp({ batchSize: 200, bufferMemory: 200, broker: { partitions: 2 } });
    const values = Array.from({ length: 30 }, (_, index) => String(index).padStart(20, "0"));
    const sends = values.map((value, index) => producer.send({ topic, partition: index % 2, value }));
    const arrived: (string | null)[] = [];
    while (arrived.length < values.length) {
      const call = await broker.nextCall();
      for (const batch of call.batches) arrived.push(...batch.values);
      call.answer(() => ({ baseOffset: 0n }));
    }
    for (const rest of [0, 1]) {
      const isOf = (value: string | null) => Number(value) % 2 === rest;
      expect(arrived.filter(isOf)).toEqual(values.filter(isOf));
    }
    await Promise.all(sends);
  });

  test("nothing lingers", async () => {
    const clock = new ManualClock();
    const { broker, producer } = await setUp({
      clock,
      lingerMs: 60_000,
      batchSize: 200,
      bufferMemory: 400,
      broker: { partitions: 3 },
    });
    await soon(clock, producer.partitionsFor(topic));
    const send = (partition: number) => producer.send({ topic, partition, value: "a".repeat(100) });
    const sends = [send(0), send(1)];
    await passing(clock).pass(0);
    expect(broker.waitingCalls).toBe(0);
    sends.push(send(2));
    const call = await soon(clock, broker.nextCall());
    expect(call.batches.map(({ partition }) => partition)).toEqual([0, 1]);
    call.answer(() => ({ baseOffset: 0n }));
    await soon(clock, Promise.all(sends.slice(0, 2)));
    const flushed = producer.flush();
    (await soon(clock, broker.nextCall())).answer(() => ({ baseOffset: 0n }));
    await soon(clock, flushed);
  });

  test("a record fails after maxBlockMs, and was never sent", async () => {
    const clock = new ManualClock();
    const { broker, producer } = await setUp({ clock, batchSize: 200, bufferMemory: 200, maxBlockMs: 50 });
    const first = producer.send({ topic, value: "a".repeat(100) });
    const call = await soon(clock, broker.nextCall());
    await expect(soon(clock, producer.send({ topic, value: "b".repeat(100) }))).rejects.toMatchObject({
      code: "TIMEOUT",
      persisted: "no",
      message: expect.stringContaining(
        "bufferMemory (200 bytes, all held by records under way): no answer after 50 ms",
      ),
    });
    call.answer(() => ({ baseOffset: 0n }));
    await soon(clock, first);
    expect(broker.waitingCalls).toBe(0);
  });
});

describe("a record whose time is over", () => {
  const timeouts = { deliveryTimeoutMs: 1_000, requestTimeoutMs: 1_000, retryBackoffMs: 100, maxBlockMs: 100_000 };

  test("fails while its request is under way, whose buffer nobody gets before it has ended", async () => {
    const clock = new ManualClock();
    const { broker, producer } = await setUp({ ...timeouts, clock, batchSize: 500, bufferMemory: 500 });
    const startMs = clock.now();
    const late = outcomeOf(producer.send({ topic, value: "late" }));
    const call = await soon(clock, broker.nextCall());
    call.answer(() => ({ errorCode: codeOf("NOT_ENOUGH_REPLICAS") }));
    const again = await soon(clock, broker.nextCall());
    const next = outcomeOf(producer.send({ topic, value: "next" }));

    expect(await soon(clock, late)).toBe("TIMEOUT, maybe");
    expect(clock.now() - startMs).toBe(1_000);
    await passing(clock).pass(0);
    expect(broker.waitingCalls).toBe(0);

    again.answer(() => ({ baseOffset: 4n }));
    const behind = await soon(clock, broker.nextCall());
    expect(behind.batches[0]?.values).toEqual(["next"]);
    behind.answer(() => ({ baseOffset: 5n }));
    expect(await soon(clock, next)).toBe("@5");
  });

  test("fails where it waits for another attempt, with why the last one failed", async () => {
    const clock = new ManualClock();
    const { broker, producer } = await setUp({ ...timeouts, clock, retryBackoffMs: 5_000 });
    const sent = producer.send({ topic, value: "a" });
    const outcome = outcomeOf(sent);
    (await soon(clock, broker.nextCall())).answer(() => ({ errorCode: codeOf("NOT_ENOUGH_REPLICAS") }));
    expect(await soon(clock, outcome)).toBe("TIMEOUT, no");
    const error = await sent.catch((thrown: DeliveryError) => thrown);
    expect(error).toMatchObject({ cause: { code: "TIMEOUT", cause: { code: "NOT_ENOUGH_REPLICAS" } } });
    expect(String(error)).toContain("delivery of 1 record(s) to orders-0: no answer after 1000 ms");
  });
});

describe("lingering", () => {
  test("lets a batch wait for more records, and no longer than lingerMs", async () => {
    const clock = new ManualClock();
    const { broker, producer } = await setUp({ clock, lingerMs: 50 });
    await soon(clock, producer.partitionsFor(topic));
    const sends = [outcomeOf(producer.send({ topic, value: "a" }))];
    await passing(clock).pass(49);
    sends.push(outcomeOf(producer.send({ topic, value: "b" })));
    await passing(clock).pass(0);
    expect(broker.waitingCalls).toBe(0);
    clock.advance(1);
    const call = await soon(clock, broker.nextCall());
    expect(call.batches[0]?.values).toEqual(["a", "b"]);
    call.answer(() => ({ baseOffset: 0n }));
    expect(await soon(clock, Promise.all(sends))).toEqual(["@0", "@1"]);
  });

  test("ends with a flush, which waits for what was sent before it", async () => {
    const { broker, producer } = await setUp({ lingerMs: 60_000, deliveryTimeoutMs: 120_000 });
    const sent = producer.send({ topic, value: "a" });
    let isFlushed = false;
    const flushed = producer.flush().then(() => {
      isFlushed = true;
    });
    const call = await broker.nextCall();
    expect(isFlushed).toBe(false);
    call.answer(() => ({ baseOffset: 0n }));
    await flushed;
    expect(await outcomeOf(sent)).toBe("@0");
  });
});

describe("closing", () => {
  test("delivers what was sent, and leaves no timer behind", async () => {
    const clock = new ManualClock();
    const { broker, producer } = await setUp({ clock, lingerMs: 60_000, deliveryTimeoutMs: 120_000 });
    const outcome = outcomeOf(producer.send({ topic, value: "a" }));
    const closed = producer.close();
    (await soon(clock, broker.nextCall())).answer(() => ({ baseOffset: 2n }));
    expect(await soon(clock, outcome)).toBe("@2");
    await soon(clock, closed);
    // What was to run in the next turn of the event loop finds nothing to do.
    clock.advance(0);
    expect(clock.timers).toBe(0);
  });

  test("gives up after timeoutMs: what is under way may be in the log, what waits is not", async () => {
    const clock = new ManualClock();
    const given = { batchSize: 200, bufferMemory: 400, maxInFlightRequestsPerConnection: 1 };
    const { broker, producer } = await setUp({ clock, ...given, broker: { partitions: 2 } });
    const value = "a".repeat(100);
    const sends = [0, 0, 0, 0].map((partition) => outcomeOf(producer.send({ topic, partition, value })));
    const elsewhere = outcomeOf(producer.send({ topic: "nowhere", value }));
    await soon(clock, broker.nextCall());
    const closed = producer.close({ timeoutMs: 500 });
    await passing(clock).pass(499);
    expect(clock.timers).toBeGreaterThan(0);
    clock.advance(1);
    expect(await soon(clock, Promise.all(sends))).toEqual(["CLOSED, maybe", "CLOSED, no", "CLOSED, no", "CLOSED, no"]);
    expect(await soon(clock, elsewhere)).toBe("CLOSED, no");
    await soon(clock, closed);
    // What was to run in the next turn of the event loop finds nothing to do.
    clock.advance(0);
    expect(clock.timers).toBe(0);
  });

  test.each([-1, Number.NaN])("refuses timeoutMs %s, and goes on", async (timeoutMs) => {
    const { producer } = await setUp();
    await expect(producer.close({ timeoutMs })).rejects.toMatchObject({ name: "OptionsError" });
    await expect(producer.flush()).resolves.toBeUndefined();
  });

  test("is done once, whoever asks for it", async () => {
    const { producer } = await setUp();
    await Promise.all([producer.close(), producer.close()]);
    await producer[Symbol.asyncDispose]();
  });
});

describe("asking for partitions", () => {
  test("tells them with their leaders", async () => {
    const { producer } = await setUp({ broker: { partitions: 2 } });
    expect(await producer.partitionsFor(topic)).toMatchObject([
      { topic, partition: 0, leaderId: 1 },
      { topic, partition: 1, leaderId: 1 },
    ]);
  });

  test("fails where the cluster does not have the topic in time", async () => {
    const clock = new ManualClock();
    const { producer } = await setUp({ clock, maxBlockMs: 50 });
    await expect(soon(clock, producer.partitionsFor("nowhere"))).rejects.toMatchObject({
      name: "TimeoutError",
      code: "TIMEOUT",
    });
  });
});

describe("connecting", () => {
  test("makes a connection that the first record uses", async () => {
    const { broker, producer } = await setUp();
    await producer.connect();
    expect(broker.connectionCount).toBe(1);
  });

  test("fails where nobody answers within maxBlockMs", async () => {
    const clock = new ManualClock();
    const { producer } = await setUp({ clock, maxBlockMs: 50, broker: { isSilent: true } });
    await expect(soon(clock, producer.connect())).rejects.toThrow("connecting to the cluster: no answer after 50 ms");
  });
});

/** Knows the topic already, so that the next records need not wait for anything. */
async function soonest(broker: ScriptedBroker, producer: KafkaProducer): Promise<void> {
  const sent = producer.send({ topic, value: "first" });
  (await broker.nextCall()).answer(() => ({ baseOffset: 0n }));
  await sent;
}
