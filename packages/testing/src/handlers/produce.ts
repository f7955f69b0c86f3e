import { CorruptRecordError, codeOf, type RecordBatch } from "@odradek/protocol";
import { Produce, type ProduceResponse } from "@odradek/protocol/messages/produce";
import { currentLeaderOf, endpointsOf, findPartition, type TopicReference } from "../fetching/partition-lookup.ts";
import { AppendError, producedBatch } from "../log/log-batch.ts";
import { handler, type RequestContext } from "../request-context.ts";
import type { Partition } from "../topics/partition.ts";
import type { Topic } from "../topics/topic.ts";

type PartitionAnswer = ProduceResponse["responses"][number]["partitionResponses"][number];

/** What a partition of a request asks for. */
interface Write {
  readonly acks: number;
  readonly transactionalId: string | null;
  readonly index: number;
  readonly records: Buffer | null;
}

const noLeader = { leaderId: -1, leaderEpoch: -1 };

/** First version whose clients know TRANSACTION_ABORTABLE, and the first that adds its partitions to the transaction. */
const firstVersion = { zstd: 7, transactionAbortable: 11, implicitlyAdds: 12, topicIds: 13 } as const;

export const produce = handler({
  api: Produce,
  handle: (request, context) => {
    const { acks, transactionalId } = request;
    const isById = context.apiVersion >= firstVersion.topicIds;
    const answers = request.topicData.map(({ name, topicId, partitionData }) => ({
      name,
      topicId,
      partitionResponses: partitionData.map(({ index, records }) =>
        append({ name, topicId, isById }, { acks, transactionalId, index, records }, context),
      ),
    }));
    const isPending = answers.some(({ partitionResponses }) => partitionResponses.some((it) => it instanceof Promise));
    if (!isPending) return answer(answers.map(settledNow), acks, context);
    return Promise.all(
      answers.map(async ({ partitionResponses, ...topic }) => ({
        ...topic,
        partitionResponses: await Promise.all(partitionResponses.map((it) => Promise.resolve(it))),
      })),
    ).then((responses) => answer(responses, acks, context));
  },
});

type Pending<A> = { name: string; topicId: string; partitionResponses: (A | Promise<A>)[] };

const settledNow = ({ partitionResponses, ...topic }: Pending<PartitionAnswer>) => ({
  ...topic,
  partitionResponses: partitionResponses.filter((it): it is PartitionAnswer => !(it instanceof Promise)),
});

function answer(responses: ProduceResponse["responses"], acks: number, context: RequestContext) {
  const partitions = responses.flatMap(({ partitionResponses }) => partitionResponses);
  if (acks === 0) {
    // Nobody waits for an answer: a connection that closes is how a producer hears of an error.
    if (partitions.some(({ errorCode }) => errorCode !== 0)) context.connection.close();
    return null;
  }
  const leaderIds = partitions.map(({ currentLeader }) => currentLeader.leaderId).filter((id) => id >= 0);
  const nodeEndpoints = context.apiVersion >= 10 ? endpointsOf(context, leaderIds) : [];
  return { responses, throttleTimeMs: 0, nodeEndpoints };
}

function append(
  reference: TopicReference,
  write: Write,
  context: RequestContext,
): PartitionAnswer | Promise<PartitionAnswer> {
  const found = findPartition(context, reference, write.index);
  if (found.errorCode !== 0 || found.partition === null || found.topic === null) {
    const leader = context.apiVersion >= 10 ? currentLeaderOf(found) : null;
    return refused(write.index, found.errorCode, leader ?? noLeader);
  }
  const { topic, partition } = found;
  try {
    if (![-1, 0, 1].includes(write.acks)) throw new AppendError("INVALID_REQUIRED_ACKS", `acks ${write.acks}`);
    const { batch, bytes } = producedBatch(write.records);
    checkBatch(batch, topic, partition, write, context);
    if (!topic.configs.isListed("cleanup.policy", "compact")) return appended(partition, batch, bytes);
    // Keys are looked for in the records, which may have to be decompressed for it.
    const readable = batch.isReadable ? Promise.resolve() : batch.decompress();
    return readable
      .then(() => {
        checkKeys(batch, topic.name, partition.index);
        return appended(partition, batch, bytes);
      })
      .catch((error: unknown) => failed(write.index, error));
  } catch (error) {
    return failed(write.index, error);
  }
}

