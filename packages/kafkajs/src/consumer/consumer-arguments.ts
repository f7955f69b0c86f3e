import { KafkaJSNonRetriableError } from "../errors/errors.ts";
import type { NextOffset } from "./offset-ledger.ts";
import type { SeekTarget } from "./seeks.ts";

export interface TopicPartition {
  topic: string;
  partition: number;
}

export interface TopicPartitionOffset extends TopicPartition {
  offset: string;
}

export interface TopicPartitionOffsetAndMetadata extends TopicPartitionOffset {
  metadata?: string | null;
}

/** @throws KafkaJSNonRetriableError for what is no position of a partition; -1 is the end of its log, -2 the beginning */
export function seekOf(given: TopicPartitionOffset): TopicPartition & { readonly target: SeekTarget } {
  const place = placeOf(given);
  const offset = offsetOf(given.offset);
  if (offset === -1n) return { ...place, target: "end" };
  if (offset === -2n) return { ...place, target: "beginning" };
  return { ...place, target: notNegative(offset) };
}

/** @throws KafkaJSNonRetriableError for what cannot be committed */
export function commitOf(given: TopicPartitionOffsetAndMetadata): NextOffset & { readonly metadata: string } {
  const { metadata = null } = given;
  const place = placeOf(given);
  const offset = notNegative(offsetOf(given.offset));
  if (metadata !== null && typeof metadata !== "string") {
    throw new KafkaJSNonRetriableError(
      `Invalid offset metadata, expected string or null, received ${String(metadata)}`,
    );
  }
  return { ...place, offset, metadata: metadata ?? "" };
}

function placeOf({ topic, partition }: TopicPartitionOffset): TopicPartition {
  if (!topic) throw new KafkaJSNonRetriableError(`Invalid topic ${String(topic)}`);
  if (Number.isInteger(Number(partition))) return { topic, partition: Number(partition) };
  throw new KafkaJSNonRetriableError(`Invalid partition, expected a number received ${String(partition)}`);
}

/** A text, a number, or what has an offset as its text, such as a `Long`. */
function offsetOf(given: unknown): bigint {
  const text = String(given);
  if (/^-?\d+$/.test(text)) return BigInt(text);
  throw new KafkaJSNonRetriableError(`Invalid offset, expected a long received ${text}`);
}

function notNegative(offset: bigint): bigint {
  if (offset >= 0n) return offset;
  throw new KafkaJSNonRetriableError("Offset must not be a negative number");
}
