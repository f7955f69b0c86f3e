import { DecodeError, EncodeError, isCodecError, UnsupportedVersionError } from "./errors.ts";
import type { Reader } from "./reader.ts";
import { type AnyType, type Fields, type Form, type Message, type Primitive, type Rules, zeroUuid } from "./schema.ts";
import type { Writer } from "./writer.ts";

/**
 * A type at one version, ready to run. Closures are assembled once per message and version, on first use:
 * within 2-3 times of generated code, without `eval`, and a debugger can step through them.
 */
export interface Codec {
  /** Fewest bytes that a value takes; what a count is checked against. */
  readonly minBytes: number;
  read(reader: Reader): unknown;
  write(writer: Writer, value: unknown): void;
}

interface Version {
  readonly version: number;
  readonly flexible: boolean;
}

type Loose = Readonly<Record<string, unknown>>;

const compiled = new WeakMap<Message, Map<number, Codec>>();

/** The codec of `message` at `version`, compiled on first use. */
export function codecOf(message: Message, version: number): Codec {
  const known = compiled.get(message)?.get(version);
  if (known !== undefined) return known;
  const [first, last] = message.versions;
  if (version < first || version > last) {
    throw new UnsupportedVersionError(`${message.name} has versions ${first} to ${last}, not ${version}`);
  }
  const codec = compile(message.type, { version, flexible: version >= message.flexible });
  const versions = compiled.get(message) ?? new Map<number, Codec>();
  compiled.set(message, versions.set(version, codec));
  return codec;
}

function compile(type: AnyType, at: Version): Codec {
  const nullable = at.version >= type.rules.nullableSince;
  switch (type.form.kind) {
    case "struct":
      return nullable ? nullableStruct(structCodec(type.form.fields, at)) : structCodec(type.form.fields, at);
    case "array":
      return arrayCodec(compile(type.form.item, at), nullable, at.flexible);
    case "string":
      return stringCodec(nullable, at.flexible);
    case "bytes":
      return bytesCodec(nullable, at.flexible, (writer, value) => writer.copy(value));
    case "records":
      return bytesCodec(nullable, at.flexible, (writer, value) => writer.reference(value));
    default:
      return fixed[type.form.kind];
  }
}

const fixed: Readonly<Record<Exclude<Primitive, "string" | "bytes" | "records">, Codec>> = {
  bool: { minBytes: 1, read: (r) => r.bool(), write: (w, v) => w.bool(expect("boolean", v)) },
  int8: { minBytes: 1, read: (r) => r.int8(), write: (w, v) => w.int8(expect("number", v)) },
  int16: { minBytes: 2, read: (r) => r.int16(), write: (w, v) => w.int16(expect("number", v)) },
  uint16: { minBytes: 2, read: (r) => r.uint16(), write: (w, v) => w.uint16(expect("number", v)) },
  int32: { minBytes: 4, read: (r) => r.int32(), write: (w, v) => w.int32(expect("number", v)) },
  uint32: { minBytes: 4, read: (r) => r.uint32(), write: (w, v) => w.uint32(expect("number", v)) },
  int64: { minBytes: 8, read: (r) => r.int64(), write: (w, v) => w.int64(expect("bigint", v)) },
  float64: { minBytes: 8, read: (r) => r.float64(), write: (w, v) => w.float64(expect("number", v)) },
  uuid: { minBytes: 16, read: (r) => r.uuid(), write: (w, v) => w.uuid(expect("string", v)) },
};

interface Lengths {
  readonly minBytes: number;
  /** The length, or -1 for null. */
  read(reader: Reader): number;
  write(writer: Writer, length: number): void;
}

const compactLengths: Lengths = {
  minBytes: 1,
  read: (reader) => reader.uvarint() - 1,
  write: (writer, length) => writer.uvarint(length + 1),
};
const int16Lengths: Lengths = {
  minBytes: 2,
  read(reader) {
    const start = reader.offset;
    return reader.nullableLength(reader.int16(), start);
  },
  write(writer, length) {
    if (length > 0x7fff) throw new EncodeError(`${length} bytes of text, 32767 at most`);
    writer.int16(length);
  },
};
const int32Lengths: Lengths = {
  minBytes: 4,
  read(reader) {
    const start = reader.offset;
    return reader.nullableLength(reader.int32(), start);
  },
  write: (writer, length) => writer.int32(length),
};

