import { bytes, OptionsError, string } from "@odradek/network";
import { describe, expect, test } from "vitest";
import { type ConsumerOptions, resolveConsumerOptions } from "../src/consumer-options.ts";

const bootstrapServers = ["127.0.0.1:9092"];
const wrong = (option: string, value: unknown): ConsumerOptions =>
  // What JavaScript lets through.
  ({ bootstrapServers, [option]: value }) as ConsumerOptions;

describe("resolveConsumerOptions", () => {
  test("has the defaults of Kafka's Java client", () => {
    expect(resolveConsumerOptions({ bootstrapServers })).toMatchObject({
      autoOffsetReset: { kind: "latest" },
      isolationLevel: "read_uncommitted",
      maxPollRecords: 500,
      fetchMinBytes: 1,
      fetchMaxWaitMs: 500,
      fetchMaxBytes: 52_428_800,
      maxPartitionFetchBytes: 1_048_576,
      checkCrcs: true,
      maxDecompressedBytes: 67_108_864,
      allowAutoCreateTopics: true,
      interceptors: [],
      copyRecords: false,
      keyDeserializer: bytes,
      valueDeserializer: bytes,
      requestTimeoutMs: 30_000,
    });
  });

  test("keeps what was given, and lets nobody change it afterwards", () => {
    const resolved = resolveConsumerOptions({ bootstrapServers, maxPollRecords: 7, valueDeserializer: string });
    expect(resolved).toMatchObject({ maxPollRecords: 7, valueDeserializer: string });
    expect(Object.isFrozen(resolved)).toBe(true);
  });

  test.each([
    ["maxPollRecords", 0],
    ["fetchMinBytes", -1],
    ["fetchMaxBytes", 2 ** 31],
    ["maxPartitionFetchBytes", 1.5],
    ["autoOffsetReset", "newest"],
    ["autoOffsetReset", "by_duration:1h"],
    ["isolationLevel", "serializable"],
    ["checkCrcs", "yes"],
    ["maxDecompressedBytes", 0],
    [
      "keyDeserializer",
      class {
        deserialize() {}
      },
    ],
    ["valueDeserializer", {}],
    ["valueDeserializer", { isAsync: "yes", deserialize: () => null }],
    ["copyRecords", 1],
    ["interceptors", { onConsume: () => {} }],
    ["interceptors", [{}]],
    ["interceptors", [{ onConsume: true }]],
    ["interceptors", [null]],
    ["groupID", "billing"],
  ])("refuses %s: %s", (option, value) => {
    expect(() => resolveConsumerOptions(wrong(option, value))).toThrow(OptionsError);
    expect(() => resolveConsumerOptions(wrong(option, value))).toThrow(`option ${option}`);
  });

  test("takes instances of classes, and objects, for interceptors", () => {
    class Counting {
      onCommit() {}
    }
    const interceptors = [new Counting(), { close() {} }];
    expect(resolveConsumerOptions({ bootstrapServers, interceptors }).interceptors).toEqual(interceptors);
  });

  test("asks for no more than a frame may have", () => {
    const receiveMessageMaxBytes = 2_000_000;
    expect(resolveConsumerOptions({ bootstrapServers, receiveMessageMaxBytes }).fetchMaxBytes).toBe(2_000_000);
    const options = { bootstrapServers, receiveMessageMaxBytes, fetchMaxBytes: 2_000_001 };
    expect(() => resolveConsumerOptions(options)).toThrow("option fetchMaxBytes: a whole number from 0 to 2000000");
  });

  test("refuses a wait at the broker that outlasts the request", () => {
    const options = { bootstrapServers, fetchMaxWaitMs: 5_000, requestTimeoutMs: 5_000 };
    expect(() => resolveConsumerOptions(options)).toThrow("option fetchMaxWaitMs: less than requestTimeoutMs (5000)");
  });
});
