import { type ConfigAlteration, KafkaAdmin } from "odradek";
import { afterAll, describe, expect, test } from "vitest";
import { becomes } from "./becomes.ts";
import { clusterTool, javaTool } from "./java-tool.ts";
import { newName } from "./opened.ts";
import { bootstrapServers, newTopic } from "./topics.ts";

const admin = new KafkaAdmin({ bootstrapServers });
afterAll(() => admin.close());

describe("configs", () => {
  test("are set, appended to, taken away and put back, all of a resource or none", async () => {
    const topic = await newTopic(3);
    const resource = { type: "TOPIC", name: topic } as const;
    const alter = async (...ops: ConfigAlteration["ops"]) =>
      [...(await admin.incrementalAlterConfigs([{ ...resource, ops }]))][0]?.error?.code;
    const configKeys = ["cleanup.policy", "retention.ms"];
    const values = async () => {
      const [described] = (await admin.describeConfigs([{ ...resource, configKeys }])).orThrow();
      return described?.configs.map(({ name, value, source, isDefault, type }) => [
        name,
        value,
        source,
        isDefault,
        type,
      ]);
    };
    const append = { name: "cleanup.policy", operation: "APPEND", value: "compact" } as const;
    const subtract = { ...append, operation: "SUBTRACT" } as const;
    const set = { name: "retention.ms", operation: "SET", value: "3600000" } as const;
    expect(await alter(append, set)).toBeUndefined();
    await becomes("configs of the topic", values, [
      ["cleanup.policy", "delete,compact", "DYNAMIC_TOPIC_CONFIG", false, "LIST"],
      ["retention.ms", "3600000", "DYNAMIC_TOPIC_CONFIG", false, "LONG"],
    ]);
    expect(await alter(subtract, { ...set, value: "soon" })).toBe("INVALID_CONFIG");
    const lines = await javaTool(
      "kafka.admin.ConfigCommand",
      ...[
        "--bootstrap-server",
        bootstrapServers.join(","),
        "--describe",
        "--entity-type",
        "topics",
        "--entity-name",
        topic,
      ],
    );
    const printed = lines.flatMap((line) => /^\s+([\w.]+)=(\S*) sensitive/.exec(line)?.slice(1, 3).join("=") ?? []);
    expect(printed.sort()).toEqual(["cleanup.policy=delete,compact", "retention.ms=3600000"]);
    expect(await alter(subtract, { name: "retention.ms", operation: "DELETE" })).toBeUndefined();
    await becomes("configs of the topic", values, [
      ["cleanup.policy", "delete", "DYNAMIC_TOPIC_CONFIG", false, "LIST"],
      ["retention.ms", "604800000", "DEFAULT_CONFIG", true, "LONG"],
    ]);
    const ops = [subtract];
    const [nobody] = await admin.incrementalAlterConfigs([{ type: "TOPIC", name: newName(), ops }]);
    expect(nobody?.error).toMatchObject({ code: "UNKNOWN_TOPIC_OR_PARTITION" });
  });

  test("are replaced as a whole: what is not named goes back to its default", async () => {
    const topic = await newTopic(1, { "cleanup.policy": "compact", "retention.ms": "3600000" });
    const resource = { type: "TOPIC", name: topic } as const;
    const configKeys = ["cleanup.policy", "retention.ms"];
    const values = async () =>
      (await admin.describeConfigs([{ ...resource, configKeys }])).orThrow()[0]?.configs.map(({ value }) => value);
    const replace = async (configs: Readonly<Record<string, string>>, validateOnly = false) =>
      [...(await admin.alterConfigs([{ ...resource, configs }], { validateOnly }))][0]?.error?.code;
    expect(await replace({ "retention.ms": "60000" }, true)).toBeUndefined();
    expect(await replace({ "retention.ms": "soon" })).toBe("INVALID_CONFIG");
    await becomes("configs of the topic", values, ["compact", "3600000"]);
    expect(await replace({ "retention.ms": "60000" })).toBeUndefined();
    await becomes("configs of the topic", values, ["delete", "60000"]);
    const [nobody] = await admin.alterConfigs([{ type: "TOPIC", name: newName(), configs: {} }]);
    expect(nobody?.error).toMatchObject({ code: "UNKNOWN_TOPIC_OR_PARTITION" });
  });

  test("of brokers are asked of each of them, with all that sets them and what they are for", async () => {
    const named = ["1", "2", ""].map((name) => ({ type: "BROKER", name, configKeys: ["node.id"] }) as const);
    const results = await admin.describeConfigs([...named, { type: "BROKER", name: "2147483647" }], {
      includeSynonyms: true,
      includeDocumentation: true,
    });
    const [one, two] = [...results].map(({ value }) => value?.configs[0]);
    expect([one?.value, two?.value]).toEqual(["1", "2"]);
    expect(one).toMatchObject({ source: "STATIC_BROKER_CONFIG", isReadOnly: true, type: "INT" });
    expect(one?.synonyms).toMatchObject([{ name: "node.id", value: "1", source: "STATIC_BROKER_CONFIG" }]);
    expect(one?.documentation).toMatch(/node/);
    expect([...results].at(-1)?.error).toMatchObject({ code: "BROKER_NOT_AVAILABLE" });
    const checked = await admin.incrementalAlterConfigs(
      [
        {
          type: "BROKER_LOGGER",
          name: "2",
          ops: [{ name: "kafka.server.KafkaApis", operation: "SET", value: "WARN" }],
        },
      ],
      { validateOnly: true },
    );
    expect(checked.orThrow()).toEqual([{ type: "BROKER_LOGGER", name: "2" }]);
  });

  test("are those of topics, brokers, groups and metrics of clients", async () => {
    const group = newName();
    const ops = [{ name: "consumer.session.timeout.ms", operation: "SET", value: "50000" }] as const;
    (await admin.incrementalAlterConfigs([{ type: "GROUP", name: group, ops }])).orThrow();
    const listed = async () => (await admin.listConfigResources(["GROUP"])).filter(({ name }) => name === group);
    await becomes("the group among them", listed, [{ type: "GROUP", name: group }]);
    const brokers = await admin.listConfigResources(["BROKER"]);
    expect(brokers.map(({ name }) => name).sort()).toEqual(["1", "2", "3"]);
    const metrics = { type: "CLIENT_METRICS", name: newName() } as const;
    const interval = { name: "interval.ms", operation: "SET", value: "60000" } as const;
    (await admin.incrementalAlterConfigs([{ ...metrics, ops: [interval] }])).orThrow();
    const ofMetrics = async () => {
      const all = await admin.listConfigResources(["CLIENT_METRICS"]);
      return {
        types: [...new Set(all.map(({ type }) => type))],
        isThere: all.some(({ name }) => name === metrics.name),
      };
    };
    await becomes("metrics of clients", ofMetrics, { types: ["CLIENT_METRICS"], isThere: true });
    const printed = await clusterTool(bootstrapServers, "org.apache.kafka.tools.ClientMetricsCommand", "--list");
    expect(printed).toContain(metrics.name);
    const unset = { ...interval, operation: "DELETE", value: null } as const;
    (await admin.incrementalAlterConfigs([{ ...metrics, ops: [unset] }])).orThrow();
  });
});

