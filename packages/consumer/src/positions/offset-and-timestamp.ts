import { OptionsError, partitionText, type TopicPartition } from "@odradek/network";
import type { ListedOffset, OffsetQuery } from "./list-offsets.ts";

/** A question for the first record of a partition that is of a certain time or later. */
export interface TimestampQuery extends TopicPartition {
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

/** What was found for a time. */
export interface OffsetAndTimestamp extends TopicPartition {
  /** `null` where no record is of that time or later. */
  readonly offset: bigint | null;
  /** Of the record at `offset`, milliseconds since 1970. */
  readonly timestamp: number | null;
  /** Epoch of the leader that wrote it, where the broker tells. */
  readonly leaderEpoch: number | null;
}

/** @throws OptionsError for what is no time, and for a partition that is named twice, whose answers could not be told apart */
export function queriesForTimes(queries: readonly TimestampQuery[]): OffsetQuery[] {
  const named = new Set<string>();
  return queries.map((query) => {
    const { topic, partition, timestamp } = query;
    if (!Number.isInteger(timestamp) || timestamp < 0) {
      throw new OptionsError("timestamp", timestamp, "a whole number of milliseconds since 1970");
    }
    const key = partitionText(query);
    if (named.has(key)) throw new OptionsError("queries", key, "each partition only once; partitions without repeats");
    named.add(key);
    return { topic, partition, timestamp: BigInt(timestamp) };
  });
}

/** What a user sees of an answer. */
export function offsetAndTimestamp({ topic, partition }: TopicPartition, listed: ListedOffset): OffsetAndTimestamp {
  if (listed.offset < 0n) return { topic, partition, offset: null, timestamp: null, leaderEpoch: null };
  const leaderEpoch = listed.leaderEpoch < 0 ? null : listed.leaderEpoch;
  return { topic, partition, offset: listed.offset, timestamp: Number(listed.timestamp), leaderEpoch };
}
