import { type CompressionCodec, type CompressionType, compressionTypes } from "@odradek/protocol";
import type { SendOptions } from "./send-options.ts";
import { countText, isCount, unusable } from "./unusable.ts";

/** What batches are compressed with. */
export interface Compression {
  readonly codec: CompressionCodec;
  /** `undefined` for a codec that has none. */
  readonly level: number | undefined;
}

/** What a request asks for all of its batches. */
export interface RequestSettings {
  readonly acks: -1 | 0 | 1;
  /** How long the leader waits for the in-sync replicas. */
  readonly requestTimeoutMs: number;
}

/** What a producer does with all records, and one `send` may have otherwise. The records of a batch have it in common. */
export interface SendSettings extends RequestSettings {
  readonly compression: Compression | null;
}

/** The producer's own settings, and what it can compress with. */
export interface SendDefaults extends SendSettings {
  readonly compressions: Readonly<Record<CompressionType, Compression | null>>;
  readonly enableIdempotence: boolean;
}

/**
 * @returns `null` where the options ask for nothing but what the producer does anyway
 * @throws KafkaError with code OPTIONS
 */
export function sendSettingsOf(options: SendOptions, defaults: SendDefaults): SendSettings | null {
  const { acks, ackTimeoutMs, compressionType } = options;
  const settings = {
    acks: acks === undefined ? defaults.acks : acksOf(acks, defaults.enableIdempotence),
    requestTimeoutMs: ackTimeoutMs === undefined ? defaults.requestTimeoutMs : timeoutOf(ackTimeoutMs),
    compression: compressionType === undefined ? defaults.compression : compressionOf(compressionType, defaults),
  };
  return areAlike(settings, defaults) ? null : settings;
}

/** Whether records with these settings may share a batch. `null`, for the producer's, is alike nothing else. */
export function areAlike(one: SendSettings | null, other: SendSettings | null): boolean {
  if (one === other) return true;
  return one !== null && other !== null && one.compression === other.compression && mayShareRequest(one, other);
}

/** Whether batches with these settings may share a request. */
export const mayShareRequest = (one: RequestSettings, other: RequestSettings): boolean =>
  one.acks === other.acks && one.requestTimeoutMs === other.requestTimeoutMs;

function acksOf(acks: "all" | -1 | 0 | 1, isIdempotent: boolean): -1 | 0 | 1 {
  if (acks === "all" || acks === -1) return -1;
  if (isIdempotent) throw unusable("acks", acks, '"all", which enableIdempotence needs,');
  if (acks === 0 || acks === 1) return acks;
  throw unusable("acks", acks, "one of all, -1, 0, 1");
}

function timeoutOf(ackTimeoutMs: number): number {
  if (isCount(ackTimeoutMs) && ackTimeoutMs <= 0x7fff_ffff) return ackTimeoutMs;
  throw unusable("ackTimeoutMs", ackTimeoutMs, `${countText} and at most 2147483647`);
}

function compressionOf(type: CompressionType, { compressions }: SendDefaults): Compression | null {
  if (Object.hasOwn(compressions, type)) return compressions[type];
  throw unusable("compressionType", type, `one of ${compressionTypes.join(", ")}`);
}