/** What Kafka's own tool prints of a user's quotas and passwords. */
async function configsOfUser(user: string): Promise<string[]> {
  const entity = ["--describe", "--entity-type", "users", "--entity-name", user];
  const lines = await clusterTool(bootstrapServers, "kafka.admin.ConfigCommand", ...entity);
  return lines.filter((line) => line.includes(" are ")).sort();
}

test("quotas of clients are set, found by parts of their names, and taken away", async () => {
  const user = newName();
  const [both, alone] = [{ user, clientId: null }, { user }];
  const results = await admin.alterClientQuotas([
    { entity: both, quotas: { producer_byte_rate: 1_000_000, request_percentage: 50 } },
    { entity: alone, quotas: { consumer_byte_rate: 2_000_000 } },
    { entity: { ip: "999.999.999.999" }, quotas: { connection_creation_rate: 5 } },
  ]);
  expect([...results].map(({ error }) => error?.code)).toEqual([undefined, undefined, "INVALID_REQUEST"]);
  const quotasOfBoth = { entity: both, quotas: { producer_byte_rate: 1_000_000, request_percentage: 50 } };
  const quotasOfOne = { entity: alone, quotas: { consumer_byte_rate: 2_000_000 } };
  await becomes("quotas of the user alone", () => admin.describeClientQuotas({ user, strict: true }), [quotasOfOne]);
  await becomes("those with a client id", () => admin.describeClientQuotas({ user, clientId: null }), [quotasOfBoth]);
  expect(await configsOfUser(user)).toEqual([
    `Quota configs for user-principal '${user}' are consumer_byte_rate=2000000.0`,
  ]);
  const gone = [
    { entity: both, quotas: { producer_byte_rate: null, request_percentage: null } },
    { entity: alone, quotas: { consumer_byte_rate: null } },
  ];
  (await admin.alterClientQuotas(gone, { validateOnly: true })).orThrow();
  const count = async () => (await admin.describeClientQuotas({ user })).length;
  expect(await count()).toBe(2);
  (await admin.alterClientQuotas(gone)).orThrow();
  await becomes("quotas left", count, 0);
});

