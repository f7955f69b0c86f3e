/** The largest sequence number; 0 comes after it. */
const lastSequence = 0x7fff_ffff;

/** The sequence number that comes `count` records later. Source: `DefaultRecordBatch.incrementSequence`. */
export const sequenceAfter = (sequence: number, count: number): number =>
  sequence > lastSequence - count ? count - (lastSequence - sequence) - 1 : sequence + count;

/** The sequence number that comes `count` records earlier. */
export const sequenceBefore = (sequence: number, count: number): number =>
  sequence < count ? lastSequence - (count - sequence) + 1 : sequence - count;
