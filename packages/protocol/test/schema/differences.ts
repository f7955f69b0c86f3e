import type { AnyType, Api, Fields, Message } from "../../src/schema.ts";
import { contains, type KafkaField, type KafkaSchema, parseVersions, type Versions } from "./kafka-schemas.ts";

/** A field at one version, in words: what is declared here and what Kafka's JSON says are brought into this one form. */
interface FieldView {
  readonly name: string;
  /** Whether the version has it on the wire. */
  readonly present: boolean;
  /** Compared at every version. */
  readonly lasting: Facts;
  /** Compared where the version has the field. */
  readonly onTheWire: Facts;
  readonly isArray: boolean;
  /** Of a struct, or of the structs in an array. */
  readonly fields: readonly FieldView[];
}

type Facts = Readonly<Record<string, string>>;

/** How many facts were compared, so that a check that compares nothing is noticed. */
export interface Tally {
  fields: number;
  facts: number;
}

/** Each difference as one line, those that several versions share only once. */
class Differences {
  readonly #versions = new Map<string, { message: string; text: string; versions: number[] }>();

  add(message: string, version: number | null, text: string): void {
    const key = `${message} ${text}`;
    const known = this.#versions.get(key) ?? { message, text, versions: [] };
    this.#versions.set(key, known);
    if (version !== null) known.versions.push(version);
  }

  compare(message: string, version: number | null, place: string, fact: string, ours: string, kafkas: string): void {
    if (ours !== kafkas) this.add(message, version, `${place}${fact} is ${ours}, Kafka says ${kafkas}`);
  }

  lines(): string[] {
    return [...this.#versions.values()].map(({ message, text, versions }) =>
      versions.length === 0 ? `${message}: ${text}` : `${message} v${ranges(versions)} ${text}`,
    );
  }
}

/** What differs between a declared API and Kafka's schemas of its request and its response. */
export function differencesOfApi(api: Api, request: KafkaSchema, response: KafkaSchema, tally: Tally): string[] {
  const found = new Differences();
  const { last } = parseVersions(request.validVersions);
  const latestStable = request.latestVersionUnstable === true ? last - 1 : last;
  found.compare(api.name, null, "", "api key", String(api.key), String(request.apiKey));
  found.compare(api.name, null, "", "api key of the response", String(api.key), String(response.apiKey));
  found.compare(api.name, null, "", "latest stable version", String(api.latestStable), String(latestStable));
  return [
    ...found.lines(),
    ...differencesOfMessage(api.request, request, tally),
    ...differencesOfMessage(api.response, response, tally),
  ];
}

/** What differs between a declared message and Kafka's schema of it, field by field at every version. */
export function differencesOfMessage(message: Message, schema: KafkaSchema, tally: Tally): string[] {
  const found = new Differences();
  const valid = parseVersions(schema.validVersions);
  const [first, last] = message.versions;
  const flexible = parseVersions(schema.flexibleVersions).first;
  found.compare(message.name, null, "", "name", message.name, schema.name);
  found.compare(message.name, null, "", "range of versions", `${first}-${last}`, `${valid.first}-${valid.last}`);
  found.compare(message.name, null, "", "first flexible version", String(message.flexible), String(flexible));
  if (message.type.form.kind !== "struct") throw new Error(`${message.name} is not a struct`);
  for (let version = Math.max(first, valid.first); version <= Math.min(last, valid.last); version++) {
    const declared = declaredFields(message.type.form.fields, version);
    const kafkas = kafkaFields(schema, schema.fields ?? [], valid, version);
    compareFields(declared, kafkas, { found, tally, message: message.name, version }, "");
  }
  return found.lines();
}

/** Of all fields but one: the client id in the header of a request, which is written by hand. */
const asItsMessage = "as its message";

interface Comparison {
  readonly found: Differences;
  readonly tally: Tally;
  readonly message: string;
  readonly version: number;
}

function compareFields(
  ours: readonly FieldView[],
  kafkas: readonly FieldView[],
  comparison: Comparison,
  prefix: string,
): void {
  const { found, tally, message, version } = comparison;
  const ourNames = ours.map(({ name }) => name);
  const kafkaNames = kafkas.map(({ name }) => name);
  for (const { name, present } of kafkas) {
    if (present && !ourNames.includes(name))
      found.add(message, version, `${prefix}${name}: MISSING here, Kafka has it`);
  }
  for (const { name } of ours) {
    if (!kafkaNames.includes(name)) found.add(message, version, `${prefix}${name}: declared here, unknown to Kafka`);
  }
  const inOurOrder = ourNames.filter((name) => kafkaNames.includes(name)).join(", ");
  const inKafkasOrder = kafkaNames.filter((name) => ourNames.includes(name)).join(", ");
  const struct = prefix === "" ? "" : `${prefix.slice(0, -1)}: `;
  found.compare(message, version, struct, "order", inOurOrder, inKafkasOrder);
  for (const field of ours) {
    const kafka = kafkas.find(({ name }) => name === field.name);
    if (kafka === undefined) continue;
    const path = prefix + field.name + (field.isArray ? "[]" : "");
    tally.fields++;
    const compare = (fact: string, ourFact: string, kafkaFact: string): void => {
      tally.facts++;
      found.compare(message, version, `${path}: `, fact, ourFact, kafkaFact);
    };
    compare("presence", field.present ? "present" : "absent", kafka.present ? "present" : "absent");
    for (const [fact, text] of Object.entries(field.lasting)) compare(fact, text, kafka.lasting[fact] ?? "");
    if (!field.present || !kafka.present) continue;
    for (const [fact, text] of Object.entries(field.onTheWire)) compare(fact, text, kafka.onTheWire[fact] ?? "");
    compareFields(field.fields, kafka.fields, comparison, `${path}.`);
  }
}

