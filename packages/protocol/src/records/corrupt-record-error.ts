import { isCodecError, KafkaError } from "../errors.ts";

export interface CorruptRecordErrorOptions {
  readonly baseOffset: bigint;
  readonly nextOffset: bigint;
  readonly cause: unknown;
  /** @default false */
  readonly retriable?: boolean;
}

/**
 * One batch of a partition that cannot be read, though where it ends is known: its checksum is wrong, or what is in
 * it makes no sense, or it is too large when decompressed. `cause` says which. The batches behind it can be read.
 *
 * It is retriable when the checksum is wrong, because the bytes may have changed on the way.
 */
export class CorruptRecordError extends KafkaError {
  /** Offset of the first record of the batch, as the batch says. */
  readonly baseOffset: bigint;
  /** The offset to go on from when the batch is stepped over, as far as its header can be believed. */
  readonly nextOffset: bigint;

  constructor({ baseOffset, nextOffset, cause, retriable = false }: CorruptRecordErrorOptions) {
    const reason = isCodecError(cause) ? cause.reason : String(cause);
    super(
      `the record batch at offset ${baseOffset} is corrupt: ${reason}; to step over it, go on from offset ${nextOffset}`,
      { code: "CORRUPT_MESSAGE", retriable, cause },
    );
    this.baseOffset = baseOffset;
    this.nextOffset = nextOffset;
  }
}
