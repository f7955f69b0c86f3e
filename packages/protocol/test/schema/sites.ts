import type { AnyType } from "../../src/schema.ts";
import { isPresent, isStruct } from "./defaults.ts";

/** A place inside a value where another one could stand. */
export interface Site {
  /** As errors name it. */
  readonly path: string;
  readonly type: AnyType;
  /** Whether the version has it. */
  readonly present: boolean;
  /** Whether it is an item of an array, and not a field. */
  readonly item: boolean;
  /** The whole value, with another one here. */
  readonly with: (value: unknown) => unknown;
}

/** Every field and item of a value, the first item of each array standing for all. */
export function* sitesOf(
  type: AnyType,
  version: number,
  value: unknown,
  path = "",
  rebuild: Site["with"] = (other) => other,
): Iterable<Site> {
  const { form } = type;
  if (form.kind === "array" && Array.isArray(value) && value.length > 0) {
    const replace = (other: unknown): unknown => rebuild([other, ...value.slice(1)]);
    const itemPath = `${path}[0]`;
    yield { path: itemPath, type: form.item, present: true, item: true, with: replace };
    yield* sitesOf(form.item, version, value[0], itemPath, replace);
  }
  if (form.kind !== "struct" || !isStruct(value)) return;
  for (const [name, field] of Object.entries(form.fields)) {
    const replace = (other: unknown): unknown => rebuild({ ...value, [name]: other });
    const present = isPresent(field, version);
    const fieldPath = path === "" ? name : `${path}.${name}`;
    yield { path: fieldPath, type: field, present, item: false, with: replace };
    if (present) yield* sitesOf(field, version, value[name], fieldPath, replace);
  }
}
