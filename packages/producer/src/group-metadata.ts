import { OptionReader, OptionsError, partitionText, type TopicPartition } from "@odradek/network";

/** Who a consumer is in its group, from `consumer.groupMetadata()`: with it, offsets of one that lost its place are refused (KIP-447). */
export interface ConsumerGroupMetadata {
  /** Of the group whose offsets they are. */
  readonly groupId: string;
  /** @default -1, of nobody in the group */
  readonly generationId?: number;
  /** @default "", of nobody in the group */
  readonly memberId?: string;
  /** Of a static member. @default null */
  readonly groupInstanceId?: string | null;
}

/** Where a group goes on in one partition. */
export interface TransactionOffset extends TopicPartition {
  /** Of the next record to be read. */
  readonly offset: bigint | number;
  /** Of the last record that was read, where it is known. @default null */
  readonly leaderEpoch?: number | null;
  /** A note of the application's own. @default "" */
  readonly metadata?: string | null;
}

/** The same, complete. */
export type ResolvedGroupMetadata = Required<ConsumerGroupMetadata>;

/** @throws OptionsError for what names no group */
export function resolveGroupMetadata(given: unknown): ResolvedGroupMetadata {
  const reader = new OptionReader(typeof given === "string" ? { groupId: given } : given, "groupMetadata");
  const resolved = {
    groupId: reader.required("groupId", isText, "the id of a group"),
    generationId: reader.integer("generationId", -1, -1),
    memberId: reader.value("memberId", "", isMemberId, "the id of a member, or an empty text"),
    groupInstanceId: reader.string("groupInstanceId", null),
  };
  reader.finish();
  return Object.freeze(resolved);
}

/** @throws OptionsError for an offset that no partition can have, or a partition that is named twice */
export function checkedOffsets(offsets: readonly TransactionOffset[]): readonly TransactionOffset[] {
  if (!Array.isArray(offsets)) throw new OptionsError("offsets", offsets, "an array of offsets");
  const seen = new Set<string>();
  return offsets.map((given, index) => {
    const path = `offsets[${index}]`;
    const reader = new OptionReader(given, path);
    const offset = {
      topic: reader.required("topic", isText, "the name of a topic"),
      partition: reader.integer("partition", -1, 0, 0x7fff_ffff),
      offset: reader.required("offset", isOffset, "a whole number of at least 0"),
      leaderEpoch: reader.integer("leaderEpoch", -1, -1, 0x7fff_ffff),
      metadata: reader.value("metadata", "", isMemberId, "a text"),
    };
    reader.finish();
    const key = partitionText(offset);
    if (seen.has(key)) throw new OptionsError(path, key, "each partition only once");
    seen.add(key);
    return offset;
  });
}

const isOffset = (value: unknown): value is bigint | number =>
  typeof value === "bigint" ? value >= 0n : Number.isSafeInteger(value) && Number(value) >= 0;
const isText = (value: unknown): value is string => typeof value === "string" && value !== "";
const isMemberId = (value: unknown): value is string => typeof value === "string";
