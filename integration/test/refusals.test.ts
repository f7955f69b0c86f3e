import { pbkdf2Sync, randomBytes, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:tls";
import { AlterUserScramCredentials } from "@odradek/protocol/messages/alter-user-scram-credentials";
import { IncrementalAlterConfigs } from "@odradek/protocol/messages/incremental-alter-configs";
import {
  type AuthenticationFailure,
  type ClientOptions,
  KafkaAdmin,
  KafkaConsumer,
  KafkaError,
  KafkaProducer,
} from "odradek";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type KafkaCluster, startCluster } from "../cluster/cluster.ts";
import type { ClientListener } from "../cluster/listeners.ts";
import { until } from "../cluster/readiness.ts";
import type { Certificates, KeyPair } from "../cluster/security/certificates.ts";
import type { ClusterSecurity } from "../cluster/security/security.ts";
import { newName } from "./opened.ts";
import { type Credentials, refusals, shownTokens, wrongPassword } from "./refusals.ts";
import { networkOf, withinAMinute } from "./requests.ts";
import { measured } from "./round-trip.ts";
import { Witness } from "./witness.ts";

let cluster: KafkaCluster;
let security: ClusterSecurity;
let witness: Witness;
beforeAll(async () => {
  cluster = await startCluster({ secure: true });
  security = cluster.security!;
  witness = new Witness();
});
afterAll(async () => {
  witness?.[Symbol.dispose]();
  await cluster?.stop();
});

const optionsOf = (listener: ClientListener, credentials: Credentials): ClientOptions => ({
  bootstrapServers: cluster.bootstrapServersOf(listener),
  logger: witness.logger,
  ...credentials,
});

/** The error of something that has to fail; the witness sees it. */
async function errorOf(failing: Promise<unknown>): Promise<KafkaError> {
  const error: unknown = await failing.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  witness.saw(error);
  if (!(error instanceof KafkaError)) throw error;
  return error;
}

/** What each thing that a client can begin with fails with. */
async function errorsOf(options: ClientOptions): Promise<readonly (readonly [what: string, KafkaError])[]> {
  await using admin = new KafkaAdmin(options);
  await using producer = new KafkaProducer(options);
  await using consumer = new KafkaConsumer(options);
  const topic = newName();
  const partition = { topic, partition: 0 };
  consumer.assign([partition]);
  const beginnings: Readonly<Record<string, () => Promise<unknown>>>[] = [
    {
      "admin.connect": () => admin.connect(),
      "admin.createTopics": async () => (await admin.createTopics([{ topic, numPartitions: 1 }])).orThrow(),
    },
    {
      "producer.connect": () => producer.connect(),
      "producer.send": () => producer.send({ topic, value: "v" }),
      "producer.partitionsFor": () => producer.partitionsFor(topic),
    },
    {
      "consumer.connect": () => consumer.connect(),
      "consumer.poll": () => consumer.poll(60_000),
      "consumer.endOffsets": () => consumer.endOffsets([partition]),
      "consumer.partitionsFor": () => consumer.partitionsFor(topic),
    },
  ];
  const errors = beginnings.map(async (calls) => {
    const ofOne: (readonly [string, KafkaError])[] = [];
    for (const [what, call] of Object.entries(calls)) ofOne.push([what, await errorOf(call())]);
    return ofOne;
  });
  const all = (await Promise.all(errors)).flat();
  [admin, producer, consumer].forEach((client, index) => {
    const metrics = client.metrics();
    witness.measured(metrics);
    // A password that is wrong is not shown more often than somebody asks.
    const callCount = Object.keys(beginnings[index] ?? {}).length;
    expect(measured(metrics, "failed-authentication-total")).toBeLessThanOrEqual(callCount);
  });
  return all;
}

const portsOf = (listener: ClientListener): number[] =>
  cluster.bootstrapServersOf(listener).map((server) => Number(server.split(":").at(-1)));