test("passwords of SCRAM are set and deleted", async () => {
  const [user, nobody] = [newName(), newName()];
  const results = await admin.alterUserScramCredentials([
    { user, mechanism: "SCRAM-SHA-256", password: "secret", iterations: 5_000 },
    { user: nobody, mechanism: "SCRAM-SHA-512", delete: true },
  ]);
  expect([...results].map(({ error }) => error?.code)).toEqual([undefined, "RESOURCE_NOT_FOUND"]);
  const infos = async () =>
    (await admin.describeUserScramCredentials([user, nobody])).get(user)?.value?.credentialInfos;
  await becomes("what is known of it", infos, [{ mechanism: "SCRAM-SHA-256", iterations: 5_000 }]);
  expect(await configsOfUser(user)).toEqual([
    `SCRAM credential configs for user-principal '${user}' are SCRAM-SHA-256=iterations=5000`,
  ]);
  const isListed = async () => (await admin.describeUserScramCredentials()).get(user) !== undefined;
  await becomes("whether it is listed", isListed, true);
  (await admin.alterUserScramCredentials([{ user, mechanism: "SCRAM-SHA-256", delete: true }])).orThrow();
  await becomes("what is known of it", infos, undefined);
});

describe("the cluster", () => {
  test("has brokers, and a quorum, as Kafka's own tool has it", async () => {
    const cluster = await admin.describeCluster({ includeAuthorizedOperations: true, includeFencedBrokers: true });
    expect(cluster.brokers.map(({ id, isFenced }) => [id, isFenced])).toEqual([
      [1, false],
      [2, false],
      [3, false],
    ]);
    expect(cluster.brokers.map(({ host, port }) => `${host}:${port}`).sort()).toEqual([...bootstrapServers].sort());
    expect(cluster.authorizedOperations).toContain("ALTER_CONFIGS");
    const quorum = await admin.describeMetadataQuorum();
    expect(quorum.voters.map(({ replicaId }) => replicaId)).toEqual([1, 2, 3]);
    expect(quorum.nodes.map(({ nodeId, endpoints }) => [nodeId, endpoints[0]?.name])).toEqual(
      [1, 2, 3].map((id) => [id, "CONTROLLER"]),
    );
    const lines = await javaTool(
      "org.apache.kafka.tools.MetadataQuorumCommand",
      ...["--bootstrap-server", bootstrapServers.join(","), "describe", "--status"],
    );
    const printed = new Map(
      lines.map((line): [string, string] => {
        const [name = "", value = ""] = line.split(/:\s+/);
        return [name, value];
      }),
    );
    expect(printed.get("ClusterId")).toBe(cluster.clusterId);
    expect(printed.get("LeaderId")).toBe(String(quorum.leaderId));
    expect(printed.get("LeaderEpoch")).toBe(String(quorum.leaderEpoch));
  });

  test("keeps its voters and brokers where they may not change", async () => {
    const directory = "AAAAAAAAAAAAAAAAAAAAaQ";
    const endpoints = [{ name: "CONTROLLER", host: "127.0.0.1", port: 9_093 }];
    await expect(admin.addRaftVoter(9, directory, endpoints)).rejects.toMatchObject({ code: "UNSUPPORTED_VERSION" });
    await expect(admin.removeRaftVoter(9, directory)).rejects.toMatchObject({ code: "UNSUPPORTED_VERSION" });
    await expect(admin.unregisterBroker(99)).rejects.toMatchObject({ code: "BROKER_ID_NOT_REGISTERED" });
  });

  test("has settled on features, and changes none that it cannot", async () => {
    const { features, finalizedEpoch } = await admin.describeFeatures({ nodeId: 2 });
    expect(finalizedEpoch).toBeGreaterThan(0n);
    const metadata = features.find(({ feature }) => feature === "metadata.version");
    expect(metadata?.finalizedLevel).toBeGreaterThanOrEqual(metadata?.supportedLevels?.min ?? Number.POSITIVE_INFINITY);
    const same = { feature: "metadata.version", maxVersionLevel: metadata?.finalizedLevel ?? 0 };
    expect((await admin.updateFeatures([same], { validateOnly: true })).orThrow()).toEqual(["metadata.version"]);
    const results = await admin.updateFeatures([{ feature: "metadata.version", maxVersionLevel: 32_000 }]);
    expect([...results][0]?.error).toMatchObject({ code: "INVALID_UPDATE_VERSION" });
  });
});

test("what brokers without an authorizer, or a secret for tokens, cannot do is said as such", async () => {
  await expect(admin.describeAcls()).rejects.toMatchObject({ code: "SECURITY_DISABLED" });
  await expect(admin.createDelegationToken()).rejects.toMatchObject({ code: "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED" });
});