function checkBatch(
  batch: RecordBatch,
  topic: Topic,
  partition: Partition,
  { acks, transactionalId }: Write,
  context: RequestContext,
): void {
  const { cluster, apiVersion } = context;
  if (batch.compression === "zstd" && apiVersion < firstVersion.zstd) {
    throw new AppendError("UNSUPPORTED_COMPRESSION_TYPE", "Produce requests with version below 7 cannot carry zstd");
  }
  const inSync = partition.replicas.filter((id) => cluster.isAlive(id)).length;
  if (acks === -1 && inSync < topic.configs.number("min.insync.replicas")) {
    throw new AppendError("NOT_ENOUGH_REPLICAS", `${inSync} in-sync replica(s)`);
  }
  if (!batch.isTransactional) return;
  const producer = { producerId: batch.producerId, producerEpoch: batch.producerEpoch };
  if (partition.log.producers.isInTransaction(producer.producerId, producer.producerEpoch)) return;
  if (cluster.version === "2.1") return;
  const error =
    transactionalId === null
      ? "INVALID_TXN_STATE"
      : cluster.transactions.verify(transactionalId, producer, topic.name, partition.index, {
          adds: apiVersion >= firstVersion.implicitlyAdds,
        });
  if (error === null) return;
  const isTooNew = error === "TRANSACTION_ABORTABLE" && apiVersion < firstVersion.transactionAbortable;
  throw new AppendError(isTooNew ? "INVALID_TXN_STATE" : error, "The partition is not part of the transaction");
}

/** Compaction keeps the last record of each key: without one it could keep none. */
function checkKeys(batch: RecordBatch, topic: string, partition: number): void {
  const batchIndexErrorMessage = `Compacted topic cannot accept message without key in topic partition ${topic}-${partition}.`;
  const recordErrors = [...batch].flatMap(({ keySize, offsetDelta }) =>
    keySize < 0 ? [{ batchIndex: offsetDelta, batchIndexErrorMessage }] : [],
  );
  if (recordErrors.length === 0) return;
  throw new AppendError("INVALID_RECORD", "One or more records have been rejected", recordErrors);
}

function appended(partition: Partition, batch: RecordBatch, bytes: Buffer): PartitionAnswer {
  const { baseOffset, logAppendTimeMs } = partition.log.append(batch, bytes, partition.leaderEpoch);
  return {
    index: partition.index,
    errorCode: 0,
    baseOffset,
    logAppendTimeMs: BigInt(logAppendTimeMs),
    logStartOffset: partition.log.logStartOffset,
    recordErrors: [],
    errorMessage: null,
    currentLeader: noLeader,
  };
}

function failed(index: number, error: unknown): PartitionAnswer {
  if (error instanceof CorruptRecordError) return refused(index, codeOf("CORRUPT_MESSAGE"), noLeader);
  if (!(error instanceof AppendError)) throw error;
  const answered = refused(index, codeOf(error.code), noLeader);
  if (error.recordErrors.length === 0) return answered;
  return { ...answered, recordErrors: [...error.recordErrors], errorMessage: error.message };
}

const refused = (index: number, errorCode: number, currentLeader: typeof noLeader): PartitionAnswer => ({
  index,
  errorCode,
  baseOffset: -1n,
  logAppendTimeMs: -1n,
  logStartOffset: -1n,
  recordErrors: [],
  errorMessage: null,
  currentLeader,
});
