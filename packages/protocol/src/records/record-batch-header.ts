/*
 * A record batch of message format 2, used since Kafka 0.11:
 *
 *    0 baseOffset            8        21 attributes       2        51 producerEpoch   2
 *    8 batchLength           4        23 lastOffsetDelta  4        53 baseSequence    4
 *   12 partitionLeaderEpoch  4        27 baseTimestamp    8        57 count           4
 *   16 magic                 1        35 maxTimestamp     8        61 records
 *   17 crc                   4        43 producerId       8
 *
 * Integers are big endian. The checksum is over everything from the attributes on, so that a broker can set the
 * offset and the leader epoch without touching it. Compression is over the records, all of them together.
 */

/** Where the fields of a batch start, in bytes. The first three and the magic stand at the same place in every format. */
export const offsetOf = {
  baseOffset: 0,
  batchLength: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  count: 57,
  records: 61,
} as const;

/** Offset and length, which `batchLength` does not count. */
export const logOverheadBytes = 12;

/** Bytes of a batch without records. */
export const recordBatchOverheadBytes: number = offsetOf.records;

const maxInt64 = 0x7fff_ffff_ffff_ffffn;

/** Whether a log can have these offsets, and one behind them, which is where a consumer goes on. */
export const isRangeOfOffsets = (first: bigint, last: bigint): boolean => first >= 0n && last < maxInt64;

/** Bits of the attributes. */
export const attribute = {
  compression: 0b111,
  /** The timestamps are the broker's: all are `maxTimestamp`. Else they are the producer's. */
  logAppendTime: 0b1000,
  transactional: 0b1_0000,
  /** The batch holds a control record instead of an application's. */
  control: 0b10_0000,
} as const;
