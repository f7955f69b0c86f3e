import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AclBinding, KafkaAdmin } from "odradek";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type KafkaCluster, startCluster } from "../cluster/cluster.ts";
import { becomes } from "./becomes.ts";
import { clusterTool, javaTool } from "./java-tool.ts";
import { candidates } from "./kafkajs-libraries.ts";
import { opened } from "./opened.ts";

let cluster: KafkaCluster;
let admin: KafkaAdmin;
beforeAll(async () => {
  cluster = await startCluster({ secure: true, brokers: 1 });
  admin = new KafkaAdmin({ bootstrapServers: cluster.bootstrapServers });
});
afterAll(async () => {
  await admin?.close();
  await cluster?.stop();
});

/** An admin client that logs in by a password, or by a token that is one. */
function loggedIn(username: string, password: string, tokenAuth = false): KafkaAdmin {
  const bootstrapServers = cluster.bootstrapServersOf("SASL_PLAINTEXT");
  // It is all that bob has.
  const mechanism = username === "bob" ? "SCRAM-SHA-256" : "SCRAM-SHA-512";
  const client = new KafkaAdmin({ bootstrapServers, sasl: { mechanism, username, password, tokenAuth } });
  opened.push(client);
  return client;
}

const prefixed: AclBinding = {
  resourceType: "TOPIC",
  resourceName: "orders-",
  patternType: "PREFIXED",
  principal: "User:bob",
  host: "*",
  operation: "DESCRIBE",
  permissionType: "ALLOW",
};
const literal: AclBinding = { ...prefixed, resourceName: "orders-eu", patternType: "LITERAL", permissionType: "DENY" };
const ofGroup: AclBinding = { ...literal, resourceType: "GROUP", resourceName: "billing", operation: "READ" };

test("ACLs are created, found by every kind of pattern, and deleted, as Kafka's own tool has them", async () => {
  const created = await admin.createAcls([
    { ...prefixed, host: "*" },
    literal,
    ofGroup,
    { ...ofGroup, resourceName: "x", operation: "IDEMPOTENT_WRITE" },
    { ...ofGroup, resourceName: "y", principal: "User:*" },
  ]);
  expect([...created].map(({ error }) => error?.code)).toEqual([undefined, undefined, undefined, undefined, undefined]);
  const found = async (filter: Parameters<typeof admin.describeAcls>[0]) =>
    (await admin.describeAcls(filter)).map(({ resourceName }) => resourceName).sort();
  await becomes("the rules of bob", () => found({ principal: "User:bob" }), ["billing", "orders-", "orders-eu", "x"]);
  expect(await found({ resourceType: "TOPIC", resourceName: "orders-eu", patternType: "MATCH" })).toEqual([
    "orders-",
    "orders-eu",
  ]);
  expect(await found({ resourceName: "orders-eu", patternType: "LITERAL" })).toEqual(["orders-eu"]);
  expect(await found({ permissionType: "ALLOW" })).toEqual(["orders-"]);
  expect(await admin.describeAcls({ resourceType: "TOPIC", patternType: "PREFIXED" })).toEqual([prefixed]);

  const lines = await javaTool(
    "org.apache.kafka.tools.AclCommand",
    ...[
      "--bootstrap-server",
      cluster.bootstrapServers.join(","),
      "--list",
      "--principal",
      "User:bob",
      "--topic",
      "orders-eu",
    ],
  );
  expect(lines.filter((line) => line.includes("principal=")).join("\n")).toContain(
    "(principal=User:bob, host=*, operation=DESCRIBE, permissionType=DENY)",
  );

  const filters = [{ principal: "User:bob", resourceType: "TOPIC" }, { resourceName: "nothing" }] as const;
  const deleted = await admin.deleteAcls(filters);
  expect(
    deleted
      .get(filters[0])
      ?.value?.map(({ resourceName, error }) => [resourceName, error])
      .sort(),
  ).toEqual([
    ["orders-", null],
    ["orders-eu", null],
  ]);
  expect(deleted.get(filters[1])?.value).toEqual([]);
  expect((await admin.deleteAcls([{}])).orThrow()[0]).toHaveLength(3);
  await becomes("the rules that are left", () => found({}), []);
});

