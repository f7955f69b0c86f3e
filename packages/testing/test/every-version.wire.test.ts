import type { Api } from "@odradek/protocol";
import * as messages from "@odradek/protocol/messages/index";
import { afterAll, beforeAll, expect, test } from "vitest";
import { KafkaCluster } from "../src/index.ts";
import { batchOf, RawKafka, type RawRequest } from "./behaviour/raw-kafka.ts";

let cluster: KafkaCluster;
let kafka: RawKafka;
let topicId = "";

beforeAll(async () => {
  cluster = await KafkaCluster.start({ topics: { t: { partitions: 2 } } });
  kafka = await RawKafka.connect(cluster.bootstrapServers);
  const { topics } = await kafka.ask(messages.Metadata, 12, { topics: [{ name: "t" }] });
  topicId = topics[0]?.topicId ?? "";
});

afterAll(async () => {
  await kafka.close();
  await cluster.close();
});

interface Question {
  readonly api: Api;
  readonly ask: (version: number) => Promise<unknown>;
}

const question = <A extends Api>(api: A, body: (version: number) => RawRequest<A>): Question => ({
  api,
  ask: (version) => kafka.ask(api, version, body(version), -1, `${api.name} ${version}`),
});

const producer = { producerId: 1_000n, producerEpoch: 0 };
const configs = [{ name: "retention.ms", value: "1000" }];
const offsets = [
  { name: "t", partitions: [{ partitionIndex: 0, committedOffset: 0n, committedMetadata: null }] },
] as const;

const rule = { operation: 3, permissionType: 3 };
const aclFilter = {
  ...{ ...rule, resourceTypeFilter: 1, resourceNameFilter: null, principalFilter: null, hostFilter: null },
};

