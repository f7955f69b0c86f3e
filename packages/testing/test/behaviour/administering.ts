import { codeOf } from "@odradek/protocol";
import { AlterPartitionReassignments } from "@odradek/protocol/messages/alter-partition-reassignments";
import { ApiVersions } from "@odradek/protocol/messages/api-versions";
import { CreateAcls } from "@odradek/protocol/messages/create-acls";
import { CreatePartitions } from "@odradek/protocol/messages/create-partitions";
import { CreateTopics } from "@odradek/protocol/messages/create-topics";
import { DeleteAcls } from "@odradek/protocol/messages/delete-acls";
import { DeleteTopics } from "@odradek/protocol/messages/delete-topics";
import { DescribeAcls } from "@odradek/protocol/messages/describe-acls";
import { DescribeCluster } from "@odradek/protocol/messages/describe-cluster";
import { DescribeConfigs } from "@odradek/protocol/messages/describe-configs";
import { DescribeProducers } from "@odradek/protocol/messages/describe-producers";
import { DescribeTopicPartitions } from "@odradek/protocol/messages/describe-topic-partitions";
import { DescribeTransactions } from "@odradek/protocol/messages/describe-transactions";
import { ElectLeaders } from "@odradek/protocol/messages/elect-leaders";
import { IncrementalAlterConfigs } from "@odradek/protocol/messages/incremental-alter-configs";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { expect } from "vitest";
import { newName, type RawKafka, type RawTopic, transient } from "./raw-kafka.ts";
import { type Case, kafka } from "./suite.ts";

interface Wanted {
  readonly name?: string;
  readonly numPartitions?: number;
  readonly replicationFactor?: number;
  readonly assignments?: readonly { partitionIndex: number; brokerIds: readonly number[] }[];
  readonly configs?: readonly { name: string; value: string | null }[];
}

const code = codeOf;
const zeroId = "AAAAAAAAAAAAAAAAAAAAAA";

async function create(cluster: RawKafka, wanted: Wanted, validateOnly = false) {
  const topic = { name: newName(), numPartitions: 1, replicationFactor: 1, assignments: [], configs: [], ...wanted };
  return (await cluster.ask(CreateTopics, 7, { topics: [topic], validateOnly })).topics[0];
}

async function grow(cluster: RawKafka, topic: RawTopic, count: number, brokerIds: readonly number[][] | null = null) {
  const assignments = brokerIds?.map((ids) => ({ brokerIds: ids })) ?? null;
  const request = { topics: [{ name: topic.name, count, assignments }], timeoutMs: 10_000, validateOnly: false };
  return (await cluster.ask(CreatePartitions, 3, request)).results[0];
}

async function configOf(cluster: RawKafka, resourceName: string, key: string, resourceType = 2) {
  const resources = [{ resourceType, resourceName, configurationKeys: [key] }];
  return (await cluster.ask(DescribeConfigs, 4, { resources, includeSynonyms: true })).results[0];
}

/** What a key is set to, once every broker has heard of it. */
async function becomes(cluster: RawKafka, topic: string, key: string, value: string, configSource = 1) {
  const answer = await cluster.eventually(
    () => configOf(cluster, topic, key),
    (described) => described?.configs[0]?.value === value && described.configs[0].configSource === configSource,
  );
  expect(answer?.configs[0]).toMatchObject({ value, configSource });
}

async function alter(cluster: RawKafka, resourceName: string, name: string, value: string | null, operation = 0) {
  const configs = [{ name, configOperation: operation, value }];
  const resources = [{ resourceType: 2, resourceName, configs }];
  return (await cluster.ask(IncrementalAlterConfigs, 1, { resources, validateOnly: false })).responses[0];
}

