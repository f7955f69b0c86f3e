import { describe, expect, onTestFinished, test } from "vitest";
import { ScriptedPeer } from "../../network/test/scripted-peer.ts";
import { KafkaCluster } from "../../testing/src/index.ts";
import { Kafka, logLevel } from "../src/index.ts";

/** What it has for a connection, all in all. */
const connectionTimeout = 100;

const kafkaAt = (brokers: readonly string[], requestTimeout: number): Kafka =>
  new Kafka({
    brokers: [...brokers],
    logLevel: logLevel.NOTHING,
    connectionTimeout,
    requestTimeout,
    retry: { retries: 0, initialRetryTime: 10 },
  });

const clients = {
  producer: (kafka: Kafka) => kafka.producer(),
  consumer: (kafka: Kafka) => kafka.consumer({ groupId: "billing" }),
  admin: (kafka: Kafka) => kafka.admin(),
} as const;

describe.each(Object.entries(clients))("a %s", (_, clientOf) => {
  test("waits for a broker that has taken its connection, and is long about its first answer", async () => {
    await using cluster = await KafkaCluster.start({ brokers: 1 });
    cluster.delay("ApiVersions", 6 * connectionTimeout, { times: 100 });
    const client = clientOf(kafkaAt(cluster.bootstrapServers, 60_000));
    onTestFinished(() => client.disconnect());
    await client.connect();
  });

  test("gives up where a broker takes its connection, and says nothing", async () => {
    const { host, port } = (await ScriptedPeer.listen((connection) => connection.closed)).address;
    const client = clientOf(kafkaAt([`${host}:${port}`], 500));
    await expect(client.connect()).rejects.toMatchObject({ name: "KafkaJSNumberOfRetriesExceeded" });
    await client.disconnect();
  });

  test("does not wait where nobody takes its connection", async () => {
    const { host, port } = await ScriptedPeer.nobody();
    // Longer than the test may take.
    const client = clientOf(kafkaAt([`${host}:${port}`], 3_600_000));
    await expect(client.connect()).rejects.toMatchObject({
      name: "KafkaJSNumberOfRetriesExceeded",
      cause: { name: "KafkaJSConnectionError", code: "ECONNREFUSED" },
    });
    await client.disconnect();
  });

  test("does not wait where its connection is taken and closed", async () => {
    const { host, port } = (await ScriptedPeer.listen((connection) => connection.end())).address;
    const client = clientOf(kafkaAt([`${host}:${port}`], 3_600_000));
    await expect(client.connect()).rejects.toMatchObject({
      name: "KafkaJSNumberOfRetriesExceeded",
      cause: { name: "KafkaJSConnectionError" },
    });
    await client.disconnect();
  });
});
