import type { Header, ProducerRecord as SentMessage } from "odradek";
import type { CompressionTypes } from "../constants.ts";

/** Text, bytes, or several of either: headers of one key. */
export interface IHeaders {
  [key: string]: Buffer | string | (Buffer | string)[] | undefined;
}

export interface Message {
  key?: Buffer | string | null;
  /** `null` is a tombstone. */
  value: Buffer | string | null;
  partition?: number;
  headers?: IHeaders;
  /** Milliseconds since 1970; -1, which a message has whose topic keeps none, is none. @default now */
  timestamp?: string;
}

/** How messages are sent. */
export interface SendSettings {
  /** Who must have the messages: -1 for all in-sync replicas, 1 for the leader, 0 for nobody. @default -1 */
  acks?: number;
  /** How long the leader of a partition may wait for the in-sync replicas, milliseconds. @default `requestTimeout` */
  timeout?: number;
  /** @default CompressionTypes.None */
  compression?: CompressionTypes;
}

export interface ProducerRecord extends SendSettings {
  topic: string;
  messages: Message[];
}

export interface TopicMessages {
  topic: string;
  messages: Message[];
}

export interface ProducerBatch extends SendSettings {
  topicMessages?: TopicMessages[];
}

export type { SentMessage };

const noHeaders: readonly Header[] = [];

/** Kafka's `RecordBatch.NO_TIMESTAMP`. */
const noTimestamp = -1;

/**
 * A message as the layer below takes it.
 *
 * @param partition `undefined` where the layer below chooses
 * @throws TypeError for a key, value or header that is neither text nor bytes, or a timestamp that is no number
 */
export function recordOf(topic: string, partition: number | undefined, message: Message): SentMessage {
  const { key, value, headers, timestamp } = message;
  return {
    topic,
    partition,
    key: encodable(key ?? null, "key"),
    value: encodable(value, "value"),
    headers: headers === undefined || headers === null ? noHeaders : headersOf(headers),
    timestamp: timestamp === undefined || timestamp === null ? null : millisecondsOf(timestamp),
  };
}

/** The user may have no types. */
function encodable(value: unknown, what: string): Uint8Array | string | null {
  if (value === null || typeof value === "string" || value instanceof Uint8Array) return value;
  throw new TypeError(`The ${what} of a message must be a string, a Buffer or null, and is of type ${typeof value}`);
}

function headersOf(headers: IHeaders): Header[] {
  return Object.entries(headers).flatMap(([key, given]) => {
    const values: readonly unknown[] = Array.isArray(given) ? given : [given];
    return values
      .filter((value) => value !== undefined)
      .map((value) => ({ key, value: encodable(value, `header ${key}`) }));
  });
}

function millisecondsOf(timestamp: string | number): number | null {
  const milliseconds = Number(timestamp);
  if (milliseconds === noTimestamp) return null;
  if (timestamp !== "" && Number.isSafeInteger(milliseconds)) return milliseconds;
  throw new TypeError(
    `The timestamp of a message must be milliseconds since 1970, and is ${JSON.stringify(timestamp)}`,
  );
}
