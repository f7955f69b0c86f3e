import { crc32c, defaultCodecs, noProducerState, RecordBatchBuilder } from "@odradek/protocol";

/** A record to be written. */
export interface LogRecord {
  readonly key?: string | null;
  readonly value?: string | null;
  readonly timestamp?: number;
  readonly headers?: readonly { readonly key: string; readonly value: string | null }[];
}

export interface BatchOptions {
  readonly baseOffset?: number;
  readonly leaderEpoch?: number;
  readonly producerId?: number;
  readonly isTransactional?: boolean;
  /** What compaction leaves: the batch ends there, whatever its last record is. */
  readonly lastOffsetDelta?: number;
  readonly codec?: keyof typeof defaultCodecs;
}

/** Where fields lie in a batch of format 2, bytes. */
const at = { baseOffset: 0, batchLength: 8, crc: 17, attributes: 21, lastOffsetDelta: 23, count: 57, records: 61 };
const controlBit = 0b10_0000;

/** A batch as a leader has it in its log. */
export async function batch(records: readonly LogRecord[], options: BatchOptions = {}): Promise<Buffer> {
  const { codec, producerId = -1, isTransactional = false, lastOffsetDelta } = options;
  const compression = codec === undefined ? null : { codec: defaultCodecs[codec], ratio: 1 };
  const builder = new RecordBatchBuilder(Buffer.alloc(65_536), { compression });
  for (const { key = null, value = null, timestamp = 1_700_000_000_000, headers = [] } of records) {
    builder.append(timestamp, key, value, headers);
  }
  if (codec !== undefined) await builder.compress();
  const state = { ...noProducerState, producerId: BigInt(producerId), isTransactional };
  const bytes = Buffer.from(builder.close(state, options.leaderEpoch ?? 0));
  bytes.writeBigInt64BE(BigInt(options.baseOffset ?? 0), at.baseOffset);
  if (lastOffsetDelta !== undefined) bytes.writeInt32BE(lastOffsetDelta, at.lastOffsetDelta);
  return sealed(bytes);
}

/** As many records with the values `v0`, `v1`, and so on. */
export const counted = (count: number, options: BatchOptions = {}): Promise<Buffer> =>
  batch(
    Array.from({ length: count }, (_, index) => ({ value: `v${(options.baseOffset ?? 0) + index}` })),
    options,
  );

/** What compaction leaves of a batch whose records are all gone. */
export async function emptied(options: BatchOptions & { readonly lastOffsetDelta: number }): Promise<Buffer> {
  return withoutRecords(await batch([{ value: "gone" }], options));
}

/** The same of the marker that ended a transaction. */
export const emptiedMarker = async (producerId: number, baseOffset: number): Promise<Buffer> =>
  withoutRecords(await marker("abort", producerId, baseOffset));

function withoutRecords(whole: Buffer): Buffer {
  const bytes = whole.subarray(0, at.records);
  bytes.writeInt32BE(0, at.count);
  bytes.writeInt32BE(bytes.length - 12, at.batchLength);
  return sealed(bytes);
}

/** The marker that ends a transaction. */
export async function marker(type: "abort" | "commit", producerId: number, baseOffset: number): Promise<Buffer> {
  const key = `\0\0\0${type === "abort" ? "\0" : "\u0001"}`;
  const bytes = await batch([{ key, value: "\0\0\0\0\0\0" }], { baseOffset, producerId, isTransactional: true });
  bytes.writeInt16BE(bytes.readInt16BE(at.attributes) | controlBit, at.attributes);
  return sealed(bytes);
}

/** The same bytes, the last one another, so that the checksum is wrong. */
export function damaged(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) ^ 0xff;
  return copy;
}

function sealed(bytes: Buffer): Buffer {
  bytes.writeUInt32BE(crc32c(bytes, at.attributes, bytes.length), at.crc);
  return bytes;
}
