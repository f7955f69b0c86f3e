import { OptionsError } from "./errors.ts";
import { OptionReader } from "./option-reader.ts";
import { partitionText, type TopicPartition } from "./topic-partition.ts";

/** An offset that a group has committed, or is to: that of the record that comes next. Source: Kafka's `OffsetAndMetadata`. */
export interface OffsetAndMetadata extends TopicPartition {
  readonly offset: bigint;
  /** Epoch of the leader that wrote the record before it, where that is known; else `null`. */
  readonly leaderEpoch: number | null;
  /** A note of the one who commits. */
  readonly metadata: string;
}

/** An offset as users name it to commit it. */
export interface OffsetToCommit extends TopicPartition {
  /** Of the record that comes next: one more than that of the last that is done with. */
  readonly offset: bigint | number;
  /** Epoch of the leader that wrote the record before it, where that is known. @default null */
  readonly leaderEpoch?: number | null;
  /** A note for whoever reads it, 4,096 bytes at most unless brokers are told otherwise. @default "" */
  readonly metadata?: string | null;
}

const int32Max = 0x7fff_ffff;
const int64Max = 2n ** 63n - 1n;

/** @throws OptionsError for an offset that no partition can have, or a partition that is named twice */
export function checkedOffsets(offsets: readonly OffsetToCommit[]): readonly OffsetAndMetadata[] {
  if (!Array.isArray(offsets)) throw new OptionsError("offsets", offsets, "an array of offsets");
  const seen = new Set<string>();
  return offsets.map((given: unknown, index) => {
    const path = `offsets[${index}]`;
    const reader = new OptionReader(given, path);
    const leaderEpoch = reader.integer("leaderEpoch", -1, -1, int32Max);
    const checked = {
      topic: reader.required("topic", isText, "the name of a topic"),
      partition: reader.required("partition", isPartition, "a whole number of at least 0"),
      offset: BigInt(reader.required("offset", isOffset, "a whole number of at least 0")),
      leaderEpoch: leaderEpoch < 0 ? null : leaderEpoch,
      metadata: reader.value("metadata", "", isMetadata, "a text"),
    };
    reader.finish();
    const key = partitionText(checked);
    if (seen.has(key)) throw new OptionsError(path, key, "each partition only once");
    seen.add(key);
    return checked;
  });
}

const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const isMetadata = (value: unknown): value is string => typeof value === "string";
const isPartition = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= int32Max;
const isOffset = (value: unknown): value is bigint | number =>
  typeof value === "bigint"
    ? value >= 0n && value <= int64Max
    : typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
