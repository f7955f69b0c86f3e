import { describe, expect, test, vi } from "vitest";
import * as ours from "../src/index.ts";
import { call, libraries, make } from "./libraries.ts";

const nowhere = { brokers: ["127.0.0.1:1"], logCreator: () => () => {}, retry: { retries: 0 } };
const notRunning = "Consumer group was not initialized, consumer#run must be called first";

describe.each(libraries)("what %s says of arguments, without a broker", (_, library) => {
  const kafka = (config: object = {}) => make(library, "Kafka", { ...nowhere, ...config });
  const consumer = () => call(kafka(), "consumer", { groupId: "g" });
  const refusal = (message: string) => ({ name: "KafkaJSNonRetriableError", retriable: false, message });

  test.each([[[]], [[{}]], [[{ groupId: "" }]]])("a consumer of %j has no group", (args) => {
    expect(() => call(kafka(), "consumer", ...args)).toThrow("Consumer groupId must be a non-empty string.");
  });

  test.each([
    [null, "brokers should not be null"],
    [[], "brokers array is empty"],
    [["b:1", null], 'broker at index 1 is invalid "object"'],
    [[""], 'broker at index 0 is invalid "string"'],
    [async () => [], "brokers array is empty"],
  ])("brokers %j cannot be connected to", async (brokers, message) => {
    for (const client of ["producer", "consumer", "admin"]) {
      const connecting = call(call(kafka({ brokers }), client, { groupId: "g" }), "connect");
      await expect(connecting).rejects.toMatchObject(refusal(`Failed to connect: ${message}`));
    }
  });

  test.each([
    [{}, "Invalid topic undefined"],
    [{ topic: "t" }, "Invalid partition, expected a number received undefined"],
    [{ topic: "t", partition: 0 }, "Invalid offset, expected a long received undefined"],
    [{ topic: "t", partition: 0, offset: "-3" }, "Offset must not be a negative number"],
    [{ topic: "t", partition: "0", offset: 7 }, notRunning],
  ])("%j is no place to go on from, nor to commit", async (place, message) => {
    expect(() => call(consumer(), "seek", place)).toThrow(message);
    await expect(call(consumer(), "commitOffsets", [place])).rejects.toMatchObject(refusal(message));
  });

  test.each([
    [[], notRunning],
    [[[{}]], "Invalid topic [object Object]"],
    [[[{ topic: "t", partitions: 3 }]], "Array of valid partitions required to %s specific partitions instead of 3"],
    [
      [[{ topic: "t", partitions: ["x"] }]],
      "Array of valid partitions required to %s specific partitions instead of x",
    ],
    [[[{ topic: "t", partitions: ["0"] }]], notRunning],
  ])("%j can be neither paused nor resumed", (args, message) => {
    for (const action of ["pause", "resume"]) {
      expect(() => call(consumer(), action, ...args)).toThrow(message.replace("%s", action));
    }
  });

  test("nothing to commit is not told apart from a consumer that does not run", async () => {
    await expect(call(consumer(), "commitOffsets")).rejects.toMatchObject(refusal(notRunning));
  });

  test.each([null, false])("sasl %j is none", async (sasl) => {
    await expect(call(call(kafka({ sasl, connectionTimeout: 100 }), "admin"), "connect")).rejects.toMatchObject({
      name: "KafkaJSNumberOfRetriesExceeded",
      cause: { name: "KafkaJSConnectionError", broker: "127.0.0.1:1", code: "ECONNREFUSED" },
    });
  });
});

test.each([undefined, "plain"])("a mechanism of %j lacks what it needs, and says so", async (mechanism) => {
  const connecting = call(call(make(ours, "Kafka", { ...nowhere, sasl: { mechanism } }), "admin"), "connect");
  await expect(connecting).rejects.toMatchObject({
    name: "KafkaJSSASLAuthenticationError",
    message: expect.stringMatching(/^SASL (UNDEFINED|Plain)/),
  });
});

test("any value silences the word about partitioners, an empty one too", () => {
  vi.stubEnv("KAFKAJS_NO_PARTITIONER_WARNING", "");
  for (const [, library] of libraries) {
    const messages: unknown[] = [];
    const logCreator = () => (entry: unknown) => void messages.push(entry);
    call(make(library, "Kafka", { ...nowhere, logCreator }), "producer");
    expect(messages).toEqual([]);
  }
  vi.unstubAllEnvs();
});
