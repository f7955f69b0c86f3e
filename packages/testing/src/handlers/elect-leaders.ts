import { type BrokerErrorName, codeOf } from "@odradek/protocol";
import { ElectLeaders } from "@odradek/protocol/messages/elect-leaders";
import { handler, type RequestContext } from "../request-context.ts";
import type { Partition } from "../topics/partition.ts";

const preferred = 0;

export const electLeaders = handler({
  api: ElectLeaders,
  refuse: (errorCode) => ({ throttleTimeMs: 0, errorCode, replicaElectionResults: [] }),
  handle: ({ electionType, topicPartitions }, context) => {
    const isEvery = topicPartitions === null;
    const wanted =
      topicPartitions ??
      context.cluster.topics.all().map(({ name, partitions }) => ({
        topic: name,
        partitions: partitions.map(({ index }) => index),
      }));
    const replicaElectionResults = wanted.flatMap(({ topic, partitions }) => {
      const partitionResult = partitions
        .map((partitionId) => {
          const partition = context.cluster.topics.partition(topic, partitionId);
          const error = elected(partition, electionType === preferred, context);
          const errorMessage = error === null ? null : (words[error] ?? null);
          return { partitionId, errorCode: error === null ? 0 : codeOf(error), errorMessage };
        })
        .filter(({ errorCode }) => !isEvery || errorCode !== codeOf("ELECTION_NOT_NEEDED"));
      return partitionResult.length === 0 ? [] : [{ topic, partitionResult }];
    });
    return { throttleTimeMs: 0, errorCode: 0, replicaElectionResults };
  },
});

const words: Readonly<Partial<Record<BrokerErrorName, string>>> = {
  UNKNOWN_TOPIC_OR_PARTITION: "No such topic as named, or no such partition of it",
  ELECTION_NOT_NEEDED: "Leader election not needed for topic partition.",
  PREFERRED_LEADER_NOT_AVAILABLE: "The preferred leader was not available.",
  ELIGIBLE_LEADERS_NOT_AVAILABLE: "Eligible topic partition leaders are not available.",
};

function elected(
  partition: Partition | undefined,
  isPreferred: boolean,
  { cluster }: RequestContext,
): BrokerErrorName | null {
  if (partition === undefined) return "UNKNOWN_TOPIC_OR_PARTITION";
  if (!isPreferred) {
    if (partition.leaderId >= 0) return "ELECTION_NOT_NEEDED";
    partition.elect((id) => cluster.isAlive(id));
    return partition.leaderId >= 0 ? null : "ELIGIBLE_LEADERS_NOT_AVAILABLE";
  }
  const [first = -1] = partition.replicas;
  if (partition.leaderId === first) return "ELECTION_NOT_NEEDED";
  if (!cluster.isAlive(first)) return "PREFERRED_LEADER_NOT_AVAILABLE";
  partition.lead(first);
  return null;
}
