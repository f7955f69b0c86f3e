import { type BrokerErrorName, codeOf, zeroUuid } from "@odradek/protocol";
import type { FetchResponse } from "@odradek/protocol/messages/fetch";
import type { ListOffsetsResponse } from "@odradek/protocol/messages/list-offsets";

type FetchedPartition = FetchResponse["responses"][number]["partitions"][number];

/** What a leader answers about one partition: nothing new, unless said otherwise. */
export const fetched = (
  partitionIndex: number,
  { error = "NONE", ...more }: Partial<FetchedPartition> & { readonly error?: BrokerErrorName } = {},
): FetchedPartition => ({
  partitionIndex,
  errorCode: codeOf(error),
  highWatermark: 100n,
  lastStableOffset: 100n,
  logStartOffset: 0n,
  divergingEpoch: { epoch: -1, endOffset: -1n },
  currentLeader: { leaderId: -1, leaderEpoch: -1 },
  snapshotId: { endOffset: -1n, epoch: -1 },
  abortedTransactions: null,
  preferredReadReplica: -1,
  records: Buffer.alloc(0),
  ...more,
});

export const fetchAnswer = (topic: string, partitions: FetchedPartition[]): FetchResponse => ({
  throttleTimeMs: 0,
  errorCode: 0,
  sessionId: 0,
  responses: [{ topic, topicId: zeroUuid, partitions }],
  nodeEndpoints: [],
});

type ListedPartition = ListOffsetsResponse["topics"][number]["partitions"][number];

/** What a leader answers about an offset. */
export const listed = (
  partitionIndex: number,
  offset: bigint,
  { error = "NONE", ...more }: Partial<ListedPartition> & { readonly error?: BrokerErrorName } = {},
): ListedPartition => ({ partitionIndex, errorCode: codeOf(error), timestamp: -1n, offset, leaderEpoch: 5, ...more });

export const listAnswer = (name: string, partitions: ListedPartition[]): ListOffsetsResponse => ({
  throttleTimeMs: 0,
  topics: [{ name, partitions }],
});
