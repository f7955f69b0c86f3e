import { brokerErrorByCode, compressionTypes } from "@odradek/protocol";
import { ApiVersions } from "@odradek/protocol/messages/api-versions";
import { DescribeConfigs } from "@odradek/protocol/messages/describe-configs";
import { Fetch } from "@odradek/protocol/messages/fetch";
import { JoinGroup } from "@odradek/protocol/messages/join-group";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { Produce } from "@odradek/protocol/messages/produce";
import { SaslAuthenticate } from "@odradek/protocol/messages/sasl-authenticate";
import { SaslHandshake } from "@odradek/protocol/messages/sasl-handshake";
import { KafkaCluster as ClusterForTests } from "@odradek/testing";
import { type GroupProtocol, KafkaAdmin, KafkaConsumer, KafkaProducer, string } from "odradek";
import { expect, test } from "vitest";
import { type ClusterOptions, type KafkaCluster, startCluster } from "../cluster/cluster.ts";
import { until } from "../cluster/readiness.ts";
import { ask, Wire } from "../cluster/wire.ts";
import { divide } from "./divide.ts";
import { allIsWell, judge } from "./judgement.ts";
import { readLog } from "./log.ts";
import { beginAnew, letExpire } from "./lost-offsets.ts";
import { readRecreated } from "./recreated-topic.ts";
import { measured, roundTrip } from "./round-trip.ts";
import { transact } from "./transact.ts";
import { readTrimmed } from "./trimmed-log.ts";
import { Writer } from "./writer.ts";

/** What each release of Kafka answers to ApiVersions, read from that release. */
const releases: readonly (ClusterOptions & {
  readonly ranges: Readonly<Record<string, readonly [number, number]>>;
  readonly groupProtocols: readonly GroupProtocol[];
})[] = [
  {
    version: "4.4.0",
    brokers: 1,
    groupProtocols: ["classic", "consumer"],
    ranges: { Produce: [0, 13], Fetch: [4, 18], Metadata: [0, 13], JoinGroup: [0, 9] },
  },
  {
    version: "3.9.2",
    brokers: 3,
    groupProtocols: ["classic"],
    ranges: { Produce: [0, 11], Fetch: [0, 17], Metadata: [0, 12], JoinGroup: [0, 9] },
  },
  {
    version: "2.8.2",
    brokers: 1,
    groupProtocols: ["classic"],
    ranges: { Produce: [0, 9], Fetch: [0, 12], Metadata: [0, 11], JoinGroup: [0, 7] },
  },
  {
    version: "2.1.1",
    brokers: 1,
    groupProtocols: ["classic"],
    ranges: { Produce: [0, 7], Fetch: [0, 10], Metadata: [0, 7], JoinGroup: [0, 3] },
  },
];

test.each([
  ["2.1.1", "2.1"],
  ["3.9.2", "3.9"],
  ["4.3.1", "4.3"],
] as const)("Kafka %s advertises what the cluster for tests does in its guise", async (version, guise) => {
  await using cluster = await startCluster({ version, brokers: 1, own: true });
  await using guised = await ClusterForTests.start({ brokers: 1, version: guise });
  const [host = "", port] = guised.bootstrapServers[0]?.split(":") ?? [];
  using ours = await Wire.open({ host, port: Number(port) });
  using kafkas = await Wire.open(cluster.brokers[0]!);
  const newest = (wire: Wire) => [...ours.versions.keys()].map((key) => [key, wire.versions.get(key)?.maxVersion]);
  expect(newest(ours).length).toBeGreaterThan(30);
  expect(newest(ours)).toEqual(newest(kafkas));
});

