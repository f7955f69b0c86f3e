import { Socket } from "node:net";
import { KafkaProducer } from "odradek";
import { describe, expect, test } from "vitest";
import { clientOptionsOf, connectTimeoutMs } from "../src/client/client-options.ts";
import { createLogger } from "../src/logger.ts";
import { producerOptionsOf, resolveProducerConfig } from "../src/producer/producer-config.ts";
import { resolveRetryOptions } from "../src/retry-options.ts";

const logger = createLogger(0, () => () => {});
const brokers = ["b:9092"];
const retry = resolveRetryOptions({ retries: 1, initialRetryTime: 100, maxRetryTime: 500 });
const settings = { retry, metadataMaxAge: 7 };

describe("what the layer below gets", () => {
  test("of a Kafka that says little", async () => {
    expect(await clientOptionsOf({ ...settings, config: { brokers } }, logger)).toMatchObject({
      bootstrapServers: brokers,
      clientId: "kafkajs",
      requestTimeoutMs: 30_000,
      retryBackoffMs: 100,
      retryBackoffMaxMs: 500,
      socketConnectionSetupTimeoutMs: 1_000,
      metadataMaxAgeMs: 7,
    });
  });

  test("of one that says much", async () => {
    const config = {
      brokers: () => brokers,
      clientId: "c",
      connectionTimeout: 5,
      authenticationTimeout: 6,
      enforceRequestTimeout: false,
      ssl: { servername: "s" },
      sasl: { mechanism: "plain" as const, username: "u", password: "p" },
    };
    expect(await clientOptionsOf({ ...settings, config }, logger)).toMatchObject({
      bootstrapServers: brokers,
      clientId: "c",
      requestTimeoutMs: 2_147_483_647,
      socketConnectionSetupTimeoutMs: 11,
      ssl: { servername: "s" },
      sasl: { mechanism: "PLAIN", username: "u", password: "p" },
    });
  });

  test("of a socketFactory, which encrypts by itself", async () => {
    const socketFactory = () => new Socket();
    const options = await clientOptionsOf({ ...settings, config: { brokers, socketFactory, ssl: true } }, logger);
    expect(options).toMatchObject({ socketFactory: expect.any(Function) });
    expect(options).not.toHaveProperty("ssl");
  });

  test("as long as kafkajs would go on trying, and no linger", () => {
    const options = producerOptionsOf(
      { bootstrapServers: brokers },
      { brokers },
      resolveProducerConfig({ retry }, undefined),
      false,
    );
    expect(options).toMatchObject({
      lingerMs: 0,
      retries: 1,
      maxInFlightRequestsPerConnection: 1,
      maxBlockMs: 100 + 2 * 1_000,
      deliveryTimeoutMs: 100 + 2 * 30_000,
    });
  });

  test("one authentication on top of the attempts to connect", () => {
    const sasl = { mechanism: "plain" as const, username: "u", password: "p" };
    expect(connectTimeoutMs({ config: { brokers, sasl }, retry })).toBe(100 + 2 * 1_000 + 10_000);
  });

  test("as odradek's options say, which go before what kafkajs' imply", () => {
    const odradek = { lingerMs: 7, deliveryTimeoutMs: 40_000, partitioner: null, compressionZstdLevel: 9 };
    const config = resolveProducerConfig({ allowAutoTopicCreation: false, odradek }, undefined);
    const options = producerOptionsOf({ bootstrapServers: brokers }, { brokers }, config, false);
    expect(options).toMatchObject({ ...odradek, allowAutoCreateTopics: false, maxRequestSize: 104_857_600 });
    expect(() => new KafkaProducer(options)).not.toThrow();
  });
});

describe("how often an idempotent producer tries", () => {
  test.each([
    ["without an end", {}, undefined, Number.MAX_SAFE_INTEGER],
    ["as the client says", {}, { retries: 3 }, 3],
    ["as it says itself", { retry: { retries: 4 } }, { retries: 3 }, 4],
  ])("%s", (_, given, client, retries) => {
    expect(resolveProducerConfig({ idempotent: true, ...given }, client).retry.retries).toBe(retries);
  });
});

test.each([
  [{}, 1],
  [{ maxInFlightRequests: 0 }, 1],
  [{ maxInFlightRequests: 9 }, 9],
  [{ idempotent: true }, 5],
  [{ idempotent: true, maxInFlightRequests: 9 }, 5],
  [{ idempotent: true, maxInFlightRequests: 1 }, 1],
])("requests under way of %j", (config, count) => {
  const resolved = resolveProducerConfig(config, undefined);
  const { maxInFlightRequestsPerConnection, enableIdempotence } = producerOptionsOf(
    { bootstrapServers: brokers },
    { brokers },
    resolved,
    resolved.idempotent,
  );
  expect(maxInFlightRequestsPerConnection).toBe(count);
  expect(enableIdempotence).toBe(resolved.idempotent);
});
