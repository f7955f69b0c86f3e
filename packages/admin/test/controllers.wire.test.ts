import { codeOf } from "@odradek/protocol";
import { ApiVersions } from "@odradek/protocol/messages/api-versions";
import { DescribeCluster } from "@odradek/protocol/messages/describe-cluster";
import { DescribeConfigs } from "@odradek/protocol/messages/describe-configs";
import { DescribeQuorum } from "@odradek/protocol/messages/describe-quorum";
import { IncrementalAlterConfigs } from "@odradek/protocol/messages/incremental-alter-configs";
import { describe, expect, onTestFinished, test } from "vitest";
import { ScriptedCluster } from "../../network/test/scripted-cluster.ts";
import type { PeerConnection, PeerRequest } from "../../network/test/scripted-peer.ts";
import { KafkaAdmin } from "../src/index.ts";

const controllers = 2;

/** Answers who the controllers are, and which of them is the active one. */
function answerControllers(
  connection: PeerConnection,
  request: PeerRequest,
  cluster: ScriptedCluster,
  activeId: number,
) {
  connection.answer(request, DescribeCluster, {
    throttleTimeMs: 0,
    errorCode: 0,
    endpointType: request.body(DescribeCluster).endpointType,
    clusterId: "cluster",
    controllerId: activeId,
    brokers: cluster.peers.map(({ address }, index) => ({ brokerId: index + 1, ...address })),
  });
}

function clientOf(cluster: ScriptedCluster): KafkaAdmin {
  const admin = new KafkaAdmin({
    bootstrapControllers: cluster.bootstrapServers,
    retryBackoffMs: 1,
    reconnectBackoffMs: 1,
  });
  onTestFinished(() => admin.close());
  return admin;
}

