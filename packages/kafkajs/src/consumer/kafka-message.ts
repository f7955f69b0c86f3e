import type { ConsumerRecord } from "odradek";

/** Bytes, or several where a key stands there more than once; `undefined` for `null`. */
export interface MessageHeaders {
  [key: string]: Buffer | (Buffer | string)[] | string | undefined;
}

/** A message that was read. It may be changed, and keeps alive the broker's whole answer that it came in. */
export interface KafkaMessage {
  key: Buffer | null;
  value: Buffer | null;
  headers: MessageHeaders;
  /** Milliseconds since 1970, as text. */
  timestamp: string;
  attributes: number;
  offset: string;
}

export function messageOf(record: ConsumerRecord<Buffer, Buffer>): KafkaMessage {
  const { key, value, headers, timestamp, offset } = record;
  return {
    key,
    value,
    headers: headers.length === 0 ? {} : headersOf(headers),
    timestamp: String(timestamp),
    attributes: 0,
    offset: String(offset),
  };
}

function headersOf(headers: ConsumerRecord<Buffer, Buffer>["headers"]): MessageHeaders {
  const byKey = new Map<string, Buffer | Buffer[] | undefined>();
  for (const { key, value } of headers) {
    const before = byKey.get(key);
    if (before === undefined) byKey.set(key, value ?? undefined);
    else if (value !== null) byKey.set(key, [...(Array.isArray(before) ? before : [before]), value]);
  }
  // Defines its properties, whatever they are called: a header may be named `__proto__`.
  return Object.fromEntries(byKey);
}
