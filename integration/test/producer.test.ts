import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  type ConsumerRecord,
  type Header,
  json,
  KafkaConsumer,
  KafkaProducer,
  type ProducerOptions,
  type ProducerRecord,
  string,
} from "odradek";
import { describe, expect, test } from "vitest";
import { becomes } from "./becomes.ts";
import { recordTimeMs } from "./record-time.ts";
import { bootstrapServers, newTopic, opened } from "./topics.ts";

function producerOf(options: Partial<ProducerOptions> = {}): KafkaProducer {
  const producer = new KafkaProducer({ bootstrapServers, ...options });
  opened.push(producer);
  return producer;
}

/** All that is in a topic, up to its present end. */
async function contents(topic: string, partitionCount = 1): Promise<ConsumerRecord[]> {
  await using consumer = new KafkaConsumer({ bootstrapServers, autoOffsetReset: "earliest" });
  const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }));
  consumer.assign(partitions);
  const ends = await consumer.endOffsets(partitions);
  const recordCount = ends.reduce((sum, { offset }) => sum + Number(offset), 0);
  const records: ConsumerRecord[] = [];
  while (records.length < recordCount) {
    const polled = await consumer.poll(20_000);
    if (polled.count === 0) throw new Error(`${records.length} of ${recordCount} records could be read`);
    records.push(...polled);
  }
  return records;
}

const textOf = (bytes: Uint8Array | null): string | null => (bytes === null ? null : Buffer.from(bytes).toString());

describe("many records", () => {
  test("with keys over six partitions are each in the log once, where they were said to be, in order", async () => {
    const topic = await newTopic(6);
    const producer = producerOf();
    const sends = Array.from({ length: 10_000 }, (_, index) =>
      producer.send({ topic, key: `key-${index % 500}`, value: String(index) }),
    );
    const acknowledged = (await Promise.all(sends)).map(String);
    const records = await contents(topic, 6);
    const byPlace = new Map(records.map((record) => [`${topic}-${record.partition}@${record.offset}`, record]));
    expect(records).toHaveLength(10_000);
    expect(acknowledged.map((place) => Number(textOf(byPlace.get(place)?.value ?? null)))).toEqual(
      Array.from({ length: 10_000 }, (_, index) => index),
    );
    for (let partition = 0; partition < 6; partition++) {
      const values = records
        .filter((record) => record.partition === partition)
        .map(({ value }) => Number(textOf(value)));
      expect(values.length).toBeGreaterThan(0);
      expect(values).toEqual([...values].sort((a, b) => a - b));
    }
  });

  test("in one call of sendBatch come back in its order, whatever their partitions", async () => {
    const topic = await newTopic(6);
    const records = Array.from({ length: 2_000 }, (_, index) => ({
      topic,
      partition: index % 6,
      value: String(index),
    }));
    const metadata = await producerOf().sendBatch(records);
    expect(metadata.map(({ partition }) => partition)).toEqual(records.map(({ partition }) => partition));
    expect(metadata.map(({ offset }) => offset)).toEqual(records.map((_, index) => BigInt(Math.floor(index / 6))));
  });

  test("go through little memory, in order", async () => {
    const topic = await newTopic(3);
    const producer = producerOf({ batchSize: 1_000, bufferMemory: 4_000 });
    const sends = Array.from({ length: 3_000 }, (_, index) =>
      producer.send({ topic, partition: index % 3, value: String(index).padStart(50) }),
    );
    const metadata = await Promise.all(sends);
    expect(metadata.map(({ offset }) => offset)).toEqual(sends.map((_, index) => BigInt(Math.floor(index / 3))));
  });

  test("without a key fill one batch, then go to another partition", async () => {
    const topic = await newTopic(6);
    const producer = producerOf({ batchSize: 1_000 });
    await producer.partitionsFor(topic);
    const records = Array.from({ length: 400 }, () => ({ topic, value: "x".repeat(100) }));
    const partitions = (await producer.sendBatch(records)).map(({ partition }) => partition);
    expect(new Set(partitions).size).toBeGreaterThan(2);
    const switches = partitions.filter((partition, index) => index > 0 && partition !== partitions[index - 1]).length;
    expect(switches).toBeLessThan(partitions.length / 7);
  });
});