describe("a client that begins with controllers", () => {
  test("asks the active one, and the next when another is", async () => {
    let activeId = 1;
    const asked: number[] = [];
    const cluster: ScriptedCluster = await ScriptedCluster.listen(3, {
      serve(connection, request, broker) {
        if (request.apiKey === DescribeCluster.key) return answerControllers(connection, request, cluster, activeId);
        asked.push(broker);
        activeId = 3;
        const partition = { partitionIndex: 0, errorCode: broker === 3 ? 0 : codeOf("NOT_LEADER_OR_FOLLOWER") };
        const quorum = { leaderId: broker, leaderEpoch: 1, highWatermark: 5n, currentVoters: [], observers: [] };
        connection.answer(request, DescribeQuorum, {
          errorCode: 0,
          topics: [{ topicName: "__cluster_metadata", partitions: [{ ...partition, ...quorum }] }],
        });
      },
    });
    expect((await clientOf(cluster).describeMetadataQuorum()).leaderId).toBe(3);
    expect([asked[0], asked.at(-1)]).toEqual([1, 3]);
    expect(cluster.questions).toEqual([]);
  });

  test("has the controllers described as the cluster", async () => {
    const types: number[] = [];
    const cluster: ScriptedCluster = await ScriptedCluster.listen(2, {
      serve(connection, request) {
        types.push(request.body(DescribeCluster).endpointType);
        answerControllers(connection, request, cluster, 2);
      },
    });
    const described = await clientOf(cluster).describeCluster();
    expect(described).toMatchObject({ clusterId: "cluster", controllerId: 2 });
    expect(described.brokers.map(({ id }) => id)).toEqual([1, 2]);
    expect(new Set(types)).toEqual(new Set([controllers]));
  });

  test("has all configs altered by the active one, but those of a logger, which are its own", async () => {
    let activeId = 1;
    const asked: [number, string[]][] = [];
    const cluster: ScriptedCluster = await ScriptedCluster.listen(3, {
      serve(connection, request, broker) {
        if (request.apiKey === DescribeCluster.key) return answerControllers(connection, request, cluster, activeId);
        const { resources } = request.body(IncrementalAlterConfigs);
        asked.push([broker, resources.map(({ resourceType, resourceName }) => `${resourceType} ${resourceName}`)]);
        const isLogger = resources.every(({ resourceType }) => resourceType === 8);
        // The first that is asked is the active one no more.
        const errorCode = isLogger || broker === 3 ? 0 : codeOf("NOT_CONTROLLER");
        if (!isLogger) activeId = 3;
        const responses = resources.map(({ resourceType, resourceName }) => ({
          resourceType,
          resourceName,
          errorCode,
          errorMessage: null,
        }));
        connection.answer(request, IncrementalAlterConfigs, { throttleTimeMs: 0, responses });
      },
    });
    const ops = [{ name: "a", operation: "DELETE" }] as const;
    const results = await clientOf(cluster).incrementalAlterConfigs([
      { type: "TOPIC", name: "t", ops },
      { type: "BROKER", name: "", ops },
      { type: "BROKER", name: "7", ops },
      { type: "BROKER_LOGGER", name: "2", ops },
    ]);
    expect([...results].map(({ error }) => error)).toEqual([null, null, null, null]);
    const ofActive = asked.filter(([broker]) => broker !== 2);
    expect(asked.filter(([broker]) => broker === 2)).toEqual([[2, ["8 2"]]]);
    expect(new Set(ofActive.map(([, resources]) => resources.join()))).toEqual(new Set(["2 t,4 ,4 7"]));
    expect([ofActive[0]?.[0], ofActive.at(-1)?.[0]]).toEqual([1, 3]);
  });

  test("asks the active one for configs of topics and for features, and each for its own", async () => {
    const asked: [number, string][] = [];
    const cluster: ScriptedCluster = await ScriptedCluster.listen(3, {
      serve(connection, request, broker) {
        if (request.apiKey === DescribeCluster.key) return answerControllers(connection, request, cluster, 2);
        if (request.apiKey === ApiVersions.key) {
          asked.push([broker, "features"]);
          return connection.answer(request, ApiVersions, { errorCode: 0, apiKeys: [] });
        }
        const { resources } = request.body(DescribeConfigs);
        asked.push([broker, resources.map(({ resourceName }) => resourceName).join()]);
        const results = resources.map((resource) => ({ ...resource, errorCode: 0, errorMessage: null, configs: [] }));
        connection.answer(request, DescribeConfigs, { throttleTimeMs: 0, results });
      },
    });
    const client = clientOf(cluster);
    const resources = [
      { type: "TOPIC", name: "t" },
      { type: "BROKER", name: "" },
      { type: "BROKER", name: "3" },
    ] as const;
    for (let call = 0; call < 2; call++) (await client.describeConfigs(resources)).orThrow();
    for (let call = 0; call < 2; call++) await client.describeFeatures();
    expect(asked.sort().map((one) => one.join(" "))).toEqual([
      ...["2 features", "2 features", "2 t,", "2 t,"],
      ...["3 3", "3 3"],
    ]);
  });

  test("is told at once where a broker answers", async () => {
    const cluster = await ScriptedCluster.listen(1, {
      serve: (connection, request) =>
        connection.answer(request, DescribeCluster, {
          throttleTimeMs: 0,
          errorCode: codeOf("MISMATCHED_ENDPOINT_TYPE"),
          clusterId: "",
          brokers: [],
        }),
    });
    await expect(clientOf(cluster).describeMetadataQuorum()).rejects.toMatchObject({
      code: "UNSUPPORTED_VERSION",
      message: expect.stringContaining("a broker answers where bootstrapControllers has a controller"),
    });
  });

  test("has either brokers or controllers, and says which of the two is wrong", () => {
    const bootstrapControllers = ["127.0.0.1:1"];
    const both = { bootstrapControllers, bootstrapServers: bootstrapControllers };
    expect(() => new KafkaAdmin(both)).toThrow("option bootstrapControllers: either brokers or controllers");
    expect(() => new KafkaAdmin({ bootstrapControllers: ["here"] })).toThrow("option bootstrapControllers: host:port");
    const neither: { readonly bootstrapServers: string[] } = JSON.parse("{}");
    expect(() => new KafkaAdmin(neither)).toThrow("option bootstrapServers: a list of host:port");
  });
});
