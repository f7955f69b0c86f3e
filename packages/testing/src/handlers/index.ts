import type { RequestReadOf } from "@odradek/protocol";
import type { Handler } from "../request-context.ts";
import { addOffsetsToTxn } from "./add-offsets-to-txn.ts";
import { addPartitionsToTxn } from "./add-partitions-to-txn.ts";
import { alterConfigs } from "./alter-configs.ts";
import { alterPartitionReassignments } from "./alter-partition-reassignments.ts";
import { apiVersions } from "./api-versions.ts";
import { consumerGroupDescribe } from "./consumer-group-describe.ts";
import { consumerGroupHeartbeat } from "./consumer-group-heartbeat.ts";
import { createAcls } from "./create-acls.ts";
import { createPartitions } from "./create-partitions.ts";
import { createTopics } from "./create-topics.ts";
import { deleteAcls } from "./delete-acls.ts";
import { deleteGroups } from "./delete-groups.ts";
import { deleteRecords } from "./delete-records.ts";
import { deleteTopics } from "./delete-topics.ts";
import { describeAcls } from "./describe-acls.ts";
import { describeCluster } from "./describe-cluster.ts";
import { describeConfigs } from "./describe-configs.ts";
import { describeGroups } from "./describe-groups.ts";
import { describeLogDirs } from "./describe-log-dirs.ts";
import { describeProducers } from "./describe-producers.ts";
import { describeTopicPartitions } from "./describe-topic-partitions.ts";
import { describeTransactions } from "./describe-transactions.ts";
import { electLeaders } from "./elect-leaders.ts";
import { endTxn } from "./end-txn.ts";
import { fetch } from "./fetch.ts";
import { findCoordinator } from "./find-coordinator.ts";
import { heartbeat } from "./heartbeat.ts";
import { incrementalAlterConfigs } from "./incremental-alter-configs.ts";
import { initProducerId } from "./init-producer-id.ts";
import { joinGroup } from "./join-group.ts";
import { leaveGroup } from "./leave-group.ts";
import { listConfigResources } from "./list-config-resources.ts";
import { listGroups } from "./list-groups.ts";
import { listOffsets } from "./list-offsets.ts";
import { listPartitionReassignments } from "./list-partition-reassignments.ts";
import { listTransactions } from "./list-transactions.ts";
import { metadata } from "./metadata.ts";
import { offsetCommit } from "./offset-commit.ts";
import { offsetDelete } from "./offset-delete.ts";
import { offsetFetch } from "./offset-fetch.ts";
import { offsetForLeaderEpoch } from "./offset-for-leader-epoch.ts";
import { produce } from "./produce.ts";
import { saslAuthenticate } from "./sasl-authenticate.ts";
import { saslHandshake } from "./sasl-handshake.ts";
import { syncGroup } from "./sync-group.ts";
import { txnOffsetCommit } from "./txn-offset-commit.ts";
import { writeTxnMarkers } from "./write-txn-markers.ts";

/** What a broker answers, by Kafka's name of the API. */
export const handlers = {
  AddOffsetsToTxn: addOffsetsToTxn,
  AddPartitionsToTxn: addPartitionsToTxn,
  AlterConfigs: alterConfigs,
  AlterPartitionReassignments: alterPartitionReassignments,
  ApiVersions: apiVersions,
  ConsumerGroupDescribe: consumerGroupDescribe,
  ConsumerGroupHeartbeat: consumerGroupHeartbeat,
  CreateAcls: createAcls,
  CreatePartitions: createPartitions,
  CreateTopics: createTopics,
  DeleteAcls: deleteAcls,
  DeleteGroups: deleteGroups,
  DeleteRecords: deleteRecords,
  DeleteTopics: deleteTopics,
  DescribeAcls: describeAcls,
  DescribeCluster: describeCluster,
  DescribeConfigs: describeConfigs,
  DescribeGroups: describeGroups,
  DescribeLogDirs: describeLogDirs,
  DescribeProducers: describeProducers,
  DescribeTopicPartitions: describeTopicPartitions,
  DescribeTransactions: describeTransactions,
  ElectLeaders: electLeaders,
  EndTxn: endTxn,
  Fetch: fetch,
  FindCoordinator: findCoordinator,
  Heartbeat: heartbeat,
  IncrementalAlterConfigs: incrementalAlterConfigs,
  InitProducerId: initProducerId,
  JoinGroup: joinGroup,
  LeaveGroup: leaveGroup,
  ListConfigResources: listConfigResources,
  ListGroups: listGroups,
  ListOffsets: listOffsets,
  ListPartitionReassignments: listPartitionReassignments,
  ListTransactions: listTransactions,
  Metadata: metadata,
  OffsetCommit: offsetCommit,
  OffsetDelete: offsetDelete,
  OffsetFetch: offsetFetch,
  OffsetForLeaderEpoch: offsetForLeaderEpoch,
  Produce: produce,
  SaslAuthenticate: saslAuthenticate,
  SaslHandshake: saslHandshake,
  SyncGroup: syncGroup,
  TxnOffsetCommit: txnOffsetCommit,
  WriteTxnMarkers: writeTxnMarkers,
} as const;

/** Kafka's name of an API that a cluster answers. */
export type ApiName = keyof typeof handlers;

/** A request of an API, as the protocol reads it. */
export type RequestBody<N extends ApiName> = RequestReadOf<(typeof handlers)[N]["api"]>;

const byKey = new Map<number, Handler>(Object.values(handlers).map((each): [number, Handler] => [each.api.key, each]));

export const handlerOf = (apiKey: number): Handler | undefined => byKey.get(apiKey);

/** @throws TypeError where a cluster answers no such API */
export function handlerNamed(name: ApiName): Handler {
  if (Object.hasOwn(handlers, name)) return handlers[name];
  throw new TypeError(`there is no API ${String(name)}; there are ${Object.keys(handlers).join(", ")}`);
}