/** Puts null around a codec whose values have a length. */
function withLength(
  lengths: Lengths,
  nullable: boolean,
  read: (reader: Reader, length: number) => unknown,
  write: (writer: Writer, value: unknown) => void,
): Codec {
  return {
    minBytes: lengths.minBytes,
    read(reader) {
      const start = reader.offset;
      const length = lengths.read(reader);
      if (length >= 0) return read(reader, length);
      if (!nullable) throw new DecodeError("null where the version allows none", start);
      return null;
    },
    write(writer, value) {
      if (value !== null) return write(writer, value);
      if (!nullable) throw new EncodeError("null where the version allows none");
      lengths.write(writer, -1);
    },
  };
}

function stringCodec(nullable: boolean, flexible: boolean): Codec {
  const lengths = flexible ? compactLengths : int16Lengths;
  return withLength(
    lengths,
    nullable,
    (reader, length) => reader.text(length),
    (writer, value) => {
      const text = expect("string", value);
      const byteLength = Buffer.byteLength(text);
      lengths.write(writer, byteLength);
      writer.text(text, byteLength);
    },
  );
}

function bytesCodec(nullable: boolean, flexible: boolean, put: (writer: Writer, value: Buffer) => void): Codec {
  const lengths = flexible ? compactLengths : int32Lengths;
  return withLength(
    lengths,
    nullable,
    (reader, length) => reader.slice(length),
    (writer, value) => {
      if (!Buffer.isBuffer(value)) throw new EncodeError(`a Buffer is expected, not ${typeof value}`);
      lengths.write(writer, value.length);
      put(writer, value);
    },
  );
}

function arrayCodec(item: Codec, nullable: boolean, flexible: boolean): Codec {
  const lengths = flexible ? compactLengths : int32Lengths;
  return withLength(
    lengths,
    nullable,
    (reader, length) => {
      reader.count(length, item.minBytes, reader.offset);
      const items: unknown[] = [];
      try {
        while (items.length < length) items.push(item.read(reader));
      } catch (error) {
        throw within(error, items.length);
      }
      return items;
    },
    (writer, value) => {
      if (!Array.isArray(value)) throw new EncodeError(`an array is expected, not ${typeof value}`);
      lengths.write(writer, value.length);
      let index = 0;
      try {
        for (; index < value.length; index++) item.write(writer, value[index]);
      } catch (error) {
        throw within(error, index);
      }
    },
  );
}

/** Unlike everything else that may be null, a struct has a signed byte in front of it. */
function nullableStruct(inner: Codec): Codec {
  return {
    minBytes: 1,
    read: (reader) => (reader.int8() < 0 ? null : inner.read(reader)),
    write(writer, value) {
      writer.int8(value === null ? -1 : 1);
      if (value !== null) inner.write(writer, value);
    },
  };
}

interface Field {
  readonly name: string;
  readonly codec: Codec;
  /** Whether a writer may leave it out. */
  readonly optional: boolean;
  /** A fresh default, since arrays and structs are handed out to be changed. */
  readonly zero: () => unknown;
  readonly isDefault: (value: unknown) => boolean;
}

interface TaggedField extends Field {
  readonly tag: number;
}

function structCodec(fields: Fields, at: Version): Codec {
  const present: Field[] = [];
  const tagged: TaggedField[] = [];
  /** Fields of other versions whose value a writer must not lose in silence. */
  const refused: Field[] = [];
  /** What a reader starts from: every key in the order of its declaration, so that all results share one shape. */
  const absent: Field[] = [];

  for (const [name, type] of Object.entries(fields)) {
    const { since, until, tag, ignorable } = type.rules;
    const exists = at.version >= since && at.version <= until;
    const field: Field = {
      name,
      codec: exists ? compile(type, at) : nothing,
      optional: isOptional(type.rules),
      zero: () => zeroOf(type),
      isDefault: (value) => isDefault(type, value),
    };
    if (!exists && !ignorable) refused.push(field);
    if (!exists || tag !== null) absent.push(field);
    if (exists && tag !== null) tagged.push({ ...field, tag });
    else if (exists) present.push(field);
  }
  tagged.sort((a, b) => a.tag - b.tag);
  const blank = Object.fromEntries(Object.keys(fields).map((name): [string, unknown] => [name, undefined]));
  const minBytes = present.reduce((sum, field) => sum + field.codec.minBytes, at.flexible ? 1 : 0);

  return {
    minBytes,
    read(reader) {
      const value: Record<string, unknown> = { ...blank };
      for (const field of absent) value[field.name] = field.zero();
      let current = "";
      try {
        for (const field of present) {
          current = field.name;
          value[current] = field.codec.read(reader);
        }
        current = "";
        if (at.flexible) readTags(reader, tagged, value);
      } catch (error) {
        throw current === "" ? error : within(error, current);
      }
      return value;
    },
    write(writer, value) {
      if (!isStruct(value))
        throw new EncodeError(`an object is expected, not ${value === null ? "null" : typeof value}`);
      let current = "";
      try {
        for (const field of refused) {
          current = field.name;
          if (!isLeftOut(field, value)) {
            throw new UnsupportedVersionError(`version ${at.version} has no such field, and its value would be lost`);
          }
        }
        for (const field of present) {
          current = field.name;
          field.codec.write(writer, given(field, value));
        }
        current = "";
        if (at.flexible) writeTags(writer, tagged, value);
      } catch (error) {
        throw current === "" ? error : within(error, current);
      }
    },
  };
}