test.each(releases)(
  "Kafka $version says what it supports, and gives back what clients write with every codec",
  async ({ ranges, groupProtocols, ...options }) => {
    const properties = { "offsets.retention.check.interval.ms": "500" };
    await using cluster = await startCluster({ ...options, properties });
    expect(cluster.version).toBe(options.version);
    const [broker] = cluster.brokers;
    using wire = await Wire.open(broker!);
    for (const api of [Produce, Fetch, Metadata, JoinGroup]) {
      const { minVersion, maxVersion } = wire.versions.get(api.key)!;
      expect([api.name, minVersion, maxVersion]).toEqual([api.name, ...ranges[api.name]!]);
    }
    await cluster.createTopic({ name: "orders", partitions: 2 });
    const { topics } = await ask(broker!, Metadata, { topics: [{ name: "orders" }], allowAutoTopicCreation: false });
    expect(topics[0]?.partitions.map(({ isrNodes }) => isrNodes.length)).toEqual([options.brokers, options.brokers]);
    await createTopic(cluster.bootstrapServers);
    const sent = await produce(cluster.bootstrapServers);
    expect(await consume(cluster.bootstrapServers, sent.length)).toEqual(sent);
    const committed = await transact(cluster.bootstrapServers, topic);
    expect(await consume(cluster.bootstrapServers, sent.length + committed.length)).toEqual([...sent, ...committed]);
    // Kafka 2.1.1 does not know members that are static.
    await divide(cluster.bootstrapServers, options.version !== "2.1.1");
    await goOnWithout(cluster.bootstrapServers, groupProtocols);
    await resend(cluster);
  },
  240_000,
);

test("Kafka 4.4.0 is told which broker of which cluster is meant, and refuses whoever means another one", async () => {
  await using cluster = await startCluster({ version: "4.4.0", brokers: 1 });
  const [broker] = cluster.brokers;
  const clusterId = (await ask(broker!, Metadata, { topics: [] })).clusterId;
  const about = { clientSoftwareName: "odradek", clientSoftwareVersion: "1" };
  const answers = await Promise.all(
    [
      { ...about, clusterId, nodeId: broker!.id },
      { ...about, clusterId, nodeId: broker!.id + 1 },
      { ...about, clusterId: "another", nodeId: broker!.id },
      about,
    ].map((body) => ask(broker!, ApiVersions, body)),
  );
  expect(answers.map(({ errorCode }) => brokerErrorByCode(errorCode).name)).toEqual([
    "NONE",
    "REBOOTSTRAP_REQUIRED",
    "REBOOTSTRAP_REQUIRED",
    "NONE",
  ]);
});

const topic = "round-trip";
const partition = 0;

async function createTopic(bootstrapServers: readonly string[]): Promise<void> {
  await using admin = new KafkaAdmin({ bootstrapServers });
  (await admin.createTopics([{ topic, numPartitions: 1, replicationFactor: 1 }])).orThrow();
}

/**
 * Every one of these releases has every codec: zstd came last, with 2.1.
 *
 * @returns what was written, in its order, of a kind that each codec makes shorter
 */
async function produce(bootstrapServers: readonly string[]): Promise<string[]> {
  const sent: string[] = [];
  for (const compressionType of compressionTypes) {
    await using producer = new KafkaProducer({ bootstrapServers, compressionType, valueSerializer: string });
    const values = Array.from({ length: 20 }, (_, index) => `${compressionType} ${index} ${"again and ".repeat(20)}`);
    await producer.sendBatch(values.map((value) => ({ topic, partition, value })));
    sent.push(...values);
  }
  return sent;
}

async function consume(bootstrapServers: readonly string[], count: number): Promise<(string | null)[]> {
  await using consumer = new KafkaConsumer({
    bootstrapServers,
    autoOffsetReset: "earliest",
    isolationLevel: "read_committed",
    valueDeserializer: string,
  });
  consumer.assign([{ topic, partition }]);
  const received: (string | null)[] = [];
  while (received.length < count) {
    const records = await consumer.poll(20_000);
    expect(records.count).toBeGreaterThan(0);
    received.push(...[...records].map(({ value }) => value));
  }
  return received;
}

/** Has brokers lose what consumers had, or were to read: the offsets of their groups, the beginnings of logs, whole topics. */
async function goOnWithout(bootstrapServers: readonly string[], protocols: readonly GroupProtocol[]): Promise<void> {
  const lose = (groupId: string, topic: string) => letExpire(bootstrapServers, groupId, topic);
  await Promise.all([
    ...(["earliest", "by_duration:PT1H", "none"] as const).map((policy) => readTrimmed(bootstrapServers, policy)),
    ...protocols.flatMap((groupProtocol) => [
      beginAnew({ bootstrapServers, groupProtocol, lose }),
      readRecreated(bootstrapServers, { groupProtocol }),
    ]),
  ]);
}

