import { EncodeError, isCodecError } from "./errors.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** A type at one version, ready to run. */
export interface Codec {
  /** Fewest bytes that a value takes; what a count is checked against. */
  readonly minBytes: number;
  /** About the memory that a value takes, beside its own slot, the items of arrays and the letters of texts. */
  readonly heapBytes: number;
  readonly read: (reader: Reader) => unknown;
  readonly write: (writer: Writer, value: unknown) => void;
}

/** Adds where it happened to an error on its way out. */
export function within(error: unknown, segment: string | number): unknown {
  return isCodecError(error) ? error.within(segment) : error;
}

/** The same while writing, where what Node says of a number out of range is an error of the value. */
export function withinWritten(error: unknown, segment: string | number): unknown {
  const known = error instanceof RangeError ? new EncodeError(error.message, { cause: error }) : error;
  return within(known, segment);
}
