import { describe, expect, test } from "vitest";
import {
  type AnyType,
  api,
  array,
  blob,
  bool,
  type Fields,
  int8,
  int16,
  int32,
  int64,
  string,
  struct,
} from "../../src/schema.ts";
import { differencesOfApi, differencesOfMessage } from "./differences.ts";
import type { KafkaField, KafkaSchema } from "./kafka-schemas.ts";

/** One field of each kind, and a declaration that is true to it. */
const kafkaFields: readonly KafkaField[] = [
  { name: "Name", type: "string", versions: "0+", nullableVersions: "2+" },
  { name: "Epoch", type: "int32", versions: "1+", default: "-1", ignorable: true },
  { name: "MaxBytes", type: "int32", versions: "0-2", default: "0x7fffffff" },
  { name: "Flag", type: "bool", versions: "0+", default: "true" },
  {
    name: "Topics",
    type: "[]Topic",
    versions: "0+",
    fields: [
      { name: "Partitions", type: "[]int32", versions: "0+" },
      { name: "Leader", type: "Leader", versions: "3+", taggedVersions: "3+", tag: 0 },
    ],
  },
];
const schema: KafkaSchema = {
  type: "data",
  name: "Thing",
  validVersions: "0-3",
  flexibleVersions: "3+",
  fields: kafkaFields,
  commonStructs: [
    { name: "Leader", versions: "0+", fields: [{ name: "LeaderId", type: "int32", versions: "0+", default: "-1" }] },
  ],
};
const leader = struct({ leaderId: int32.default(-1) });
const topic = { partitions: array(int32), leader: leader.since(3).tagged(0) };
const truth = {
  name: string.nullable(2),
  epoch: int32.since(1).default(-1).ignorable(),
  maxBytes: int32.until(2).default(0x7fffffff),
  flag: bool.default(true),
  topics: array(topic),
} as const;

const differences = (fields: Fields, kafka = schema): string[] => {
  const declared = blob({ name: "Thing", versions: [0, 3], flexible: 3, fields });
  return differencesOfMessage(declared, kafka, { fields: 0, facts: 0 });
};

test("a true declaration has no differences", () => {
  expect(differences(truth)).toEqual([]);
});

describe("a wrong declaration is told in one line", () => {
  const cases: { what: string; fields: Fields; line: string }[] = [
    {
      what: "type",
      fields: { ...truth, epoch: int16.since(1).default(-1).ignorable() },
      line: "v0-3 epoch: type is int16, Kafka says int32",
    },
    {
      what: "struct for a primitive",
      fields: { ...truth, name: leader.nullable(2) },
      line: "v0-3 name: type is struct, Kafka says string",
    },
    {
      what: "array",
      fields: { ...truth, name: array(string).nullable(2) },
      line: "v0-3 name[]: type is []string, Kafka says string",
    },
    {
      what: "type of items",
      fields: { ...truth, topics: array({ ...topic, partitions: array(int8) }) },
      line: "v0-3 topics[].partitions[]: type is []int8, Kafka says []int32",
    },
    {
      what: "items that may be null",
      fields: { ...truth, topics: array({ ...topic, partitions: array(int32.nullable(1)) }) },
      line: "v1-3 topics[].partitions[]: type is []int32 or null, Kafka says []int32",
    },
    {
      what: "null too early",
      fields: { ...truth, name: string.nullable() },
      line: "v0-1 name: null allowed is true, Kafka says false",
    },
    {
      what: "null too late",
      fields: { ...truth, name: string.nullable(3) },
      line: "v2 name: null allowed is false, Kafka says true",
    },
    {
      what: "default",
      fields: { ...truth, maxBytes: int32.until(2).default(1) },
      line: "v0-3 maxBytes: default is 1, Kafka says 2147483647",
    },
    {
      what: "default of a boolean",
      fields: { ...truth, flag: bool.default(false) },
      line: "v0-3 flag: default is false, Kafka says true",
    },
    {
      what: "no default",
      fields: { ...truth, epoch: int32.since(1).ignorable() },
      line: "v0-3 epoch: default is none, so 0, Kafka says -1",
    },
    {
      what: "default that Kafka leaves implicit",
      fields: { ...truth, name: string.nullable(2).default("") },
      line: 'v0-3 name: default is "", Kafka says none, so an empty string',
    },
    {
      what: "default null",
      fields: { ...truth, name: string.nullable(2).default(null) },
      line: "v0-3 name: default is null, Kafka says none, so an empty string",
    },
    {
      what: "present too early",
      fields: { ...truth, epoch: int32.default(-1).ignorable() },
      line: "v0 epoch: presence is present, Kafka says absent",
    },
    {
      what: "present too late",
      fields: { ...truth, epoch: int32.since(2).default(-1).ignorable() },
      line: "v1 epoch: presence is absent, Kafka says present",
    },
    {
      what: "present too long",
      fields: { ...truth, maxBytes: int32.default(0x7fffffff) },
      line: "v3 maxBytes: presence is present, Kafka says absent",
    },
    {
      what: "tag",
      fields: { ...truth, topics: array({ ...topic, leader: leader.since(3).tagged(1) }) },
      line: "v3 topics[].leader: tag is 1, Kafka says 0",
    },
    {
      what: "no tag",
      fields: { ...truth, topics: array({ ...topic, leader: leader.since(3) }) },
      line: "v3 topics[].leader: tag is none, Kafka says 0",
    },
    {
      what: "tag too much",
      fields: { ...truth, flag: bool.default(true).tagged(0) },
      line: "v0-3 flag: tag is 0, Kafka says none",
    },
    {
      what: "not ignorable",
      fields: { ...truth, epoch: int32.since(1).default(-1) },
      line: "v0-3 epoch: ignorable is false, Kafka says true",
    },
    {
      what: "ignorable",
      fields: { ...truth, name: string.nullable(2).ignorable() },
      line: "v0-3 name: ignorable is true, Kafka says false",
    },
    {
      what: "field inside a common struct",
      fields: {
        ...truth,
        topics: array({
          ...topic,
          leader: struct({ leaderId: int64.default(-1n) })
            .since(3)
            .tagged(0),
        }),
      },
      line: "v3 topics[].leader.leaderId: type is int64, Kafka says int32",
    },
    { what: "missing field", fields: without("flag"), line: "v0-3 flag: MISSING here, Kafka has it" },
    { what: "field too many", fields: { ...truth, rack: string }, line: "v0-3 rack: declared here, unknown to Kafka" },
    {
      what: "name",
      fields: { ...without("topics"), Topics: truth.topics },
      line: "v0-3 Topics: declared here, unknown to Kafka",
    },
    {
      what: "order",
      fields: { ...without("name"), name: truth.name },
      line: "v0-3 order is epoch, maxBytes, flag, topics, name, Kafka says name, epoch, maxBytes, flag, topics",
    },
    {
      what: "order in a struct",
      fields: { ...truth, topics: array({ leader: topic.leader, partitions: topic.partitions }) },
      line: "v0-3 topics[]: order is leader, partitions, Kafka says partitions, leader",
    },
  ];

  test.each(cases)("$what", ({ fields, line }) => {
    expect(differences(fields)).toContain(`Thing ${line}`);
  });

  function without(name: keyof typeof truth): Record<string, AnyType> {
    return Object.fromEntries(Object.entries(truth).filter(([key]) => key !== name));
  }
});