test.each(candidates)("ACLs are created, described and deleted with the numbers of %s", async (_, library) => {
  const { AclResourceTypes, AclOperationTypes, AclPermissionTypes, ResourcePatternTypes } = library;
  const js = new library.Kafka({ brokers: [...cluster.bootstrapServers], logLevel: 0 }).admin();
  await js.connect();
  opened.push({ [Symbol.asyncDispose]: () => js.disconnect() });
  const resource = {
    resourceType: AclResourceTypes.TOPIC,
    resourceName: "orders-",
    resourcePatternType: ResourcePatternTypes.PREFIXED,
  };
  const reads = {
    principal: "User:dave",
    host: "*",
    operation: AclOperationTypes.READ,
    permissionType: AclPermissionTypes.ALLOW,
  };
  const writes = { ...reads, operation: AclOperationTypes.WRITE };
  const group = {
    resourceType: AclResourceTypes.GROUP,
    resourceName: "g",
    resourcePatternType: ResourcePatternTypes.LITERAL,
  };
  const acl = [
    { ...resource, ...reads },
    { ...resource, ...writes },
    { ...group, ...reads },
  ];
  expect(await js.createAcls({ acl: [...acl, { ...resource, ...reads }] })).toBe(true);
  const ofDave = {
    resourceType: AclResourceTypes.ANY,
    resourcePatternType: ResourcePatternTypes.ANY,
    principal: "User:dave",
    operation: AclOperationTypes.ANY,
    permissionType: AclPermissionTypes.ANY,
  };
  await becomes("rules of dave", async () => (await admin.describeAcls({ principal: "User:dave" })).length, 3);
  expect(await js.describeAcls(ofDave)).toMatchObject({
    resources: expect.arrayContaining([
      { ...resource, acls: expect.arrayContaining([reads, writes]) },
      { ...group, acls: [reads] },
    ]),
  });
  expect(await js.describeAcls({ ...ofDave, resourceName: "nothing" })).toMatchObject({ resources: [] });
  const deleted = { errorCode: 0, errorMessage: null };
  const filters = [
    { ...ofDave, resourceType: AclResourceTypes.GROUP },
    { ...ofDave, resourceName: "nothing" },
    { ...ofDave, resourceType: AclResourceTypes.TOPIC },
  ];
  expect(await js.deleteAcls({ filters })).toMatchObject({
    filterResponses: [
      { ...deleted, matchingAcls: [{ ...deleted, ...group, ...reads }] },
      { ...deleted, matchingAcls: [] },
      {
        ...deleted,
        matchingAcls: expect.arrayContaining([
          { ...deleted, ...resource, ...reads },
          { ...deleted, ...resource, ...writes },
        ]),
      },
    ],
  });
  await becomes("rules of dave", () => admin.describeAcls({ principal: "User:dave" }), []);
});

test("who may not look gets nothing, and the rest of what was asked", async () => {
  const cluster = { resourceType: "CLUSTER", resourceName: "kafka-cluster", principal: "User:alice" } as const;
  const denied = { ...cluster, operation: "ALTER", permissionType: "DENY" } as const;
  (await admin.createAcls([denied])).orThrow();
  await becomes("rules", async () => (await admin.describeAcls({ principal: "User:alice" })).length, 1);
  const alice = loggedIn("alice", passwordOf("alice"));
  const results = await alice.createAcls([literal]);
  expect([...results][0]?.error).toMatchObject({ code: "CLUSTER_AUTHORIZATION_FAILED", retriable: false });
  const { authorizedOperations } = await alice.describeCluster({ includeAuthorizedOperations: true });
  expect(authorizedOperations).not.toContain("ALTER");
  (await admin.deleteAcls([{ principal: "User:alice" }])).orThrow();
});

const passwordOf = (user: "alice" | "bob"): string => cluster.security?.passwords[user] ?? "";

