import type { PartitionOutcome, PeerCodec, ProducedOutcome, RecordOutcome, Task, TopicOutcome } from "./task.ts";

/** What of kafkajs is called here. None of it is public, so that it comes without types. */
interface Encoder {
  readonly buffer: Buffer;
}
interface KafkaJsRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}
interface MetadataBody {
  readonly topicMetadata: readonly {
    readonly topic: string;
    readonly partitionMetadata: readonly {
      readonly partitionId: number;
      readonly leader: number;
      readonly replicas: number[];
      readonly isr: number[];
    }[];
  }[];
}
interface ProduceBody {
  readonly topics: readonly {
    readonly partitions: readonly {
      readonly partition: number;
      readonly errorCode: number;
      readonly baseOffset: string;
    }[];
  }[];
}

interface BatchFields {
  readonly records: readonly Encoder[];
  readonly firstTimestamp: number;
  readonly maxTimestamp: number;
  readonly lastOffsetDelta: number;
}
interface ProduceFields {
  readonly acks: number;
  readonly timeout: number;
  readonly topicData: readonly {
    readonly topic: string;
    readonly partitions: readonly { readonly partition: number; readonly messages: readonly Source[] }[];
  }[];
}
interface Source {
  readonly key: Buffer | string;
  readonly value: Buffer | string;
  readonly timestamp: number;
}

const Decoder: new (buffer: Buffer) => object = require("kafkajs/src/protocol/decoder");
const encodeRecord: (fields: object) => Encoder = require("kafkajs/src/protocol/recordBatch/record/v0");
const { RecordBatch }: { RecordBatch: (fields: BatchFields) => Promise<Encoder> } =
  require("kafkajs/src/protocol/recordBatch/v0");
const decodeBatch: (decoder: object) => Promise<{ readonly records: readonly KafkaJsRecord[] }> =
  require("kafkajs/src/protocol/recordBatch/v0/decoder");
const metadataV6: { decode(body: Buffer): Promise<MetadataBody> } =
  require("kafkajs/src/protocol/requests/metadata/v6/response");
const produceV7: { decode(body: Buffer): Promise<ProduceBody> } =
  require("kafkajs/src/protocol/requests/produce/v7/response");
const produceRequestV7: (fields: ProduceFields) => { encode(): Promise<Encoder> } =
  require("kafkajs/src/protocol/requests/produce/v7/request");
const crc32c: (bytes: Buffer) => number = require("kafkajs/src/protocol/recordBatch/crc32C");

/** The correlation id is all that is in front of the body in the versions that kafkajs speaks. */
const headerBytes = 4;

/** Calls what the producer and the consumer of kafkajs call, in its newest version of each message. */
export const kafkaJsCodec: PeerCodec = {
  encodeRecords: encoding,
  encodeTexts: encoding,

  iterateRecords(bytes) {
    const run = async (): Promise<number> => {
      let size = 0;
      for (const { value } of await recordsOf(bytes)) size += value?.length ?? 0;
      return size;
    };
    return { run, outcome: run };
  },

  readRecords(bytes) {
    const run = async (): Promise<unknown> => {
      const offsets: string[] = [];
      let size = 0;
      for (const { key, value, offset } of await recordsOf(bytes)) {
        size += (key?.length ?? 0) + (value?.length ?? 0);
        offsets.push(offset);
      }
      return { size, offsets };
    };
    return { run, outcome: async () => (await recordsOf(bytes)).map(outcomeOf) };
  },

  /** It reads the checksum of a batch and does not look at it. */
  readCheckedRecords: () => null,

  decodeMetadata(payload, version) {
    if (version !== 6) return null;
    const run = (): Promise<MetadataBody> => metadataV6.decode(payload.subarray(headerBytes));
    const outcome = async (): Promise<TopicOutcome[]> =>
      (await run()).topicMetadata.map(({ topic, partitionMetadata }) => [
        topic,
        partitionMetadata.map((one): PartitionOutcome => [one.partitionId, one.leader, one.replicas, one.isr]),
      ]);
    return { run, outcome };
  },

  decodeProduce(payload, version) {
    if (version !== 7) return null;
    const run = (): Promise<ProduceBody> => produceV7.decode(payload.subarray(headerBytes));
    const outcome = async (): Promise<ProducedOutcome[]> =>
      (await run()).topics.flatMap(({ partitions }) =>
        partitions.map((one): ProducedOutcome => [one.partition, one.errorCode, one.baseOffset]),
      );
    return { run, outcome };
  },

  encodeProduce(topic, partitions) {
    const data = partitions.map(({ partition, records }) => ({ partition, messages: records }));
    const run = async (): Promise<Buffer> => {
      const request = produceRequestV7({ acks: -1, timeout: 30_000, topicData: [{ topic, partitions: data }] });
      return (await request.encode()).buffer;
    };
    return { run, outcome: async () => (await run()).toString("hex") };
  },

  crc32c: (bytes) => ({ run: () => crc32c(bytes), outcome: () => crc32c(bytes) }),
};

function encoding(records: readonly Source[]): Task {
  const timestamps = records.map(({ timestamp }) => timestamp);
  const firstTimestamp = Math.min(...timestamps);
  const maxTimestamp = Math.max(...timestamps);
  const run = async (): Promise<Buffer> => {
    const encoded = records.map(({ key, value, timestamp }, offsetDelta) =>
      encodeRecord({ key, value, offsetDelta, timestampDelta: timestamp - firstTimestamp }),
    );
    const lastOffsetDelta = records.length - 1;
    const batch = await RecordBatch({ records: encoded, firstTimestamp, maxTimestamp, lastOffsetDelta });
    return batch.buffer;
  };
  return { run, outcome: async () => (await run()).toString("hex") };
}

async function recordsOf(bytes: Buffer): Promise<readonly KafkaJsRecord[]> {
  return (await decodeBatch(new Decoder(bytes))).records;
}

function outcomeOf({ offset, timestamp, key, value }: KafkaJsRecord): RecordOutcome {
  return [offset, timestamp, key?.toString("hex") ?? "", value?.toString("hex") ?? ""];
}
