import { Coordinators, OptionReader, resolveClientOptions, systemClock } from "@odradek/network";
import { CreateAcls } from "@odradek/protocol/messages/create-acls";
import { CreateDelegationToken } from "@odradek/protocol/messages/create-delegation-token";
import { DescribeAcls } from "@odradek/protocol/messages/describe-acls";
import { DescribeDelegationToken } from "@odradek/protocol/messages/describe-delegation-token";
import {
  BrokerError,
  type BrokerErrorName,
  type ClientOptions,
  KafkaAdmin,
  KafkaConsumer,
  KafkaProducer,
  type SaslOptions,
  type SslOptions,
} from "odradek";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type KafkaCluster, startCluster } from "../cluster/cluster.ts";
import type { ClientListener } from "../cluster/listeners.ts";
import { until } from "../cluster/readiness.ts";
import type { ClusterSecurity } from "../cluster/security/security.ts";
import type { AssertionAlgorithm, TokenIssuer } from "../cluster/security/tokens.ts";
import { newName, opened } from "./opened.ts";
import { networkOf, withinAMinute } from "./requests.ts";
import { measured, roundTrip } from "./round-trip.ts";

let cluster: KafkaCluster;
let security: ClusterSecurity;
beforeAll(async () => {
  cluster = await startCluster({ secure: true });
  security = cluster.security!;
});
afterAll(() => cluster?.stop());

type Login = (security: ClusterSecurity) => { readonly ssl?: SslOptions; readonly sasl?: SaslOptions };

