import { setTimeout as pause } from "node:timers/promises";
import { type ClientOptions, KafkaConsumer, KafkaProducer, string } from "odradek";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type KafkaCluster, startCluster } from "../cluster/cluster.ts";
import type { ClusterSecurity } from "../cluster/security/security.ts";
import { newName, opened } from "./opened.ts";
import { restoreLeaders } from "./partitions.ts";
import { measured } from "./round-trip.ts";
import { Traffic } from "./traffic.ts";
import { Witness } from "./witness.ts";

let cluster: KafkaCluster;
let security: ClusterSecurity;
beforeAll(async () => {
  cluster = await startCluster({ secure: true });
  security = cluster.security!;
});
afterAll(() => cluster?.stop());

const partitionCount = 3;
/** How often each connection is to have authenticated again: its sessions last 15 s. */
const enough = 2;
/** In which it has happened, by far. */
const limitMs = 120_000;

test("sessions that end soon go on under traffic, and nobody notices", async () => {
  using witness = new Witness();
  const topic = newName();
  await cluster.createTopic({ name: topic, partitions: partitionCount });
  const { alice: password } = security.passwords;
  const options: ClientOptions = {
    bootstrapServers: cluster.bootstrapServersOf("SASL_PLAINTEXT"),
    sasl: { mechanism: "SCRAM-SHA-512", username: "alice", password },
    logger: witness.logger,
  };
  await using producer = new KafkaProducer({ ...options, valueSerializer: string });
  await using consumer = new KafkaConsumer({ ...options, autoOffsetReset: "earliest", valueDeserializer: string });
  const partitions = Array.from({ length: partitionCount }, (_, partition) => ({ topic, partition }));
  consumer.assign(partitions);

  const sends: Promise<unknown>[] = [];
  const read: string[][] = partitions.map(() => []);
  const readCount = () => read.reduce((sum, { length }) => sum + length, 0);
  const endsAtMs = Date.now() + limitMs;
  const isOver = () =>
    Date.now() > endsAtMs ||
    [producer, consumer].every((client) => {
      const connections = measured(client.metrics(), "connection-count");
      return (
        connections >= partitionCount &&
        measured(client.metrics(), "successful-reauthentication-total") >= enough * connections
      );
    });

  const writing = (async () => {
    for (let count = 0; !isOver(); count++) {
      const partition = count % partitionCount;
      sends.push(producer.send({ topic, partition, value: `${Math.floor(count / partitionCount)}` }));
      // Some are always under way, and they are not so many that brokers and clients compete for the processor.
      if (count % 10 === 0) await pause(5);
    }
  })();
  const reading = (async () => {
    while (!isOver() || readCount() < sends.length) {
      const records = await consumer.poll(60_000);
      expect(records.count).toBeGreaterThan(0);
      for (const { partition, value } of records) read[partition]?.push(value ?? "");
    }
  })();
  await Promise.all([writing, reading]);

  const outcomes = await Promise.allSettled(sends);
  expect(outcomes.filter(({ status }) => status === "rejected")).toEqual([]);
  expect(read).toEqual(
    partitions.map(({ partition }) =>
      Array.from({ length: Math.ceil((sends.length - partition) / partitionCount) }, (_, index) => `${index}`),
    ),
  );
  for (const client of [producer, consumer]) {
    const metrics = client.metrics();
    const connections = measured(metrics, "connection-count");
    expect(measured(metrics, "successful-reauthentication-total")).toBeGreaterThanOrEqual(enough * connections);
    expect(measured(metrics, "successful-authentication-total")).toBe(connections);
    expect(measured(metrics, "failed-reauthentication-total")).toBe(0);
    expect(measured(metrics, "connection-close-total")).toBe(0);
    witness.measured(metrics);
  }
  expect(witness.count("odradek:disconnect")).toBe(0);
  witness.expectNoneOf([password]);
});

test("traffic by password, in TLS and in sessions that end, goes on while a broker takes connections and says nothing", async () => {
  const replicas = [
    [1, 2, 3],
    [2, 3, 1],
    [3, 1, 2],
  ];
  const trafficOf = async (options: ClientOptions) => {
    const topic = newName();
    await cluster.createTopic({ name: topic, replicas });
    // Less than the broker is away, so that requests time out.
    const traffic = new Traffic({ ...options, requestTimeoutMs: 2_000, reconnectBackoffMaxMs: 500 }, topic, 3);
    opened.push(traffic);
    return { topic, traffic };
  };
  const alice = { username: "alice", password: security.passwords.alice };
  const all = await Promise.all([
    trafficOf({
      bootstrapServers: cluster.bootstrapServersOf("SASL_PLAINTEXT"),
      sasl: { mechanism: "SCRAM-SHA-256", ...alice },
    }),
    trafficOf({
      bootstrapServers: cluster.bootstrapServersOf("SASL_SSL"),
      ssl: { ca: security.certificates.ca },
      sasl: { mechanism: "SCRAM-SHA-512", ...alice },
    }),
  ]);
  const flow = (what: string) => Promise.all(all.map(({ traffic }) => traffic.flows(what)));
  const broker = cluster.brokers[1]!;
  await flow("at first");
  await broker.pause();
  await flow("without the broker");
  await broker.resume();
  for (const { topic } of all) await restoreLeaders(cluster.brokers, topic);
  await flow("with the broker");
  for (const { traffic } of all) await traffic.settle();
});
