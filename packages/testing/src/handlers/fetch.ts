import { codeOf, zeroUuid } from "@odradek/protocol";
import { Fetch, type FetchResponse } from "@odradek/protocol/messages/fetch";
import { type FetchPartition, type FetchSession, keyOf } from "../fetching/fetch-session.ts";
import { currentLeaderOf, endpointsOf, findPartition } from "../fetching/partition-lookup.ts";
import type { LogBatch } from "../log/log-batch.ts";
import type { PartitionLog } from "../log/partition-log.ts";
import { handler, type RequestContext } from "../request-context.ts";

type PartitionAnswer = FetchResponse["responses"][number]["partitions"][number];

/** Limits of one request. */
interface FetchLimits {
  readonly maxWaitMs: number;
  readonly minBytes: number;
  readonly maxBytes: number;
  readonly isReadCommitted: boolean;
  readonly rackId: string;
}

/** What was read for a partition; the batches are joined when the answer is made. */
interface Read {
  readonly wanted: FetchPartition;
  readonly answer: Omit<PartitionAnswer, "records">;
  readonly batches: readonly LogBatch[];
  /** Whether it is worth an answer at once, data or not. */
  readonly isUrgent: boolean;
}

/** `fetch.max.bytes` of a broker: no answer has more, whatever is asked for. */
const brokerMaxBytes = 55 * 1024 * 1024;

const firstVersion = { otherReplicas: 11, topicIds: 13, leaderEndpoints: 16 } as const;
const nothing = Buffer.alloc(0);

export const fetch = handler({
  api: Fetch,
  handle: (request, context) => {
    const usesTopicIds = context.apiVersion >= firstVersion.topicIds;
    const plan = context.broker.sessions.plan({
      sessionId: request.sessionId,
      sessionEpoch: request.sessionEpoch,
      usesTopicIds,
      partitions: request.topics.flatMap(({ topic, topicId, partitions }) =>
        partitions.map(({ partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch, lastFetchedEpoch }) => ({
          ...{ topic, topicId, partition, fetchOffset, currentLeaderEpoch, lastFetchedEpoch },
          maxBytes: partitionMaxBytes,
        })),
      ),
      forgotten: request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
        partitions.map((partition) => keyOf({ topic, topicId, partition })),
      ),
    });
    if (plan.error !== null) {
      return { throttleTimeMs: 0, errorCode: codeOf(plan.error), sessionId: 0, responses: [] };
    }
    const maxBytes = Math.min(request.maxBytes, brokerMaxBytes);
    const limits: FetchLimits = {
      maxWaitMs: request.maxWaitMs,
      // More than may be in an answer is not waited for.
      minBytes: Math.min(request.minBytes, maxBytes),
      maxBytes,
      isReadCommitted: request.isolationLevel === 1,
      rackId: request.rackId,
    };
    const answered = (reads: readonly Read[]) => answer(reads, plan.session, plan.isFull, context);
    const reads = readAll(plan.partitions, limits, context);
    if (isEnough(reads, limits)) return answered(reads);
    return waitForMore(plan.partitions, limits, context).then(answered);
  },
});

/** Whether the client gets an answer now instead of after `maxWaitMs`. */
const isEnough = (reads: readonly Read[], { maxWaitMs, minBytes }: FetchLimits): boolean =>
  maxWaitMs <= 0 ||
  reads.length === 0 ||
  reads.some(({ isUrgent }) => isUrgent) ||
  reads.reduce((bytes, { batches }) => bytes + bytesOf(batches), 0) >= minBytes;

const bytesOf = (batches: readonly LogBatch[]): number => batches.reduce((sum, { bytes }) => sum + bytes.length, 0);

/** Waits until there is enough, time is up, or the client has gone. */
function waitForMore(
  partitions: readonly FetchPartition[],
  limits: FetchLimits,
  context: RequestContext,
): Promise<readonly Read[]> {
  return new Promise((resolve) => {
    const unwatch: (() => void)[] = [];
    let isLooking = false;
    const done = (reads: readonly Read[]) => {
      for (const stop of unwatch) stop();
      resolve(reads);
    };
    const look = () => {
      isLooking = false;
      const reads = readAll(partitions, limits, context);
      if (isEnough(reads, limits)) done(reads);
    };
    // All that one request appends is looked at together.
    const onChange = () => {
      if (isLooking) return;
      isLooking = true;
      queueMicrotask(look);
    };
    for (const log of logsOf(partitions, context)) unwatch.push(log.watch(onChange));
    const timer = context.cluster.clock.after(limits.maxWaitMs, () => done(readAll(partitions, limits, context)));
    unwatch.push(() => timer.cancel());
    unwatch.push(context.connection.onClose(() => done([])));
  });
}

function* logsOf(partitions: readonly FetchPartition[], { cluster }: RequestContext): Generator<PartitionLog> {
  for (const { topic, topicId, partition } of partitions) {
    const found = topicId === zeroUuid ? cluster.topics.byName(topic) : cluster.topics.byId(topicId);
    const log = found?.partitions[partition]?.log;
    if (log !== undefined) yield log;
  }
}

/** Reads in the order of the partitions; the first batch of all comes whole, however large it is (KIP-74). */
function readAll(partitions: readonly FetchPartition[], limits: FetchLimits, context: RequestContext): Read[] {
  let bytesLeft = limits.maxBytes;
  let isEmpty = true;
  return partitions.map((wanted) => {
    const read = readPartition(wanted, limits, Math.min(bytesLeft, wanted.maxBytes), isEmpty, context);
    const bytes = bytesOf(read.batches);
    bytesLeft = Math.max(0, bytesLeft - bytes);
    if (bytes > 0) isEmpty = false;
    return read;
  });
}

