import { SerializationError } from "./errors.ts";

/** What goes onto the wire: bytes, or text that is written as UTF-8 straight into the batch. */
export type Encoded = Uint8Array | string | null;

/** What a serializer or deserializer is told besides the value. */
export interface SerdeContext {
  readonly topic: string;
  /** Whether it is the record's key or its value. */
  readonly role: "key" | "value";
}

/** Turns a key or value into bytes; `null` stays `null` (a tombstone) without being asked. */
export interface Serializer<T> {
  serialize(value: T, context: SerdeContext): Encoded;
}

/** Turns bytes into a key or value; `null` stays `null` without being asked. */
export interface Deserializer<T> {
  deserialize(bytes: Buffer, context: SerdeContext): T;
}

/** Both directions. */
export interface Serde<T> extends Serializer<T>, Deserializer<T> {}

/** UTF-8 text. */
export const string: Serde<string> = Object.freeze({
  serialize(value: string, context: SerdeContext): Encoded {
    if (typeof value !== "string") throw wrongType(value, "a string", context);
    return value;
  },
  deserialize: (bytes: Buffer): string => bytes.toString("utf8"),
});

/** Bytes as they are. */
export const bytes: Serde<Uint8Array> = Object.freeze({
  serialize(value: Uint8Array, context: SerdeContext): Encoded {
    if (!(value instanceof Uint8Array)) throw wrongType(value, "a Uint8Array", context);
    return value;
  },
  deserialize: (value: Buffer): Uint8Array => value,
});

/** JSON text. What it reads is what the peer wrote: check its shape before it is trusted. */
export const json: Serde<unknown> = Object.freeze({
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

const wrongType = (value: unknown, expected: string, { topic, role }: SerdeContext): SerializationError =>
  new SerializationError(`the ${role} for ${topic} must be ${expected}, and is of type ${typeof value}`);