describe("a key", () => {
  test("goes to the partition where Kafka's Java client puts it", async () => {
    // murmur2 of each key by Kafka's own Utils, without its sign bit, by 12 partitions.
    const expected = [
      ["123e4567-e89b-12d3-a456-426614174000", 210_376_136 % 12],
      ["21", (-973_932_308 & 0x7fff_ffff) % 12],
      ["foobar", (-790_332_482 & 0x7fff_ffff) % 12],
      ["é中", (-289_825_924 & 0x7fff_ffff) % 12],
    ] as const;
    const topic = await newTopic(12);
    const metadata = await producerOf().sendBatch(expected.map(([key]) => ({ topic, key })));
    expect(metadata.map(({ partition }) => partition)).toEqual(expected.map(([, partition]) => partition));
  });
});

describe("a record", () => {
  const headers: readonly Header[] = [
    { key: "trace", value: "é-1" },
    { key: "trace", value: Buffer.from([0, 255]) },
    { key: "empty", value: null },
  ];

  test("comes back with its key, value, headers and timestamp", async () => {
    const topic = await newTopic();
    const producer = producerOf();
    const records: ProducerRecord[] = [
      { topic, key: "k", value: "中文 ✓", headers, timestamp: recordTimeMs },
      { topic, key: Buffer.from([1, 2]), value: null },
      { topic, key: null, value: Buffer.alloc(0) },
      { topic },
    ];
    await producer.sendBatch(records);
    const read = await contents(topic);
    expect(read.map(({ key, value }) => [textOf(key), textOf(value)])).toEqual([
      ["k", "中文 ✓"],
      ["\u0001\u0002", null],
      [null, ""],
      [null, null],
    ]);
    expect(read[0]?.timestamp).toBe(recordTimeMs);
    expect(read[0]?.headers.map(({ key, value }) => [key, value && Buffer.from(value).toString("hex")])).toEqual([
      ["trace", Buffer.from("é-1").toString("hex")],
      ["trace", "00ff"],
      ["empty", null],
    ]);
  });

  test("is stamped by the broker where the topic wants it so", async () => {
    const topic = await newTopic(1, { "message.timestamp.type": "LogAppendTime" });
    const { timestamp } = await producerOf().send({ topic, value: "a", timestamp: 1_000 });
    expect(timestamp).toBeGreaterThan(1_600_000_000_000);
    expect((await contents(topic))[0]?.timestamp).toBe(timestamp);
  });

  test("is written by the serializers of the producer", async () => {
    const topic = await newTopic();
    await using producer = new KafkaProducer({ bootstrapServers, keySerializer: string, valueSerializer: json });
    await producer.send({ topic, key: "42", value: { total: 7 } });
    expect((await contents(topic)).map(({ key, value }) => [textOf(key), textOf(value)])).toEqual([
      ["42", '{"total":7}'],
    ]);
  });

  test("of a size that just fits is taken", async () => {
    const topic = await newTopic();
    const { serializedValueSize } = await producerOf().send({ topic, value: Buffer.alloc(1_048_576 - 100) });
    expect(serializedValueSize).toBe(1_048_476);
  });

  test("that is too large for maxRequestSize fails here", async () => {
    const sent = producerOf().send({ topic: await newTopic(), value: Buffer.alloc(1_048_576) });
    await expect(sent).rejects.toMatchObject({ code: "MESSAGE_TOO_LARGE", persisted: "no" });
    await expect(sent).rejects.toThrow("maxRequestSize (1048576)");
  });

  test("that is too large for the topic is refused by the broker, and those after it go on", async () => {
    const topic = await newTopic(1, { "max.message.bytes": "1000" });
    const producer = producerOf({ lingerMs: 0 });
    await expect(producer.send({ topic, value: Buffer.alloc(5_000) })).rejects.toMatchObject({
      code: "MESSAGE_TOO_LARGE",
      persisted: "no",
      partition: 0,
    });
    expect((await producer.send({ topic, value: "a" })).offset).toBe(0n);
  });

  test("without a key is refused by a compacted topic, with the broker's reason", async () => {
    const topic = await newTopic(1, { "cleanup.policy": "compact" });
    const sent = producerOf().send({ topic, value: "a" });
    await expect(sent).rejects.toMatchObject({ code: "INVALID_RECORD", persisted: "no", retriable: false });
    await expect(sent).rejects.toThrow(/key/);
  });

  test("for a topic with an impossible name fails at once", async () => {
    await expect(producerOf().send({ topic: "no such topic!", value: "a" })).rejects.toMatchObject({
      code: "INVALID_TOPIC_EXCEPTION",
      persisted: "no",
    });
  });

  test("for a partition that the topic does not have fails after maxBlockMs", async () => {
    const topic = await newTopic(2);
    const sent = producerOf({ maxBlockMs: 300 }).send({ topic, partition: 2, value: "a" });
    await expect(sent).rejects.toMatchObject({ code: "TIMEOUT", persisted: "no" });
    await expect(sent).rejects.toThrow(`partition 2 of topic ${topic} in the metadata: no answer after 300 ms`);
  });
});

