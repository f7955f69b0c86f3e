import type { ConsumerRecord } from "odradek";
import type { IHeaders } from "../producer/message.ts";

interface MessageEntry {
  key: Buffer | null;
  value: Buffer | null;
  /** Milliseconds since 1970, as text. */
  timestamp: string;
  attributes: number;
  offset: string;
}

interface RecordBatchEntry extends MessageEntry {
  /** Bytes, or several where a key stands there more than once; `undefined` for `null`. */
  headers: IHeaders;
  size?: never;
}

/** What kafkajs makes of messages from before Kafka 0.11; here they are as the others. */
interface MessageSetEntry extends MessageEntry {
  headers?: never;
  size: number;
}

/** A message that was read. It may be changed, and keeps alive the broker's whole answer that it came in. */
export type KafkaMessage = RecordBatchEntry | MessageSetEntry;

/** Messages that follow one another often have the same timestamp, and a number of that size takes long to become a text. */
let lastTimestamp = -1;
let lastTimestampText = "-1";

function timestampText(timestamp: number): string {
  if (timestamp !== lastTimestamp) {
    lastTimestamp = timestamp;
    lastTimestampText = String(timestamp);
  }
  return lastTimestampText;
}

/** The hot path: what is not an own property here is missing where a message is spread, or copied by `Object.assign`. */
export function messageOf(record: ConsumerRecord<Buffer, Buffer>): RecordBatchEntry {
  const { headers } = record;
  return {
    key: record.key,
    value: record.value,
    headers: headers.length === 0 ? {} : headersOf(headers),
    timestamp: timestampText(record.timestamp),
    attributes: 0,
    offset: String(record.offset),
  };
}

function headersOf(headers: ConsumerRecord<Buffer, Buffer>["headers"]): IHeaders {
  const byKey = new Map<string, Buffer | Buffer[] | undefined>();
  for (const { key, value } of headers) {
    const before = byKey.get(key);
    if (before === undefined) byKey.set(key, value ?? undefined);
    else if (value !== null) byKey.set(key, [...(Array.isArray(before) ? before : [before]), value]);
  }
  // Defines its properties, whatever they are called: a header may be named `__proto__`.
  return Object.fromEntries(byKey);
}
