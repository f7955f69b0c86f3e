import { type Encoded, type Serializer, string } from "@odradek/network";
import { describe, expect, onTestFinished, test } from "vitest";
import { ManualClock } from "../../network/test/manual-clock.ts";
import { passing, quiet } from "../../network/test/passing.ts";
import type { DeliveryError } from "../src/delivery-error.ts";
import { KafkaProducer } from "../src/producer.ts";
import type { ProducerOptions } from "../src/producer-options.ts";
import type { RecordMetadata } from "../src/record-metadata.ts";
import { RoundRobinPartitioner } from "../src/round-robin-partitioner.ts";
import { ScriptedBroker, type ScriptedBrokerOptions } from "./scripted-broker.ts";

const topic = "orders";

interface Given extends Partial<ProducerOptions<string, string>> {
  readonly broker?: ScriptedBrokerOptions;
  readonly clock?: ManualClock;
}

/** A producer without sequence numbers, and the broker that it talks to. */
async function setUp({ broker: brokerOptions, clock, ...options }: Given = {}) {
  const broker = await ScriptedBroker.listen(brokerOptions);
  const given: ProducerOptions<string, string> = {
    bootstrapServers: broker.bootstrapServers,
    lingerMs: 0,
    acks: 1,
    retryBackoffMs: 10,
    keySerializer: string,
    valueSerializer: string,
    ...options,
  };
  const producer = new KafkaProducer(given, clock);
  onTestFinished(() => producer.close({ timeoutMs: 0 }));
  return { broker, producer };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What a send came to, in words. */
const outcomeOf = (sent: Promise<RecordMetadata>): Promise<string> =>
  sent.then(String, (error: DeliveryError) => `${error.code}, ${error.persisted}`);

/** Values of so many records as they come, each batch with its partition. */
async function arriving(broker: ScriptedBroker, count: number): Promise<[number, string][]> {
  const values: [number, string][] = [];
  while (values.length < count) {
    const call = await broker.nextCall();
    for (const batch of call.batches) {
      for (const value of batch.values) values.push([batch.partition, value ?? ""]);
    }
    call.answer(() => ({ baseOffset: 0n }));
  }
  return values;
}

/** Gives promises, which the test settles by the value. */
function promising() {
  const settle = new Map<string, { resolve: (encoded: Encoded) => void; reject: (error: Error) => void }>();
  const serializer: Serializer<string> = {
    serialize: (value) =>
      value.startsWith("now")
        ? value
        : new Promise<Encoded>((resolve, reject) => {
            settle.set(value, { resolve, reject });
          }),
  };
  return { settle, serializer };
}

describe("a serializer that gives a promise", () => {
  test("does not let later records of the topic overtake its own", async () => {
    const { settle, serializer } = promising();
    const { broker, producer } = await setUp({ valueSerializer: serializer });
    await producer.partitionsFor(topic);
    const sent = ["a", "now 1", "b", "now 2"].map((value) => producer.send({ topic, value }));
    await quiet();
    expect(broker.waitingCalls).toBe(0);
    settle.get("b")?.resolve("B");
    await quiet();
    expect(broker.waitingCalls).toBe(0);
    settle.get("a")?.resolve("A");
    expect(await arriving(broker, 4)).toEqual(["A", "now 1", "B", "now 2"].map((value) => [0, value]));
    await Promise.all(sent);
    const next = producer.send({ topic, value: "now 3" });
    expect(await arriving(broker, 1)).toEqual([[0, "now 3"]]);
    await next;
  });

  test("that fails, fails its record and no other", async () => {
    const { settle, serializer } = promising();
    const { broker, producer } = await setUp({ valueSerializer: serializer });
    const outcomes = ["a", "now 1"].map((value) => outcomeOf(producer.send({ topic, value })));
    settle.get("a")?.reject(new Error("no schema"));
    expect(await arriving(broker, 1)).toEqual([[0, "now 1"]]);
    expect(await Promise.all(outcomes)).toEqual(["SERIALIZATION, no", "orders-0@0"]);
  });

  test("that does not answer is waited for until maxBlockMs", async () => {
    const clock = new ManualClock();
    const { serializer } = promising();
    const { producer } = await setUp({ clock, valueSerializer: serializer, maxBlockMs: 500 });
    const outcome = outcomeOf(producer.send({ topic, value: "a" }));
    await passing(clock).pass(499);
    expect(await Promise.race([outcome, quiet().then(() => "waits")])).toBe("waits");
    clock.advance(1);
    expect(await outcome).toBe("TIMEOUT, no");
  });

  test("that never answers does not keep the producer open", async () => {
    const { serializer } = promising();
    const { producer } = await setUp({ valueSerializer: serializer });
    const outcomes = ["a", "b"].map((value) => outcomeOf(producer.send({ topic, value })));
    await producer.close({ timeoutMs: 0 });
    expect(await Promise.all(outcomes)).toEqual(["CLOSED, no", "CLOSED, no"]);
  });

  test("is waited for by flush", async () => {
    const { settle, serializer } = promising();
    const { broker, producer } = await setUp({ valueSerializer: serializer });
    const outcome = outcomeOf(producer.send({ topic, value: "a" }));
    const flushed = producer.flush();
    settle.get("a")?.resolve("A");
    await arriving(broker, 1);
    await flushed;
    expect(await outcome).toBe("orders-0@0");
  });
});

describe("a signal", () => {
  const gaveUp = new Error("gave up");

  test("ends the wait of a record for metadata, and of no other", async () => {
    const { producer } = await setUp({ broker: { isSilent: true } });
    const controller = new AbortController();
    const first = outcomeOf(producer.send({ topic, value: "a" }));
    const [second, third] = [controller.signal, undefined].map((signal) =>
      outcomeOf(producer.send({ topic, value: "b" }, { signal })),
    );
    controller.abort(gaveUp);
    expect(await second).toBe("ABORTED, no");
    await producer.close({ timeoutMs: 0 });
    expect(await Promise.all([first, third])).toEqual(["CLOSED, no", "CLOSED, no"]);
  });

  test("tells why, and tells a callback too", async () => {
    const { producer } = await setUp({ broker: { isSilent: true } });
    const controller = new AbortController();
    const told = new Promise<DeliveryError | null>((resolve) => {
      producer.send({ topic, value: "a" }, resolve, { signal: controller.signal });
    });
    controller.abort(gaveUp);
    expect(await told).toMatchObject({ code: "ABORTED", persisted: "no", cause: { cause: gaveUp } });
  });

  test("ends the wait for memory", async () => {
    const { broker, producer } = await setUp({ batchSize: 200, bufferMemory: 200 });
    const first = outcomeOf(producer.send({ topic, value: "a".repeat(100) }));
    const call = await broker.nextCall();
    const controller = new AbortController();
    const second = outcomeOf(producer.send({ topic, value: "b".repeat(100) }, { signal: controller.signal }));
    await turn();
    controller.abort(gaveUp);
    expect(await second).toBe("ABORTED, no");
    call.answer(() => ({ baseOffset: 3n }));
    expect(await first).toBe("orders-0@3");
    const third = outcomeOf(producer.send({ topic, value: "c".repeat(100) }));
    expect(await arriving(broker, 1)).toEqual([[0, "c".repeat(100)]]);
    expect(await third).toBe("orders-0@0");
  });

  test("that came before the call fails the record at once", async () => {
    const { producer } = await setUp();
    expect(await outcomeOf(producer.send({ topic }, { signal: AbortSignal.abort(gaveUp) }))).toBe("ABORTED, no");
  });

  test("that comes after a record was taken in changes nothing for it", async () => {
    const { broker, producer } = await setUp();
    await producer.partitionsFor(topic);
    const controller = new AbortController();
    const outcome = outcomeOf(producer.send({ topic, value: "a" }, { signal: controller.signal }));
    controller.abort(gaveUp);
    await arriving(broker, 1);
    expect(await outcome).toBe("orders-0@0");
  });

  test("that is none is refused at once", async () => {
    const { producer } = await setUp();
    expect(() => void producer.send({ topic }, { signal: {} as AbortSignal })).toThrow("an AbortSignal is expected");
  });

  test.each(["connect", "partitionsFor", "flush"] as const)("ends %s", async (name) => {
    const { producer } = await setUp({ broker: { isSilent: true } });
    const controller = new AbortController();
    const { signal } = controller;
    const sent = outcomeOf(producer.send({ topic, value: "a" }));
    const calls = {
      connect: () => producer.connect({ signal }),
      partitionsFor: () => producer.partitionsFor(topic, { signal }),
      flush: () => producer.flush({ signal }),
    };
    const call = calls[name]();
    controller.abort(gaveUp);
    await expect(call).rejects.toBe(gaveUp);
    await producer.close({ timeoutMs: 0 });
    expect(await sent).toBe("CLOSED, no");
  });

  test("has close wait for nothing more", async () => {
    const { broker, producer } = await setUp();
    const outcome = outcomeOf(producer.send({ topic, value: "a" }));
    await broker.nextCall();
    const controller = new AbortController();
    const closed = producer.close({ signal: controller.signal });
    controller.abort(gaveUp);
    await closed;
    expect(await outcome).toBe("CLOSED, maybe");
  });
});

test("partitionsFor waits as long as it is told", async () => {
  const clock = new ManualClock();
  const { producer } = await setUp({ clock, broker: { isSilent: true } });
  const partitions = producer.partitionsFor(topic, { timeoutMs: 50 });
  clock.advance(50);
  await expect(partitions).rejects.toMatchObject({ code: "TIMEOUT", afterMs: 50 });
});

describe("interceptors", () => {
  test("see a record before it is serialized, and what became of it before its sender", async () => {
    const order: string[] = [];
    const { broker, producer } = await setUp({
      interceptors: [
        {
          onSend: (record) => ({ ...record, value: `${record.value}!`, headers: [{ key: "at", value: "1" }] }),
          onAcknowledgement: (metadata, error, headers) =>
            order.push(`${metadata} ${error?.code} ${headers.map(({ key }) => key)}`),
          close: () => order.push("closed"),
        },
      ],
    });
    const sent = producer.sendBatch([
      { topic, value: "a" },
      { topic, value: "b", partition: 0.5 },
    ]);
    const settled = sent.catch(() => order.push("told"));
    expect(await arriving(broker, 1)).toEqual([[0, "a!"]]);
    await settled;
    await producer.close();
    expect(order).toEqual(["orders-0.5@-1 OPTIONS at", "orders-0@0 undefined at", "told", "closed"]);
  });
});

describe("a partitioner", () => {
  test("may be a function", async () => {
    const { broker, producer } = await setUp({
      broker: { partitions: 3 },
      partitioner: ({ key }, { partitions }) => Number(key) % partitions.length,
    });
    const sent = producer.sendBatch(["4", "3"].map((key) => ({ topic, key, value: key })));
    expect((await arriving(broker, 2)).sort()).toEqual([
      [0, "3"],
      [1, "4"],
    ]);
    await sent;
  });

  test("may go round", async () => {
    const { broker, producer } = await setUp({ broker: { partitions: 2 }, partitioner: new RoundRobinPartitioner() });
    const sent = producer.sendBatch(["a", "b", "c"].map((value) => ({ topic, value })));
    expect((await arriving(broker, 3)).sort()).toEqual([
      [0, "a"],
      [0, "c"],
      [1, "b"],
    ]);
    await sent;
  });

  test("is told of new batches and asked again, once for each, and closed with the producer", async () => {
    let current = 0;
    const told: unknown[] = [];
    const { broker, producer } = await setUp({
      broker: { partitions: 2 },
      lingerMs: 60_000,
      batchSize: 200,
      partitioner: {
        partition: () => current,
        onNewBatch: (name, cluster, previous) => {
          told.push([name, cluster.topics.get(name)?.partitions.length, previous]);
          current = 1 - current;
        },
        close: () => told.push("closed"),
      },
    });
    const value = "v".repeat(80);
    const sent = producer.sendBatch([1, 2, 3].map((number) => ({ topic, value: `${value}${number}` })));
    const flushed = producer.flush();
    const places = (await arriving(broker, 3)).map(([partition, text]) => [partition, text.slice(80)]);
    await Promise.all([sent, flushed]);
    await producer.close();
    // A batch has room for one of these.
    expect(places.sort()).toEqual([
      [0, "2"],
      [1, "1"],
      [1, "3"],
    ]);
    expect(told).toEqual([[topic, 2, 0], [topic, 2, 1], [topic, 2, 0], "closed"]);
  });

  test("that throws, or cannot be closed, costs no more than its record", async () => {
    const { producer } = await setUp({
      partitioner: {
        partition: () => {
          throw new Error("no idea");
        },
        close: () => {
          throw new Error("not now");
        },
      },
    });
    expect(await outcomeOf(producer.send({ topic, value: "a" }))).toBe("OPTIONS, no");
    await producer.close();
  });
});

describe("metrics", () => {
  test("tell what was sent, sent again and lost, of the producer and of each topic", async () => {
    const { broker, producer } = await setUp({ broker: { partitions: 2 }, batchSize: 1_000 });
    const given = [0, 0, 1].map((partition, index) => ({ topic, partition, value: `${index}` }));
    const outcomes = given.map((record) => outcomeOf(producer.send(record)));
    outcomes.push(outcomeOf(producer.send({ topic, partition: -1 })));
    const notEnoughReplicas = 19;
    const invalidRecord = 87;
    const errors = [notEnoughReplicas, invalidRecord];
    (await broker.nextCall()).answer(({ partition }) => ({ errorCode: errors[partition] ?? 0 }));
    await arriving(broker, 2);
    expect(await Promise.all(outcomes)).toEqual(["orders-0@0", "orders-0@1", "INVALID_RECORD, no", "OPTIONS, no"]);
    const values = (topicTag?: string) =>
      Object.fromEntries(
        producer
          .metrics()
          .filter(({ tags }) => tags["topic"] === topicTag && tags["node-id"] === undefined)
          .map(({ name, value }) => [name, value]),
      );
    const ofTopic = values(topic);
    expect(ofTopic).toMatchObject({
      "record-send-total": 5,
      "record-retry-total": 2,
      "record-error-total": 1,
      "compression-rate": 1,
    });
    const all = values();
    expect(all).toMatchObject({
      "record-send-total": 5,
      "record-retry-total": 2,
      "record-error-total": 2,
      "requests-in-flight": 0,
      "records-per-request-avg": 2.5,
      "buffer-total-bytes": 33_554_432,
      "buffer-available-bytes": 33_554_432,
    });
    // Two records of 8 bytes behind the 61 of a batch, and one.
    expect([all["batch-size-max"], all["record-size-max"], ofTopic["byte-total"]]).toEqual([77, 8, 77 + 69 + 77]);
    expect(all["request-latency-avg"]).toBeGreaterThan(0);
    expect(all["metadata-wait-time-ns-total"]).toBeGreaterThan(0);
    expect(all["metadata-age"]).toBeLessThan(60);
  });
});