/** Has records sent again that may be in the log, by a broker that is silent for longer than they are waited for. */
async function resend(cluster: KafkaCluster): Promise<void> {
  const [broker] = cluster.brokers;
  const again = "sent-again";
  await cluster.createTopic({ name: again, replicas: [[broker!.id], [broker!.id]] });
  const { bootstrapServers } = cluster;
  const about = { name: "writer", topic: again, partitionCount: 2 };
  await using writer = new Writer({
    ...about,
    burst: 20,
    producer: { bootstrapServers, requestTimeoutMs: 1_000, lingerMs: 0 },
  });
  await writer.flows();
  const closed = writer.measured("connection-close-total");
  await broker!.pause();
  // A request that is waited for no longer takes its connection with it.
  await until("a request has timed out", async () => writer.measured("connection-close-total") > closed || "none has");
  await broker!.resume();
  await writer.flows();
  await writer.finish();
  expect(writer.failures).toEqual([]);
  expect(writer.measured("record-retry-total")).toBeGreaterThan(0);
  expect(judge(writer.records(), await readLog(again, { bootstrapServers, partitionCount: 2 }))).toEqual(allIsWell);
}

const counts = { numPartitions: 2, replicationFactor: 1 };

test("Kafka 3.9.2 lets clients in by TLS, and by every kind of password", async () => {
  await using cluster = await startCluster({ version: "3.9.2", secure: true, brokers: 1 });
  const { certificates, passwords } = cluster.security!;
  const ssl = { ca: certificates.ca };
  await roundTrip({ bootstrapServers: cluster.bootstrapServersOf("SSL"), ssl }, counts);
  for (const mechanism of ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] as const) {
    const sasl = { mechanism, username: "alice", password: passwords.alice };
    await roundTrip({ bootstrapServers: cluster.bootstrapServersOf("SASL_PLAINTEXT"), sasl }, counts);
    await roundTrip({ bootstrapServers: cluster.bootstrapServersOf("SASL_SSL"), ssl, sasl }, counts);
    await using admin = new KafkaAdmin({
      bootstrapServers: cluster.bootstrapServersOf("SASL_PLAINTEXT"),
      sasl: { ...sasl, password: "password-of-nobody" },
    });
    await expect(admin.connect()).rejects.toMatchObject({
      code: "AUTHENTICATION",
      reason: "credentialsRefused",
      mechanism,
    });
  }
});

test("Kafka 2.1.1 lets clients in by PLAIN, in sessions without an end", async () => {
  const password = "alice-secret";
  // What brokers use among themselves where they are more than one.
  await using cluster = await startCluster({
    version: "2.1.1",
    brokers: 1,
    properties: {
      "inter.broker.listener.name": "PLAINTEXT",
      "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,BROKER:SASL_PLAINTEXT",
      "sasl.enabled.mechanisms": "PLAIN",
      "listener.name.broker.plain.sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule required user_alice="${password}";`,
    },
  });
  const [broker] = cluster.brokers;
  using wire = await Wire.open(broker!);
  const resources = [{ resourceType: 4, resourceName: `${broker!.id}`, configurationKeys: ["listeners"] }];
  const { results } = await wire.ask(DescribeConfigs, { resources });
  const server = /BROKER:\/\/([^,]+)/.exec(results[0]?.configs[0]?.value ?? "")?.[1];
  expect([SaslHandshake, SaslAuthenticate].map(({ key }) => wire.versions.get(key)?.maxVersion)).toEqual([1, 0]);
  const options = {
    bootstrapServers: [server ?? ""],
    sasl: { mechanism: "PLAIN", username: "alice", password },
  } as const;
  for (const metrics of await roundTrip(options, counts)) {
    expect(measured(metrics, "successful-authentication-total")).toBe(measured(metrics, "connection-creation-total"));
  }
  await using admin = new KafkaAdmin({ ...options, sasl: { ...options.sasl, password: "password-of-nobody" } });
  await expect(admin.connect()).rejects.toMatchObject({ code: "AUTHENTICATION", reason: "credentialsRefused" });
});

test("a secure cluster of an old release is refused with the releases that can be secure", async () => {
  await expect(startCluster({ version: "2.8.2", secure: true })).rejects.toThrow(
    "a secure cluster needs Kafka 3.9.2 or 4.3.1, not 2.8.2",
  );
});