describe.each(["none", "gzip", "snappy", "lz4", "zstd"] as const)("compressed with %s", (compressionType) => {
  test("records come back as they were", async () => {
    const topic = await newTopic();
    const records = Array.from({ length: 1_000 }, (_, index) => ({ topic, value: `${index} `.repeat(50) }));
    const metadata = await producerOf({ compressionType }).sendBatch(records);
    expect(metadata.map(({ offset }) => offset)).toEqual(records.map((_, index) => BigInt(index)));
    expect((await contents(topic)).map(({ value }) => textOf(value))).toEqual(records.map(({ value }) => value));
  });
});

describe("acks", () => {
  test("all and 1 tell the offset; 0 tells none, and the records arrive all the same", async () => {
    const topic = await newTopic();
    const offsets: bigint[] = [];
    for (const acks of ["all", 1, 0] as const) {
      const producer = producerOf({ acks });
      offsets.push((await producer.send({ topic, value: String(acks) })).offset);
      await producer.close();
    }
    expect(offsets).toEqual([0n, 1n, -1n]);
    const values = async () => (await contents(topic)).map(({ value }) => textOf(value));
    await becomes("what is in the topic", values, ["all", "1", "0"]);
  });
});

describe("an end", () => {
  test("comes when what was sent is delivered, lingering or not", async () => {
    const topic = await newTopic(3);
    const producer = producerOf({ lingerMs: 60_000 });
    const sends = Array.from({ length: 100 }, (_, index) => producer.send({ topic, partition: index % 3, value: "a" }));
    await producer.close();
    expect((await Promise.all(sends)).filter(({ offset }) => offset >= 0n)).toHaveLength(100);
    await expect(producer.send({ topic, value: "late" })).rejects.toMatchObject({ code: "CLOSED" });
    expect(await contents(topic, 3)).toHaveLength(100);
  });

  test("comes with flush for what was sent before it", async () => {
    const topic = await newTopic();
    const producer = producerOf({ lingerMs: 60_000 });
    let isDelivered = false;
    const sent = producer.send({ topic, value: "a" }).then(() => {
      isDelivered = true;
    });
    await producer.flush();
    await sent;
    expect(isDelivered).toBe(true);
  });

  test("leaves nothing behind that keeps the process alive", async () => {
    const topic = await newTopic();
    const program = `
      const { KafkaProducer } = require("odradek");
      (async () => {
        const producer = new KafkaProducer({ bootstrapServers: ${JSON.stringify(bootstrapServers)} });
        producer.send({ topic: ${JSON.stringify(topic)}, value: "a" });
        await producer.close();
        console.log("closed");
      })();`;
    const cwd = fileURLToPath(new URL("..", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ["-e", program], { cwd, timeout: 60_000 });
    expect(stdout).toBe("closed\n");
    expect(await contents(topic)).toHaveLength(1);
  });
});
