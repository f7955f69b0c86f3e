import type {
  PartitionOutcome,
  PeerCodec,
  ProducedOutcome,
  RecordOutcome,
  SourceRecord,
  TopicOutcome,
} from "./task.ts";

/** Which message at which version, and where its body begins: behind the correlation id, and the tags since flexible. */
const metadataHeaderBytes: Readonly<Record<number, number>> = { 6: 4, 12: 5 };
const produceHeaderBytes: Readonly<Record<number, number>> = { 7: 4, 9: 5 };

interface Message {
  readonly topic: string;
  readonly partition?: number;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly timestamp: bigint;
}

/**
 * Calls what its connections, producer and consumer call, in the version of each message that is asked for. It exists
 * as an ES module only. All bytes of a response are in one buffer, which is the best case for it.
 */
export async function platformaticCodec(): Promise<PeerCodec> {
  const platformatic = await import("@platformatic/kafka");
  const { createRecordsBatch, crc32c, produceV7, readRecordsBatches, Reader } = platformatic;
  const metadata = { 6: platformatic.metadataV6, 12: platformatic.metadataV12 };
  const produce = { 7: produceV7, 9: platformatic.produceV9 };

  return {
    encodeRecords(records) {
      const messages = records.map((record): Message => messageOf(record, "topic", 0));
      const run = (): Buffer => createRecordsBatch(messages).buffer;
      return { run, outcome: () => run().toString("hex") };
    },

    /** Its producer makes a message of each record, serialized, before it encodes them. */
    encodeTexts(records) {
      const run = (): Buffer => {
        const messages = records.map(({ key, value, timestamp }) => ({
          topic: "topic",
          key: Buffer.from(key),
          value: Buffer.from(value),
          timestamp: BigInt(timestamp),
        }));
        return createRecordsBatch(messages).buffer;
      };
      return { run, outcome: () => run().toString("hex") };
    },

    iterateRecords(bytes) {
      const run = (): number => {
        let size = 0;
        for (const { records } of readRecordsBatches(Reader.from(bytes))) {
          for (const { value } of records) size += value?.length ?? 0;
        }
        return size;
      };
      return { run, outcome: run };
    },

    /** Offsets are added up as its consumer does. */
    readRecords(bytes) {
      const run = (): unknown => {
        const offsets: bigint[] = [];
        let size = 0;
        for (const { firstOffset, records } of readRecordsBatches(Reader.from(bytes))) {
          for (const { key, value, offsetDelta } of records) {
            size += (key?.length ?? 0) + (value?.length ?? 0);
            offsets.push(firstOffset + BigInt(offsetDelta));
          }
        }
        return { size, offsets };
      };
      const outcome = (): RecordOutcome[] =>
        readRecordsBatches(Reader.from(bytes)).flatMap(({ firstOffset, firstTimestamp, records }) =>
          records.map(({ offsetDelta, timestampDelta, key, value }): RecordOutcome => {
            const offset = firstOffset + BigInt(offsetDelta);
            const timestamp = firstTimestamp + timestampDelta;
            return [String(offset), String(timestamp), key?.toString("hex") ?? "", value?.toString("hex") ?? ""];
          }),
        );
      return { run, outcome };
    },

    /** It reads the checksum of a batch and does not look at it. */
    readCheckedRecords: () => null,

    decodeMetadata(payload, version) {
      if (version !== 6 && version !== 12) return null;
      const { parseResponse } = metadata[version];
      const run = () => parseResponse(0, 3, version, Reader.from(payload.subarray(metadataHeaderBytes[version])));
      const outcome = (): TopicOutcome[] =>
        run().topics.map(({ name, partitions }) => [
          name ?? "",
          partitions.map((one): PartitionOutcome => [one.partitionIndex, one.leaderId, one.replicaNodes, one.isrNodes]),
        ]);
      return { run, outcome };
    },

    decodeProduce(payload, version) {
      if (version !== 7 && version !== 9) return null;
      const { parseResponse } = produce[version];
      const run = () => parseResponse(0, 0, version, Reader.from(payload.subarray(produceHeaderBytes[version])));
      const outcome = (): ProducedOutcome[] =>
        run().responses.flatMap(({ partitionResponses }) =>
          partitionResponses.map((one): ProducedOutcome => [one.index, one.errorCode, String(one.baseOffset)]),
        );
      return { run, outcome };
    },

    encodeProduce(topic, partitions) {
      const messages = partitions.flatMap(({ partition, records }) =>
        records.map((record) => messageOf(record, topic, partition)),
      );
      const run = (): Buffer => produceV7.createRequest(-1, 30_000, messages).buffer;
      return { run, outcome: () => run().toString("hex") };
    },

    crc32c: (bytes) => ({ run: () => crc32c(bytes), outcome: () => crc32c(bytes) }),
  };
}

function messageOf({ key, value, timestamp }: SourceRecord, topic: string, partition: number): Message {
  return { topic, partition, key, value, timestamp: BigInt(timestamp) };
}
