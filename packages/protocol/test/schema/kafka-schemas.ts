import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readZip } from "./zip.ts";

/** The release whose schemas are the truth; of a later one only what the tests name. */
const kafkaVersion = "4.3.1";

/** A field of a message, as Kafka's JSON has it. */
export interface KafkaField {
  readonly name: string;
  /** Such as `int32`, `[]string`, `FetchTopic`, `[]FetchTopic`. */
  readonly type: string;
  /** Such as `3`, `0-12`, `4+`, `none`. */
  readonly versions: string;
  readonly nullableVersions?: string;
  readonly taggedVersions?: string;
  readonly flexibleVersions?: string;
  readonly tag?: number;
  readonly default?: string | number | boolean;
  readonly ignorable?: boolean;
  readonly fields?: readonly KafkaField[];
}

/** A struct that several fields of one message share. */
export interface KafkaStruct {
  readonly name: string;
  readonly versions: string;
  readonly fields: readonly KafkaField[];
}

/** A message, as Kafka's JSON has it. */
export interface KafkaSchema {
  readonly type: "request" | "response" | "header" | "data";
  /** Such as `FetchRequest`. */
  readonly name: string;
  readonly apiKey?: number;
  readonly validVersions: string;
  /** Left out, as the fields are, where `validVersions` is `none`. */
  readonly flexibleVersions?: string;
  readonly latestVersionUnstable?: boolean;
  /** On requests: who answers them. */
  readonly listeners?: readonly string[];
  readonly fields?: readonly KafkaField[];
  readonly commonStructs?: readonly KafkaStruct[];
}

/** Attributes that this check compares, or that say nothing about bytes. Any other one is news that it has to learn. */
const knownAttributes = {
  schema: new Set(
    "type name apiKey validVersions flexibleVersions latestVersionUnstable listeners fields commonStructs".split(" "),
  ),
  struct: new Set("name versions fields".split(" ")),
  field: new Set(
    (
      "name type versions nullableVersions taggedVersions flexibleVersions tag default ignorable fields " +
      "about entityType mapKey zeroCopy"
    ).split(" "),
  ),
};

/**
 * Every message schema inside the `kafka-clients` jar, by name.
 *
 * @throws Error in one line, naming the command to run, where the jar is not in the cache folder
 */
export function readKafkaSchemas(version = kafkaVersion, cache = defaultCache()): Map<string, KafkaSchema> {
  const files = readZip(readFileSync(kafkaClientsJar(version, cache)), (name) =>
    /^common\/message\/.*\.json$/.test(name),
  );
  const schemas = [...files].map(([file, json]) => parseSchema(json.toString("utf8"), file));
  return new Map(schemas.map((schema) => [schema.name, schema]));
}

/** Where the jars of the real layer are kept; `integration/cluster` has the same words for it. */
const defaultCache = (): string =>
  process.env["ODRADEK_CACHE"] ?? join(import.meta.dirname, "../../../../.cache/kafka");

/** @throws Error in one line, as `readKafkaSchemas` */
export function kafkaClientsJar(version = kafkaVersion, cache = defaultCache()): string {
  const jar = `kafka-clients-${version}.jar`;
  const files = existsSync(cache) ? readdirSync(cache, { recursive: true, encoding: "utf8" }) : [];
  const found = files.find((file) => file.endsWith(jar));
  if (found === undefined) throw new Error(`no ${jar} in ${cache}: run "node integration/setup.mjs jars" to get it`);
  return join(cache, found);
}

/** Reads one schema: JSON with comments. */
export function parseSchema(text: string, file: string): KafkaSchema {
  const json = text.replace(/"(?:[^"\\]|\\.)*"|\/\/.*/g, (part) => (part.startsWith("//") ? "" : part));
  // The jar is Kafka's own: its generator has checked the shape. What this check would misread is refused below.
  const schema = JSON.parse(json) as KafkaSchema;
  refuseUnknown(schema, knownAttributes.schema, file);
  for (const struct of schema.commonStructs ?? []) {
    refuseUnknown(struct, knownAttributes.struct, `${file}: ${struct.name}`);
    for (const field of struct.fields) checkField(field, `${file}: ${struct.name}`);
  }
  for (const field of schema.fields ?? []) checkField(field, file);
  return schema;
}

function checkField(field: KafkaField, place: string): void {
  refuseUnknown(field, knownAttributes.field, `${place}.${field.name}`);
  for (const inner of field.fields ?? []) checkField(inner, `${place}.${field.name}`);
}

function refuseUnknown(object: object, known: ReadonlySet<string>, place: string): void {
  const unknown = Object.keys(object).filter((key) => !known.has(key));
  if (unknown.length > 0) throw new Error(`${place}: nothing here knows what ${unknown.join(", ")} means`);
}

/** A range of versions, both ends included; an empty one ends before it starts. */
export interface Versions {
  readonly first: number;
  readonly last: number;
}

/** Reads `3`, `0-12`, `4+` or `none`. */
export function parseVersions(text: string | undefined): Versions {
  if (text === undefined || text === "none") return { first: Number.POSITIVE_INFINITY, last: -1 };
  const match = /^(\d+)(?:-(\d+)|(\+))?$/.exec(text);
  if (match === null) throw new Error(`"${text}" is not a range of versions`);
  const first = Number(match[1]);
  if (match[3] !== undefined) return { first, last: Number.POSITIVE_INFINITY };
  return { first, last: match[2] === undefined ? first : Number(match[2]) };
}

export const contains = ({ first, last }: Versions, version: number): boolean => version >= first && version <= last;
