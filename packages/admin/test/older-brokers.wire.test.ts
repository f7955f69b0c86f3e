import { codeOf } from "@odradek/protocol";
import { CreateTopics } from "@odradek/protocol/messages/create-topics";
import { DescribeCluster } from "@odradek/protocol/messages/describe-cluster";
import { DescribeConfigs } from "@odradek/protocol/messages/describe-configs";
import { IncrementalAlterConfigs } from "@odradek/protocol/messages/incremental-alter-configs";
import { ListGroups } from "@odradek/protocol/messages/list-groups";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { UpdateFeatures } from "@odradek/protocol/messages/update-features";
import { describe, expect, test } from "vitest";
import type { GroupType } from "../src/index.ts";
import { scriptedAdmin, versions } from "./scripted-admin.ts";

test("a broker before Kafka 2.4 creates the topics that have their counts, and not those that leave them to it", async () => {
  const asked: string[][] = [];
  const { admin } = await scriptedAdmin({
    versions: versions({ [CreateTopics.key]: 3 }),
    serve(connection, request) {
      const names = request.body(CreateTopics).topics.map(({ name }) => name);
      asked.push(names);
      const topics = names.map((name) => ({ name, errorCode: 0, errorMessage: null }));
      connection.answer(request, CreateTopics, { throttleTimeMs: 0, topics });
    },
  });
  const results = await admin.createTopics([
    { topic: "none" },
    { topic: "both", numPartitions: 2, replicationFactor: 1 },
    { topic: "one", numPartitions: 2 },
    { topic: "placed", assignments: [[1], [2]] },
  ]);
  expect([...results].map(({ value, error }) => value?.topic ?? error?.code)).toEqual([
    "UNSUPPORTED_VERSION",
    "both",
    "UNSUPPORTED_VERSION",
    "placed",
  ]);
  expect(results.get("one")?.error?.message).toMatch(
    /^CreateTopics v4 \(Kafka 2\.4, and newer\), which leaves counts to the broker: /,
  );
  expect(asked).toEqual([["both", "placed"]]);
});

describe("groups of a broker before Kafka 3.8", () => {
  const listed = async (...types: GroupType[]) => {
    const { admin } = await scriptedAdmin({
      versions: versions({ [ListGroups.key]: 4 }),
      serve(connection, request, broker) {
        const groups = [{ groupId: `g${broker}`, protocolType: "consumer", groupState: "Stable" }];
        connection.answer(request, ListGroups, { errorCode: 0, groups });
      },
    });
    return [...(await admin.listGroups({ types }))].map(({ value, error }) => value?.[0]?.groupId ?? error?.code);
  };

  test.each<GroupType[][]>([[["Classic"]], [["Classic", "Consumer"]]])("are those of types %j", async (types) => {
    expect(await listed(...types)).toEqual(["g1", "g2", "g3"]);
  });

  test.each<GroupType[][]>([[["Consumer"]], [["Share"]], [["Classic", "Share"]]])(
    "are not told apart by types %j",
    async (types) => {
      expect(await listed(...types)).toEqual(Array.from({ length: 3 }, () => "UNSUPPORTED_VERSION"));
    },
  );
});

test("a broker that does not know of a kind of resource tells the configs of the others, and alters them", async () => {
  const group = 32;
  const unknown = { errorCode: codeOf("INVALID_REQUEST"), errorMessage: "Unexpected resource type UNKNOWN" };
  // One of them is enough for it to refuse them all.
  const answersTo = (resources: readonly { readonly resourceType: number; readonly resourceName: string }[]) => {
    const isRefused = resources.some(({ resourceType }) => resourceType === group);
    return resources.map(({ resourceType, resourceName }) => ({
      ...(isRefused ? unknown : { errorCode: 0, errorMessage: null }),
      resourceType: resourceType === group ? 0 : resourceType,
      resourceName,
      configs: [],
    }));
  };
  const { admin } = await scriptedAdmin({
    versions: versions({}),
    serve(connection, request) {
      if (request.apiKey === DescribeConfigs.key) {
        const results = answersTo(request.body(DescribeConfigs).resources);
        return connection.answer(request, DescribeConfigs, { throttleTimeMs: 0, results });
      }
      const responses = answersTo(request.body(IncrementalAlterConfigs).resources);
      connection.answer(request, IncrementalAlterConfigs, { throttleTimeMs: 0, responses });
    },
  });
  const resources = [
    { type: "TOPIC", name: "t" },
    { type: "GROUP", name: "g" },
    { type: "BROKER", name: "" },
  ] as const;
  const told = await admin.describeConfigs(resources);
  const ops = [{ name: "a", operation: "DELETE" }] as const;
  const altered = await admin.incrementalAlterConfigs(resources.map((resource) => ({ ...resource, ops })));
  for (const results of [[...told], [...altered]]) {
    expect(results.map(({ error }) => error?.code)).toEqual([undefined, "INVALID_REQUEST", undefined]);
  }
});

test("a broker of Kafka 2.3 to 2.7 tells by its metadata what one may do with the cluster, where it is asked", async () => {
  const { admin } = await scriptedAdmin({
    versions: versions({ [DescribeCluster.key]: null, [Metadata.key]: 10 }),
    metadata: (self, request) =>
      self.answer(
        request.body(Metadata).includeClusterAuthorizedOperations ? { clusterAuthorizedOperations: 1 << 8 } : {},
      ),
  });
  expect((await admin.describeCluster({ includeAuthorizedOperations: true })).authorizedOperations).toEqual([
    "DESCRIBE",
  ]);
  expect((await admin.describeCluster()).authorizedOperations).toBeNull();
});

test.each([
  [1, [undefined, "INVALID_UPDATE_VERSION", "DECODE"]],
  [2, [undefined, undefined, undefined]],
])(
  "features that are updated in version %d have %j for errors, where the answer leaves one out",
  async (newest, codes) => {
    const { admin } = await scriptedAdmin({
      versions: versions({ [UpdateFeatures.key]: newest }),
      serve(connection, request) {
        const told = [0, codeOf("INVALID_UPDATE_VERSION")];
        const results = told.map((errorCode, index) => ({ feature: `f${index}`, errorCode, errorMessage: null }));
        connection.answer(request, UpdateFeatures, {
          throttleTimeMs: 0,
          errorCode: 0,
          errorMessage: null,
          // From Kafka 4.0 on the whole of it has one result.
          ...(newest < 2 ? { results } : {}),
        });
      },
    });
    const updates = [0, 1, 2].map((index) => ({ feature: `f${index}`, maxVersionLevel: 1 }));
    expect([...(await admin.updateFeatures(updates))].map(({ error }) => error?.code)).toEqual(codes);
  },
);
