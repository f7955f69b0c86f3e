import { type CompressionCodecs, RecordBatches, type RecordView, sizeInBytesUpperBound } from "@odradek/protocol";
import type { BatchRecord, ProducerBatch, Recipient } from "./producer-batch.ts";

/**
 * The records of a batch that a broker finds too large, in smaller ones. Source: `ProducerBatch.split`.
 *
 * @param bytes what was sent
 * @param codecs of those with which it was compressed
 * @param open makes a batch that has room for one record of so many bytes at least
 */
export async function splitBatch(
  batch: ProducerBatch,
  bytes: Buffer,
  codecs: CompressionCodecs,
  open: (leastBytes: number) => ProducerBatch,
): Promise<ProducerBatch[]> {
  const parts: ProducerBatch[] = [];
  for (const { view, delivery, position } of await recordsOf(batch, bytes, codecs)) {
    const { timestamp: timestampMs, key, value, headers } = view;
    const { settings } = batch;
    const record: BatchRecord = { timestampMs, key, value, headers, settings, delivery, position };
    if (parts.at(-1)?.tryAppend(record) === true) continue;
    parts.at(-1)?.close();
    const part = open(sizeInBytesUpperBound(key, value, headers));
    parts.push(part);
    part.tryAppend(record);
  }
  parts.at(-1)?.close();
  return parts;
}

async function recordsOf(
  batch: ProducerBatch,
  bytes: Buffer,
  codecs: CompressionCodecs,
): Promise<({ readonly view: RecordView } & Recipient)[]> {
  // The bytes are ours: nobody has to check them, and what becomes of them has been in memory before.
  const { value: sent } = new RecordBatches(bytes, {
    checkCrcs: false,
    maxDecompressedBytes: 0x7fff_ffff,
    codecs,
  }).next();
  if (sent === undefined) throw new Error("a batch that was sent is none");
  if (!sent.isReadable) await sent.decompress();
  return Array.from(sent, (view, index) => ({ view, ...batch.recipientOf(index) }));
}
