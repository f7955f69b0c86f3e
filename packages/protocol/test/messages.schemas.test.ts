import { describe, expect, test } from "vitest";
import { readRequestHeader, writeRequestHeader } from "../src/header.ts";
import { Reader } from "../src/reader.ts";
import type { Api } from "../src/schema.ts";
import { Writer } from "../src/writer.ts";
import { apis, blobs, versionsOf } from "./schema/apis.ts";
import { differencesOfApi, differencesOfMessage, type Tally } from "./schema/differences.ts";
import { contains, type KafkaSchema, parseVersions, readKafkaSchemas } from "./schema/kafka-schemas.ts";

/** APIs that brokers keep to themselves although they listen for them where clients do: the state of share groups. */
const betweenBrokers: ReadonlySet<number | undefined> = new Set([83, 84, 85, 86, 87]);

/**
 * What is spoken of Kafka 4.4.0 already: the question at the beginning, which every broker understands or refuses (KIP-1242), and
 * what only that release has.
 */
const later = ["ApiVersions", "UnregisterController"].flatMap((name) => [`${name}Request`, `${name}Response`]);

const schemas = readKafkaSchemas();
for (const [name, schema] of readKafkaSchemas("4.4.0")) if (later.includes(name)) schemas.set(name, schema);
const tally: Tally = { fields: 0, facts: 0 };

function schemaOf(name: string): KafkaSchema {
  const schema = schemas.get(name);
  if (schema === undefined) throw new Error(`Kafka has no ${name}`);
  return schema;
}

const clientApis = [...schemas.values()].filter(
  (schema) =>
    schema.type === "request" &&
    schema.validVersions !== "none" &&
    schema.listeners?.includes("broker") === true &&
    !betweenBrokers.has(schema.apiKey),
);

const compare = (api: Api, request = schemaOf(api.request.name), response = schemaOf(api.response.name)): string[] =>
  differencesOfApi(api, request, response, tally);

describe("declarations and the schemas of Kafka 4.3.1, or 4.4.0 where that is spoken", () => {
  test.each(apis)("$name is what Kafka says, in both directions and at every version", (api) => {
    expect(compare(api).join("\n")).toBe("");
  });

  test.each(blobs)("$name is what Kafka says at every version", (blob) => {
    expect(differencesOfMessage(blob, schemaOf(blob.name), tally).join("\n")).toBe("");
  });

  test("no API that brokers offer to clients is MISSING here, and none is declared that they do not offer", () => {
    const kafkas = clientApis.map(({ name, apiKey }) => `${name} ${apiKey}`);
    const ours = apis.map(({ request, key }) => `${request.name} ${key}`);
    const missing = kafkas.filter((each) => !ours.includes(each)).map((each) => `MISSING ${each}`);
    const unknown = ours.filter((each) => !kafkas.includes(each)).map((each) => `not offered to clients: ${each}`);
    expect([...missing, ...unknown].join("\n")).toBe("");
    expect(new Set(ours).size).toBe(73);
  });

  test("the comparison went through every field of every version", () => {
    console.info(`${tally.facts} facts of ${tally.fields} fields compared, in ${apis.length} APIs`);
    expect(tally.fields).toBeGreaterThan(5_000);
    expect(tally.facts).toBeGreaterThan(25_000);
  });
});

describe("drift", () => {
  test.each(apis)("$name: a field that a later Kafka adds to its last version is noticed", (api) => {
    const response = schemaOf(api.response.name);
    const last = api.versions[1];
    const fields = [...(response.fields ?? []), { name: "News", type: "string", versions: `${last}+` }];
    expect(compare(api, schemaOf(api.request.name), { ...response, fields })).toEqual([
      `${api.response.name} v${last} news: MISSING here, Kafka has it`,
    ]);
  });

  test.each(apis)("$name: a version that a later Kafka adds is noticed", (api) => {
    const next = `${api.versions[0]}-${api.versions[1] + 1}`;
    const request = { ...schemaOf(api.request.name), validVersions: next };
    const response = { ...schemaOf(api.response.name), validVersions: next };
    const ours = `${api.versions[0]}-${api.versions[1]}`;
    expect(compare(api, request, response)).toEqual(
      expect.arrayContaining([
        `${api.request.name}: range of versions is ${ours}, Kafka says ${next}`,
        `${api.response.name}: range of versions is ${ours}, Kafka says ${next}`,
      ]),
    );
  });
});

describe("the headers, which are written by hand", () => {
  const request = schemaOf("RequestHeader");
  const response = schemaOf("ResponseHeader");

  test("exist in the versions that Kafka has", () => {
    expect(parseVersions(request.validVersions)).toEqual({ first: 1, last: 2 });
    expect(parseVersions(response.validVersions)).toEqual({ first: 0, last: 1 });
  });

  test.each([1, 2] as const)("of a request at version %i have the fields of Kafka's schema", (version) => {
    for (const clientId of [null, "", "client-é"]) {
      const header = { apiKey: 3, apiVersion: 9, correlationId: -2, clientId };
      const values = { RequestApiKey: 3, RequestApiVersion: 9, CorrelationId: -2, ClientId: clientId };
      const writer = new Writer();
      writeRequestHeader(writer, version, header);
      const bytes = Buffer.concat(writer.finish());
      expect(bytes.toString("hex")).toBe(headerBytes(request, version, values).toString("hex"));
      expect(readRequestHeader(new Reader(bytes))).toEqual(header);
    }
  });

  test("of a response are a correlation id, with a tag section behind it in version 1", () => {
    expect(headerBytes(response, 0, { CorrelationId: 7 }).toString("hex")).toBe("00000007");
    expect(headerBytes(response, 1, { CorrelationId: 7 }).toString("hex")).toBe("0000000700");
  });
});

/** What a schema says of a header's bytes. It knows the types that headers have, and fails where Kafka adds another. */
function headerBytes(schema: KafkaSchema, version: number, values: Record<string, string | number | null>): Buffer {
  const parts = (schema.fields ?? []).map((field) => {
    const value = values[field.name];
    const compact = contains(parseVersions(field.flexibleVersions), version);
    if (!contains(parseVersions(field.versions), version) || value === undefined || compact) {
      throw new Error(`${schema.name} v${version}: ${field.name} is not expected here`);
    }
    const bytes = Buffer.from(typeof value === "string" ? value : "");
    const number = Buffer.alloc(field.type === "int32" ? 4 : 2);
    if (field.type === "string") number.writeInt16BE(value === null ? -1 : bytes.length);
    else if (/^int(16|32)$/.test(field.type)) number.writeIntBE(Number(value), 0, number.length);
    else throw new Error(`${schema.name}: ${field.type} is not expected in a header`);
    return Buffer.concat([number, bytes]);
  });
  const flexible = contains(parseVersions(schema.flexibleVersions), version);
  return Buffer.concat([...parts, flexible ? Buffer.of(0) : Buffer.alloc(0)]);
}

test("every version between the first and the last is declared", () => {
  const versions = apis.reduce((sum, api) => sum + versionsOf(api).length, 0);
  expect(versions).toBe(273);
});