/** A request with something in it for each API, as each version can say it. */
const questions: readonly Question[] = [
  question(messages.AddOffsetsToTxn, () => ({ transactionalId: "x", ...producer, groupId: "g" })),
  question(messages.AddPartitionsToTxn, (version) => {
    const topics = [{ name: "t", partitions: [0] }];
    return version < 4
      ? {
          v3AndBelowTransactionalId: "x",
          v3AndBelowProducerId: 1_000n,
          v3AndBelowProducerEpoch: 0,
          v3AndBelowTopics: topics,
        }
      : { transactions: [{ transactionalId: "x", ...producer, topics }] };
  }),
  question(messages.AlterConfigs, () => ({
    resources: [{ resourceType: 2, resourceName: "t", configs }],
    validateOnly: true,
  })),
  question(messages.AlterPartitionReassignments, () => ({
    topics: [{ name: "t", partitions: [{ partitionIndex: 0, replicas: [1] }] }],
  })),
  question(messages.ApiVersions, () => ({ clientSoftwareName: "suite", clientSoftwareVersion: "1" })),
  question(messages.ConsumerGroupDescribe, () => ({ groupIds: ["c"], includeAuthorizedOperations: true })),
  question(messages.ConsumerGroupHeartbeat, (version) => ({
    ...{ groupId: "c", memberId: `member-${version}`, memberEpoch: 0, rebalanceTimeoutMs: 1_000 },
    subscribedTopicNames: ["t"],
    topicPartitions: [],
  })),
  question(messages.CreateAcls, () => ({
    creations: [{ ...rule, resourceType: 2, resourceName: "t", principal: "User:a", host: "*" }],
  })),
  question(messages.CreatePartitions, () => ({
    topics: [{ name: "t", count: 3, assignments: null }],
    timeoutMs: 1_000,
    validateOnly: true,
  })),
  question(messages.CreateTopics, (version) => ({
    topics: [{ name: `made-${version}`, numPartitions: 1, replicationFactor: 1, assignments: [], configs }],
  })),
  question(messages.DeleteAcls, () => ({ filters: [aclFilter] })),
  question(messages.DeleteGroups, () => ({ groupsNames: ["nobody"] })),
  question(messages.DeleteRecords, () => ({
    topics: [{ name: "t", partitions: [{ partitionIndex: 1, offset: -1n }] }],
    timeoutMs: 1_000,
  })),
  question(messages.DeleteTopics, (version) =>
    version < 6
      ? { topicNames: [`made-${version}`], timeoutMs: 1_000 }
      : { topics: [{ name: `made-${version}`, topicId: "AAAAAAAAAAAAAAAAAAAAAA" }], timeoutMs: 1_000 },
  ),
  question(messages.DescribeAcls, () => aclFilter),
  question(messages.DescribeCluster, () => ({ includeClusterAuthorizedOperations: true })),
  question(messages.DescribeConfigs, () => ({
    resources: [2, 4].map((resourceType) => ({
      ...{ resourceType, resourceName: resourceType === 2 ? "t" : "1", configurationKeys: null },
    })),
    includeSynonyms: true,
  })),
  question(messages.DescribeGroups, (version) => ({ groups: ["g"], includeAuthorizedOperations: version >= 3 })),
  question(messages.DescribeLogDirs, () => ({ topics: null })),
  question(messages.DescribeProducers, () => ({ topics: [{ name: "t", partitionIndexes: [0] }] })),
  question(messages.DescribeTopicPartitions, () => ({ topics: [{ name: "t" }] })),
  question(messages.DescribeTransactions, () => ({ transactionalIds: ["x"] })),
  question(messages.ElectLeaders, () => ({ topicPartitions: [{ topic: "t", partitions: [0] }] })),
  question(messages.EndTxn, () => ({ transactionalId: "x", ...producer, committed: true })),
  question(messages.Fetch, () => ({
    ...{ maxWaitMs: 0, minBytes: 1, isolationLevel: 1 },
    topics: [{ topic: "t", topicId, partitions: [{ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1_000 }] }],
  })),
  question(messages.FindCoordinator, (version) => (version < 4 ? { key: "g" } : { coordinatorKeys: ["g", "h"] })),
  question(messages.Heartbeat, () => ({ groupId: "g", generationId: 1, memberId: "nobody" })),
  question(messages.IncrementalAlterConfigs, () => ({
    resources: [
      { resourceType: 2, resourceName: "t", configs: [{ ...configs[0], name: "x", configOperation: 0, value: "" }] },
    ],
    validateOnly: true,
  })),
  question(messages.InitProducerId, () => ({ transactionalId: "x", transactionTimeoutMs: 1_000 })),
  question(messages.JoinGroup, (version) => ({
    ...{ groupId: `g-${version}`, sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 10_000, memberId: "" },
    protocolType: "consumer",
    protocols: [{ name: "range", metadata: Buffer.alloc(0) }],
  })),
  question(messages.LeaveGroup, (version) =>
    version < 3 ? { groupId: "g", memberId: "nobody" } : { groupId: "g", members: [{ memberId: "nobody" }] },
  ),
  question(messages.ListConfigResources, () => ({})),
  question(messages.ListGroups, () => ({})),
  question(messages.ListOffsets, () => ({
    replicaId: -1,
    topics: [{ name: "t", partitions: [-1n, 0n].map((timestamp) => ({ partitionIndex: 0, timestamp })) }],
  })),
  question(messages.ListPartitionReassignments, () => ({})),
  question(messages.ListTransactions, () => ({ stateFilters: [], producerIdFilters: [] })),
  question(messages.Metadata, () => ({ topics: [{ name: "t" }, { name: "not there" }] })),
  question(messages.OffsetCommit, () => ({
    groupId: "g",
    memberId: "",
    topics: offsets.map((topic) => ({ ...topic, topicId })),
  })),
  question(messages.OffsetDelete, () => ({
    groupId: "g",
    topics: [{ name: "t", partitions: [{ partitionIndex: 0 }] }],
  })),
  question(messages.OffsetFetch, (version) => {
    const topics = [{ name: "t", topicId, partitionIndexes: [0] }];
    if (version >= 8) return { groups: [{ groupId: "g", topics }] };
    return { groupId: "g", topics: topics.map(({ name, partitionIndexes }) => ({ name, partitionIndexes })) };
  }),
  question(messages.OffsetForLeaderEpoch, () => ({
    topics: [{ topic: "t", partitions: [{ partition: 0, leaderEpoch: 0 }] }],
  })),
  question(messages.Produce, () => ({
    ...{ acks: -1, timeoutMs: 1_000 },
    topicData: [{ name: "t", topicId, partitionData: [{ index: 0, records: batchOf(["a"]) }] }],
  })),
  question(messages.SaslAuthenticate, () => ({ authBytes: Buffer.from("x") })),
  question(messages.SaslHandshake, () => ({ mechanism: "PLAIN" })),
  question(messages.SyncGroup, () => ({ groupId: "g", generationId: 1, memberId: "nobody", assignments: [] })),
  question(messages.TxnOffsetCommit, () => ({ transactionalId: "x", groupId: "g", ...producer, topics: offsets })),
  question(messages.WriteTxnMarkers, () => ({
    markers: [
      {
        ...{ ...producer, transactionResult: true, coordinatorEpoch: 0 },
        topics: [{ name: "t", partitionIndexes: [0, 9] }],
      },
    ],
  })),
];

test("every API that brokers advertise is asked about", async () => {
  const { apiKeys } = await kafka.ask(messages.ApiVersions, 3, {
    clientSoftwareName: "suite",
    clientSoftwareVersion: "1",
  });
  expect(new Set(questions.map(({ api }) => api.key))).toEqual(new Set(apiKeys.map(({ apiKey }) => apiKey)));
});

test.each(questions.map(({ api, ask }) => ({ name: api.name, api, ask })))(
  "$name is answered in every version",
  async ({ api, ask }) => {
    const { apiKeys } = await kafka.ask(messages.ApiVersions, 0, {
      clientSoftwareName: "",
      clientSoftwareVersion: "",
    });
    const range = apiKeys.find(({ apiKey }) => apiKey === api.key);
    const first = Math.max(range?.minVersion ?? 0, api.versions[0]);
    for (let version = first; version <= (range?.maxVersion ?? -1); version++) {
      await expect(ask(version), `version ${version}`).resolves.toBeDefined();
    }
  },
);
