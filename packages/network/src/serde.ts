import { SerializationError } from "./errors.ts";
import type { Header } from "./topic-partition.ts";

/** What goes onto the wire: bytes, or text that is written as UTF-8 straight into the batch. */
export type Encoded = Uint8Array | string | null;

/** What a serializer or deserializer is told besides the value. */
export interface SerdeContext {
  readonly topic: string;
  /** Whether it is the record's key or its value. */
  readonly role: "key" | "value";
}

/** What a serializer is told besides the value. */
export interface SerializerContext extends SerdeContext {
  /**
   * Headers of the record, in their order. What a serializer adds or takes away here travels with the record, such as the id of a
   * schema; the list is the record's own, not the one that was given to `send`. That of the key comes first.
   */
  readonly headers: Header[];
}

/**
 * Turns a key or value into bytes; `null` stays `null` (a tombstone) without being asked.
 *
 * One that has to ask somebody, such as a schema registry, gives a promise: records of the same topic that are sent
 * meanwhile wait for it, so that none overtakes another.
 */
export interface Serializer<T> {
  serialize(value: T, context: SerializerContext): Encoded | PromiseLike<Encoded>;
}

/** The same as a function, where that is enough. */
export type SerializerFunction<T> = (value: T, context: SerializerContext) => Encoded | PromiseLike<Encoded>;

/**
 * Turns bytes into a key or value; `null` stays `null` without being asked.
 *
 * One that has to ask somebody gives a promise. Records are handed out when all of theirs are settled, while one that gives values is
 * asked when somebody looks at a record.
 */
export interface Deserializer<T> {
  /**
   * Whether it gives promises. A consumer that is not told finds out by the first key, or value, that it hands out: say `true` of one
   * that gives a value there and a promise later, such as one that remembers what it has asked for. `false` is believed.
   */
  readonly isAsync?: boolean;
  deserialize(bytes: Buffer, context: SerdeContext): T | PromiseLike<T>;
}

/** The same as a function, where that is enough. */
export type DeserializerFunction<T> = (bytes: Buffer, context: SerdeContext) => T | PromiseLike<T>;

/** Whether something that a user gave turns values into bytes. A class of such is none: to call it would fail. */
export const isSerializer = <T>(value: unknown): value is Serializer<T> | SerializerFunction<T> =>
  isFunctionOrHas(value, "serialize");

/** Whether something that a user gave turns bytes into values. A class of such is none: to call it would fail. */
export const isDeserializer = <T>(value: unknown): value is Deserializer<T> | DeserializerFunction<T> =>
  isFunctionOrHas(value, "deserialize");

export const serializerOf = <T>(given: Serializer<T> | SerializerFunction<T>): Serializer<T> =>
  typeof given === "function" ? { serialize: given } : given;

export const deserializerOf = <T>(given: Deserializer<T> | DeserializerFunction<T>): Deserializer<T> =>
  typeof given === "function" ? { deserialize: given } : given;

/** Whether it is still to come, as what a serializer or a deserializer gives may be. */
export const isPending = <T>(given: T | PromiseLike<T>): given is PromiseLike<T> =>
  typeof given === "object" && given !== null && "then" in given && typeof given.then === "function";

/** Both directions, at once. `In` is what it takes, where that is more than what it gives. */
export interface Serde<T, In = T> extends Serializer<In>, Deserializer<T> {
  readonly isAsync?: false;
  serialize(value: In, context: SerdeContext): Encoded;
  deserialize(bytes: Buffer, context: SerdeContext): T;
}

/** UTF-8 text. */
export const string: Serde<string> = Object.freeze({
  isAsync: false,
  serialize(value: string, context: SerdeContext): Encoded {
    if (typeof value !== "string") throw wrongType(value, "a string", context);
    return value;
  },
  deserialize: (bytes: Buffer): string => bytes.toString("utf8"),
});

/** Bytes as they are. */
export const bytes: Serde<Uint8Array> = Object.freeze({
  isAsync: false,
  serialize(value: Uint8Array, context: SerdeContext): Encoded {
    if (!(value instanceof Uint8Array)) throw wrongType(value, "a Uint8Array", context);
    return value;
  },
  deserialize: (value: Buffer): Uint8Array => value,
});

