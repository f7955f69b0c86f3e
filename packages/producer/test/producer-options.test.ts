import { bigint, json, OptionsError, type SerializerContext, string } from "@odradek/network";
import { defaultCodecs } from "@odradek/protocol";
import { describe, expect, expectTypeOf, test } from "vitest";
import { KafkaProducer } from "../src/producer.ts";
import { type ProducerOptions, resolveProducerOptions } from "../src/producer-options.ts";
import type { ProducerRecord } from "../src/producer-record.ts";
import { RoundRobinPartitioner } from "../src/round-robin-partitioner.ts";

const bootstrapServers = ["localhost:9092"];

/** Options as plain JavaScript gives them, where nobody checks types. */
const resolve = (given: Record<string, unknown> = {}) =>
  resolveProducerOptions({ bootstrapServers, ...given } as ProducerOptions);

describe("the options of a producer", () => {
  test("have the defaults of Kafka's Java client", () => {
    expect(resolve()).toMatchObject({
      acks: -1,
      batchSize: 16_384,
      lingerMs: 5,
      bufferMemory: 33_554_432,
      maxBlockMs: 60_000,
      maxRequestSize: 1_048_576,
      deliveryTimeoutMs: 120_000,
      retries: 2_147_483_647,
      maxInFlightRequestsPerConnection: 5,
      compression: null,
      partitioner: null,
      partitionerAdaptivePartitioningEnable: true,
      partitionerAvailabilityTimeoutMs: 0,
      partitionerIgnoreKeys: false,
      interceptors: [],
      requestTimeoutMs: 30_000,
    });
  });

  test("cannot be changed afterwards", () => {
    expect(Object.isFrozen(resolve())).toBe(true);
  });

  test("take every way to say how many replicas must have a record", () => {
    expect((["all", -1, 0, 1] as const).map((acks) => resolve({ acks }).acks)).toEqual([-1, -1, 0, 1]);
  });

  test("take batchSize 0 for a batch a record, as Java does", () => {
    expect(resolve({ batchSize: 0 }).batchSize).toBe(1);
  });

  test.each([
    [{ acks: 2 }, "option acks: one of all, -1, 0, 1 is expected, not 2"],
    [{ lingerMs: -1 }, "option lingerMs: a whole number of at least 0 is expected, not -1"],
    [{ lingerMs: 0.5 }, "lingerMs"],
    [{ compressionType: "brotli" }, "option compressionType: one of none, gzip, snappy, lz4, zstd is expected"],
    [
      { compressionGzipLevel: 10 },
      "option compressionGzipLevel: a whole number from 1 to 9, or -1 is expected, not 10",
    ],
    [{ compressionGzipLevel: 0 }, "compressionGzipLevel"],
    [
      { compressionCodecs: { brotli: defaultCodecs.gzip } },
      "option compressionCodecs: an object whose gzip, snappy, lz4,",
    ],
    [{ compressionCodecs: { lz4: defaultCodecs.gzip } }, "are codecs of that name with compress() and decompress()"],
    [{ compressionCodecs: { gzip: { name: "gzip", compress() {} } } }, "compressionCodecs"],
    [
      { compressionGzipLevel: 9, compressionCodecs: { gzip: { ...defaultCodecs.gzip, levels: null } } },
      "option compressionGzipLevel: nothing, since the codec in compressionCodecs has no levels, is expected, not 9",
    ],
    [{ allowAutoCreateTopics: 1 }, "allowAutoCreateTopics"],
    [{ compressionZstdLevel: 23 }, "compressionZstdLevel"],
    [{ compressionLz4Level: "9" }, "compressionLz4Level"],
    [
      {
        keySerializer: class {
          serialize() {}
        },
      },
      "option keySerializer: a function, or an object with serialize() is expected, not a function",
    ],
    [{ valueSerializer: {} }, "valueSerializer"],
    [
      { partitioner: {} },
      "option partitioner: a function, or an object with partition() or a class of such is expected, not an object",
    ],
    [{ partitionerAvailabilityTimeoutMs: -1 }, "partitionerAvailabilityTimeoutMs"],
    [
      { interceptors: {} },
      "option interceptors: an array of objects with some of onSend(), onAcknowledgement(), close()",
    ],
    [{ interceptors: [{ onSent: () => {} }] }, "interceptors"],
    [{ interceptors: [{ onSend: "x" }] }, "interceptors"],
    [{ interceptors: [null] }, "interceptors"],
    [{ linger: 5 }, "linger"],
    [{ bootstrapServers: [] }, "bootstrapServers"],
    [{ bufferMemory: 100 }, "option bufferMemory: at least batchSize (16384) is expected, not 100"],
  ])("are refused as in %j, saying which and what is allowed", (given, message) => {
    expect(() => resolve(given)).toThrow(OptionsError);
    expect(() => resolve(given)).toThrow(message);
  });

  test("give deliveryTimeoutMs at least the time for one request", () => {
    expect(() => resolve({ deliveryTimeoutMs: 30_000 })).toThrow(
      "option deliveryTimeoutMs: at least lingerMs + requestTimeoutMs (30005) is expected, not 30000",
    );
    expect(resolve({ deliveryTimeoutMs: 30_005 }).deliveryTimeoutMs).toBe(30_005);
  });

  test("raise a deliveryTimeoutMs that nobody gave", () => {
    expect(resolve({ requestTimeoutMs: 300_000 }).deliveryTimeoutMs).toBe(300_005);
  });

  test("name the level of the codec that is in use", () => {
    const levels = { compressionGzipLevel: 3, compressionLz4Level: 4, compressionZstdLevel: 5 };
    const levelOf = (compressionType: string) => resolve({ ...levels, compressionType }).compression?.level;
    expect(["gzip", "lz4", "zstd"].map(levelOf)).toEqual([3, 4, 5]);
    expect(resolve({ compressionType: "gzip" }).compression).toMatchObject({ codec: { name: "gzip" }, level: -1 });
  });

  test("name no level of a codec that has none", () => {
    const { levels: _, ...gzip } = defaultCodecs.gzip;
    for (const codec of [gzip, { ...gzip, levels: null }]) {
      const { compression } = resolve({ compressionType: "gzip", compressionCodecs: { gzip: codec } });
      expect(compression?.level).toBeUndefined();
    }
  });
});

