import { codeOf } from "@odradek/protocol";
import { ListOffsets, type ListOffsetsResponse } from "@odradek/protocol/messages/list-offsets";
import { findPartition } from "../fetching/partition-lookup.ts";
import type { PartitionLog, TimestampAndOffset } from "../log/partition-log.ts";
import { handler, type RequestContext } from "../request-context.ts";

type PartitionAnswer = ListOffsetsResponse["topics"][number]["partitions"][number];

/** Names of places in a log, in place of a timestamp. */
const place = {
  latest: -1n,
  earliest: -2n,
  maxTimestamp: -3n,
  earliestLocal: -4n,
  latestTiered: -5n,
  earliestPendingUpload: -6n,
};

/** First version that tells of leader epochs. */
const leaderEpochVersion = 4;

/** First version that may ask for a place; the others are as old as the API. */
const placeVersions: ReadonlyMap<bigint, number> = new Map([
  [place.maxTimestamp, 7],
  [place.earliestLocal, 8],
  [place.latestTiered, 9],
  [place.earliestPendingUpload, 11],
]);

export const listOffsets = handler({
  api: ListOffsets,
  handle: async (request, context) => ({
    throttleTimeMs: 0,
    topics: await Promise.all(
      request.topics.map(async ({ name, partitions }) => ({
        name,
        partitions: await Promise.all(
          partitions.map(async (partition) => {
            const answer = await offsetOf(name, partition, request.isolationLevel === 1, context);
            return context.apiVersion >= leaderEpochVersion ? answer : { ...answer, leaderEpoch: -1 };
          }),
        ),
      })),
    ),
  }),
});

async function offsetOf(
  name: string,
  wanted: { partitionIndex: number; currentLeaderEpoch: number; timestamp: bigint },
  isReadCommitted: boolean,
  context: RequestContext,
): Promise<PartitionAnswer> {
  const { partitionIndex, currentLeaderEpoch, timestamp } = wanted;
  const reference = { name, topicId: "", isById: false };
  const found = findPartition(context, reference, partitionIndex, currentLeaderEpoch);
  const nothing = { partitionIndex, timestamp: -1n, offset: -1n, leaderEpoch: -1 };
  if (found.errorCode !== 0 || found.partition === null) return { ...nothing, errorCode: found.errorCode };
  const { log, leaderEpoch } = found.partition;
  const isUnknown = timestamp < place.earliestPendingUpload || context.apiVersion < (placeVersions.get(timestamp) ?? 0);
  if (isUnknown) return { ...nothing, errorCode: codeOf("UNSUPPORTED_VERSION") };
  const end = isReadCommitted ? log.lastStableOffset : log.highWatermark;
  if (timestamp === place.latest) return { ...nothing, errorCode: 0, offset: end, leaderEpoch };
  if (timestamp === place.earliest || timestamp === place.earliestLocal) {
    // The epoch of the record that is there; a log that is empty has none to tell of but the leader's.
    const epoch = log.batches.length === 0 ? leaderEpoch : log.leaderEpochAt(log.logStartOffset);
    return { ...nothing, errorCode: 0, offset: log.logStartOffset, leaderEpoch: epoch };
  }
  // Nothing is in tiered storage, nor on its way there.
  if (timestamp === place.latestTiered || timestamp === place.earliestPendingUpload)
    return { ...nothing, errorCode: 0 };
  const record = await recordAt(log, timestamp);
  if (record === null || record.offset >= end) return { ...nothing, errorCode: 0 };
  return {
    partitionIndex,
    errorCode: 0,
    timestamp: BigInt(record.timestamp),
    offset: record.offset,
    leaderEpoch: record.leaderEpoch,
  };
}

const recordAt = (log: PartitionLog, timestamp: bigint): Promise<TimestampAndOffset | null> =>
  timestamp === place.maxTimestamp ? log.offsetOfMaxTimestamp() : log.offsetForTimestamp(Number(timestamp));
