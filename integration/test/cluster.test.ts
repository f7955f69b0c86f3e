import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rmdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { codeOf } from "@odradek/protocol";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { SaslAuthenticate } from "@odradek/protocol/messages/sasl-authenticate";
import { SaslHandshake } from "@odradek/protocol/messages/sasl-handshake";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { type Broker, type KafkaCluster, startCluster } from "../cluster/cluster.ts";
import type { ClientListener } from "../cluster/listeners.ts";
import { until } from "../cluster/readiness.ts";
import { type Address, ask, type Dial, NoAnswer, plaintext, tls, Wire } from "../cluster/wire.ts";

const addressOf = (text: string): Address => {
  const [host = "", port] = text.split(":");
  return { host, port: Number(port) };
};

describe("a cluster of one's own", () => {
  let cluster: KafkaCluster;
  let first: Broker;
  let second: Broker;
  let third: Broker;
  beforeAll(async () => {
    cluster = await startCluster({ own: true });
    [first, second, third] = cluster.brokers as [Broker, Broker, Broker];
  });
  afterAll(() => cluster?.stop());

  /** Leader and replicas of each partition, as one broker sees them. */
  const partitionsAt = async (broker: Broker, topic: string) => {
    const { topics } = await ask(broker, Metadata, { topics: [{ name: topic }], allowAutoTopicCreation: false });
    return (topics[0]?.partitions ?? [])
      .sort((a, b) => a.partitionIndex - b.partitionIndex)
      .map(({ leaderId, replicaNodes, isrNodes }) => ({ leaderId, replicaNodes, inSync: isrNodes.length }));
  };

  test("is three brokers, each on a port of its own below those that systems lend", () => {
    expect(cluster.describe()).toMatch(/^Kafka 4\.3\.1, 3 brokers (on the local JVM|in containers)/);
    expect(cluster.brokers.map(({ id }) => id)).toEqual([1, 2, 3]);
    const ports = cluster.brokers.map(({ port }) => port);
    expect(new Set(ports).size).toBe(3);
    for (const port of ports) expect(port).toBeLessThan(32_768);
  });

  test("has topics with the leaders and replicas asked for, at every broker as soon as they are created", async () => {
    await cluster.createTopic({
      name: "laid-out",
      replicas: [
        [3, 1],
        [1, 2],
        [2, 3],
      ],
      configs: { "min.insync.replicas": "1" },
    });
    for (const broker of cluster.brokers) {
      expect(await partitionsAt(broker, "laid-out")).toEqual([
        { leaderId: 3, replicaNodes: [3, 1], inSync: 2 },
        { leaderId: 1, replicaNodes: [1, 2], inSync: 2 },
        { leaderId: 2, replicaNodes: [2, 3], inSync: 2 },
      ]);
    }
    await expect(cluster.createTopic({ name: "laid-out" })).rejects.toMatchObject({ code: "TOPIC_ALREADY_EXISTS" });
  });

  test("a paused broker keeps its connections and does not answer until it is resumed", async () => {
    using wire = await Wire.open(second);
    await second.pause();
    const answer = wire.ask(Metadata, { topics: [] });
    expect(await Promise.race([answer, sleep(300, "silence")])).toBe("silence");
    await second.resume();
    expect((await answer).brokers).toHaveLength(3);
  });

  test("a broker that is stopped hands over what it leads before it ends, and comes back with its data", async () => {
    await cluster.createTopic({ name: "handed-over", replicas: [[3, 1]] });
    await third.stop();
    expect(await partitionsAt(first, "handed-over")).toMatchObject([{ leaderId: 1 }]);
    await expect(ask(third, Metadata, { topics: [] })).rejects.toThrow("no connection to");
    await third.restart();
    expect(await partitionsAt(third, "handed-over")).toMatchObject([{ replicaNodes: [3, 1] }]);
  });

  test("a broker that is killed leaves its partitions to others, which log that it is gone, and comes back", async () => {
    await cluster.createTopic({ name: "orphaned", replicas: [[2, 1]] });
    await second.kill();
    await expect(second.pause()).rejects.toThrow("broker 2 is stopped: it cannot pause");
    await expect(second.kill()).rejects.toThrow("broker 2 is stopped: it cannot kill");
    await until(
      "the other replica leads",
      async () => (await partitionsAt(first, "orphaned"))[0]?.leaderId === 1 || "not yet",
    );
    await until("it is in the log", async () => /node 2/.test(await first.log()) || "not yet");
    await second.restart();
    expect(await second.log()).not.toBe("");
    expect(await partitionsAt(second, "orphaned")).toMatchObject([{ leaderId: 1 }]);
  });
});

