import { connect as connectTcp } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type KafkaCluster, startCluster } from "../cluster/cluster.ts";
import type { ClientListener } from "../cluster/listeners.ts";
import type { ClusterSecurity } from "../cluster/security/security.ts";
import { candidates, type ProducerOfJS } from "./kafkajs-libraries.ts";
import { newName } from "./opened.ts";

process.env["KAFKAJS_NO_PARTITIONER_WARNING"] = "1";

let cluster: KafkaCluster;
let security: ClusterSecurity;
const topic = newName();
beforeAll(async () => {
  cluster = await startCluster({ secure: true });
  security = cluster.security!;
  await cluster.createTopic({ name: topic, partitions: 1 });
});
afterAll(() => cluster?.stop());

interface Exchange {
  readonly request: { encode(): Buffer };
  readonly response?: { decode(raw: Buffer): Buffer; parse(data: Buffer): unknown };
}

interface Provided {
  readonly host: string;
  readonly port: number;
  readonly logger: { info(message: string): void };
  saslAuthenticate(exchange: Exchange): Promise<unknown>;
}

/** PLAIN, as a mechanism of one's own would do it: with the lengths that kafkajs has before what is said and heard. */
const ownMechanism = (username: string, password: string, seen: unknown[] = []) => ({
  mechanism: "plain",
  authenticationProvider: ({ host, port, saslAuthenticate }: Provided) => ({
    async authenticate(): Promise<void> {
      const text = Buffer.from(`\0${username}\0${password}`);
      const length = Buffer.alloc(4);
      length.writeInt32BE(text.length);
      const request = { encode: () => Buffer.concat([length, text]) };
      const heard = await saslAuthenticate({
        request,
        response: { decode: (raw) => raw, parse: (data) => data.length },
      });
      seen.push(host, port, heard);
    },
  }),
});

interface SocketArgs {
  readonly host: string;
  readonly port: number;
  /** `null` or nothing where the connection is not encrypted. */
  readonly ssl?: ConnectionOptions | null;
  onConnect(): void;
}

const socketFactory = ({ host, port, ssl, onConnect }: SocketArgs) =>
  ssl ? connectTls({ host, port, ...ssl }, onConnect) : connectTcp({ host, port }, onConnect);

type Login = (security: ClusterSecurity) => object;
const withPassword =
  (mechanism: string): Login =>
  ({ passwords: { alice } }) => ({ sasl: { mechanism, username: "alice", password: alice } });
const trusting: Login = ({ certificates: { ca } }) => ({ ssl: { ca } });

const logins: readonly (readonly [ClientListener, what: string, Login])[] = [
  ["SSL", "its authority", trusting],
  ["SSL", "a socket factory that encrypts", (given) => ({ ...trusting(given), socketFactory })],
  ["MTLS", "a certificate", ({ certificates: { ca, client } }) => ({ ssl: { ca, ...client } })],
  ["SASL_PLAINTEXT", "plain", withPassword("plain")],
  ["SASL_PLAINTEXT", "scram-sha-256", withPassword("scram-sha-256")],
  ["SASL_PLAINTEXT", "scram-sha-512", withPassword("scram-sha-512")],
  ["SASL_SSL", "scram-sha-512 over TLS", (given) => ({ ...trusting(given), ...withPassword("SCRAM-SHA-512")(given) })],
  [
    "SASL_PLAINTEXT",
    "a socket factory, and plain over it",
    (given) => ({ socketFactory, ...withPassword("plain")(given) }),
  ],
  [
    "SASL_PLAINTEXT",
    "a token",
    ({ tokens }) => ({
      sasl: { mechanism: "oauthbearer", oauthBearerProvider: async () => tokens.unsecuredToken("alice") },
    }),
  ],
  [
    "SASL_PLAINTEXT",
    "a mechanism of one's own",
    ({ passwords: { alice } }) => ({ sasl: ownMechanism("alice", alice) }),
  ],
];

describe.each(candidates)("a service of %s", (_, { Kafka }) => {
  const producerAt = (listener: ClientListener, config: object, retries = 5): ProducerOfJS => {
    const brokers = [...cluster.bootstrapServersOf(listener)];
    // Sessions last 4 s here; kafkajs would authenticate again all the time.
    const common = { logLevel: 0, retry: { retries }, connectionTimeout: 5_000, reauthenticationThreshold: 1_000 };
    return new Kafka({ brokers, ...common, ...config }).producer();
  };

  test.each(logins)("comes in at %s with %s", async (listener, _what, login) => {
    const producer = producerAt(listener, login(security));
    try {
      await producer.connect();
      expect(await producer.send({ topic, messages: [{ value: "v" }] })).toHaveLength(1);
    } finally {
      await producer.disconnect();
    }
  });

  test("hears of its own mechanism whom it talks to, and how long the answer is", async () => {
    const seen: unknown[] = [];
    const producer = producerAt("SASL_PLAINTEXT", { sasl: ownMechanism("alice", security.passwords.alice, seen) });
    await producer.connect();
    await producer.disconnect();
    const [host, port] = seen;
    expect(cluster.bootstrapServersOf("SASL_PLAINTEXT")).toContain(`${String(host)}:${String(port)}`);
    // The broker says nothing to PLAIN, and the length of that is there all the same.
    expect(seen[2]).toBe(4);
  });

  test.each([
    ["plain", "SASL PLAIN authentication failed: "],
    ["scram-sha-256", "SASL SCRAM SHA256 authentication failed: "],
    ["scram-sha-512", "SASL SCRAM SHA512 authentication failed: "],
  ])("is told at once that its password is wrong, by %s", async (mechanism, message) => {
    const sasl = { mechanism, username: "alice", password: "wrong" };
    const producer = producerAt("SASL_PLAINTEXT", { sasl });
    await expect(producer.connect()).rejects.toMatchObject({
      name: "KafkaJSSASLAuthenticationError",
      message: expect.stringContaining(message),
      retriable: false,
    });
    await producer.disconnect();
  });

  test("is told that brokers do not know its mechanism", async () => {
    const sasl = { mechanism: "aws", authorizationIdentity: "i", accessKeyId: "k", secretAccessKey: "s" };
    const producer = producerAt("SASL_PLAINTEXT", { sasl });
    await expect(producer.connect()).rejects.toMatchObject({
      name: "KafkaJSProtocolError",
      type: "UNSUPPORTED_SASL_MECHANISM",
      code: 33,
      retriable: false,
    });
    await producer.disconnect();
  });

  test("that trusts another authority does not connect", async () => {
    const producer = producerAt("SSL", { ssl: true }, 0);
    await expect(producer.connect()).rejects.toMatchObject({ retriable: false });
    await producer.disconnect();
  });

  test("that has a socket factory which fails is told why", async () => {
    const lost = Object.assign(new Error("no proxy"), { code: "ENOPROXY" });
    const failing = ({ host, port }: SocketArgs) => {
      const socket = connectTcp({ host, port });
      socket.once("connect", () => socket.destroy(lost));
      return socket;
    };
    const producer = producerAt("PLAINTEXT", { socketFactory: failing, connectionTimeout: 1_000 }, 0);
    await expect(producer.connect()).rejects.toMatchObject({
      cause: { name: "KafkaJSConnectionError", message: expect.stringContaining("no proxy") },
    });
    await producer.disconnect();
  });
});
