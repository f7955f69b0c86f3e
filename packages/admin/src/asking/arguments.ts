import { OptionReader, OptionsError, partitionText, type TopicPartition } from "@odradek/network";

const int16Max = 0x7fff;
const int32Max = 0x7fff_ffff;

/** Half of a surrogate pair, which has no UTF-8: what goes out for it would be another text. */
const halfPair = /\p{Surrogate}/u;

/** A text that may be empty. */
export const isTextOrEmpty = (value: unknown): value is string => typeof value === "string" && !halfPair.test(value);

export const isText = (value: unknown): value is string => isTextOrEmpty(value) && value !== "";

export const isInt16 = (value: unknown): value is number => isInt32(value) && value <= int16Max;

export const isInt32 = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= int32Max;

export const isInt64 = (value: unknown): value is bigint | number =>
  typeof value === "bigint" ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value);

const isTextOrNull = (value: unknown): value is string | null => value === null || typeof value === "string";

/** Configs by their names; `null` means the default. */
export const readConfigs = (
  reader: OptionReader,
  fallback: Readonly<Record<string, never>> | null,
): Readonly<Record<string, string | null>> =>
  reader.record("configs", fallback, isTextOrNull, "a text, or null for the default,");

const anInt32 = "a whole number of at least 0";

/** Where a partition is to be. */
export const isReplicas = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length > 0 && value.every(isInt32);

export const replicasText = "an array of broker ids, the preferred leader first,";

/** @throws OptionsError where it is no array, or holds what is the same twice, naming which */
export function checkedKeys<G, K>(
  name: string,
  given: readonly G[],
  check: (item: G, path: string) => K,
  textOf: (key: K) => string = String,
): readonly K[] {
  if (!Array.isArray(given)) throw new OptionsError(name, given, "an array");
  const seen = new Set<string>();
  return given.map((item: G, index) => {
    const path = `${name}[${index}]`;
    const key = check(item, path);
    const text = textOf(key);
    if (seen.has(text)) throw new OptionsError(path, text, "each only once");
    seen.add(text);
    return key;
  });
}

/** @param what what they name, such as "the name of a topic" */
export function checkedTexts(name: string, given: readonly string[], what: string): readonly string[] {
  return checkedKeys(name, given, (text, path) => checkedText(path, text, what));
}

export function checkedText(path: string, given: string, what: string): string {
  if (!isText(given)) throw new OptionsError(path, given, what);
  return given;
}

export function checkedBrokerIds(name: string, given: readonly number[]): readonly number[] {
  return checkedKeys(name, given, (id, path) => {
    if (!isInt32(id)) throw new OptionsError(path, id, "the id of a broker");
    return id;
  });
}

/** The two fields that name a partition, read from an object with more in it. */
export const readPartition = (reader: OptionReader): TopicPartition => ({
  topic: reader.required("topic", isText, "the name of a topic"),
  partition: reader.required("partition", isInt32, anInt32),
});

export function checkedPartitions(name: string, given: readonly TopicPartition[]): readonly TopicPartition[] {
  return checkedKeys(
    name,
    given,
    // What is more than a partition, such as an offset that was listed, names one as well.
    (item, path) => readPartition(new OptionReader(item, path)),
    partitionText,
  );
}
