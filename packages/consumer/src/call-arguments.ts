import { checkTopicName, OptionsError, type TopicPartition } from "@odradek/network";

export interface PollOptions {
  /** Ends the wait; the poll rejects with the signal's reason. No record is lost by it. */
  readonly signal?: AbortSignal;
}

export interface CallOptions {
  /** How long to wait for an answer, milliseconds. @default defaultApiTimeoutMs of the consumer */
  readonly timeoutMs?: number;
  /** Ends the wait; the call rejects with the signal's reason. What was begun may be carried out all the same. */
  readonly signal?: AbortSignal;
}

const membershipOperations = ["DEFAULT", "LEAVE_GROUP", "REMAIN_IN_GROUP"] as const;

/** What becomes of a member whose consumer is closed (KIP-1092). */
export type GroupMembershipOperation = (typeof membershipOperations)[number];

export interface CloseOptions {
  /**
   * Longest that closing may take, besides the rebalance listener, milliseconds. A consumer without a group only has to tell brokers
   * that it asks for no more, and to wait until they have heard it. @default 30_000
   */
  readonly timeoutMs?: number;
  /**
   * Whether a member leaves its group, so that others get its partitions at once, or remains until its session is over, so that
   * it may come back. By default static members remain and the others leave. @default "DEFAULT"
   */
  readonly groupMembershipOperation?: GroupMembershipOperation;
}

/** @throws OptionsError for what is none */
export function checkMembershipOperation(operation: GroupMembershipOperation): void {
  if (membershipOperations.includes(operation)) return;
  throw new OptionsError("groupMembershipOperation", operation, `one of ${membershipOperations.join(", ")}`);
}

/** @throws OptionsError for a time that is none; `Infinity` is one */
export function checkTimeout(timeoutMs: number): void {
  if (typeof timeoutMs === "number" && timeoutMs >= 0) return;
  throw new OptionsError("timeoutMs", timeoutMs, "a number of milliseconds of at least 0");
}

/** @throws OptionsError for what does not name a partition, KafkaError with code INVALID_TOPIC_EXCEPTION for what names no topic */
export function checkPartition(given: TopicPartition): void {
  if (typeof given !== "object" || given === null) throw new OptionsError("partition", given, "{ topic, partition }");
  const { topic, partition } = given;
  checkTopicName(topic);
  if (!Number.isInteger(partition) || partition < 0) {
    throw new OptionsError("partition", partition, "a whole number of at least 0");
  }
}

/** @throws the same, and OptionsError for what is no array */
export function checkPartitions(given: readonly TopicPartition[]): void {
  if (!Array.isArray(given)) throw new OptionsError("partitions", given, "an array of partitions");
  given.forEach(checkPartition);
}

/** @throws OptionsError for what no record can have for an offset */
export function checkedOffset(offset: bigint | number): bigint {
  if (typeof offset === "bigint" ? offset >= 0n : Number.isSafeInteger(offset) && offset >= 0) return BigInt(offset);
  throw new OptionsError("offset", offset, "a whole number of at least 0");
}

/** @returns -1 for none @throws OptionsError for what no leader can have for an epoch */
export function checkedLeaderEpoch(leaderEpoch: number | null): number {
  if (leaderEpoch === null) return -1;
  if (Number.isInteger(leaderEpoch) && leaderEpoch >= -1 && leaderEpoch <= 0x7fff_ffff) return leaderEpoch;
  throw new OptionsError("leaderEpoch", leaderEpoch, "a whole number of at least 0, or null");
}