describe("a secure cluster", () => {
  let cluster: KafkaCluster;
  beforeAll(async () => {
    cluster = await startCluster({ secure: true, brokers: 1 });
  });
  afterAll(() => cluster?.stop());

  const open = (listener: ClientListener, dial: Dial) =>
    Wire.open(addressOf(cluster.bootstrapServersOf(listener)[0]!), dial);

  /** What the broker says to the first token of a mechanism. */
  async function firstAnswer(listener: ClientListener, dial: Dial, mechanism: string, token: string) {
    using wire = await open(listener, dial);
    expect(await wire.ask(SaslHandshake, { mechanism })).toMatchObject({ errorCode: 0 });
    const { errorCode, authBytes } = await wire.ask(SaslAuthenticate, { authBytes: Buffer.from(token) });
    return { errorCode, text: authBytes.toString() };
  }

  const bearer = (token: string): string => `n,,\u0001auth=Bearer ${token}\u0001\u0001`;
  const trusting = (): Dial => tls({ ca: cluster.security!.certificates.ca, servername: "localhost" });
  const accepted = { errorCode: 0, text: "" };
  const refused = { errorCode: codeOf("SASL_AUTHENTICATION_FAILED") };

  test("has a certificate that its authority vouches for, and that names it", async () => {
    using wire = await open("SSL", trusting());
    expect((await wire.ask(Metadata, { topics: [] })).brokers).toHaveLength(1);
    await expect(open("SSL", tls({ servername: "localhost" }))).rejects.toThrow(
      "unable to verify the first certificate",
    );
    const { ca } = cluster.security!.certificates;
    await expect(open("SSL", tls({ ca, servername: "elsewhere.invalid" }))).rejects.toThrow(
      "does not match certificate",
    );
  });

  test("asks for a certificate where both sides need one, and takes none that is expired or a stranger's", async () => {
    const { ca, client, encryptedClient, expired, stranger } = cluster.security!.certificates;
    const dial = (pair: object) => tls({ ca, servername: "localhost", ...pair });
    for (const pair of [client, encryptedClient]) (await open("MTLS", dial(pair))).close();
    for (const pair of [{}, expired, stranger]) await expect(open("MTLS", dial(pair))).rejects.toThrow();
  });

  test("takes its users' passwords by PLAIN, and no others, with and without TLS", async () => {
    const { passwords } = cluster.security!;
    for (const [listener, dial] of [
      ["SASL_PLAINTEXT", plaintext],
      ["SASL_SSL", trusting()],
    ] as const) {
      for (const [user, password] of Object.entries(passwords)) {
        expect(await firstAnswer(listener, dial, "PLAIN", `\0${user}\0${password}`)).toEqual(accepted);
      }
      expect(await firstAnswer(listener, dial, "PLAIN", "\0alice\0bob-secret")).toMatchObject(refused);
    }
  });

  test("knows the SCRAM credentials of alice and bob, and of nobody else", async () => {
    const first = (mechanism: string, user: string) =>
      firstAnswer("SASL_PLAINTEXT", plaintext, mechanism, `n,,n=${user},r=nonce`);
    expect((await first("SCRAM-SHA-256", "alice")).text).toMatch(/^r=nonce.*,s=.*,i=4096$/);
    expect((await first("SCRAM-SHA-512", "alice")).text).toMatch(/^r=nonce.*,s=.*,i=4096$/);
    expect((await first("SCRAM-SHA-256", "bob")).text).toMatch(/^r=nonce.*,s=.*,i=8192$/);
    expect(await first("SCRAM-SHA-512", "bob")).toMatchObject(refused);
  });

  test("takes unsecured tokens where passwords are taken, and only its issuer's where tokens are signed", async () => {
    const { tokens } = cluster.security!;
    const present = (listener: ClientListener, { value }: { value: string }) =>
      firstAnswer(listener, listener === "SASL_SSL" ? trusting() : plaintext, "OAUTHBEARER", bearer(value));
    const invalid = { text: '{"status":"invalid_token"}' };
    expect(await present("SASL_PLAINTEXT", tokens.unsecuredToken("alice"))).toEqual(accepted);
    expect(await present("SASL_SSL", tokens.unsecuredToken("alice"))).toEqual(accepted);
    expect(await present("OAUTH", tokens.token("alice"))).toEqual(accepted);
    expect(await present("OAUTH", tokens.unsecuredToken("alice"))).toMatchObject(invalid);
    expect(await present("OAUTH", tokens.token("alice", { audience: "somebody else" }))).toMatchObject(invalid);
    expect(await present("OAUTH", tokens.token("alice", { issuer: "somebody else" }))).toMatchObject(invalid);
    expect(await present("OAUTH", tokens.token("alice", { lifetimeMs: -60_000 }))).toMatchObject(invalid);
  });

  test("hands out tokens over HTTP for a client's secret, and for no other", async () => {
    const request = (secret: string) =>
      fetch(cluster.security!.tokens.endpointUrl, {
        method: "POST",
        headers: { authorization: `Basic ${Buffer.from(`bob:${secret}`).toString("base64")}` },
        body: "grant_type=client_credentials",
      });
    const granted: unknown = await (await request("bob-secret")).json();
    expect(granted).toMatchObject({ token_type: "Bearer", expires_in: 60, access_token: expect.any(String) });
    const { access_token: value } = granted as { access_token: string };
    expect(await firstAnswer("OAUTH", plaintext, "OAUTHBEARER", bearer(value))).toEqual(accepted);
    expect((await request("alice-secret")).status).toBe(401);
  });
});