test("a user who is given a password logs in with it, until it is deleted", async () => {
  const user = "carol";
  (await admin.alterUserScramCredentials([{ user, mechanism: "SCRAM-SHA-512", password: "first" }])).orThrow();
  const infos = async () => (await admin.describeUserScramCredentials([user])).get(user)?.value?.credentialInfos.length;
  await becomes("passwords of carol", infos, 1);
  await loggedIn(user, "first").connect();
  const iterations = 10_000;
  (
    await admin.alterUserScramCredentials([{ user, mechanism: "SCRAM-SHA-512", password: "second", iterations }])
  ).orThrow();
  const changed = async () => (await admin.describeUserScramCredentials([user])).get(user)?.value?.credentialInfos;
  await becomes("iterations of carol", changed, [{ mechanism: "SCRAM-SHA-512", iterations }]);
  await loggedIn(user, "second").connect();
  await expect(loggedIn(user, "first").connect()).rejects.toMatchObject({ reason: "credentialsRefused" });
  (await admin.alterUserScramCredentials([{ user, mechanism: "SCRAM-SHA-512", delete: true }])).orThrow();
  await becomes("passwords of carol", infos, undefined);
  await expect(loggedIn(user, "second").connect()).rejects.toMatchObject({ reason: "credentialsRefused" });
});

/** Runs one of Kafka's own tools, logged in. */
async function asAlice(mainClass: string, ...args: readonly string[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "odradek-tool-"));
  try {
    const file = join(folder, "client.properties");
    const login = `org.apache.kafka.common.security.scram.ScramLoginModule required username="alice" password="${passwordOf("alice")}";`;
    const lines = ["security.protocol=SASL_PLAINTEXT", "sasl.mechanism=SCRAM-SHA-512", `sasl.jaas.config=${login}`];
    await writeFile(file, lines.join("\n"));
    const bootstrapServers = cluster.bootstrapServersOf("SASL_PLAINTEXT");
    return await clusterTool(bootstrapServers, mainClass, "--command-config", file, ...args);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("a token is created, logs in, is renewed by whom it says, and ends", async () => {
  const alice = loggedIn("alice", passwordOf("alice"));
  const token = await alice.createDelegationToken({ renewers: ["User:bob"], maxLifetimeMs: 3_600_000 });
  expect(token).toMatchObject({ owner: "User:alice", tokenRequester: "User:alice", renewers: ["User:bob"] });
  expect(token.maxTimestamp - token.issueTimestamp).toBe(3_600_000);
  const listed = () => alice.describeDelegationToken({ owners: ["User:alice"] });
  await becomes("tokens of alice", listed, [token]);
  expect(await alice.describeDelegationToken({ owners: ["User:nobody"] })).toEqual([]);
  const lines = await asAlice(
    "org.apache.kafka.tools.DelegationTokenCommand",
    "--describe",
    "--owner-principal",
    "User:alice",
  );
  const printed = lines
    .find((line) => line.startsWith(token.tokenId))
    ?.trim()
    .split(/\s+/);
  expect(printed?.slice(0, 4)).toEqual([token.tokenId, token.hmac, token.owner, token.tokenRequester]);

  const byToken = loggedIn(token.tokenId, token.hmac, true);
  expect((await byToken.describeCluster()).brokers).toHaveLength(1);
  await expect(byToken.createDelegationToken()).rejects.toMatchObject({ code: "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED" });

  const bob = loggedIn("bob", passwordOf("bob"));
  await expect(bob.expireDelegationToken(Buffer.from("nothing").toString("base64"))).rejects.toMatchObject({
    code: "DELEGATION_TOKEN_NOT_FOUND",
  });
  const renewedAt = await bob.renewDelegationToken(token.hmac, { renewTimePeriodMs: 600_000 });
  expect(renewedAt).toBeLessThan(token.maxTimestamp);
  await becomes("its end", async () => (await listed())[0]?.expiryTimestamp, renewedAt);
  await alice.expireDelegationToken(token.hmac);
  await becomes("tokens of alice", listed, []);
});
