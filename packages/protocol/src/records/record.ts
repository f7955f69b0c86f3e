import { recordBatchOverheadBytes } from "./record-batch-header.ts";
import { sizeOfVarint, sizeOfVarlong, writeVarint } from "./varint.ts";

/** A key or a value on its way into a batch. A string goes as UTF-8. */
export type RecordData = Uint8Array | string | null;

/** A header of a record, on its way into a batch unless its type says otherwise. */
export interface RecordHeader<Value = RecordData> {
  readonly key: string;
  readonly value: Value;
}

/** The most that the length of a record, its attributes, timestamp and offset can take. */
const maxRecordOverheadBytes = 21;

/** Up to this many bytes, a loop over them is faster than a call into Node, which costs 20 to 75 ns. */
const shortBytes = 16;

/** Bytes of a record in a batch, its own length included. */
export function recordSizeInBytes(
  offsetDelta: number,
  timestampDelta: number,
  key: RecordData,
  value: RecordData,
  headers: readonly RecordHeader[],
): number {
  const bodyBytes = recordBodySizeInBytes(offsetDelta, timestampDelta, key, value, headers);
  return sizeOfVarint(bodyBytes) + bodyBytes;
}

/** The same without the length, which is what the length says. */
export function recordBodySizeInBytes(
  offsetDelta: number,
  timestampDelta: number,
  key: RecordData,
  value: RecordData,
  headers: readonly RecordHeader[],
): number {
  const overhead = 1 + sizeOfVarlong(timestampDelta) + sizeOfVarint(offsetDelta);
  return overhead + sizeOfField(key) + sizeOfField(value) + sizeOfHeaders(headers);
}

/**
 * A bound for the bytes of a batch that holds this one record, which no timestamp exceeds; what `maxRequestSize` is
 * compared with.
 *
 * @see AbstractRecords.estimateSizeInBytesUpperBound (apache/kafka clients/common/record)
 */
export function sizeInBytesUpperBound(key: RecordData, value: RecordData, headers: readonly RecordHeader[]): number {
  return (
    recordBatchOverheadBytes + maxRecordOverheadBytes + sizeOfField(key) + sizeOfField(value) + sizeOfHeaders(headers)
  );
}

/** Bytes of the headers of a record, their count included. */
export function sizeOfHeaders(headers: readonly RecordHeader[], assumeAscii = false): number {
  let size = sizeOfVarint(headers.length);
  for (const { key, value } of headers) size += sizeOfField(key, assumeAscii) + sizeOfField(value, assumeAscii);
  return size;
}

/**
 * Bytes of a key or value without its length; -1 for `null`, which is how it is written.
 *
 * @param assumeAscii counts the characters of a text, for a caller that sees in `writeData` whether that was right
 */
export function sizeOfData(data: RecordData, assumeAscii = false): number {
  if (data === null) return -1;
  return assumeAscii || typeof data !== "string" ? data.length : Buffer.byteLength(data);
}

function sizeOfField(data: RecordData, assumeAscii = false): number {
  const size = sizeOfData(data, assumeAscii);
  return sizeOfVarint(size) + Math.max(size, 0);
}

/**
 * Writes a key or value of `size` bytes at `offset`, where there must be room for it.
 *
 * @returns false when `size` is the number of characters of a text that is not ASCII, so that more bytes would have
 *   been needed; what stands at `offset` then is of no use
 */
export function writeData(buffer: Buffer, offset: number, data: Uint8Array | string, size: number): boolean {
  if (typeof data !== "string") {
    if (size > shortBytes) buffer.set(data, offset);
    else for (let index = 0; index < size; index++) buffer[offset + index] = data[index] ?? 0;
    return true;
  }
  if (size !== data.length) {
    buffer.write(data, offset, size);
    return true;
  }
  if (size <= shortBytes) {
    for (let index = 0; index < size; index++) {
      const code = data.charCodeAt(index);
      if (code > 0x7f) return false;
      buffer[offset + index] = code;
    }
    return true;
  }
  // A text that is not ASCII takes more bytes than it has characters. That shows where there is room for one more
  // character, which is four bytes at most; at the very end of the buffer it has to be counted.
  if (offset + size + 4 > buffer.length && Buffer.byteLength(data) !== size) return false;
  return buffer.write(data, offset) === size;
}

/** Writes headers of which `sizeOfHeaders` counted the bytes, and gives the offset behind them, or -1 as `writeData` does. */
export function writeHeaders(
  buffer: Buffer,
  start: number,
  headers: readonly RecordHeader[],
  assumeAscii: boolean,
): number {
  let offset = writeVarint(buffer, start, headers.length);
  for (const { key, value } of headers) {
    offset = writeField(buffer, offset, key, assumeAscii);
    if (offset < 0) return -1;
    offset = writeField(buffer, offset, value, assumeAscii);
    if (offset < 0) return -1;
  }
  return offset;
}

/** Writes a key or value behind its size, and gives the offset behind both, or -1 as `writeData` does. */
function writeField(buffer: Buffer, start: number, data: RecordData, assumeAscii: boolean): number {
  const size = sizeOfData(data, assumeAscii);
  const offset = writeVarint(buffer, start, size);
  if (data === null) return offset;
  return writeData(buffer, offset, data, size) ? offset + size : -1;
}