describe("a cluster that KAFKA_BROKERS gives", () => {
  const given = inject("bootstrapServers");
  afterEach(() => vi.unstubAllEnvs());

  test("is used, and never touched", async () => {
    vi.stubEnv("KAFKA_BROKERS", given.join(","));
    const cluster = await startCluster();
    expect(cluster.describe()).toMatch(/^Kafka as KAFKA_BROKERS says/);
    expect([...cluster.bootstrapServers].sort()).toEqual([...given].sort());
    const [broker] = cluster.brokers;
    for (const touch of ["stop", "kill", "pause", "resume", "restart", "log"] as const) {
      await expect(broker![touch]()).rejects.toThrow("KAFKA_BROKERS gave it, and what is given is not touched");
    }
    const name = `given-${Date.now()}`;
    await cluster.createTopic({ name, partitions: 3 });
    await cluster.stop();
    const { topics } = await ask(broker!, Metadata, { topics: [{ name }], allowAutoTopicCreation: false });
    expect(topics[0]?.partitions).toHaveLength(3);
  });

  test("has to answer", async () => {
    vi.stubEnv("KAFKA_BROKERS", "127.0.0.1:1");
    await expect(startCluster()).rejects.toThrow("no broker answers at 127.0.0.1:1, which KAFKA_BROKERS names");
    vi.stubEnv("KAFKA_BROKERS", "localhost");
    await expect(startCluster()).rejects.toThrow('KAFKA_BROKERS has "localhost" in place of host:port');
  });
});

test("a broker that does not start shows the end of its log at once", async () => {
  const start = startCluster({ brokers: 1, properties: { "metric.reporters": "no.such.Reporter" } });
  await expect(start).rejects.toThrow(
    /broker 1 ended with exit code 1\n--- the end of the log of broker 1:[\s\S]*no\.such\.Reporter/,
  );
});

describe("npm run kafka", () => {
  const main = fileURLToPath(new URL("../dist/cluster/main.js", import.meta.url));

  /** Starts the launcher as a process of its own with its files in `TMPDIR`, and waits until it has told where its broker is. */
  async function launch(TMPDIR: string): Promise<{ launcher: ChildProcess; broker: Address }> {
    const launcher = spawn(process.execPath, [main, "--brokers", "1"], {
      env: { ...process.env, TMPDIR },
      stdio: ["ignore", "pipe", "inherit"],
    });
    for await (const line of createInterface(launcher.stdout)) {
      const found = /127\.0\.0\.1:\d+$/.exec(line);
      if (found !== null) return { launcher, broker: addressOf(found[0]) };
    }
    throw new Error("the launcher ended without telling where its broker is");
  }

  test("runs until Ctrl-C, stops what it started, and ends well", async () => {
    const folder = await mkdtemp(join(tmpdir(), "odradek-test-"));
    const { launcher, broker } = await launch(folder);
    expect((await ask(broker, Metadata, { topics: [] })).brokers).toHaveLength(1);
    launcher.kill("SIGINT");
    // As npm passes on what the terminal has sent already.
    launcher.kill("SIGINT");
    expect(await once(launcher, "exit")).toEqual([0, null]);
    await expect(ask(broker, Metadata, { topics: [] })).rejects.toThrow("no connection to");
    await rmdir(folder);
  });

  test("leaves nothing behind when it is killed", async () => {
    const folder = await mkdtemp(join(tmpdir(), "odradek-test-"));
    const { launcher, broker } = await launch(folder);
    launcher.kill("SIGKILL");
    expect(await once(launcher, "exit")).toEqual([null, "SIGKILL"]);
    await until("the broker is gone", () =>
      ask(broker, Metadata, { topics: [] }).then(
        () => "it answers",
        (error: unknown) => error instanceof NoAnswer || "it fails in another way",
      ),
    );
    await until("its files are gone", async () => (await readdir(folder)).length === 0 || "some are there");
    await rmdir(folder);
  });

  test("knows which versions there are", async () => {
    const launcher = spawn(process.execPath, [main, "--version", "1.0.0"], { stdio: ["ignore", "ignore", "pipe"] });
    const [line] = await once(createInterface(launcher.stderr), "line");
    expect(line).toBe("--version 1.0.0: it is one of 4.4.0, 4.3.1, 3.9.2, 2.8.2, 2.1.1");
    expect((await once(launcher, "exit"))[0]).toBe(1);
  });
});