/** What we know must end where its size says; what we do not know is stepped over. */
function readTags(reader: Reader, fields: readonly TaggedField[], value: Record<string, unknown>): void {
  reader.tags((tag, size) => {
    const field = fields.find((candidate) => candidate.tag === tag);
    if (field === undefined) return;
    const start = reader.offset;
    try {
      value[field.name] = field.codec.read(reader);
      if (reader.offset !== start + size) {
        throw new DecodeError(`tag ${tag} of ${size} bytes took ${reader.offset - start}`, start);
      }
    } catch (error) {
      throw within(error, field.name);
    }
  });
}

function writeTags(writer: Writer, fields: readonly TaggedField[], value: Loose): void {
  const set = fields.filter((field) => !isLeftOut(field, value));
  writer.uvarint(set.length);
  for (const field of set) {
    writer.uvarint(field.tag);
    try {
      writer.sized((inner) => field.codec.write(inner, value[field.name]));
    } catch (error) {
      throw within(error, field.name);
    }
  }
}

/** Stands where a version has no such field: it is never called. */
const nothing: Codec = { minBytes: 0, read: () => undefined, write: () => {} };

const isOptional = ({ since, until, default: zero, tag }: Rules): boolean =>
  zero !== undefined || tag !== null || since > 0 || Number.isFinite(until);

const isLeftOut = (field: Field, value: Loose): boolean => {
  const given = value[field.name];
  return given === undefined || field.isDefault(given);
};

function given(field: Field, struct: Loose): unknown {
  const value = struct[field.name];
  if (value !== undefined) return value;
  if (!field.optional) throw new EncodeError("missing");
  return field.zero();
}

/** Kafka's zero of a type, unless the declaration names another. */
function zeroOf(type: AnyType): unknown {
  if (type.rules.default !== undefined) return type.rules.default;
  const { form } = type;
  switch (form.kind) {
    case "struct":
      return Object.fromEntries(Object.entries(form.fields).map(([name, field]) => [name, zeroOf(field)]));
    case "array":
      return [];
    default:
      return zeros[form.kind];
  }
}

const zeros: Readonly<Record<Primitive, unknown>> = {
  bool: false,
  int8: 0,
  int16: 0,
  uint16: 0,
  int32: 0,
  uint32: 0,
  int64: 0n,
  float64: 0,
  string: "",
  bytes: Buffer.alloc(0),
  records: Buffer.alloc(0),
  uuid: zeroUuid,
};

function isDefault(type: AnyType, value: unknown): boolean {
  if (type.rules.default !== undefined) return value === type.rules.default;
  return isZero(type.form, value);
}

function isZero(form: Form, value: unknown): boolean {
  switch (form.kind) {
    case "struct":
      return (
        isStruct(value) &&
        Object.entries(form.fields).every(([name, type]) => {
          const given = value[name];
          return given === undefined || isDefault(type, given);
        })
      );
    case "array":
      return Array.isArray(value) && value.length === 0;
    case "bytes":
    case "records":
      return Buffer.isBuffer(value) && value.length === 0;
    default:
      return value === zeros[form.kind];
  }
}

function isStruct(value: unknown): value is Loose {
  return typeof value === "object" && value !== null;
}

interface Expected {
  boolean: boolean;
  number: number;
  bigint: bigint;
  string: string;
}

function expect<K extends keyof Expected>(kind: K, value: unknown): Expected[K];
function expect(kind: keyof Expected, value: unknown): unknown {
  if (typeof value !== kind)
    throw new EncodeError(`a ${kind} is expected, not ${value === null ? "null" : typeof value}`);
  return value;
}

/** Adds where it happened to an error on its way out; what Node says of a number out of range becomes ours. */
function within(error: unknown, segment: string | number): unknown {
  if (isCodecError(error)) return error.within(segment);
  if (error instanceof RangeError) return new EncodeError(error.message, { cause: error }).within(segment);
  return error;
}