const trusting: Login = ({ certificates: { ca } }) => ({ ssl: { ca } });
const withPassword =
  (mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512", username: "alice" | "bob" | "admin" = "alice"): Login =>
  ({ passwords }) => ({ sasl: { mechanism, username, password: passwords[username] } });
const withUnsecuredToken: Login = ({ tokens }) => ({
  sasl: { mechanism: "OAUTHBEARER", token: () => tokens.unsecuredToken("alice") },
});

const assertionOf = (tokens: TokenIssuer, algorithm: AssertionAlgorithm) =>
  ({
    privateKey: tokens.assertionKey(algorithm),
    algorithm,
    issuer: "alice",
    subject: "alice",
    audience: tokens.endpointUrl,
  }) as const;

const overTls =
  (login: Login): Login =>
  (given) => ({ ...trusting(given), ...login(given) });

const optionsOf = (listener: ClientListener, login: Login = () => ({})): ClientOptions => ({
  bootstrapServers: cluster.bootstrapServersOf(listener),
  ...login(security),
});

const passwordLogins: readonly (readonly [mechanism: string, Login])[] = [
  ["PLAIN", withPassword("PLAIN")],
  ["SCRAM-SHA-256", withPassword("SCRAM-SHA-256")],
  ["SCRAM-SHA-256 of more iterations", withPassword("SCRAM-SHA-256", "bob")],
  ["SCRAM-SHA-512", withPassword("SCRAM-SHA-512")],
  ["an unsecured token", withUnsecuredToken],
];

const logins: readonly (readonly [ClientListener, what: string, Login])[] = [
  ["PLAINTEXT", "nothing at all", () => ({})],
  ["SSL", "its authority", trusting],
  ["SSL", "a function that gives it", ({ certificates: { ca } }) => ({ ssl: async () => ({ ca }) })],
  ["MTLS", "a certificate", ({ certificates: { ca, client } }) => ({ ssl: { ca, ...client } })],
  ["MTLS", "an encrypted key", ({ certificates: { ca, encryptedClient } }) => ({ ssl: { ca, ...encryptedClient } })],
  ...passwordLogins.flatMap(([mechanism, login]) => [
    ["SASL_PLAINTEXT", mechanism, login] as const,
    ["SASL_SSL", mechanism, overTls(login)] as const,
  ]),
  [
    "OAUTH",
    "a function that gives signed tokens",
    ({ tokens }) => ({ sasl: { mechanism: "OAUTHBEARER", token: async () => tokens.token("alice") } }),
  ],
  [
    "OAUTH",
    "tokens from an identity provider",
    ({ tokens: { endpointUrl: tokenEndpointUrl }, passwords }) => ({
      sasl: { mechanism: "OAUTHBEARER", tokenEndpointUrl, clientId: "alice", clientSecret: passwords.alice },
    }),
  ],
  [
    "OAUTH",
    "tokens for an assertion in place of a secret",
    ({ tokens }) => ({
      sasl: {
        mechanism: "OAUTHBEARER",
        tokenEndpointUrl: tokens.endpointUrl,
        clientId: "alice",
        clientAssertion: assertionOf(tokens, "RS256"),
      },
    }),
  ],
  [
    "OAUTH",
    "tokens for an assertion that is the grant",
    ({ tokens }) => ({
      sasl: {
        mechanism: "OAUTHBEARER",
        tokenEndpointUrl: tokens.endpointUrl,
        assertion: assertionOf(tokens, "ES256"),
      },
    }),
  ],
];

test.each(logins)("clients come in at %s with %s, create, write and read", async (listener, _what, login) => {
  const options = optionsOf(listener, login);
  for (const metrics of await roundTrip(options)) {
    const connections = measured(metrics, "connection-creation-total");
    expect(connections).toBeGreaterThan(0);
    const isAuthenticated = options.ssl !== undefined || options.sasl !== undefined;
    expect(measured(metrics, "successful-authentication-total")).toBe(isAuthenticated ? connections : 0);
    expect(measured(metrics, "failed-authentication-total")).toBe(0);
  }
});

test("a broker is found by the name that its certificate has besides its address", async () => {
  const bootstrapServers = cluster.bootstrapServersOf("SSL").map((server) => server.replace("127.0.0.1", "localhost"));
  await roundTrip({ ...optionsOf("SSL", trusting), bootstrapServers });
});

/** The numbers that Kafka has for what an ACL speaks of. */
const acl = {
  topic: 2,
  group: 3,
  cluster: 4,
  whichever: 1,
  all: 2,
  read: 3,
  write: 4,
  create: 5,
  describe: 8,
  allow: 3,
};
const theCluster = "kafka-cluster";

function resourceTypeOf(name: string): number {
  if (name === theCluster) return acl.cluster;
  return name.startsWith("group-") ? acl.group : acl.topic;
}

/**
 * Lets nobody but one user do something to a topic, a group or the cluster, and waits until every broker knows it. Super
 * users may all the same.
 */
async function allow(principal: string, resourceName: string, ...operations: readonly number[]): Promise<void> {
  const network = networkOf(optionsOf("PLAINTEXT"));
  const resourceType = resourceTypeOf(resourceName);
  const rule = { resourceType, resourceName, principal, host: "*", permissionType: acl.allow };
  const creations = operations.map((operation) => ({ ...rule, operation }));
  const { results } = await network.request(CreateAcls, { creations }, { to: "controller", deadline: withinAMinute() });
  expect(results.map(({ errorCode }) => errorCode)).toEqual(operations.map(() => 0));
  const filter = {
    resourceTypeFilter: resourceType,
    resourceNameFilter: resourceName,
    principalFilter: principal,
    hostFilter: "*",
    operation: acl.whichever,
    permissionType: acl.allow,
  };
  for (const { id: to } of cluster.brokers) {
    await until(`broker ${to} knows what ${principal} may`, async () => {
      const { resources } = await network.request(DescribeAcls, filter, { to, deadline: withinAMinute() });
      const count = resources.reduce((sum, { acls }) => sum + acls.length, 0);
      return count === operations.length || `it knows ${count} of ${operations.length} rules`;
    });
  }
}

async function newTopic(numPartitions = 3): Promise<string> {
  const topic = newName();
  await cluster.createTopic({ name: topic, partitions: numPartitions });
  return topic;
}

function producerOf(...given: Parameters<typeof optionsOf>): KafkaProducer {
  const producer = new KafkaProducer(optionsOf(...given));
  opened.push(producer);
  return producer;
}

function consumerOf(...given: Parameters<typeof optionsOf>): KafkaConsumer {
  const consumer = new KafkaConsumer({ ...optionsOf(...given), autoOffsetReset: "earliest" });
  opened.push(consumer);
  return consumer;
}

const denied = "TOPIC_AUTHORIZATION_FAILED" satisfies BrokerErrorName;

describe("a topic that only alice may use", () => {
  let topic: string;
  beforeAll(async () => {
    topic = await newTopic();
    await allow("User:alice", topic, acl.all);
  });

  test("is there for alice, by whatever mechanism she comes in", async () => {
    for (const [, login] of passwordLogins.filter(([mechanism]) => !mechanism.endsWith("iterations"))) {
      const { partition } = await producerOf("SASL_PLAINTEXT", login).send({ topic, partition: 1, value: "hers" });
      expect(partition).toBe(1);
    }
  });

  test("is refused to bob, wherever he asks for it, and other topics are not", async () => {
    const bob = ["SASL_PLAINTEXT", withPassword("PLAIN", "bob")] as const;
    const other = await newTopic(1);
    const producer = producerOf(...bob);
    const consumer = consumerOf(...bob);
    const refused = { name: "BrokerError", code: denied, retriable: false, message: expect.stringContaining(topic) };
    await expect(producer.partitionsFor(topic)).rejects.toMatchObject(refused);
    await expect(producer.send({ topic, value: "his" })).rejects.toMatchObject({
      name: "DeliveryError",
      code: denied,
      retriable: false,
      persisted: "no",
      topic,
      cause: refused,
    });
    expect(await producer.send({ topic: other, value: "his" })).toMatchObject({ topic: other, partition: 0 });
    await expect(consumer.partitionsFor(topic)).rejects.toMatchObject(refused);
    await expect(consumer.endOffsets([{ topic, partition: 0 }])).rejects.toMatchObject(refused);
    consumer.assign([{ topic, partition: 0 }]);
    await expect(consumer.poll(30_000)).rejects.toMatchObject(refused);
    consumer.assign([{ topic: other, partition: 0 }]);
    expect((await consumer.poll(30_000)).count).toBe(1);
  });

  test("is bob's as well once he may, for clients that were refused before", async () => {
    const bob = ["SASL_SSL", overTls(withPassword("SCRAM-SHA-256", "bob"))] as const;
    const producer = producerOf(...bob);
    await expect(producer.partitionsFor(topic)).rejects.toMatchObject({ code: denied });
    await allow("User:bob", topic, acl.all);
    await until("bob may", () => producer.send({ topic, value: "his" }).then(() => true, String));
  });
});

test("a topic that only alice may create is refused to bob, beside one that he may", async () => {
  const [hers, his] = [newName(), newName()];
  for (const resource of [theCluster, hers]) await allow("User:alice", resource, acl.create);
  const admin = new KafkaAdmin(optionsOf("SASL_PLAINTEXT", withPassword("PLAIN", "bob")));
  opened.push(admin);
  const results = await admin.createTopics([hers, his].map((topic) => ({ topic, numPartitions: 1 })));
  expect(results.get(hers)?.error).toMatchObject({ name: "BrokerError", code: denied, retriable: false });
  expect(results.get(his)).toMatchObject({ error: null, value: { topic: his } });
});

test("a group that only alice may join is refused to bob, beside one that he may", async () => {
  const [hers, his] = [`group-${newName()}`, `group-${newName()}`];
  await allow("User:alice", hers, acl.all);
  const options = resolveClientOptions(new OptionReader(optionsOf("SASL_PLAINTEXT", withPassword("PLAIN", "bob"))));
  const network = networkOf(optionsOf("SASL_PLAINTEXT", withPassword("PLAIN", "bob")));
  const coordinators = new Coordinators(network, options, systemClock);
  const found = await coordinators.find("group", [hers, his], withinAMinute());
  expect(found.get(hers)).toBeInstanceOf(BrokerError);
  expect(found.get(hers)).toMatchObject({ code: "GROUP_AUTHORIZATION_FAILED", retriable: false });
  expect(cluster.brokers.map(({ id }) => id)).toContain(found.get(his));
});

describe("a topic of which a user may know", () => {
  const bob = ["SASL_PLAINTEXT", withPassword("PLAIN", "bob")] as const;

  test("but not write to it: the broker refuses the records, and none is in the log", async () => {
    const topic = await newTopic(1);
    await allow("User:bob", topic, acl.describe, acl.read);
    const refusal = { name: "DeliveryError", code: denied, retriable: false, persisted: "no", topic };
    await expect(producerOf(...bob).send({ topic, value: "his" })).rejects.toMatchObject(refusal);
    expect(await consumerOf(...bob).endOffsets([{ topic, partition: 0 }])).toMatchObject([{ offset: 0n }]);
  });

  test("but not read it: the poll is refused", async () => {
    const topic = await newTopic(1);
    await allow("User:bob", topic, acl.describe, acl.write);
    await producerOf(...bob).send({ topic, value: "his" });
    const consumer = consumerOf(...bob);
    consumer.assign([{ topic, partition: 0 }]);
    const refusal = { name: "BrokerError", code: denied, retriable: false };
    const message = expect.stringContaining(`fetching from ${topic}-0`);
    await expect(consumer.poll(30_000)).rejects.toMatchObject({ ...refusal, message });
  });
});

test("who holds a delegation token comes in by it, as the one who asked for it", async () => {
  const alice = networkOf(optionsOf("SASL_PLAINTEXT", withPassword("SCRAM-SHA-512")));
  const deadline = withinAMinute();
  const token = await alice.request(
    CreateDelegationToken,
    { renewers: [], maxLifetimeMs: -1n },
    { to: "any", deadline },
  );
  expect(token).toMatchObject({ errorCode: 0, principalName: "alice" });
  for (const { id } of cluster.brokers) {
    await until(`broker ${id} knows the token`, async () => {
      const { tokens } = await alice.request(DescribeDelegationToken, { owners: null }, { to: id, deadline });
      return tokens.some(({ tokenId }) => tokenId === token.tokenId) || `it knows ${tokens.length} others`;
    });
  }
  const password = token.hmac.toString("base64");
  for (const mechanism of ["SCRAM-SHA-256", "SCRAM-SHA-512"] as const) {
    const login: Login = () => ({ sasl: { mechanism, username: token.tokenId, password, tokenAuth: true } });
    const topic = await newTopic(1);
    await allow("User:alice", topic, acl.all);
    const options = optionsOf("SASL_PLAINTEXT", login);
    await roundTrip(options);
    const { offset } = await producerOf("SASL_PLAINTEXT", login).send({ topic, value: "alice's" });
    expect(offset).toBe(0n);
    // Without the extension it is the password of nobody.
    await using admin = new KafkaAdmin({
      ...options,
      sasl: { mechanism, username: token.tokenId, password },
    });
    await expect(admin.connect()).rejects.toMatchObject({ code: "AUTHENTICATION", reason: "credentialsRefused" });
  }
});