test.each(refusals)(
  "$who is told so at once ($mechanism, $reason), and comes in by the right way",
  async ({ listener, given, reason, mechanism, right }) => {
    const failure = { name: "AuthenticationError", code: "AUTHENTICATION", retriable: false, reason, mechanism };
    for (const [what, error] of await errorsOf(optionsOf(listener, given(security)))) {
      const isDelivery = what === "producer.send";
      if (isDelivery) expect(error).toMatchObject({ name: "DeliveryError", code: "AUTHENTICATION", persisted: "no" });
      const { cause } = error;
      expect([what, isDelivery ? cause : error]).toMatchObject([what, { ...failure, host: "127.0.0.1" }]);
      expect(portsOf(listener)).toContain(Reflect.get(isDelivery ? Object(cause) : error, "port"));
    }
    await using producer = new KafkaProducer(optionsOf(listener, right(security)));
    await producer.connect();
  },
);

test("who speaks plaintext where TLS is spoken is told so at once", async () => {
  for (const [what, error] of await errorsOf(optionsOf("SSL", {}))) {
    expect([what, error.code, error.retriable, error.message]).toEqual([
      what,
      "CONNECTION",
      false,
      expect.stringMatching(/TLS/),
    ]);
  }
});

// They wait for their time to be over, which has to be long enough for a broker on a busy machine to have closed the connection.
test.concurrent.each<readonly [who: string, ClientListener, Credentials["ssl"], hint: RegExp]>([
  ["TLS where plaintext is spoken", "PLAINTEXT", true, /is this the port of a listener with TLS\?/],
  ["without a name where one is asked for", "SASL_PLAINTEXT", undefined, /does this listener expect SASL\?/],
])("who speaks %s gets to know what it may be", async (_who, listener, ssl, hint) => {
  await using producer = new KafkaProducer({
    ...optionsOf(listener, ssl === undefined ? {} : { ssl }),
    maxBlockMs: 10_000,
  });
  const error = await errorOf(producer.connect());
  expect(error).toMatchObject({ code: "TIMEOUT", message: expect.stringMatching(hint) });
});

test("who was refused comes in by the same client once there is such a user", async () => {
  const mechanism = "SCRAM-SHA-512";
  const [username, password] = ["carol", "carols-own-password"];
  const options = optionsOf("SASL_PLAINTEXT", { sasl: { mechanism, username, password } });
  const topic = newName();
  await cluster.createTopic({ name: topic, partitions: 1 });
  await using admin = new KafkaAdmin(options);
  await using producer = new KafkaProducer(options);
  await using consumer = new KafkaConsumer({ ...options, autoOffsetReset: "earliest" });
  consumer.assign([{ topic, partition: 0 }]);
  const attempts = {
    admin: () => admin.connect(),
    producer: () => producer.send({ topic, value: "v" }),
    consumer: () => consumer.poll(30_000),
    "consumer that asks for offsets": () => consumer.endOffsets([{ topic, partition: 0 }]),
  };
  for (const attempt of Object.values(attempts))
    expect(await errorOf(attempt())).toMatchObject({ code: "AUTHENTICATION" });
  const salt = randomBytes(16);
  const saltedPassword = pbkdf2Sync(password, salt, 4_096, 64, "sha512");
  const upsertions = [{ name: username, mechanism: 2, iterations: 4_096, salt, saltedPassword }];
  const network = networkOf(optionsOf("PLAINTEXT", {}));
  const { results } = await network.request(
    AlterUserScramCredentials,
    { deletions: [], upsertions },
    { to: "controller", deadline: withinAMinute() },
  );
  expect(results).toMatchObject([{ user: username, errorCode: 0 }]);
  for (const [who, attempt] of Object.entries(attempts)) {
    await until(`the ${who} comes in`, () => attempt().then(() => true, String));
  }
});

