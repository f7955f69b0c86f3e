import { type AnyType, type Fields, type Primitive, zeroUuid } from "../../src/schema.ts";

/** A struct whose fields are known from its declaration only. */
export type Struct = Record<string, unknown>;

export function isStruct(value: unknown): value is Struct {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !Buffer.isBuffer(value);
}

/** Whether a version has a field. */
export const isPresent = ({ rules }: AnyType, version: number): boolean =>
  version >= rules.since && version <= rules.until;

/** Whether a writer may leave a field out. */
export const isOptional = ({ rules }: AnyType): boolean =>
  rules.default !== undefined || rules.tag !== null || rules.since > 0 || rules.until < Number.POSITIVE_INFINITY;

/** The default of a type: the one that it names, or Kafka's zero. */
export function defaultOf({ form, rules }: AnyType): unknown {
  if (rules.default !== undefined) return rules.default;
  if (form.kind === "array") return [];
  if (form.kind === "struct") return mapFields(form.fields, (type) => defaultOf(type));
  return zeroOf(form.kind);
}

function zeroOf(kind: Primitive): unknown {
  switch (kind) {
    case "bool":
      return false;
    case "int64":
      return 0n;
    case "string":
      return "";
    case "bytes":
    case "records":
      return Buffer.alloc(0);
    case "uuid":
      return zeroUuid;
    default:
      return 0;
  }
}

/** What a reader has to give of what a writer was given: what was left out, or the version lacks, is at its default. */
export function asRead({ form }: AnyType, version: number, value: unknown): unknown {
  if (Array.isArray(value) && form.kind === "array") return value.map((item) => asRead(form.item, version, item));
  if (!isStruct(value) || form.kind !== "struct") return value;
  return mapFields(form.fields, (type, name) =>
    isPresent(type, version) && value[name] !== undefined ? asRead(type, version, value[name]) : defaultOf(type),
  );
}

/** The same value as the laziest writer gives it: whatever may be left out and is at its default is left out. */
export function withoutDefaults({ form }: AnyType, value: unknown): unknown {
  if (Array.isArray(value) && form.kind === "array") return value.map((item) => withoutDefaults(form.item, item));
  if (!isStruct(value) || form.kind !== "struct") return value;
  const kept = Object.entries(form.fields).filter(
    ([name, type]) => !(isOptional(type) && isDefault(type, value[name])),
  );
  return mapFields(Object.fromEntries(kept), (type, name) => withoutDefaults(type, value[name]));
}

/** Whether a value is the default of its type. */
export function isDefault(type: AnyType, value: unknown): boolean {
  const zero = defaultOf(type);
  const { form } = type;
  if (Array.isArray(value)) return Array.isArray(zero) && value.length === 0;
  if (Buffer.isBuffer(value)) return Buffer.isBuffer(zero) && value.length === 0;
  if (!isStruct(value)) return value === zero;
  if (form.kind !== "struct" || zero === null) return false;
  return Object.entries(form.fields).every(
    ([name, field]) => value[name] === undefined || isDefault(field, value[name]),
  );
}

const mapFields = (fields: Fields, make: (type: AnyType, name: string) => unknown): Struct =>
  Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, make(type, name)]));
