import type { Encoded, Header } from "@odradek/network";
import type { Delivery } from "./delivery.ts";
import type { SendSettings } from "./send-settings.ts";

/** What a producer takes: one record for one topic. */
export interface ProducerRecord<K = Uint8Array | string, V = Uint8Array | string> {
  /** Where it goes: 1 to 249 characters of a-z, A-Z, 0-9, ".", "_" and "-", and neither "." nor "..". */
  readonly topic: string;
  /** Which partition of the topic. @default chosen by the partitioner */
  readonly partition?: number | null | undefined;
  /** Records of one key go to one partition, and stay in order there. @default null */
  readonly key?: K | null | undefined;
  /** `null` is a tombstone: a compacted topic forgets the key. @default null */
  readonly value?: V | null | undefined;
  /** In this order; a key may stand there more than once. @default none */
  readonly headers?: readonly Header[] | undefined;
  /** When it happened, milliseconds since 1970. @default now */
  readonly timestamp?: number | null | undefined;
}

/** A record that is in no batch yet, with who is told what became of it. */
export interface UnsentRecord<K = unknown, V = unknown> {
  /** As it was given, or as interceptors made it, for a partitioner that looks at more than the key's bytes. */
  readonly source: ProducerRecord<K, V>;
  readonly delivery: Delivery;
  /** Where it stands among the records that `delivery` is told of. */
  readonly position: number;
}

/** A record on its way to its batch: encoded. */
export interface SerializedRecord<K = unknown, V = unknown> extends UnsentRecord<K, V> {
  readonly topic: string;
  /** `null` for the sticky partition of the topic; `undefined` until the topic is known, and chosen once. */
  partition: number | null | undefined;
  readonly timestampMs: number;
  readonly key: Encoded;
  readonly value: Encoded;
  readonly headers: readonly Header[];
  /** What its sender asked for; `null` for what the producer does. */
  readonly settings: SendSettings | null;
  /** A batch of this record alone takes at most so many bytes. */
  readonly boundBytes: number;
}
