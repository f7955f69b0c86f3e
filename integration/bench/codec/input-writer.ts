import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  encodeResponse,
  type Frame,
  noProducerState,
  RecordBatchBuilder,
  type ResponseWrittenOf,
  sizeInBytesUpperBound,
} from "@odradek/protocol";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { Produce } from "@odradek/protocol/messages/produce";
import { inputNames } from "./inputs.ts";
import { randomLetters, type Shape, shapes, sourceRecords } from "./sources.ts";

/** Writes what there is to decode into `folder`. The protocol's own tests hold this encoder to the bytes of Java's. */
export async function writeInputs(folder: string): Promise<void> {
  const write = (name: string, bytes: Buffer): Promise<void> => writeFile(join(folder, name), bytes);
  for (const shape of shapes) await write(inputNames.batch(shape), encodeBatch(shape));
  for (const version of [6, 12]) {
    await write(inputNames.metadata(version), payload(encodeResponse(Metadata, version, 1, metadata())));
  }
  for (const version of [7, 9]) {
    await write(inputNames.produce(version), payload(encodeResponse(Produce, version, 1, produced())));
  }
}

function encodeBatch(shape: Shape): Buffer {
  const records = sourceRecords(shape);
  const bytes = records.reduce((sum, { key, value }) => sum + sizeInBytesUpperBound(key, value, []), 0);
  const builder = new RecordBatchBuilder(Buffer.alloc(bytes));
  for (const { timestamp, key, value } of records) builder.append(timestamp, key, value);
  const batch = builder.close(noProducerState, 0);
  // As a broker hands it out. The checksum does not cover the offset.
  batch.writeBigInt64BE(123_456_789n, 0);
  return batch;
}

function metadata(): ResponseWrittenOf<typeof Metadata> {
  const nodes = [0, 1, 2];
  const partitions = Array.from({ length: 12 }, (_, partitionIndex) => {
    const replicas = nodes.map((node) => (node + partitionIndex) % 3);
    const [leaderId = 0] = replicas;
    return {
      errorCode: 0,
      partitionIndex,
      leaderId,
      leaderEpoch: 5,
      replicaNodes: replicas,
      isrNodes: replicas,
      offlineReplicas: [],
    };
  });
  const letters = randomLetters(500 + 16);
  const topics = Array.from({ length: 500 }, (_, index) => ({
    errorCode: 0,
    name: `orders.events.v1.topic-${index}`,
    topicId: Buffer.from(letters.slice(index, index + 16)).toString("base64url"),
    isInternal: false,
    partitions,
    topicAuthorizedOperations: -2_147_483_648,
  }));
  return {
    throttleTimeMs: 0,
    brokers: nodes.map((nodeId) => ({
      nodeId,
      host: `broker-${nodeId}.example.com`,
      port: 9092,
      rack: `rack-${nodeId}`,
    })),
    clusterId: "4L6g3nShT-eMCtK--X86sw",
    controllerId: 1,
    topics,
  };
}

function produced(): ResponseWrittenOf<typeof Produce> {
  const partitionResponses = Array.from({ length: 50 }, (_, index) => ({
    index,
    errorCode: 0,
    baseOffset: 123_456_789n + BigInt(index) * 100_000n,
    logAppendTimeMs: -1n,
    logStartOffset: 0n,
  }));
  return { responses: [{ name: "orders.events", partitionResponses }] };
}

/** A frame in one piece and without its length, as a connection hands it to the decoder. */
function payload({ chunks }: Frame): Buffer {
  return Buffer.concat(chunks).subarray(4);
}
