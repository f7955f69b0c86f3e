import fc from "fast-check";
import type { AnyType, Fields, Message, Primitive } from "../../src/schema.ts";
import { textOf } from "../text-arbitrary.ts";
import { isOptional, isPresent, type Struct } from "./defaults.ts";

/**
 * Any value that a writer may be given for a message at a version: what may be left out sometimes is, and what the
 * version lacks but is ignorable is sometimes given all the same.
 */
export function arbitraryOf(message: Message, version: number): fc.Arbitrary<Struct> {
  if (message.type.form.kind !== "struct") throw new Error(`${message.name} is not a struct`);
  return structOf(message.type.form.fields, version);
}

function structOf(fields: Fields, version: number): fc.Arbitrary<Struct> {
  const model: Record<string, fc.Arbitrary<unknown>> = {};
  const requiredKeys: string[] = [];
  for (const [name, type] of Object.entries(fields)) {
    if (!isPresent(type, version) && !type.rules.ignorable) continue;
    model[name] = anyOf(type, version);
    if (!isOptional(type)) requiredKeys.push(name);
  }
  return fc.record(model, { requiredKeys });
}

function anyOf({ form, rules }: AnyType, version: number): fc.Arbitrary<unknown> {
  const value =
    form.kind === "struct"
      ? structOf(form.fields, version)
      : form.kind === "array"
        ? fc.array(anyOf(form.item, version), { maxLength: 3 })
        : primitives[form.kind];
  return version >= rules.nullableSince ? fc.option(value, { freq: 4 }) : value;
}

const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array));

const primitives: Readonly<Record<Primitive, fc.Arbitrary<unknown>>> = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -0x80, max: 0x7f }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  int32: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  float64: fc.double(),
  // Beyond 127 characters a compact length takes two bytes.
  string: fc.oneof({ weight: 9, arbitrary: textOf(8) }, { weight: 1, arbitrary: longText() }),
  bytes,
  records: bytes,
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((array) => Buffer.from(array).toString("base64url")),
};

function longText(): fc.Arbitrary<string> {
  return fc.integer({ min: 120, max: 300 }).map((length) => "é".repeat(length / 2));
}
