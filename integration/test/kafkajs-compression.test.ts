import { gunzipSync, gzipSync } from "node:zlib";
import { codecsWith } from "odradek";
import { afterEach, describe, expect, test } from "vitest";
import { type ConsumerOfJS, candidates, libraries, type ProducerOfJS } from "./kafkajs-libraries.ts";
import { newName } from "./opened.ts";
import { bootstrapServers, newTopic } from "./topics.ts";

process.env["KAFKAJS_NO_PARTITIONER_WARNING"] = "1";

const opened: (ProducerOfJS | ConsumerOfJS)[] = [];
const restore: (() => void)[] = [];
afterEach(async () => {
  for (const undo of restore.splice(0)) undo();
  await Promise.all(opened.splice(0).map((client) => client.disconnect()));
});

interface Encoder {
  readonly buffer: Buffer;
}

const { snappy, lz4 } = codecsWith({});
const enough = 1_000_000;

/** Codecs in the shape of the packages for kafkajs. */
const codecs = {
  GZIP: {
    compress: async ({ buffer }: Encoder) => gzipSync(buffer),
    decompress: async (buffer: Buffer) => gunzipSync(buffer),
  },
  Snappy: {
    compress: ({ buffer }: Encoder) => snappy.compress(buffer),
    decompress: (buffer: Buffer) => snappy.decompress(buffer, enough),
  },
  LZ4: {
    compress: ({ buffer }: Encoder) => lz4.compress(buffer),
    decompress: (buffer: Buffer) => lz4.decompress(buffer, enough),
  },
};
type Compression = keyof typeof codecs;

const values = Array.from({ length: 300 }, (_, index) => `value ${index}`);

/** Registers a codec, and counts its uses. */
function register(registry: object, type: number, name: Compression): { readonly used: string[] } {
  const original: unknown = Reflect.get(registry, type);
  restore.push(() => Reflect.set(registry, type, original));
  const used: string[] = [];
  Reflect.set(registry, type, () => {
    const { compress, decompress } = codecs[name];
    return {
      compress(encoder: Encoder) {
        used.push("compress");
        return compress(encoder);
      },
      decompress(buffer: Buffer) {
        used.push("decompress");
        return decompress(buffer);
      },
    };
  });
  return { used };
}

async function read({ Kafka }: (typeof libraries)[number][1], topic: string, count: number): Promise<string[]> {
  const consumer = new Kafka({ brokers: [...bootstrapServers], logLevel: 0 }).consumer({
    groupId: newName(),
    maxWaitTimeInMs: 100,
  });
  opened.push(consumer);
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  const seen: string[] = [];
  await new Promise<void>((resolve, reject) => {
    consumer.on("consumer.crash", ({ payload }) => reject(Reflect.get(Object(payload), "error")));
    const eachMessage = async ({ message }: { readonly message: { readonly value: Buffer } }) => {
      seen.push(message.value.toString());
      if (seen.length === count) resolve();
    };
    consumer.run({ eachMessage }).catch(reject);
  });
  return seen;
}

describe.each(candidates)("compression by %s", (name, library) => {
  const isOurs = name === "@odradek/kafkajs";
  const { Kafka, CompressionTypes, CompressionCodecs } = library;
  const newProducer = async (config: object = {}) => {
    const producer = new Kafka({ brokers: [...bootstrapServers], logLevel: 0 }).producer(config);
    opened.push(producer);
    await producer.connect();
    return producer;
  };
  const messages = values.map((value) => ({ value }));

  test.each(["GZIP", "Snappy", "LZ4"] as const)(
    "with a codec that was registered for %s is read by both libraries",
    async (compression) => {
      const topic = await newTopic();
      const producer = await newProducer();
      const mine = register(CompressionCodecs, CompressionTypes[compression], compression);
      await producer.send({ topic, messages, compression: CompressionTypes[compression] });
      expect(mine.used).toContain("compress");
      for (const [, reader] of libraries) {
        const { used } =
          reader === library
            ? mine
            : register(reader.CompressionCodecs, reader.CompressionTypes[compression], compression);
        expect(await read(reader, topic, values.length)).toEqual(values);
        expect(used).toContain("decompress");
      }
    },
  );

  test("is that of each send, also within a transaction", async () => {
    const topic = await newTopic();
    const producer = await newProducer({ idempotent: true, maxInFlightRequests: 1, transactionalId: newName() });
    const { used } = register(CompressionCodecs, CompressionTypes.GZIP, "GZIP");
    const transaction = await producer.transaction();
    await transaction.send({ topic, messages: [{ value: "plain" }] });
    expect(used).toEqual([]);
    await transaction.send({ topic, messages: [{ value: "zipped" }], compression: CompressionTypes.GZIP });
    expect(used).toEqual(["compress"]);
    await transaction.commit();
    expect(await read(library, topic, 2)).toEqual(["plain", "zipped"]);
    expect(used).toEqual(["compress", "decompress"]);
  });

  test("with a codec that throws is the codec's error", async () => {
    const producer = await newProducer();
    const original: unknown = Reflect.get(CompressionCodecs, CompressionTypes.Snappy);
    restore.push(() => Reflect.set(CompressionCodecs, CompressionTypes.Snappy, original));
    const broken = new TypeError("out of order");
    Reflect.set(CompressionCodecs, CompressionTypes.Snappy, () => ({
      async compress() {
        throw broken;
      },
    }));
    const sent = producer.send({ topic: await newTopic(), messages, compression: CompressionTypes.Snappy });
    await expect(sent).rejects.toBe(broken);
  });

  test.runIf(isOurs).each(["Snappy", "LZ4", "ZSTD"] as const)("%s is built in", async (compression) => {
    const topic = await newTopic();
    const producer = await newProducer();
    await producer.send({ topic, messages, compression: CompressionTypes[compression] });
    expect(await read(library, topic, values.length)).toEqual(values);
  });
});
