/**
 * The language in which Kafka's messages are declared: one value per API, every version and both directions in it.
 *
 * What a declaration means, once and for all:
 * - the order of the keys is the order on the wire;
 * - a field that its version lacks reads as its default;
 * - a value other than the default for a field that the version lacks is refused, unless the field is `ignorable`;
 * - a tagged field that equals its default is not written, and tags that we do not know are skipped;
 * - from the `flexible` version on, lengths are compact and every struct ends with a tag section (KIP-482).
 *
 * Six modifiers say everything: `since`, `until`, `nullable`, `default`, `tagged`, `ignorable`.
 */

export type Primitive = keyof PrimitiveShapes;

/** What each of Kafka's primitive types is in JavaScript. */
export interface PrimitiveShapes {
  bool: boolean;
  int8: number;
  int16: number;
  uint16: number;
  int32: number;
  int64: bigint;
  float64: number;
  string: string;
  bytes: Buffer;
  /** Encoded record batches: the writer keeps a reference to the buffer instead of copying it. */
  records: Buffer;
  /** 16 bytes, written as Kafka does: base64url without padding. */
  uuid: string;
}

/** Phantom shapes: they keep one copy of a struct's fields in a declared type, however deep it nests. */
declare const fieldsOf: unique symbol;
declare const itemOf: unique symbol;
export interface StructShape<F extends Fields> {
  readonly [fieldsOf]: F;
}
export interface ArrayShape<S> {
  readonly [itemOf]: S;
}

/** What a reader gives: every field, whatever the version. */
export type Out<S> = S extends StructShape<infer F> ? Output<F> : S extends ArrayShape<infer I> ? Out<I>[] : S;
/** What a writer takes: fields with a default, or bounded by versions, may be left out. */
export type In<S> = S extends StructShape<infer F> ? Input<F> : S extends ArrayShape<infer I> ? readonly In<I>[] : S;

export type Output<F extends Fields> = { -readonly [K in keyof F]: Out<F[K]["shape"]> };
export type Input<F extends Fields> = {
  readonly [K in keyof F as F[K]["optional"] extends false ? K : never]: In<F[K]["shape"]>;
} & { readonly [K in keyof F as F[K]["optional"] extends false ? never : K]?: In<F[K]["shape"]> };

/** Any type of the language, its shape forgotten. */
export type AnyType = Type<unknown, boolean>;
export interface Fields {
  readonly [name: string]: AnyType;
}

/** How a type is built. */
export type Form =
  | { readonly kind: Primitive }
  | { readonly kind: "array"; readonly item: AnyType }
  | { readonly kind: "struct"; readonly fields: Fields };

/** What the modifiers said of a type. */
export interface Rules {
  /** First version that has the field. */
  readonly since: number;
  /** Last version that has the field. */
  readonly until: number;
  /** First version in which it may be null; `Infinity` for never. */
  readonly nullableSince: number;
  /** `undefined` stands for Kafka's own zero of the type. */
  readonly default: unknown;
  /** Number in the tag section; `null` for a field in the body. */
  readonly tag: number | null;
  readonly ignorable: boolean;
}

const plain: Rules = {
  since: 0,
  until: Number.POSITIVE_INFINITY,
  nullableSince: Number.POSITIVE_INFINITY,
  default: undefined,
  tag: null,
  ignorable: false,
};

/** A wire type: immutable, each modifier returns another. `S` is its shape, `Opt` whether a writer may leave it out. */
export class Type<S, Opt extends boolean = false> {
  declare readonly shape: S;
  declare readonly optional: Opt;
  readonly form: Form;
  readonly rules: Rules;

  constructor(form: Form, rules: Rules = plain) {
    this.form = form;
    this.rules = rules;
  }

  /** Present from `version` on. */
  since(version: number): Type<S, true> {
    return new Type(this.form, { ...this.rules, since: version });
  }

  /** Present up to and including `version`. */
  until(version: number): Type<S, true> {
    return new Type(this.form, { ...this.rules, until: version });
  }

  /** May be null, from `version` on. */
  nullable(version = 0): Type<S | null, Opt> {
    return new Type(this.form, { ...this.rules, nullableSince: version });
  }

