import { EncodeError, isCodecError } from "./errors.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** A type at one version, ready to run. */
export interface Codec {
  /** Fewest bytes that a value takes; what a count is checked against. */
  readonly minBytes: number;
  readonly read: (reader: Reader) => unknown;
  readonly write: (writer: Writer, value: unknown) => void;
}

/** Adds where it happened to an error on its way out; what Node says of a number out of range becomes ours. */
export function within(error: unknown, segment: string | number): unknown {
  if (isCodecError(error)) return error.within(segment);
  if (error instanceof RangeError) return new EncodeError(error.message, { cause: error }).within(segment);
  return error;
}
