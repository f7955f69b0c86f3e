import { DecodeError, EncodeError, UnsupportedVersionError } from "./errors.ts";
import { type Codec, within, withinWritten } from "./field-codec.ts";
import { maxTextBytes, type Reader } from "./reader.ts";
import type { AnyType, Fields, Message, Primitive } from "./schema.ts";
import { type Field, structCodec, structHeapBytes } from "./struct-codec.ts";
import type { Writer } from "./writer.ts";
import { isZero, zeroMaker } from "./zero.ts";

interface Version {
  readonly version: number;
  readonly flexible: boolean;
}

const compiled = new WeakMap<Message, Map<number, Codec>>();

/** The codec of `message` at `version`, compiled on first use. */
export function codecOf(message: Message, version: number): Codec {
  const known = compiled.get(message)?.get(version);
  if (known !== undefined) return known;
  const [first, last] = message.versions;
  if (!Number.isInteger(version) || version < first || version > last) {
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
      return nullable ? nullableStruct(compileStruct(type.form.fields, at)) : compileStruct(type.form.fields, at);
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

/** Memory in V8 of 64 bits, measured, of an object without its contents. Numbers lie in the slot of what holds them. */
const textHeapBytes = 24;
const viewHeapBytes = 104;
const arrayHeapBytes = 48;

const fixed: Readonly<Record<Exclude<Primitive, "string" | "bytes" | "records">, Codec>> = {
  bool: { minBytes: 1, heapBytes: 0, read: (r) => r.bool(), write: (w, v) => w.bool(expect("boolean", v)) },
  int8: { minBytes: 1, heapBytes: 0, read: (r) => r.int8(), write: (w, v) => w.int8(integer(v)) },
  int16: { minBytes: 2, heapBytes: 0, read: (r) => r.int16(), write: (w, v) => w.int16(integer(v)) },
  uint16: { minBytes: 2, heapBytes: 0, read: (r) => r.uint16(), write: (w, v) => w.uint16(integer(v)) },
  int32: { minBytes: 4, heapBytes: 0, read: (r) => r.int32(), write: (w, v) => w.int32(integer(v)) },
  int64: { minBytes: 8, heapBytes: 24, read: (r) => r.int64(), write: (w, v) => w.int64(expect("bigint", v)) },
  float64: { minBytes: 8, heapBytes: 16, read: (r) => r.float64(), write: (w, v) => w.float64(expect("number", v)) },
  uuid: { minBytes: 16, heapBytes: 40, read: (r) => r.uuid(), write: (w, v) => w.uuid(expect("string", v)) },
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
  write: (writer, length) => writer.int16(length),
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
  heapBytes: number,
  nullable: boolean,
  read: (reader: Reader, length: number) => unknown,
  write: (writer: Writer, value: unknown) => void,
): Codec {
  return {
    minBytes: lengths.minBytes,
    heapBytes,
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
    textHeapBytes,
    nullable,
    (reader, length) => reader.text(length),
    (writer, value) => {
      const text = expect("string", value);
      const byteLength = Buffer.byteLength(text);
      if (byteLength > maxTextBytes) throw new EncodeError(`${byteLength} bytes of text, ${maxTextBytes} at most`);
      lengths.write(writer, byteLength);
      writer.text(text, byteLength);
    },
  );
}

function bytesCodec(nullable: boolean, flexible: boolean, put: (writer: Writer, value: Buffer) => void): Codec {
  const lengths = flexible ? compactLengths : int32Lengths;
  return withLength(
    lengths,
    viewHeapBytes,
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
    arrayHeapBytes,
    nullable,
    item === fixed.int32 ? readInt32s : (reader, length) => readItems(reader, length, item),
    (writer, value) => {
      if (!Array.isArray(value)) throw new EncodeError(`an array is expected, not ${typeof value}`);
      lengths.write(writer, value.length);
      let index = 0;
      try {
        for (; index < value.length; index++) item.write(writer, value[index]);
      } catch (error) {
        throw withinWritten(error, index);
      }
    },
  );
}

function readItems(reader: Reader, length: number, item: Codec): unknown[] {
  reader.items(length, item.minBytes, item.heapBytes);
  const items: unknown[] = [];
  try {
    while (items.length < length) items.push(item.read(reader));
  } catch (error) {
    throw within(error, items.length);
  }
  return items;
}

/**
 * Most arrays hold ids of nodes or partitions. A loop of their own, without a call to a closure per item and into an
 * array of the right size, takes a quarter off a Metadata response. Once the count is known to fit, no item can fail.
 */
function readInt32s(reader: Reader, length: number): number[] {
  reader.items(length, fixed.int32.minBytes, fixed.int32.heapBytes);
  const items = new Array<number>(length);
  for (let index = 0; index < length; index++) items[index] = reader.int32();
  return items;
}

function compileStruct(fields: Fields, at: Version): Codec {
  const list = Object.entries(fields).map(([name, type]): Field => {
    const { since, until, tag, ignorable, default: zero } = type.rules;
    const exists = at.version >= since && at.version <= until;
    return {
      name,
      tag,
      codec: exists ? compile(type, at) : null,
      zeroHeapBytes: zeroHeapBytes(type),
      ignorable,
      optional: zero !== undefined || tag !== null || since > 0 || Number.isFinite(until),
      zero: zeroMaker(type),
      isZero: (value) => isZero(type, value),
    };
  });
  return structCodec(list, at);
}

/** What stands for a field that is absent is made anew where it is an array or a struct. */
function zeroHeapBytes({ form, rules }: AnyType): number {
  if (rules.default !== undefined || (form.kind !== "struct" && form.kind !== "array")) return 0;
  if (form.kind === "array") return arrayHeapBytes;
  return structHeapBytes(Object.values(form.fields).map(zeroHeapBytes));
}

/** Unlike everything else that may be null, a struct has a signed byte in front of it. */
function nullableStruct(inner: Codec): Codec {
  return {
    minBytes: 1,
    heapBytes: inner.heapBytes,
    read: (reader) => (reader.int8() < 0 ? null : inner.read(reader)),
    write(writer, value) {
      writer.int8(value === null ? -1 : 1);
      if (value !== null) inner.write(writer, value);
    },
  };
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

/** Refuses what Node would write as another number without a word: a fraction, or NaN as 0. */
function integer(value: unknown): number {
  const number = expect("number", value);
  if (!Number.isInteger(number)) throw new EncodeError(`an integer is expected, not ${number}`);
  return number;
}
