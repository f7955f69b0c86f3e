import { type AnyType, type Primitive, zeroUuid } from "./schema.ts";

/** Kafka's zero of each primitive type. */
const zeros: Readonly<Record<Primitive, unknown>> = {
  bool: false,
  int8: 0,
  int16: 0,
  uint16: 0,
  int32: 0,
  int64: 0n,
  float64: 0,
  string: "",
  bytes: Buffer.alloc(0),
  records: Buffer.alloc(0),
  uuid: zeroUuid,
};

/** Makes the default of a type: a fresh one each time where it can be changed by who gets it. */
export function zeroMaker(type: AnyType): () => unknown {
  const { form, rules } = type;
  if (rules.default !== undefined) return () => rules.default;
  if (form.kind === "array") return () => [];
  if (form.kind !== "struct") {
    const zero = zeros[form.kind];
    return () => zero;
  }
  const makers = Object.entries(form.fields).map(([name, field]) => ({ name, make: zeroMaker(field) }));
  return () => {
    const value: Record<string, unknown> = {};
    for (const { name, make } of makers) value[name] = make();
    return value;
  };
}

/** Whether a value is the default of its type, down to every field of a struct; what is left out counts as it. */
export function isZero(type: AnyType, value: unknown): boolean {
  const { form, rules } = type;
  if (value === undefined) return true;
  if (rules.default !== undefined) return value === rules.default;
  switch (form.kind) {
    case "struct":
      return isStruct(value) && Object.entries(form.fields).every(([name, field]) => isZero(field, value[name]));
    case "array":
      return Array.isArray(value) && value.length === 0;
    case "bytes":
    case "records":
      return Buffer.isBuffer(value) && value.length === 0;
    default:
      return value === zeros[form.kind];
  }
}

export function isStruct(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
