import type { AnyType, Fields, Message, Primitive } from "../../src/schema.ts";
import { isDefault, isPresent, isStruct, type Struct } from "./defaults.ts";

/** What a stretch of a message's bytes is. */
export type PartKind = "value" | "length" | "count" | "presence" | "tagCount" | "tag" | "tagSize";

export interface Part {
  readonly kind: PartKind;
  /** The field it belongs to, as errors name it; of the parts of a tag section, its struct. */
  readonly path: string;
  readonly start: number;
  readonly end: number;
  /** Of lengths, counts and presences: whether the version allows null here. */
  readonly nullable: boolean;
}

/** A message as bytes, with the meaning of each of them. */
export interface Layout {
  readonly bytes: Buffer;
  readonly parts: readonly Part[];
}

/** Tags that no version of any message has. */
export interface UnknownTag {
  readonly tag: number;
  readonly data: Buffer;
}

/**
 * A second encoder, written to be read: slow, plain, and ignorant of the one under test. `value` has every field.
 * `unknownTags` go behind the known tags of every struct.
 */
export function layOut(
  message: Message,
  version: number,
  value: Struct,
  unknownTags: readonly UnknownTag[] = [],
): Layout {
  const pen = new Pen(version, version >= message.flexible, unknownTags);
  pen.value(message.type, "", value);
  return pen.layout();
}

class Pen {
  readonly #version: number;
  readonly #flexible: boolean;
  readonly #unknownTags: readonly UnknownTag[];
  readonly #chunks: Uint8Array[] = [];
  readonly #parts: Part[] = [];
  #length = 0;

  constructor(version: number, flexible: boolean, unknownTags: readonly UnknownTag[]) {
    this.#version = version;
    this.#flexible = flexible;
    this.#unknownTags = unknownTags;
  }

  layout(): Layout {
    return { bytes: Buffer.concat(this.#chunks), parts: this.#parts };
  }

  value(type: AnyType, path: string, value: unknown): void {
    const { form, rules } = type;
    const nullable = this.#version >= rules.nullableSince;
    if (form.kind === "struct") {
      if (nullable) this.#put("presence", path, Buffer.of(value === null ? 0xff : 1), true);
      if (isStruct(value)) this.#struct(form.fields, path, value);
      return;
    }
    if (form.kind === "array") {
      this.#size("count", path, Array.isArray(value) ? value.length : -1, nullable);
      if (!Array.isArray(value)) return;
      for (const [i, item] of value.entries()) this.value(form.item, `${path}[${i}]`, item);
      return;
    }
    if (form.kind === "string" || form.kind === "bytes" || form.kind === "records") {
      const bytes = bytesOf(value);
      const shortLength = form.kind === "string" && !this.#flexible;
      this.#size("length", path, bytes === null ? -1 : bytes.length, nullable, shortLength ? 2 : 4);
      if (bytes !== null && bytes.length > 0) this.#put("value", path, bytes);
      return;
    }
    this.#put("value", path, fixedBytes(form.kind, value));
  }

  #struct(fields: Fields, path: string, struct: Struct): void {
    const present = Object.entries(fields).filter(([, type]) => isPresent(type, this.#version));
    for (const [name, type] of present) {
      if (type.rules.tag === null) this.value(type, join(path, name), struct[name]);
    }
    if (!this.#flexible) return;
    const known = present.flatMap(([name, type]) => {
      const { tag } = type.rules;
      if (tag === null || isDefault(type, struct[name])) return [];
      const inner = new Pen(this.#version, true, this.#unknownTags);
      inner.value(type, join(path, name), struct[name]);
      return [{ tag, ...inner.layout() }];
    });
    const unknown = this.#unknownTags.map(({ tag, data }) => {
      const inner = new Pen(this.#version, true, []);
      if (data.length > 0) inner.#put("value", path, data);
      return { tag, ...inner.layout() };
    });
    const tags = [...known.sort((a, b) => a.tag - b.tag), ...unknown];
    this.#put("tagCount", path, uvarint(tags.length));
    for (const { tag, bytes, parts } of tags) {
      this.#put("tag", path, uvarint(tag));
      this.#put("tagSize", path, uvarint(bytes.length));
      const base = this.#length;
      this.#parts.push(...parts.map((part) => ({ ...part, start: part.start + base, end: part.end + base })));
      this.#append(bytes);
    }
  }

  /** A length or a count: -1 is null; one more than it, as a varint, where the message is flexible. */
  #size(kind: PartKind, path: string, size: number, nullable: boolean, width = 4): void {
    const fixed = Buffer.alloc(width);
    fixed.writeIntBE(size, 0, width);
    this.#put(kind, path, this.#flexible ? uvarint(size + 1) : fixed, nullable);
  }

  #put(kind: PartKind, path: string, bytes: Uint8Array, nullable = false): void {
    this.#parts.push({ kind, path, start: this.#length, end: this.#length + bytes.length, nullable });
    this.#append(bytes);
  }

  #append(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#length += bytes.length;
  }
}

/** An unsigned varint: seven bits a byte, the lowest first. */
export function uvarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) + 0x80);
  return Buffer.from([...bytes, rest]);
}

const join = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

function bytesOf(value: unknown): Uint8Array | null {
  if (typeof value === "string") return Buffer.from(value, "utf8");
  return Buffer.isBuffer(value) ? value : null;
}

function fixedBytes(kind: Exclude<Primitive, "string" | "bytes" | "records">, value: unknown): Buffer {
  if (kind === "bool") return Buffer.of(value === true ? 1 : 0);
  if (kind === "uuid") return Buffer.from(String(value), "base64url");
  if (kind === "int64") {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64BE(BigInt(String(value)));
    return bytes;
  }
  if (kind === "float64") {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleBE(Number(value));
    return bytes;
  }
  const width = kind === "int8" ? 1 : kind === "int32" ? 4 : 2;
  const bytes = Buffer.alloc(width);
  if (kind === "uint16") bytes.writeUInt16BE(Number(value));
  else bytes.writeIntBE(Number(value), 0, width);
  return bytes;
}
