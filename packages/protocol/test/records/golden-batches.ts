import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { RecordBatch } from "../../src/records/record-batch.ts";
import type { RecordView } from "../../src/records/record-view.ts";

/** What Kafka's classes read from `bytes`: see ../golden/README.md. */
export interface GoldenBatches {
  readonly name: string;
  readonly bytes: string;
  readonly batches: readonly GoldenBatch[];
}

type GoldenBatch = Readonly<Record<string, unknown>> & { readonly records: readonly unknown[] };

export function readGoldenBatches(file: "batches.jsonl" | "batches-read-by-java.jsonl"): GoldenBatches[] {
  const lines = readFileSync(new URL(`../golden/${file}`, import.meta.url), "utf8")
    .trim()
    .split("\n");
  return lines.map((line) => JSON.parse(line));
}

const timestampTypes = { createTime: "CreateTime", logAppendTime: "LogAppendTime", noTimestamp: "NoTimestampType" };

/** What we read, in the words of the golden file. */
export function describeBatch(batch: RecordBatch): GoldenBatch {
  return {
    magic: batch.magic,
    lastOffset: String(batch.lastOffset),
    count: batch.count,
    partitionLeaderEpoch: batch.partitionLeaderEpoch,
    producerId: String(batch.producerId),
    producerEpoch: batch.producerEpoch,
    baseSequence: batch.baseSequence,
    isTransactional: batch.isTransactional,
    isControl: batch.isControl,
    compression: batch.compression,
    timestampType: timestampTypes[batch.timestampType],
    maxTimestamp: batch.maxTimestamp,
    sizeInBytes: batch.sizeInBytes,
    records: [...batch].map(describeRecord),
  };
}

function describeRecord(record: RecordView): unknown {
  return {
    offset: String(record.offset),
    timestamp: record.timestamp,
    key: describeBytes(record.key),
    value: describeBytes(record.value),
    headers: record.headers.map(({ key, value }) => ({ key, value: describeBytes(value) })),
  };
}

function describeBytes(bytes: Buffer | null): string | null {
  if (bytes === null || bytes.length <= 100) return bytes === null ? null : bytes.toString("hex");
  return `${bytes.length} ${createHash("sha256").update(bytes).digest("hex")}`;
}