test("a field that Kafka makes flexible at other versions than its message is told: nothing can declare that", () => {
  const [name, ...others] = kafkaFields;
  const fields = [...(name === undefined ? [] : [{ ...name, flexibleVersions: "none" }]), ...others];
  expect(differences(truth, { ...schema, fields })).toEqual([
    "Thing v0-3 name: flexible is as its message, Kafka says none",
  ]);
});

describe("a wrong range of versions is told", () => {
  const message = { name: "Thing", versions: [0, 3], flexible: 3, fields: truth } as const;
  const cases = [
    { declared: blob({ ...message, name: "Thang" }), line: "Thang: name is Thang, Kafka says Thing" },
    { declared: blob({ ...message, versions: [1, 3] }), line: "Thing: range of versions is 1-3, Kafka says 0-3" },
    { declared: blob({ ...message, versions: [0, 4] }), line: "Thing: range of versions is 0-4, Kafka says 0-3" },
    { declared: blob({ ...message, flexible: 2 }), line: "Thing: first flexible version is 2, Kafka says 3" },
    {
      declared: blob({ name: "Thing", versions: [0, 3], fields: truth }),
      line: "Thing: first flexible version is Infinity, Kafka says 3",
    },
  ];
  test.each(cases)("$line", ({ declared, line }) => {
    expect(differencesOfMessage(declared, schema, { fields: 0, facts: 0 })).toContain(line);
  });
});

describe("what is wrong with an API as a whole is told", () => {
  const request: KafkaSchema = {
    type: "request",
    name: "TaskRequest",
    apiKey: 9,
    validVersions: "0-3",
    flexibleVersions: "none",
    fields: [],
  };
  const response: KafkaSchema = { ...request, type: "response", name: "TaskResponse" };
  const declared = api({ name: "Task", key: 9, versions: [0, 3], request: {}, response: {} });
  const lines = (ours = declared, asked = request, answered = response): string[] =>
    differencesOfApi(ours, asked, answered, { fields: 0, facts: 0 });

  test("nothing, of a true one", () => {
    expect(lines()).toEqual([]);
    const stable = { ...declared, latestStable: 2 };
    expect(lines(stable, { ...request, latestVersionUnstable: true })).toEqual([]);
  });
  test("the key", () => {
    expect(lines({ ...declared, key: 8 })).toEqual([
      "Task: api key is 8, Kafka says 9",
      "Task: api key of the response is 8, Kafka says 9",
    ]);
  });
  test("the latest stable version", () => {
    expect(lines({ ...declared, latestStable: 2 })).toEqual(["Task: latest stable version is 2, Kafka says 3"]);
    expect(lines(declared, { ...request, latestVersionUnstable: true })).toEqual([
      "Task: latest stable version is 3, Kafka says 2",
    ]);
  });
  test("versions of the response that are not those of the request", () => {
    expect(lines(declared, request, { ...response, validVersions: "0-4" })).toEqual([
      "TaskResponse: range of versions is 0-3, Kafka says 0-4",
    ]);
  });
});
