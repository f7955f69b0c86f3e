import type { Api } from "@odradek/protocol";

/** The first release of Kafka that has an API, where that is later than 2.1. */
const since: Readonly<Record<string, string>> = Object.freeze({
  ElectLeaders: "2.2",
  IncrementalAlterConfigs: "2.3",
  AlterPartitionReassignments: "2.4",
  ListPartitionReassignments: "2.4",
  OffsetDelete: "2.4",
  DescribeClientQuotas: "2.6",
  AlterClientQuotas: "2.6",
  DescribeUserScramCredentials: "2.7",
  AlterUserScramCredentials: "2.7",
  UpdateFeatures: "2.7",
  DescribeCluster: "2.8",
  DescribeProducers: "2.8",
  UnregisterBroker: "2.8, with KRaft",
  DescribeTransactions: "3.0",
  ListTransactions: "3.0",
  DescribeQuorum: "3.3, with KRaft",
  ListConfigResources: "3.7, with KRaft",
  ConsumerGroupDescribe: "3.8",
  DescribeTopicPartitions: "3.8",
  AddRaftVoter: "3.9, with KRaft",
  RemoveRaftVoter: "3.9, with KRaft",
  ShareGroupDescribe: "4.1",
  DescribeShareGroupOffsets: "4.1",
  AlterShareGroupOffsets: "4.1",
  DeleteShareGroupOffsets: "4.1",
  StreamsGroupDescribe: "4.2",
});

/** An API as an error names it: with the release that one needs for it. */
export const releaseText = ({ name }: Api): string => {
  const release = since[name];
  return release === undefined ? name : `${name} (Kafka ${release}, and newer)`;
};
