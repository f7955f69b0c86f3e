import type { SourceRecord, SourceText } from "./task.ts";

/** How many records a batch has, and how large their values are. Keys have 8 bytes. */
export interface Shape {
  readonly count: number;
  readonly valueBytes: number;
}

export const shapes: readonly Shape[] = [
  { count: 100, valueBytes: 100 },
  { count: 10_000, valueBytes: 100 },
  { count: 100, valueBytes: 1_024 },
  { count: 10_000, valueBytes: 1_024 },
];

/** Of the first record, in milliseconds since the epoch. */
const baseTimestamp = 1_767_225_600_000;

/** The same records at every call: keys out of a hundred, values of random letters, a millisecond apart. */
export function sourceTexts({ count, valueBytes }: Shape): SourceText[] {
  const letters = randomLetters(valueBytes + 4_096);
  return Array.from({ length: count }, (_, index) => {
    const start = (index * 37) % 4_096;
    const key = `key-${String(index % 100).padStart(4, "0")}`;
    return { key, value: letters.slice(start, start + valueBytes), timestamp: baseTimestamp + index };
  });
}

export function sourceRecords(shape: Shape): SourceRecord[] {
  return sourceTexts(shape).map(({ key, value, timestamp }) => ({
    key: Buffer.from(key),
    value: Buffer.from(value),
    timestamp,
  }));
}

/** Letters of a fixed linear congruential generator: no two runs of the benchmarks differ in their input. */
export function randomLetters(length: number): string {
  let state = 1;
  const letters = Buffer.alloc(length);
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    letters[index] = 97 + ((state >>> 16) % 26);
  }
  return letters.toString("latin1");
}