const unknown: Omit<PartitionAnswer, "records" | "partitionIndex" | "errorCode"> = {
  highWatermark: -1n,
  lastStableOffset: -1n,
  logStartOffset: -1n,
  divergingEpoch: { epoch: -1, endOffset: -1n },
  currentLeader: { leaderId: -1, leaderEpoch: -1 },
  snapshotId: { endOffset: -1n, epoch: -1 },
  abortedTransactions: null,
  preferredReadReplica: -1,
};

function readPartition(
  wanted: FetchPartition,
  limits: FetchLimits,
  maxBytes: number,
  minOneBatch: boolean,
  context: RequestContext,
): Read {
  const { apiVersion } = context;
  const isById = apiVersion >= firstVersion.topicIds;
  const reference = { name: wanted.topic, topicId: wanted.topicId, isById };
  const allowsFollowers = apiVersion >= firstVersion.otherReplicas;
  const found = findPartition(context, reference, wanted.partition, wanted.currentLeaderEpoch, allowsFollowers);
  const refused = (errorCode: number, more: Partial<PartitionAnswer> = {}): Read => ({
    wanted,
    answer: { ...unknown, partitionIndex: wanted.partition, errorCode, ...more },
    batches: [],
    isUrgent: true,
  });
  if (found.errorCode !== 0 || found.partition === null) {
    const currentLeader = currentLeaderOf(found);
    return refused(found.errorCode, apiVersion >= 12 && currentLeader !== null ? { currentLeader } : {});
  }
  const { log } = found.partition;
  const { fetchOffset } = wanted;
  if (fetchOffset < log.logStartOffset || fetchOffset > log.logEndOffset) {
    return refused(codeOf("OFFSET_OUT_OF_RANGE"));
  }
  const known = {
    ...unknown,
    partitionIndex: wanted.partition,
    errorCode: 0,
    highWatermark: log.highWatermark,
    lastStableOffset: log.lastStableOffset,
    logStartOffset: log.logStartOffset,
  };
  if (wanted.lastFetchedEpoch >= 0) {
    const end = log.epochs.endOf(wanted.lastFetchedEpoch, log.logEndOffset);
    if (end === null || end.epoch < wanted.lastFetchedEpoch || end.endOffset < fetchOffset) {
      const divergingEpoch = end ?? { epoch: -1, endOffset: -1n };
      return { wanted, answer: { ...known, divergingEpoch }, batches: [], isUrgent: true };
    }
  }
  const preferredReadReplica = nearerReplica(found.partition.leaderId, found.partition.replicas, limits, context);
  if (preferredReadReplica >= 0) {
    return { wanted, answer: { ...known, preferredReadReplica }, batches: [], isUrgent: true };
  }
  const endOffset = limits.isReadCommitted ? log.lastStableOffset : log.highWatermark;
  const batches = log.read(fetchOffset, endOffset, maxBytes, minOneBatch);
  const nextOffset = (batches.at(-1)?.lastOffset ?? fetchOffset - 1n) + 1n;
  const abortedTransactions = limits.isReadCommitted
    ? log
        .abortedTransactions(fetchOffset, nextOffset)
        .map(({ producerId, firstOffset }) => ({ producerId, firstOffset }))
    : null;
  return { wanted, answer: { ...known, abortedTransactions }, batches, isUrgent: false };
}

/** A replica in the consumer's rack, when the leader is asked and in another one (KIP-392); -1 to stay. */
function nearerReplica(
  leaderId: number,
  replicas: readonly number[],
  { rackId }: FetchLimits,
  { broker, cluster }: RequestContext,
): number {
  if (rackId === "" || broker.id !== leaderId || broker.rack === rackId) return -1;
  return replicas.find((id) => cluster.isAlive(id) && cluster.broker(id)?.rack === rackId) ?? -1;
}

function answer(reads: readonly Read[], session: FetchSession | null, isFull: boolean, context: RequestContext) {
  const topics = new Map<string, FetchResponse["responses"][number]>();
  const leaderIds: number[] = [];
  for (const { wanted, answer: told, batches, isUrgent } of reads) {
    const key = keyOf(wanted);
    const now = { highWatermark: told.highWatermark, logStartOffset: told.logStartOffset };
    const isNews = session?.isNews(key, batches.length > 0 || isUrgent, now) ?? true;
    if (!isFull && !isNews) continue;
    if (batches.length > 0) session?.moveToEnd(key);
    if (told.currentLeader.leaderId >= 0) leaderIds.push(told.currentLeader.leaderId);
    const topicKey = `${wanted.topicId}/${wanted.topic}`;
    const topic = topics.get(topicKey) ?? { topic: wanted.topic, topicId: wanted.topicId, partitions: [] };
    topics.set(topicKey, topic);
    topic.partitions.push({ ...told, records: joined(batches) });
  }
  const nodeEndpoints = context.apiVersion >= firstVersion.leaderEndpoints ? endpointsOf(context, leaderIds) : [];
  return {
    throttleTimeMs: 0,
    errorCode: 0,
    sessionId: session?.id ?? 0,
    responses: [...topics.values()],
    nodeEndpoints,
  };
}

function joined(batches: readonly LogBatch[]): Buffer {
  const [first, second] = batches;
  if (first === undefined) return nothing;
  return second === undefined ? first.bytes : Buffer.concat(batches.map(({ bytes }) => bytes));
}
