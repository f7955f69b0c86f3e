/** The longest that brokers and timers know, milliseconds. */
export const longestMs = 0x7fff_ffff;

/**
 * A number as services give it: also as a text, as an environment has it. What is none, such as the number of a variable that is not set,
 * was not given.
 */
export function givenNumber(given: unknown, usual: number): number {
  if (given === undefined || given === null || given === "") return usual;
  const number = Number(given);
  return Number.isNaN(number) ? usual : number;
}

export interface WholeNumberRange {
  /** @default 0 */
  readonly least?: number;
  /** @default what 32 bits hold */
  readonly most?: number;
}

/** The same as the layer below takes it. What lies beyond the range is its end: kafkajs has no limits. */
export function givenWholeNumber(
  given: unknown,
  usual: number,
  { least = 0, most = longestMs }: WholeNumberRange = {},
): number {
  return Math.min(most, Math.max(least, Math.ceil(givenNumber(given, usual))));
}
