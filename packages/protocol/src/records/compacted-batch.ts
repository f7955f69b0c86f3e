import { crc32c } from "./crc32c.ts";
import { recordBodySizeInBytes, writeData, writeHeaders } from "./record.ts";
import { attribute, logOverheadBytes, offsetOf, recordBatchOverheadBytes } from "./record-batch-header.ts";
import type { RecordView } from "./record-view.ts";
import { sizeOfVarint, writeVarint, writeVarlong } from "./varint.ts";

/**
 * A batch of format 2 with what is left of its records, as compaction leaves it: the range of offsets, the producer and
 * its sequence numbers stay, and the latest timestamp is that of what is left. It is not compressed, whatever it was before.
 *
 * @param batch the bytes of the batch, whole; they are not changed
 * @param retained some of the batch's records, in their order; none of them leaves a batch without records
 * @see MemoryRecords.filterTo (apache/kafka clients/common/record)
 */
export function compactedBatch(batch: Buffer, retained: readonly RecordView[]): Buffer {
  const attributes = batch.readInt16BE(offsetOf.attributes) & ~attribute.compression;
  const isLogAppendTime = (attributes & attribute.logAppendTime) !== 0;
  const baseTimestamp = Number(batch.readBigInt64BE(offsetOf.baseTimestamp));
  const deltaOf = ({ timestamp }: RecordView): number => (isLogAppendTime ? 0 : timestamp - baseTimestamp);
  const bodySizes = retained.map((record) => {
    const { offsetDelta, key, value, headers } = record;
    return recordBodySizeInBytes(offsetDelta, deltaOf(record), key, value, headers);
  });
  const size = bodySizes.reduce((sum, bodySize) => sum + sizeOfVarint(bodySize) + bodySize, recordBatchOverheadBytes);

  const bytes = Buffer.alloc(size);
  batch.copy(bytes, 0, 0, recordBatchOverheadBytes);
  let offset = recordBatchOverheadBytes;
  retained.forEach((record, index) => {
    offset = writeVarint(bytes, offset, bodySizes[index] ?? 0);
    offset = writeBody(bytes, offset, record, deltaOf(record));
  });
  bytes.writeInt32BE(size - logOverheadBytes, offsetOf.batchLength);
  bytes.writeInt16BE(attributes, offsetOf.attributes);
  bytes.writeInt32BE(retained.length, offsetOf.count);
  const maxTimestamp = retained.reduce((max, { timestamp }) => Math.max(max, timestamp), -1);
  bytes.writeBigInt64BE(BigInt(maxTimestamp), offsetOf.maxTimestamp);
  bytes.writeUInt32BE(crc32c(bytes, offsetOf.attributes, size), offsetOf.crc);
  return bytes;
}

function writeBody(
  bytes: Buffer,
  start: number,
  { offsetDelta, key, value, headers }: RecordView,
  timestampDelta: number,
): number {
  let offset = writeVarlong(bytes, start + 1, timestampDelta);
  offset = writeVarint(bytes, offset, offsetDelta);
  for (const data of [key, value]) {
    const size = data?.length ?? -1;
    offset = writeVarint(bytes, offset, size);
    writeData(bytes, offset, data ?? Buffer.alloc(0), Math.max(size, 0));
    offset += Math.max(size, 0);
  }
  return writeHeaders(bytes, offset, headers, false);
}
