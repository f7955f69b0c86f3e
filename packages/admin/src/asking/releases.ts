import type { Api, VersionBounds } from "@odradek/protocol";

/**
 * The first release of Kafka that has an API, where that is later than 2.1, and, by their numbers, versions of it without which some
 * calls cannot do.
 */
const since: Readonly<Record<string, Readonly<Record<number, string>>>> = Object.freeze({
  Metadata: { 12: "3.1" },
  ListOffsets: { 7: "3.0", 8: "3.5", 9: "3.9", 11: "4.2" },
  OffsetFetch: { 7: "2.5" },
  LeaveGroup: { 3: "2.4" },
  ListGroups: { 4: "2.6", 5: "3.8" },
  ApiVersions: { 3: "2.4" },
  CreateTopics: { 4: "2.4" },
  DeleteTopics: { 6: "2.8" },
  CreateDelegationToken: { 3: "3.3" },
  ElectLeaders: { 0: "2.2", 1: "2.4" },
  IncrementalAlterConfigs: { 0: "2.3" },
  AlterPartitionReassignments: { 0: "2.4", 1: "4.1" },
  ListPartitionReassignments: { 0: "2.4" },
  OffsetDelete: { 0: "2.4" },
  DescribeClientQuotas: { 0: "2.6" },
  AlterClientQuotas: { 0: "2.6" },
  DescribeUserScramCredentials: { 0: "2.7" },
  AlterUserScramCredentials: { 0: "2.7" },
  UpdateFeatures: { 0: "2.7", 1: "3.3" },
  DescribeCluster: { 0: "2.8", 1: "3.7", 2: "4.0" },
  DescribeProducers: { 0: "2.8" },
  WriteTxnMarkers: { 1: "2.8" },
  UnregisterBroker: { 0: "2.8, with KRaft" },
  UnregisterController: { 0: "4.4" },
  DescribeTransactions: { 0: "3.0" },
  ListTransactions: { 0: "3.0", 1: "3.8", 2: "4.1" },
  DescribeQuorum: { 0: "3.3, with KRaft" },
  ListConfigResources: { 0: "3.7, with KRaft", 1: "4.1" },
  ConsumerGroupDescribe: { 0: "3.8" },
  DescribeTopicPartitions: { 0: "3.8" },
  AddRaftVoter: { 0: "3.9, with KRaft" },
  RemoveRaftVoter: { 0: "3.9, with KRaft" },
  ShareGroupDescribe: { 0: "4.1" },
  DescribeShareGroupOffsets: { 0: "4.1" },
  AlterShareGroupOffsets: { 0: "4.1" },
  DeleteShareGroupOffsets: { 0: "4.1" },
  StreamsGroupDescribe: { 0: "4.2" },
});

/** An API as an error names it: with the release that one needs for it, and the version of it, where any would not do. */
export function releaseText({ name, versions }: Api, bounds: VersionBounds): string {
  const releases = since[name];
  const oldest = Math.max(bounds.oldest ?? 0, versions[0]);
  const ofVersion = releases?.[oldest];
  if (ofVersion !== undefined) return `${name}${oldest === 0 ? "" : ` v${oldest}`} (Kafka ${ofVersion}, and newer)`;
  const ofApi = releases?.[0];
  return ofApi === undefined ? name : `${name} (Kafka ${ofApi}, and newer)`;
}