export const administering: readonly Case[] = [
  kafka("topics that cannot be are refused", async (cluster) => {
    const topic = await cluster.topic();
    const refused = (name: Parameters<typeof codeOf>[0]) => ({ errorCode: code(name) });
    expect(await create(cluster, { name: topic.name })).toMatchObject(refused("TOPIC_ALREADY_EXISTS"));
    expect(await create(cluster, { name: "no spaces" })).toMatchObject(refused("INVALID_TOPIC_EXCEPTION"));
    expect(await create(cluster, { name: "" })).toMatchObject(refused("INVALID_TOPIC_EXCEPTION"));
    expect(await create(cluster, { name: "x".repeat(250) })).toMatchObject(refused("INVALID_TOPIC_EXCEPTION"));
    expect(await create(cluster, { numPartitions: 0 })).toMatchObject(refused("INVALID_PARTITIONS"));
    expect(await create(cluster, { replicationFactor: 0 })).toMatchObject(refused("INVALID_REPLICATION_FACTOR"));
    expect(await create(cluster, { replicationFactor: 99 })).toMatchObject(refused("INVALID_REPLICATION_FACTOR"));
    const unknown = [{ name: "no.such.key", value: "1" }];
    expect(await create(cluster, { configs: unknown })).toMatchObject(refused("INVALID_CONFIG"));
    const invalid = [{ name: "retention.ms", value: "soon" }];
    expect(await create(cluster, { configs: invalid })).toMatchObject(refused("INVALID_CONFIG"));
    const placed = [{ partitionIndex: 0, brokerIds: [999] }];
    const manual = { numPartitions: -1, replicationFactor: -1, assignments: placed };
    expect(await create(cluster, manual)).toMatchObject(refused("INVALID_REPLICA_ASSIGNMENT"));
  }),

  kafka("a request that only asks whether it could be creates nothing", async (cluster) => {
    const name = newName();
    expect(await create(cluster, { name }, true)).toMatchObject({ errorCode: 0, numPartitions: 1 });
    const request = { topics: [{ name }], allowAutoTopicCreation: false };
    const { topics } = await cluster.ask(Metadata, 12, request);
    expect(topics[0]).toMatchObject({
      errorCode: code("UNKNOWN_TOPIC_OR_PARTITION"),
      name,
      topicId: zeroId,
      partitions: [],
    });
  }),

  kafka("topics are known by name and by id", async (cluster) => {
    const topic = await cluster.topic(2);
    const byId = await cluster.ask(Metadata, 12, { topics: [{ topicId: topic.id, name: null }] });
    expect(byId.topics[0]).toMatchObject({ errorCode: 0, name: topic.name, topicId: topic.id, isInternal: false });
    expect(byId.topics[0]?.partitions).toHaveLength(2);
    const id = "dGhpcyBpcyBub3QgaXQhIQ";
    const unknown = await cluster.ask(Metadata, 12, { topics: [{ topicId: id, name: null }] });
    expect(unknown.topics[0]).toMatchObject({ errorCode: code("UNKNOWN_TOPIC_ID"), name: null, topicId: id });
    const invalid = await cluster.ask(Metadata, 12, { topics: [{ name: "no spaces" }] });
    expect(invalid.topics[0]).toMatchObject({ errorCode: code("INVALID_TOPIC_EXCEPTION") });
  }),

  kafka("deleted topics are gone", async (cluster) => {
    const topic = await cluster.topic();
    const remove = async (wanted: { name: string | null; topicId: string }) =>
      (await cluster.ask(DeleteTopics, 6, { topics: [wanted], timeoutMs: 10_000 })).responses[0];
    const byName = { name: topic.name, topicId: zeroId };
    expect(await remove(byName)).toMatchObject({ errorCode: 0, name: topic.name, topicId: topic.id });
    expect(await remove(byName)).toMatchObject({ errorCode: code("UNKNOWN_TOPIC_OR_PARTITION") });
    expect(await remove({ name: null, topicId: topic.id })).toMatchObject({ errorCode: code("UNKNOWN_TOPIC_ID") });
  }),

  kafka("a topic gets more partitions, never fewer", async (cluster) => {
    const topic = await cluster.topic(2);
    const fewer = await grow(cluster, topic, 1);
    const invalid = code("INVALID_PARTITIONS");
    expect(fewer).toMatchObject({ errorCode: invalid });
    expect(fewer?.errorMessage).toContain("currently has 2 partition(s)");
    expect(await grow(cluster, topic, 2)).toMatchObject({
      ...{ errorCode: invalid, errorMessage: "Topic already has 2 partition(s)." },
    });
    const assignment = { errorCode: code("INVALID_REPLICA_ASSIGNMENT") };
    expect(await grow(cluster, topic, 4, [[1]])).toMatchObject(assignment);
    expect(await grow(cluster, topic, 3)).toMatchObject({ errorCode: 0, errorMessage: null });
    const unknown = { name: `${topic.name}-not`, id: zeroId };
    expect(await grow(cluster, unknown, 3)).toMatchObject({ errorCode: code("UNKNOWN_TOPIC_OR_PARTITION") });
  }),

  kafka("configurations are told with where they come from, and changed key by key", async (cluster) => {
    const topic = await cluster.topic(1, { "cleanup.policy": "compact" });
    const { name } = topic;
    await becomes(cluster, name, "cleanup.policy", "compact");
    const described = await configOf(cluster, name, "cleanup.policy");
    const own = { name: "cleanup.policy", value: "compact", configSource: 1, readOnly: false, isSensitive: false };
    expect(described).toMatchObject({ errorCode: 0, configs: [{ ...own, configType: 7 }] });
    expect(described?.configs[0]?.synonyms).toMatchObject([
      { value: "compact", source: 1 },
      { value: "delete", source: 5 },
    ]);
    expect(await alter(cluster, name, "cleanup.policy", "delete", 2)).toMatchObject({ errorCode: 0 });
    await becomes(cluster, name, "cleanup.policy", "compact,delete");
    expect(await alter(cluster, name, "cleanup.policy", "compact", 3)).toMatchObject({ errorCode: 0 });
    await becomes(cluster, name, "cleanup.policy", "delete");
    expect(await alter(cluster, name, "cleanup.policy", null, 1)).toMatchObject({ errorCode: 0 });
    await becomes(cluster, name, "cleanup.policy", "delete", 5);
  }),

  kafka("a topic has these keys", async (cluster) => {
    const topic = await cluster.topic();
    const resources = [{ resourceType: 2, resourceName: topic.name, configurationKeys: null }];
    const { results } = await cluster.ask(DescribeConfigs, 4, { resources });
    const types = Object.fromEntries((results[0]?.configs ?? []).map(({ name, configType }) => [name, configType]));
    const [boolean, string, int, long, double, list] = [1, 2, 3, 5, 6, 7];
    expect(types).toEqual({
      "cleanup.policy": list,
      "compression.gzip.level": int,
      "compression.lz4.level": int,
      "compression.type": string,
      "compression.zstd.level": int,
      "delete.retention.ms": long,
      "file.delete.delay.ms": long,
      "flush.messages": long,
      "flush.ms": long,
      "follower.replication.throttled.replicas": list,
      "index.interval.bytes": int,
      "leader.replication.throttled.replicas": list,
      "local.retention.bytes": long,
      "local.retention.ms": long,
      "max.compaction.lag.ms": long,
      "max.message.bytes": int,
      "message.timestamp.after.max.ms": long,
      "message.timestamp.before.max.ms": long,
      "message.timestamp.type": string,
      "min.cleanable.dirty.ratio": double,
      "min.compaction.lag.ms": long,
      "min.insync.replicas": int,
      preallocate: boolean,
      "remote.log.copy.disable": boolean,
      "remote.log.delete.on.disable": boolean,
      "remote.storage.enable": boolean,
      "retention.bytes": long,
      "retention.ms": long,
      "segment.bytes": int,
      "segment.index.bytes": int,
      "segment.jitter.ms": long,
      "segment.ms": long,
      "unclean.leader.election.enable": boolean,
    });
  }),

  kafka("configurations that cannot be are refused", async (cluster) => {
    const topic = await cluster.topic();
    const invalid = { errorCode: code("INVALID_CONFIG") };
    expect(await alter(cluster, topic.name, "no.such.key", "1")).toMatchObject(invalid);
    expect(await alter(cluster, topic.name, "retention.ms", "soon")).toMatchObject(invalid);
    expect(await alter(cluster, topic.name, "retention.ms", "1", 2)).toMatchObject(invalid);
    expect(await alter(cluster, topic.name, "compression.gzip.level", "10")).toMatchObject(invalid);
    expect(await alter(cluster, topic.name, "remote.storage.enable", "true")).toMatchObject(invalid);
    expect(await alter(cluster, topic.name, "leader.replication.throttled.replicas", "0:1")).toMatchObject({
      errorCode: 0,
    });
    const unknown = { errorCode: code("UNKNOWN_TOPIC_OR_PARTITION") };
    expect(await alter(cluster, `${topic.name}-not`, "retention.ms", "1")).toMatchObject(unknown);
    expect(await configOf(cluster, `${topic.name}-not`, "retention.ms")).toMatchObject(unknown);
    expect(await configOf(cluster, "999", "num.partitions", 4)).toMatchObject({ errorCode: code("INVALID_REQUEST") });
  }),

  kafka("the cluster names its brokers", async (cluster) => {
    const answer = await cluster.ask(DescribeCluster, 2, {
      includeClusterAuthorizedOperations: false,
      endpointType: 1,
    });
    expect(answer).toMatchObject({ errorCode: 0, endpointType: 1 });
    expect(answer.clusterId).toMatch(/^[\w-]{22}$/);
    expect(answer.brokers.map(({ brokerId }) => brokerId).sort()).toEqual(cluster.brokerIds);
    expect(cluster.brokerIds).toContain(answer.controllerId);
    const mismatched = await cluster.ask(DescribeCluster, 2, {
      includeClusterAuthorizedOperations: false,
      endpointType: 2,
    });
    expect(mismatched).toMatchObject({ errorCode: code("MISMATCHED_ENDPOINT_TYPE"), brokers: [] });
  }),

  kafka("partitions are described page by page", async (cluster) => {
    const topic = await cluster.topic(3);
    const topics = [{ name: topic.name }];
    const first = await cluster.ask(DescribeTopicPartitions, 0, { topics, responsePartitionLimit: 2 });
    expect(first.topics[0]?.partitions.map(({ partitionIndex }) => partitionIndex)).toEqual([0, 1]);
    expect(first.nextCursor).toEqual({ topicName: topic.name, partitionIndex: 2 });
    const cursor = first.nextCursor;
    const second = await cluster.ask(DescribeTopicPartitions, 0, { topics, responsePartitionLimit: 2, cursor });
    expect(second.topics[0]?.partitions.map(({ partitionIndex }) => partitionIndex)).toEqual([2]);
    expect(second.nextCursor).toBeNull();
  }),

  kafka("partitions move to the brokers that they are told to move to", async (cluster) => {
    const topic = await cluster.topic(1, {}, 1);
    const leader = await cluster.leaderOf(topic.name, 0);
    const target = await cluster.otherThanLeader(topic.name, 0);
    const ask = async (replicas: readonly number[] | null, partitionIndex = 0) => {
      const topics = [{ name: topic.name, partitions: [{ partitionIndex, replicas }] }];
      return (await cluster.ask(AlterPartitionReassignments, 1, { topics })).responses[0]?.partitions[0];
    };
    const refused = { errorCode: code("INVALID_REPLICA_ASSIGNMENT") };
    expect(await ask([])).toMatchObject(refused);
    expect(await ask([leader, leader])).toMatchObject(refused);
    expect(await ask([999])).toMatchObject(refused);
    expect(await ask([leader], 9)).toMatchObject({ errorCode: code("UNKNOWN_TOPIC_OR_PARTITION") });
    expect(await ask(null)).toMatchObject({ errorCode: code("NO_REASSIGNMENT_IN_PROGRESS") });
    expect(await ask([target])).toMatchObject({ errorCode: 0 });
    const moved = await cluster.eventually(
      () => cluster.leaderOf(topic.name, 0),
      (id) => id === target,
    );
    expect(moved).toBe(target);
  }),

  kafka("what leads already needs no election", async (cluster) => {
    const topic = await cluster.topic(1, {}, 2);
    const ask = async (name: string, electionType: number) => {
      const request = { electionType, topicPartitions: [{ topic: name, partitions: [0] }], timeoutMs: 10_000 };
      return (await cluster.ask(ElectLeaders, 2, request)).replicaElectionResults[0]?.partitionResult[0];
    };
    const notNeeded = { errorCode: code("ELECTION_NOT_NEEDED") };
    expect(await ask(topic.name, 0)).toMatchObject(notNeeded);
    expect(await ask(topic.name, 1)).toMatchObject(notNeeded);
    expect(await ask(`${topic.name}-not`, 0)).toMatchObject({ errorCode: code("UNKNOWN_TOPIC_OR_PARTITION") });
  }),

  kafka("brokers without an authorizer have no rules, and take none", async (cluster) => {
    const refused = { errorCode: code("SECURITY_DISABLED") };
    const rule = { operation: 3, permissionType: 3 };
    const filter = {
      resourceTypeFilter: 1,
      resourceNameFilter: null,
      principalFilter: null,
      hostFilter: null,
      ...rule,
    };
    const described = await cluster.ask(DescribeAcls, 3, filter);
    expect(described).toMatchObject({ ...refused, errorMessage: "No Authorizer is configured on the broker" });
    const creation = { resourceType: 2, resourceName: "t", principal: "User:a", host: "*", ...rule };
    const created = await cluster.ask(CreateAcls, 3, { creations: [creation] });
    expect(created.results).toMatchObject([{ ...refused, errorMessage: "No Authorizer is configured." }]);
    const deleted = await cluster.ask(DeleteAcls, 3, { filters: [filter] });
    const none = { ...refused, errorMessage: "No Authorizer is configured.", matchingAcls: [] };
    expect(deleted.filterResults).toMatchObject([none]);
  }),

  kafka("a broker is not configured while it runs, and has nothing to take back", async (cluster) => {
    const [id = -1] = cluster.brokerIds;
    const ask = async (name: string, value: string | null, configOperation: number) => {
      const configs = [{ name, configOperation, value }];
      const resources = [{ resourceType: 4, resourceName: `${id}`, configs }];
      return (await cluster.ask(IncrementalAlterConfigs, 1, { resources, validateOnly: false }, id)).responses[0];
    };
    expect(await ask("node.id", "7", 0)).toMatchObject({ errorCode: code("INVALID_REQUEST") });
    const cleared = await ask("leader.replication.throttled.rate", null, 1);
    expect(cleared).toMatchObject({ errorCode: 0, errorMessage: null });
  }),

  kafka("features are told with what there was of them, to clients that can take it", async (cluster) => {
    const about = { clientSoftwareName: "suite", clientSoftwareVersion: "1" };
    const features = async (version: number) => {
      const { supportedFeatures } = await cluster.ask(ApiVersions, version, about);
      return Object.fromEntries((supportedFeatures ?? []).map(({ name, minVersion }) => [name, minVersion]));
    };
    expect(await features(4)).toMatchObject({
      ...{ "metadata.version": 7, "group.version": 0, "transaction.version": 0 },
    });
    const before = await features(3);
    expect(before["metadata.version"]).toBe(7);
    expect([before["group.version"], before["transaction.version"]]).toEqual([undefined, undefined]);
  }),

  kafka("producers and transactions that were never there", async (cluster) => {
    const topic = await cluster.topic();
    const leader = await cluster.leaderOf(topic.name, 0);
    const topics = [{ name: topic.name, partitionIndexes: [0] }];
    const producers = await cluster.ask(DescribeProducers, 0, { topics }, leader);
    expect(producers.topics[0]?.partitions[0]).toMatchObject({ errorCode: 0, activeProducers: [] });
    const transactionalId = newName();
    const coordinator = await cluster.coordinatorOf(transactionalId, 1);
    const request = { transactionalIds: [transactionalId] };
    // The first transactional id of a cluster has the coordinators load first.
    const { transactionStates } = await cluster.eventually(
      () => cluster.ask(DescribeTransactions, 0, request, coordinator),
      ({ transactionStates: [state] }) => !transient.has(state?.errorCode ?? 0),
    );
    expect(transactionStates[0]).toMatchObject({ errorCode: code("TRANSACTIONAL_ID_NOT_FOUND"), transactionalId });
  }),
];
