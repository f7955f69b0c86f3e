import { type ClusterSnapshot, partitionText, type TopicPartition } from "@odradek/network";
import type { RequestOf, ResponseOf } from "@odradek/protocol";
import type { ListOffsets } from "@odradek/protocol/messages/list-offsets";
import type { IsolationLevel } from "../consumer-options.ts";

/** A question about one partition: `timestamp` in ms since 1970, or one of Kafka's negative names for an end of the log. */
export interface OffsetQuery extends TopicPartition {
  readonly timestamp: bigint;
}

/** What the leader of one partition answered. */
export interface ListedOffset {
  /** Kafka's number, 0 for none. */
  readonly errorCode: number;
  /** -1n where no record is of that time or later. */
  readonly offset: bigint;
  /** Of the record at `offset`, ms since 1970; -1n where an end of the log was asked for. */
  readonly timestamp: bigint;
  /** Of the record at `offset`; -1 unknown. */
  readonly leaderEpoch: number;
}

/** Kafka's number for an isolation level. */
export const isolationLevelId = (level: IsolationLevel): number => (level === "read_committed" ? 1 : 0);

/** One request for queries that all go to the same leader. */
export function listOffsetsBody(
  cluster: ClusterSnapshot,
  queries: readonly OffsetQuery[],
  isolationLevel: IsolationLevel,
  timeoutMs: number,
): RequestOf<typeof ListOffsets> {
  const topics = new Map<string, { partitionIndex: number; currentLeaderEpoch: number; timestamp: bigint }[]>();
  for (const { topic, partition, timestamp } of queries) {
    const currentLeaderEpoch = cluster.topics.get(topic)?.partitions[partition]?.leaderEpoch ?? -1;
    const partitions = topics.get(topic) ?? [];
    topics.set(topic, partitions);
    partitions.push({ partitionIndex: partition, currentLeaderEpoch, timestamp });
  }
  return {
    replicaId: -1,
    isolationLevel: isolationLevelId(isolationLevel),
    topics: [...topics].map(([name, partitions]) => ({ name, partitions })),
    timeoutMs,
  };
}

/** Answers by the text of their partition. */
export function listedOffsets(response: ResponseOf<typeof ListOffsets>): ReadonlyMap<string, ListedOffset> {
  return new Map(
    response.topics.flatMap(({ name, partitions }) =>
      partitions.map((listed) => [partitionText({ topic: name, partition: listed.partitionIndex }), listed] as const),
    ),
  );
}
