import { Kafka, logLevel } from "kafkajs";
import { KafkaAdmin, KafkaProducer, string } from "odradek";
import { describe, expect, test } from "vitest";
import { Authority } from "../../network/test/security/certificates.ts";
import { KafkaCluster, type SaslMechanism } from "../src/index.ts";
import { RawKafka } from "./behaviour/raw-kafka.ts";

const users = { alice: "alice-secret", "b,o=b": "bob's" };
const mechanisms: readonly SaslMechanism[] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

describe.each(mechanisms)("%s", (mechanism) => {
  test("lets in who knows the password", async () => {
    await using cluster = await KafkaCluster.start({ sasl: { users }, topics: { t: {} } });
    for (const [username, password] of Object.entries(users)) {
      const sasl = { mechanism, username, password } as const;
      await using producer = new KafkaProducer({
        bootstrapServers: cluster.bootstrapServers,
        valueSerializer: string,
        sasl,
      });
      await producer.send({ topic: "t", value: username });
    }
    expect(cluster.log("t").highWatermark).toBe(2n);
  });

  test("refuses who does not, and says so", async () => {
    await using cluster = await KafkaCluster.start({ sasl: { users } });
    for (const username of ["alice", "nobody"]) {
      const sasl = { mechanism, username, password: "guess" } as const;
      await using admin = new KafkaAdmin({ bootstrapServers: cluster.bootstrapServers, sasl });
      await expect(admin.describeCluster()).rejects.toMatchObject({ code: "AUTHENTICATION" });
    }
  });
});

test("kafkajs authenticates", async () => {
  await using cluster = await KafkaCluster.start({ sasl: { users }, topics: { t: {} } });
  const kafka = new Kafka({
    brokers: cluster.bootstrapServers,
    logLevel: logLevel.NOTHING,
    sasl: { mechanism: "scram-sha-512", username: "alice", password: users.alice },
  });
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: "t", messages: [{ value: "a" }] });
  await producer.disconnect();
  expect(cluster.log("t").highWatermark).toBe(1n);
});

test("a mechanism that the brokers do not have is refused", async () => {
  await using cluster = await KafkaCluster.start({ sasl: { users, mechanisms: ["PLAIN"] } });
  const sasl = { mechanism: "SCRAM-SHA-256", username: "alice", password: users.alice } as const;
  await using admin = new KafkaAdmin({ bootstrapServers: cluster.bootstrapServers, sasl });
  await expect(admin.describeCluster()).rejects.toThrow(/PLAIN/);
});

test("who does not authenticate is shown the door", async () => {
  await using cluster = await KafkaCluster.start({ sasl: { users } });
  await expect(RawKafka.connect(cluster.bootstrapServers)).rejects.toThrow(/closed/);
});

test("brokers speak TLS, with SASL in it", async () => {
  const authority = new Authority();
  const { key, cert } = authority.issue();
  await using cluster = await KafkaCluster.start({ tls: { key, cert }, sasl: { users }, topics: { t: {} } });
  await using producer = new KafkaProducer({
    bootstrapServers: cluster.bootstrapServers,
    valueSerializer: string,
    ssl: { ca: authority.cert },
    sasl: { mechanism: "SCRAM-SHA-256", username: "alice", password: users.alice },
  });
  expect(await producer.send({ topic: "t", value: "a" })).toMatchObject({ offset: 0n });
});