  /** What a reader gives, and a writer assumes, where the field is absent. */
  default(value: Out<S>): Type<S, true> {
    return new Type(this.form, { ...this.rules, default: value });
  }

  /** Lives in the tag section of its struct, under `tag`. */
  tagged(tag: number): Type<S, true> {
    return new Type(this.form, { ...this.rules, tag });
  }

  /** Dropped in silence, instead of refused, where the version lacks it. */
  ignorable(): Type<S, Opt> {
    return new Type(this.form, { ...this.rules, ignorable: true });
  }
}

const primitive = <P extends Primitive>(kind: P): Type<PrimitiveShapes[P]> => new Type({ kind });

export const bool = primitive("bool");
export const int8 = primitive("int8");
export const int16 = primitive("int16");
export const uint16 = primitive("uint16");
export const int32 = primitive("int32");
export const int64 = primitive("int64");
export const float64 = primitive("float64");
export const string = primitive("string");
export const bytes = primitive("bytes");
export const records = primitive("records");
export const uuid = primitive("uuid");

/** Kafka's null UUID. */
export const zeroUuid = "AAAAAAAAAAAAAAAAAAAAAA";

export function struct<const F extends Fields>(fields: F): Type<StructShape<F>> {
  return new Type({ kind: "struct", fields });
}

export function array<const F extends Fields>(item: F): Type<ArrayShape<StructShape<F>>>;
export function array<S>(item: Type<S>): Type<ArrayShape<S>>;
export function array(item: Fields | AnyType): AnyType {
  return new Type({ kind: "array", item: item instanceof Type ? item : struct(item) });
}

/** A message of its own, with a range of versions: one direction of an API, or a blob inside one. */
export interface Message<F extends Fields = Fields> {
  readonly name: string;
  /** First and last version, both included. */
  readonly versions: readonly [number, number];
  /** First flexible version; `Infinity` for never. */
  readonly flexible: number;
  readonly type: Type<StructShape<F>>;
}

/** One of Kafka's APIs: what a client asks and what a broker answers. */
export interface Api<Req extends Fields = Fields, Res extends Fields = Fields> {
  readonly name: string;
  readonly key: number;
  readonly versions: readonly [number, number];
  /** Last version that brokers offer without `unstable.api.versions.enable`. */
  readonly latestStable: number;
  readonly flexible: number;
  readonly request: Message<Req>;
  readonly response: Message<Res>;
}

export type RequestOf<A extends Api> = A extends Api<infer Req, Fields> ? Input<Req> : never;
export type ResponseOf<A extends Api> = A extends Api<Fields, infer Res> ? Output<Res> : never;
/** A request as the broker's side reads it. */
export type RequestReadOf<A extends Api> = A extends Api<infer Req, Fields> ? Output<Req> : never;
/** A response as the broker's side writes it. */
export type ResponseWrittenOf<A extends Api> = A extends Api<Fields, infer Res> ? Input<Res> : never;

export interface ApiDeclaration<Req extends Fields, Res extends Fields> {
  readonly name: string;
  readonly key: number;
  readonly versions: readonly [number, number];
  /** Left out where the API never became flexible. */
  readonly flexible?: number;
  /** Set where the last versions are not stable yet. */
  readonly latestStable?: number;
  readonly request: Req;
  readonly response: Res;
}

export function api<const Req extends Fields, const Res extends Fields>(
  declaration: ApiDeclaration<Req, Res>,
): Api<Req, Res> {
  const { name, key, versions, flexible = Number.POSITIVE_INFINITY, latestStable = versions[1] } = declaration;
  const side = <F extends Fields>(suffix: string, fields: F): Message<F> =>
    Object.freeze({ name: name + suffix, versions, flexible, type: struct(fields) });
  const request = side("Request", declaration.request);
  const response = side("Response", declaration.response);
  return Object.freeze({ name, key, versions, latestStable, flexible, request, response });
}

/** Declares a message that travels inside a `bytes` field of another, behind an int16 with its own version. */
export function blob<const F extends Fields>(declaration: {
  readonly name: string;
  readonly versions: readonly [number, number];
  readonly flexible?: number;
  readonly fields: F;
}): Message<F> {
  const { name, versions, flexible = Number.POSITIVE_INFINITY, fields } = declaration;
  return Object.freeze({ name, versions, flexible, type: struct(fields) });
}