describe("a broker with another certificate than the rest", () => {
  const brokerId = 2;
  let topic: string;
  beforeAll(async () => {
    topic = newName();
    await cluster.createTopic({ name: topic, replicas: [[1], [brokerId], [3]] });
  });

  const keystore = "listener.name.ssl.ssl.keystore";
  /** @param pair `null` for the one that it began with */
  async function give(pair: KeyPair | null): Promise<void> {
    const network = networkOf(optionsOf("PLAINTEXT", {}));
    const values = {
      [`${keystore}.type`]: "PEM",
      [`${keystore}.key`]: pair?.key,
      [`${keystore}.certificate.chain`]: pair?.cert,
    };
    const configs = Object.entries(values).map(([name, value]) =>
      pair === null ? { name, configOperation: 1, value: null } : { name, configOperation: 0, value: value ?? null },
    );
    const { responses } = await network.request(
      IncrementalAlterConfigs,
      { resources: [{ resourceType: 4, resourceName: `${brokerId}`, configs }], validateOnly: false },
      { to: brokerId, deadline: withinAMinute() },
    );
    expect(responses).toMatchObject([{ errorCode: 0, errorMessage: null }]);
  }

  const optionsAt = (...indexes: readonly number[]): ClientOptions => {
    const servers = cluster.bootstrapServersOf("SSL");
    const bootstrapServers = indexes.map((index) => servers[index]!);
    return { ...optionsOf("SSL", { ssl: { ca: security.certificates.ca } }), bootstrapServers };
  };

  /** Each of its threads takes a certificate by itself, and each takes every third connection. */
  async function untilItShows({ cert }: KeyPair): Promise<void> {
    const { fingerprint256 } = new X509Certificate(cert);
    const [host = "", port] = cluster.bootstrapServersOf("SSL")[brokerId - 1]!.split(":");
    const isShown = async () => {
      const socket = connect({ host, port: Number(port), rejectUnauthorized: false });
      await once(socket, "secureConnect");
      const shown = socket.getPeerX509Certificate()?.fingerprint256;
      socket.destroy();
      return shown === fingerprint256;
    };
    await until("the broker shows the other certificate", async () => {
      const shown = await Promise.all(Array.from({ length: 9 }, isShown));
      return shown.every(Boolean) || `${shown.filter(Boolean).length} of 9 times`;
    });
  }

  test.each<readonly [keyof Certificates & ("expired" | "wrongHost" | "stranger"), AuthenticationFailure]>([
    ["expired", "certificateExpired"],
    ["wrongHost", "certificateHostMismatch"],
    ["stranger", "certificateUntrusted"],
  ])("(%s) fails what is for it, and no more, until it has the right one again", async (name, reason) => {
    const failure = { code: "AUTHENTICATION", retriable: false };
    const cause = { name: "AuthenticationError", mechanism: "TLS", reason, host: "127.0.0.1" };
    await give(security.certificates[name]);
    try {
      await untilItShows(security.certificates[name]);
      const options = optionsAt(0, 2);
      await using producer = new KafkaProducer(options);
      await using consumer = new KafkaConsumer(options);
      const send = (partition: number) => producer.send({ topic, partition, value: name });
      expect(await errorOf(send(1))).toMatchObject({ ...failure, persisted: "no", partition: 1, cause });
      for (const partition of [0, 2]) expect(await send(partition)).toMatchObject({ topic, partition });
      consumer.assign([{ topic, partition: 1 }]);
      consumer.seek({ topic, partition: 1 }, 0);
      expect(await errorOf(consumer.poll(30_000))).toMatchObject({ ...failure, ...cause });
      expect(await errorOf(consumer.endOffsets([{ topic, partition: 1 }]))).toMatchObject({ ...failure, ...cause });
      expect(await consumer.endOffsets([{ topic, partition: 0 }])).toMatchObject([{ partition: 0 }]);
      await give(null);
      await untilItShows(security.certificates.broker);
      await until("the producer gets through", () => send(1).then(() => true, String));
      await until("the consumer gets through", async () => {
        const records = await consumer.poll(30_000).catch((error: unknown) => error);
        return records instanceof Error ? String(records) : true;
      });
    } finally {
      await give(null);
    }
  });
});

test("no secret is in any error, in what was logged, published or measured", () => {
  expect(witness.count("error")).toBeGreaterThan(refusals.length);
  expect(witness.count("odradek:authentication-failure")).toBeGreaterThan(refusals.length);
  expect(witness.count("metrics")).toBeGreaterThan(refusals.length);
  const { client, encryptedClient, stranger, expired } = security.certificates;
  witness.expectNoneOf([
    wrongPassword,
    "carols-own-password",
    ...Object.values(security.passwords),
    ...shownTokens,
    ...[client, encryptedClient, stranger, expired].map(({ key }) => key),
    encryptedClient.passphrase,
  ]);
});