function declaredFields(fields: Fields, version: number): FieldView[] {
  return Object.entries(fields).map(([name, type]): FieldView => {
    const { rules, form } = type;
    const struct = form.kind === "array" ? form.item.form : form;
    return {
      name,
      present: version >= rules.since && version <= rules.until,
      lasting: {
        type: declaredType(type, version),
        default: declaredDefault(type),
        ignorable: String(rules.ignorable),
        flexible: asItsMessage,
      },
      onTheWire: {
        "null allowed": String(version >= rules.nullableSince),
        tag: rules.tag === null ? "none" : String(rules.tag),
      },
      isArray: form.kind === "array",
      fields: struct.kind === "struct" ? declaredFields(struct.fields, version) : [],
    };
  });
}

function declaredType(type: AnyType, version: number): string {
  if (type.form.kind !== "array") return type.form.kind;
  const { item } = type.form;
  // Kafka knows no items that may be null, and none with a rule of their own.
  return `[]${declaredType(item, version)}${version >= item.rules.nullableSince ? " or null" : ""}`;
}

function declaredDefault({ rules, form }: AnyType): string {
  const value = rules.default;
  if (value === undefined) return `none, so ${zeroText(form.kind)}`;
  return typeof value === "bigint" ? value.toString() : JSON.stringify(value);
}

/** The fields that Kafka has at some valid version. Others are left over from versions that were removed. */
function kafkaFields(
  schema: KafkaSchema,
  fields: readonly KafkaField[],
  valid: Versions,
  version: number,
): FieldView[] {
  return fields.flatMap((field): FieldView[] => {
    const versions = intersection(parseVersions(field.versions), valid);
    if (versions.first > versions.last) return [];
    const isArray = field.type.startsWith("[]");
    const itemType = isArray ? field.type.slice(2) : field.type;
    const struct = structOf(schema, field, itemType);
    const type = struct === null ? itemType : "struct";
    const tagged = contains(parseVersions(field.taggedVersions), version);
    return [
      {
        name: lowerCamel(field.name),
        present: contains(versions, version),
        lasting: {
          type: isArray ? `[]${type}` : type,
          default: kafkaDefault(field, isArray ? "array" : type),
          ignorable: String(field.ignorable ?? false),
          flexible: field.flexibleVersions ?? asItsMessage,
        },
        onTheWire: {
          "null allowed": String(contains(parseVersions(field.nullableVersions), version)),
          tag: tagged ? String(field.tag) : "none",
        },
        isArray,
        fields:
          struct === null ? [] : kafkaFields(schema, struct.fields, intersection(struct.versions, versions), version),
      },
    ];
  });
}

/** A struct's fields stand where it is used, or apart when several fields share it. */
function structOf(
  schema: KafkaSchema,
  field: KafkaField,
  name: string,
): { fields: readonly KafkaField[]; versions: Versions } | null {
  if (field.fields !== undefined) return { fields: field.fields, versions: parseVersions("0+") };
  const common = schema.commonStructs?.find((struct) => struct.name === name);
  if (common !== undefined) return { fields: common.fields, versions: parseVersions(common.versions) };
  if (/^[A-Z]/.test(name)) throw new Error(`${schema.name}: ${field.name} is a ${name}, which is defined nowhere`);
  return null;
}

function kafkaDefault(field: KafkaField, kind: string): string {
  const { default: value } = field;
  if (value === undefined) return `none, so ${zeroText(kind)}`;
  const text = String(value);
  if (text === "null" || kind === "bool") return text;
  if (kind === "string") return JSON.stringify(text);
  if (kind === "float64") return String(Number(text));
  // Integers can be hexadecimal.
  return String(BigInt(text));
}

/** Kafka's zero of a kind of type. */
function zeroText(kind: string): string {
  switch (kind) {
    case "array":
    case "struct":
    case "string":
    case "bytes":
    case "records":
      return `an empty ${kind}`;
    case "bool":
      return "false";
    case "uuid":
      return "the zero UUID";
    default:
      return "0";
  }
}

const intersection = (a: Versions, b: Versions): Versions => ({
  first: Math.max(a.first, b.first),
  last: Math.min(a.last, b.last),
});

const lowerCamel = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

/** `3,5-7` of 3, 5, 6, 7. */
function ranges(versions: readonly number[]): string {
  const parts: { first: number; last: number }[] = [];
  for (const version of versions) {
    const open = parts.at(-1);
    if (open !== undefined && open.last === version - 1) open.last = version;
    else parts.push({ first: version, last: version });
  }
  return parts.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}
