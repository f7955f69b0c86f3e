import {
  crc32c,
  decodeResponse,
  defaultRecordBatchesOptions,
  encodeRequest,
  RecordBatchBuilder,
  RecordBatches,
  type RecordBatchesOptions,
  type RecordData,
  type RecordView,
  sizeInBytesUpperBound,
} from "@odradek/protocol";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { Produce } from "@odradek/protocol/messages/produce";
import type { PartitionOutcome, PeerCodec, ProducedOutcome, RecordOutcome, Task, TopicOutcome } from "./task.ts";

/** The producer's state as the peers write it, so that all batches have the same bytes. */
const producer = { producerId: -1n, producerEpoch: 0, baseSequence: 0, isTransactional: false };
const leaderEpoch = 0;

const unchecked: RecordBatchesOptions = { ...defaultRecordBatchesOptions, checkCrcs: false };

interface Source {
  readonly key: RecordData;
  readonly value: RecordData;
  readonly timestamp: number;
}

export const odradekCodec: PeerCodec = {
  encodeRecords: encoding,
  encodeTexts: encoding,

  iterateRecords(bytes) {
    const run = (): number => {
      let size = 0;
      for (const batch of new RecordBatches(bytes, unchecked)) {
        for (const { valueSize } of batch) size += valueSize;
      }
      return size;
    };
    return { run, outcome: run };
  },

  readRecords: (bytes) => reading(bytes, unchecked),
  readCheckedRecords: (bytes) => reading(bytes, defaultRecordBatchesOptions),

  decodeMetadata: (payload, version) => ({
    run: () => decodeResponse(Metadata, version, payload),
    outcome: () =>
      decodeResponse(Metadata, version, payload).topics.map(
        ({ name, partitions }): TopicOutcome => [
          name ?? "",
          partitions.map((one): PartitionOutcome => [one.partitionIndex, one.leaderId, one.replicaNodes, one.isrNodes]),
        ],
      ),
  }),

  decodeProduce: (payload, version) => ({
    run: () => decodeResponse(Produce, version, payload),
    outcome: () =>
      decodeResponse(Produce, version, payload).responses.flatMap(({ partitionResponses }) =>
        partitionResponses.map((one): ProducedOutcome => [one.index, one.errorCode, String(one.baseOffset)]),
      ),
  }),

  encodeProduce(topic, partitions) {
    const encoders = partitions.map(({ partition, records }) => ({ partition, encode: encoder(records) }));
    const run = (): readonly Buffer[] => {
      const partitionData = encoders.map(({ partition, encode }) => ({ index: partition, records: encode() }));
      const body = { acks: -1, timeoutMs: 30_000, topicData: [{ name: topic, partitionData }] };
      return encodeRequest(Produce, 7, { correlationId: 1, clientId: null }, body).chunks;
    };
    // In front of the body: length, api key and version, correlation id, client id.
    return { run, outcome: () => Buffer.concat(run()).subarray(14).toString("hex") };
  },

  crc32c: (bytes) => ({
    run: () => crc32c(bytes, 0, bytes.length),
    outcome: () => crc32c(bytes, 0, bytes.length),
  }),
};

function encoding(records: readonly Source[]): Task {
  const run = encoder(records);
  return { run, outcome: () => run().toString("hex") };
}

/** The buffer is used again for each batch, as those of the producer's pool are. */
function encoder(records: readonly Source[]): () => Buffer {
  const buffer = Buffer.alloc(records.reduce((sum, { key, value }) => sum + sizeInBytesUpperBound(key, value, []), 0));
  return () => {
    const builder = new RecordBatchBuilder(buffer);
    for (const { timestamp, key, value } of records) builder.append(timestamp, key, value);
    return builder.close(producer, leaderEpoch);
  };
}

function reading(bytes: Buffer, options: RecordBatchesOptions): Task {
  const run = (): unknown => {
    const offsets: bigint[] = [];
    let size = 0;
    for (const batch of new RecordBatches(bytes, options)) {
      for (const { key, value, offset } of batch) {
        size += (key?.length ?? 0) + (value?.length ?? 0);
        offsets.push(offset);
      }
    }
    return { size, offsets };
  };
  return {
    run,
    outcome: () => [...new RecordBatches(bytes, options)].flatMap((batch) => Array.from(batch, outcomeOf)),
  };
}

function outcomeOf({ offset, timestamp, key, value }: RecordView): RecordOutcome {
  return [String(offset), String(timestamp), key?.toString("hex") ?? "", value?.toString("hex") ?? ""];
}
