import type { CompressionCodec } from "../../src/compression/codec.ts";
import { crc32c } from "../../src/records/crc32c.ts";
import type { RecordData, RecordHeader } from "../../src/records/record.ts";
import {
  defaultRecordBatchesOptions,
  type RecordBatch,
  type RecordBatchesOptions,
} from "../../src/records/record-batch.ts";
import {
  noProducerState,
  RecordBatchBuilder,
  type RecordBatchBuilderOptions,
} from "../../src/records/record-batch-builder.ts";
import { offsetOf } from "../../src/records/record-batch-header.ts";
import { RecordBatches } from "../../src/records/record-batches.ts";
import type { RecordView } from "../../src/records/record-view.ts";

export const t0 = 1_700_000_000_000;

/** A record to be written. */
export interface Given {
  readonly timestamp?: number;
  readonly key?: RecordData;
  readonly value?: RecordData;
  readonly headers?: readonly RecordHeader[];
}

/** One batch, compressed in the background where that is asked for. */
export async function batchOf(records: readonly Given[], options: RecordBatchBuilderOptions = {}): Promise<Buffer> {
  const builder = new RecordBatchBuilder(Buffer.alloc(1 << 20), options);
  for (const { timestamp = t0, key = null, value = null, headers } of records) {
    if (!builder.append(timestamp, key, value, headers)) throw new Error("no room for the record");
  }
  await builder.compress();
  return Buffer.from(builder.close(noProducerState));
}

/** The batch with bytes written into it, and a checksum that is right again. */
export function patched(batch: Buffer, patch: (batch: Buffer) => void): Buffer {
  const copy = Buffer.from(batch);
  patch(copy);
  copy.writeUInt32BE(crc32c(copy, offsetOf.attributes, copy.length), offsetOf.crc);
  return copy;
}

/** The batch with other records behind the same header: whatever bytes, with a right length and checksum. */
export function withPayload(batch: Buffer, payload: Buffer): Buffer {
  const whole = Buffer.concat([batch.subarray(0, offsetOf.records), payload]);
  return patched(whole, (bytes) => bytes.writeInt32BE(whole.length - 12, offsetOf.batchLength));
}

export const batchesOf = (bytes: Buffer, options: Partial<RecordBatchesOptions> = {}): RecordBatches =>
  new RecordBatches(bytes, { ...defaultRecordBatchesOptions, ...options });

/** All batches, ready to be iterated. */
export async function readBatches(bytes: Buffer, options: Partial<RecordBatchesOptions> = {}): Promise<RecordBatch[]> {
  const batches = [...batchesOf(bytes, options)];
  for (const batch of batches) if (!batch.isReadable) await batch.decompress();
  return batches;
}

/** All records of all batches. */
export async function readRecords(bytes: Buffer, options: Partial<RecordBatchesOptions> = {}): Promise<RecordView[]> {
  return (await readBatches(bytes, options)).flatMap((batch) => [...batch]);
}

/** What a record holds, for comparison. */
export const contentOf = ({ timestamp, key, value, headers }: RecordView) => ({ timestamp, key, value, headers });

/** The codec without what it can do on this thread. */
export const inBackground = (codec: CompressionCodec): CompressionCodec => ({
  name: codec.name,
  levels: codec.levels,
  compress: (input, level) => codec.compress(input, level),
  decompress: (input, maxOutputBytes) => codec.decompress(input, maxOutputBytes),
});
