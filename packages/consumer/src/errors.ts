import { partitionText, SerializationError, type TopicPartition } from "@odradek/network";
import { KafkaError } from "@odradek/protocol";

/** A position of a partition: the offset of the record that would come next. */
export interface PartitionPosition extends TopicPartition {
  readonly offset: bigint;
}

/** `wakeup()` ended the call that waited. Nothing is lost: the next call goes on where this one was. */
export class WakeupError extends KafkaError {
  constructor() {
    super("the call was ended by wakeup()", { code: "WAKEUP", retriable: true });
  }
}

/** `autoOffsetReset` is `none`, and nobody said where these partitions begin. */
export class NoOffsetForPartitionError extends KafkaError {
  readonly partitions: readonly TopicPartition[];

  constructor(partitions: readonly TopicPartition[]) {
    super(
      `no offset to begin with for ${partitions.map(partitionText).join(", ")}, and autoOffsetReset is none: ` +
        "seek to one, or set autoOffsetReset to earliest or latest",
      { code: "NO_OFFSET" },
    );
    this.partitions = partitions;
  }
}

/** `autoOffsetReset` is `none`, and the log has no record at these positions, any more or yet. */
export class OffsetOutOfRangeError extends KafkaError {
  readonly positions: readonly PartitionPosition[];

  constructor(
    positions: readonly PartitionPosition[],
    what = `out of the range of the log: ${positions.map(positionText).join(", ")}`,
    whatToDo = "seek to an offset between beginningOffsets and endOffsets",
  ) {
    super(`${what}, and autoOffsetReset is none: ${whatToDo}`, { code: "OFFSET_OUT_OF_RANGE" });
    this.positions = positions;
  }
}

/** A position behind which records were read that the log has lost, and where it goes its own way since. */
export interface LogTruncation extends PartitionPosition {
  /** The first offset whose record may be another than the one that was read; `null` where the leader cannot tell. */
  readonly divergent: { readonly offset: bigint; readonly leaderEpoch: number } | null;
}

/**
 * `autoOffsetReset` is `none`, and a new leader does not have all records that were read: they were lost in an unclean
 * election. The consumer stays where it is, and every poll says so again, until it is told to go on elsewhere:
 * `seek(partition, divergent)` reads what has taken their offsets. Source: Kafka's `LogTruncationException`, KIP-320.
 */
export class LogTruncationError extends OffsetOutOfRangeError {
  readonly truncations: readonly LogTruncation[];

  constructor(truncations: readonly LogTruncation[]) {
    const texts = truncations.map(
      (truncation) =>
        `${positionText(truncation)} (differs from ${truncation.divergent?.offset ?? "an unknown offset"} on)`,
    );
    super(
      truncations,
      `records that were read are no longer in the log: ${texts.join(", ")}`,
      "seek to where it differs, or elsewhere",
    );
    this.truncations = truncations;
  }
}

/**
 * A deserializer could not read a key or a value; `cause` is what it threw. The consumer has moved on: the records behind this one
 * come as usual, and a seek to `offset` brings this one back. In a loop (`for await`) it is for the body to catch: a loop that it ends
 * has not finished the record, with which the next one begins.
 */
export class RecordDeserializationError extends SerializationError {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly role: "key" | "value";
  /** What could not be read. */
  readonly bytes: Buffer;

  /** @param advice what to do about it, where that is known */
  constructor(position: PartitionPosition, role: "key" | "value", bytes: Buffer, cause: unknown, advice = "") {
    const place = `${positionText(position)} (${bytes.length} bytes)`;
    super(`the ${role} of the record at ${place} cannot be deserialized${advice}`, { cause });
    this.topic = position.topic;
    this.partition = position.partition;
    this.offset = position.offset;
    this.role = role;
    this.bytes = bytes;
  }
}

/**
 * Bytes of the log that cannot be read: a checksum that does not match, or a batch or record that contradicts itself.
 * The consumer stays at `offset`, and every poll says so again, until it is told to go on elsewhere:
 * `seek({ topic, partition }, nextOffset)` steps over what is broken.
 */
export class CorruptLogError extends KafkaError {
  readonly topic: string;
  readonly partition: number;
  /** The consumer's position, within or before what is broken. */
  readonly offset: bigint;
  /** The first offset behind the broken batch; behind `offset` where the batch does not even tell how long it is. */
  readonly nextOffset: bigint;

  constructor(position: PartitionPosition, nextOffset: bigint, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(`corrupt records at ${positionText(position)}: ${reason}; seek to ${nextOffset} to step over them`, {
      code: "CORRUPT_MESSAGE",
      cause,
    });
    this.topic = position.topic;
    this.partition = position.partition;
    this.offset = position.offset;
    this.nextOffset = nextOffset;
  }
}

const positionText = (position: PartitionPosition): string => `${partitionText(position)}@${position.offset}`;