describe("serializers", () => {
  const context: SerializerContext = { topic: "orders", role: "key", headers: [] };

  test("take bytes and text as they are unless told otherwise", () => {
    const { keySerializer } = resolve();
    expect(keySerializer.serialize("42", context)).toBe("42");
    expect(keySerializer.serialize(Buffer.from("42"), context)).toEqual(Buffer.from("42"));
  });

  test("refuse anything else, saying what to set", () => {
    // What the types forbid, and plain JavaScript does.
    const { keySerializer } = resolveProducerOptions<unknown, unknown>({ bootstrapServers });
    expect(() => keySerializer.serialize(42, context)).toThrow(
      "the key is neither Uint8Array nor string but number: set keySerializer",
    );
  });

  test("decide what keys and values a producer takes", () => {
    type Sent<P extends { send: (record: never) => unknown }> = Parameters<P["send"]>[0];
    const plain = () => new KafkaProducer({ bootstrapServers });
    const typed = () => new KafkaProducer({ bootstrapServers, keySerializer: string, valueSerializer: json });
    expectTypeOf<Sent<ReturnType<typeof plain>>["key"]>().toEqualTypeOf<string | Uint8Array | null | undefined>();
    expectTypeOf<Sent<ReturnType<typeof typed>>["key"]>().toEqualTypeOf<string | null | undefined>();
    expectTypeOf<Sent<ReturnType<typeof typed>>["value"]>().toEqualTypeOf<unknown>();
  });

  test("decide alone: partitioners and interceptors follow", () => {
    type Sent<P extends { send: (record: never) => unknown }> = Parameters<P["send"]>[0];
    const interceptors = [{ onAcknowledgement: () => {} }];
    const plain = () => new KafkaProducer({ bootstrapServers, partitioner: new RoundRobinPartitioner(), interceptors });
    const typed = () =>
      new KafkaProducer({
        bootstrapServers,
        keySerializer: bigint,
        valueSerializer: string,
        interceptors: [
          {
            onSend: (record) => {
              expectTypeOf(record).toEqualTypeOf<ProducerRecord<bigint | number, string>>();
              return record;
            },
          },
        ],
        partitioner: ({ key, value }) => {
          expectTypeOf(key).toEqualTypeOf<bigint | number | null>();
          expectTypeOf(value).toEqualTypeOf<string | null>();
          return 0;
        },
      });
    expectTypeOf<Sent<ReturnType<typeof plain>>["key"]>().toEqualTypeOf<string | Uint8Array | null | undefined>();
    expectTypeOf<Sent<ReturnType<typeof typed>>["key"]>().toEqualTypeOf<bigint | number | null | undefined>();
    expectTypeOf<Sent<ReturnType<typeof typed>>["value"]>().toEqualTypeOf<string | null | undefined>();
  });

  test("are those that were given", () => {
    const { keySerializer, valueSerializer } = resolveProducerOptions({
      bootstrapServers,
      keySerializer: string,
      valueSerializer: json,
    });
    expect(keySerializer.serialize("k", context)).toBe("k");
    expect(valueSerializer.serialize({ total: 7 }, context)).toBe('{"total":7}');
  });
});