/** JSON text. What it reads is what the peer wrote: check its shape before it is trusted. */
export const json: Serde<unknown> = Object.freeze({
  isAsync: false,
  serialize(value: unknown, { topic, role }: SerdeContext): Encoded {
    let text: string | undefined;
    let cause: unknown;
    try {
      text = JSON.stringify(value);
    } catch (error) {
      cause = error;
    }
    if (text !== undefined) return text;
    throw new SerializationError(`the ${role} for ${topic} has no JSON form: it is of type ${typeof value}`, { cause });
  },
  deserialize(value: Buffer, { topic, role }: SerdeContext): unknown {
    try {
      return JSON.parse(value.toString("utf8"));
    } catch {
      // What the engine says quotes the text, which may hold what no log must.
      throw new SerializationError(`the ${role} of a record of ${topic} is no JSON`);
    }
  },
});

/** A whole number of 32 bits in 4 bytes, big-endian: Java's `IntegerSerializer`. */
export const int: Serde<number> = Object.freeze({
  isAsync: false,
  serialize(value: number, context: SerdeContext): Encoded {
    if ((value | 0) !== value) throw wrongType(value, "a whole number of 32 bits", context);
    const encoded = Buffer.allocUnsafe(4);
    encoded.writeInt32BE(value);
    return encoded;
  },
  deserialize: (value: Buffer, context: SerdeContext): number => sized(value, 4, context).readInt32BE(),
});

/** A whole number of 64 bits in 8 bytes, big-endian: Java's `LongSerializer`. Takes a `number` too, as long as it is exact. */
export const bigint: Serde<bigint, bigint | number> = Object.freeze({
  isAsync: false,
  serialize(value: bigint | number, context: SerdeContext): Encoded {
    const isWhole = typeof value === "bigint" ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value);
    if (!isWhole) throw wrongType(value, "a whole number of 64 bits", context);
    const encoded = Buffer.allocUnsafe(8);
    encoded.writeBigInt64BE(BigInt(value));
    return encoded;
  },
  deserialize: (value: Buffer, context: SerdeContext): bigint => sized(value, 8, context).readBigInt64BE(),
});

const nanBytes = Buffer.from("7ff8000000000000", "hex");

/** A number as 8 bytes, big-endian, by IEEE 754: Java's `DoubleSerializer`. */
export const double: Serde<number> = Object.freeze({
  isAsync: false,
  serialize(value: number, context: SerdeContext): Encoded {
    if (typeof value !== "number") throw wrongType(value, "a number", context);
    const encoded = Buffer.allocUnsafe(8);
    encoded.writeDoubleBE(value);
    // There are many forms of NaN; Java writes one, whichever the machine made.
    return Number.isNaN(value) ? nanBytes : encoded;
  },
  deserialize: (value: Buffer, context: SerdeContext): number => sized(value, 8, context).readDoubleBE(),
});

const uuidText = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * A UUID as its text of 36 characters: Java's `UUIDSerializer`. Always in lower case, as Java writes it, or a key would go to another
 * partition than with Java.
 */
export const uuid: Serde<string> = Object.freeze({
  isAsync: false,
  serialize(value: string, context: SerdeContext): Encoded {
    if (typeof value !== "string" || !uuidText.test(value)) throw wrongType(value, "a UUID", context);
    return value.toLowerCase();
  },
  deserialize(value: Buffer, { topic, role }: SerdeContext): string {
    const text = value.toString("latin1");
    if (!uuidText.test(text)) throw new SerializationError(`the ${role} of a record of ${topic} is no UUID`);
    return text.toLowerCase();
  },
});

/** Nothing but `null`, for topics whose records have no key, or no value: Java's `VoidSerializer`; `void` cannot be a name here. */
export const nothing: Serde<null> = Object.freeze({
  isAsync: false,
  serialize(value: null, context: SerdeContext): Encoded {
    if (value !== null) throw wrongType(value, "null", context);
    return null;
  },
  deserialize(_: Buffer, { topic, role }: SerdeContext): null {
    throw new SerializationError(`the ${role} of a record of ${topic} is not null`);
  },
});

function isFunctionOrHas(value: unknown, method: "serialize" | "deserialize"): boolean {
  if (typeof value === "function") return typeof value.prototype?.[method] !== "function";
  return typeof value === "object" && value !== null && typeof Reflect.get(value, method) === "function";
}

function sized(bytes: Buffer, length: number, { topic, role }: SerdeContext): Buffer {
  if (bytes.length === length) return bytes;
  throw new SerializationError(`the ${role} of a record of ${topic} has ${bytes.length} bytes, and not ${length}`);
}

const wrongType = (value: unknown, expected: string, { topic, role }: SerdeContext): SerializationError =>
  new SerializationError(`the ${role} for ${topic} must be ${expected}, and is of type ${typeof value}`);
