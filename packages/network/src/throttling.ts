import type { Api } from "@odradek/protocol";

/**
 * The first versions in which a broker that throttles answers at once and stops reading, and the client has to wait. In
 * older ones the broker holds the answer back instead. APIs that came later do so in all their versions.
 * Source: `AbstractResponse.shouldClientThrottle`, KIP-219.
 */
const answersAtOnceSince: Readonly<Record<string, number>> = {
  Produce: 6,
  Fetch: 8,
  ListOffsets: 3,
  Metadata: 6,
  OffsetCommit: 4,
  OffsetFetch: 4,
  FindCoordinator: 2,
  JoinGroup: 3,
  Heartbeat: 2,
  LeaveGroup: 2,
  SyncGroup: 2,
  DescribeGroups: 2,
  ListGroups: 2,
  ApiVersions: 2,
  CreateTopics: 3,
  DeleteTopics: 2,
  DeleteRecords: 1,
  InitProducerId: 1,
  AddPartitionsToTxn: 1,
  AddOffsetsToTxn: 1,
  EndTxn: 1,
  TxnOffsetCommit: 1,
  DescribeAcls: 1,
  CreateAcls: 1,
  DeleteAcls: 1,
  DescribeConfigs: 2,
  AlterConfigs: 1,
  AlterReplicaLogDirs: 1,
  DescribeLogDirs: 1,
  CreatePartitions: 1,
  CreateDelegationToken: 1,
  RenewDelegationToken: 1,
  ExpireDelegationToken: 1,
  DescribeDelegationToken: 1,
  DeleteGroups: 1,
};

/** How long the broker will read nothing more from this connection, milliseconds; 0 for not at all. */
export function throttleTimeMs({ name }: Api, version: number, response: object): number {
  if (!("throttleTimeMs" in response) || typeof response.throttleTimeMs !== "number") return 0;
  return version >= (answersAtOnceSince[name] ?? 0) ? Math.max(0, response.throttleTimeMs) : 0;
}