describe("idempotence", () => {
  const resolved = (given: Partial<ProducerOptions>) => resolveProducerOptions({ bootstrapServers: ["a:1"], ...given });

  test("is on unless acks or retries say otherwise", () => {
    expect(resolved({}).enableIdempotence).toBe(true);
    expect(resolved({ acks: -1 }).enableIdempotence).toBe(true);
    expect(resolved({ acks: 1 }).enableIdempotence).toBe(false);
    expect(resolved({ acks: 0 }).enableIdempotence).toBe(false);
    expect(resolved({ retries: 0 }).enableIdempotence).toBe(false);
    expect(resolved({ enableIdempotence: false }).enableIdempotence).toBe(false);
  });

  test.each<[Partial<ProducerOptions>, string]>([
    [{ enableIdempotence: true, acks: 1 }, 'option acks: "all", which enableIdempotence needs, is expected, not 1'],
    [{ enableIdempotence: true, retries: 0 }, "option retries: more than 0, which enableIdempotence needs,"],
    [{ maxInFlightRequestsPerConnection: 6 }, "option maxInFlightRequestsPerConnection: at most 5,"],
    [
      { transactionalId: "t", enableIdempotence: false },
      "option enableIdempotence: true, which transactionalId needs,",
    ],
    [{ transactionalId: "t", acks: 1 }, "option acks:"],
    [{ transactionalId: "" }, "option transactionalId: a text that is not empty"],
    [{ transactionTimeoutMs: 1_000 }, "option transactionTimeoutMs: nothing without transactionalId,"],
    [
      { transactionTwoPhaseCommitEnable: true },
      "option transactionTwoPhaseCommitEnable: false without transactionalId,",
    ],
    [
      { transactionalId: "t", transactionTwoPhaseCommitEnable: true, transactionTimeoutMs: 60_000 },
      "option transactionTimeoutMs: nothing with transactionTwoPhaseCommitEnable,",
    ],
  ])("refuses %o", (given, message) => {
    expect(() => resolved(given)).toThrow(message);
  });

  test("has two-phase commit where that is asked for", () => {
    expect(resolved({ transactionalId: "t" }).transactionTwoPhaseCommitEnable).toBe(false);
    const given = { transactionalId: "t", transactionTwoPhaseCommitEnable: true };
    expect(resolved(given).transactionTwoPhaseCommitEnable).toBe(true);
    const off = { transactionalId: "t", transactionTwoPhaseCommitEnable: false, transactionTimeoutMs: 1_000 };
    expect(resolved(off).transactionTimeoutMs).toBe(1_000);
  });

  test("needs not more than one request under way where it is off", () => {
    expect(resolved({ acks: 1, maxInFlightRequestsPerConnection: 100 }).maxInFlightRequestsPerConnection).toBe(100);
  });
});
