import { describe, expect, test } from "vitest";
import { libraries, make } from "./libraries.ts";

const source = Object.assign(new Error("out"), { type: "SOME", code: 7, retriable: true, helpUrl: "https://help" });
const protocol = { type: "SOME", code: 7, helpUrl: "https://help" };

/** Arguments, the classes that it is an instance of besides KafkaJSError, and what it has. */
type Row = readonly [
  name: string,
  args: readonly unknown[],
  bases: readonly string[],
  properties: Readonly<Record<string, unknown>>,
];

const nonRetriable = "KafkaJSNonRetriableError";
const protocolError = "KafkaJSProtocolError";

const rows: readonly Row[] = [
  ["KafkaJSError", ["out"], [], { retriable: true, helpUrl: undefined, cause: undefined }],
  ["KafkaJSError", [source], [], { retriable: true, helpUrl: "https://help", message: "out" }],
  ["KafkaJSError", ["out", { retriable: false, cause: source }], [], { retriable: false, cause: source }],
  [nonRetriable, ["out", { cause: source }], [], { retriable: false, cause: source }],
  [protocolError, [source], [], { ...protocol, retriable: true }],
  [protocolError, [source, { retriable: false }], [], { ...protocol, retriable: false }],
  [
    "KafkaJSOffsetOutOfRange",
    [source, { topic: "a", partition: 1 }],
    [protocolError],
    { ...protocol, topic: "a", partition: 1 },
  ],
  ["KafkaJSMemberIdRequired", [source, { memberId: "m" }], [protocolError], { ...protocol, memberId: "m" }],
  ["KafkaJSCreateTopicError", [source, "a"], [protocolError], { ...protocol, topic: "a" }],
  [
    "KafkaJSAlterPartitionReassignmentsError",
    [source, "a", 2],
    [protocolError],
    { ...protocol, topic: "a", partition: 2 },
  ],
  [
    "KafkaJSConnectionError",
    ["out", { broker: "b:1", code: "ECONNREFUSED" }],
    [],
    { broker: "b:1", code: "ECONNREFUSED", retriable: true },
  ],
  [
    "KafkaJSConnectionClosedError",
    ["out", { host: "b", port: 1 }],
    ["KafkaJSConnectionError"],
    { broker: "b:1", host: "b", port: 1 },
  ],
  [
    "KafkaJSRequestTimeoutError",
    ["out", { broker: "b:1", correlationId: 1, createdAt: 2, sentAt: 3, pendingDuration: 4 }],
    [],
    { broker: "b:1", correlationId: 1, createdAt: 2, sentAt: 3, pendingDuration: 4, retriable: true },
  ],
  ["KafkaJSMetadataNotLoaded", ["out"], [], { retriable: true }],
  ["KafkaJSTopicMetadataNotLoaded", ["out", { topic: "a" }], ["KafkaJSMetadataNotLoaded"], { topic: "a" }],
  [
    "KafkaJSStaleTopicMetadataAssignment",
    ["out", { topic: "a", unknownPartitions: [3] }],
    [],
    { topic: "a", unknownPartitions: [3] },
  ],
  ["KafkaJSDeleteGroupsError", ["out", [{ groupId: "g" }]], [], { groups: [{ groupId: "g" }] }],
  ["KafkaJSDeleteGroupsError", ["out"], [], { groups: [] }],
  ["KafkaJSBrokerNotFound", ["out"], [], { retriable: true }],
  [
    "KafkaJSNumberOfRetriesExceeded",
    [source, { retryCount: 5, retryTime: 600 }],
    [nonRetriable],
    { cause: source, retryCount: 5, retryTime: 600, retriable: false },
  ],
  ["KafkaJSPartialMessageError", ["out"], [nonRetriable], { retriable: false }],
  ["KafkaJSSASLAuthenticationError", ["out"], [nonRetriable], { retriable: false }],
  ["KafkaJSGroupCoordinatorNotFound", ["out"], [nonRetriable], { retriable: false }],
  ["KafkaJSNotImplemented", ["out"], [nonRetriable], { retriable: false }],
  ["KafkaJSTimeout", ["out"], [nonRetriable], { retriable: false }],
  ["KafkaJSLockTimeout", ["out"], [nonRetriable, "KafkaJSTimeout"], { retriable: false }],
  [
    "KafkaJSServerDoesNotSupportApiKey",
    ["out", { apiKey: 3, apiName: "Metadata" }],
    [nonRetriable],
    { apiKey: 3, apiName: "Metadata" },
  ],
  ["KafkaJSUnsupportedMagicByteInMessageSet", ["out"], [nonRetriable], { retriable: false }],
];

describe.each(libraries)("errors of %s", (_, library) => {
  const isA = (error: object, name: string): boolean => {
    const found = library[name];
    return typeof found === "function" && error instanceof found;
  };

  test.each(rows)("%s %j", (name, args, bases, properties) => {
    const error = make(library, name, ...args);
    expect(error).toMatchObject({ name, message: "out", ...properties });
    expect(Object.keys(properties).filter((property) => !(property in error))).toEqual([]);
    expect([name, "KafkaJSError", ...bases].filter((base) => !isA(error, base))).toEqual([]);
    expect(isA(error, nonRetriable)).toBe(name === nonRetriable || bases.includes(nonRetriable));
    expect(error instanceof Error).toBe(true);
  });

  test("what prints an error leaves out its cause", () => {
    const error = make(library, "KafkaJSError", "out", { cause: source });
    expect(Object.keys(error).sort()).toEqual(["helpUrl", "name", "retriable"]);
  });

  test("who gave up says after what", () => {
    const error = make(library, "KafkaJSNumberOfRetriesExceeded", source, { retryCount: 5, retryTime: 600 });
    expect(Reflect.get(error, "stack")).toBe(`KafkaJSNonRetriableError\n  Caused by: ${source.stack}`);
  });

  test.each(["KafkaJSInvalidVarIntError", "KafkaJSInvalidLongError"])("%s has the name of its base", (name) => {
    const error = make(library, name, "out");
    expect(error).toMatchObject({ name: nonRetriable, message: "out", retriable: false });
    expect(isA(error, name)).toBe(true);
  });

  test("KafkaJSAggregateError is no KafkaJSError", () => {
    const error = make(library, "KafkaJSAggregateError", "out", [source]);
    expect(error).toMatchObject({ name: "KafkaJSAggregateError", message: "out", errors: [source] });
    expect(isA(error, "KafkaJSError")).toBe(false);
  });

  test("KafkaJSDeleteTopicRecordsError is retriable where all that went wrong is", () => {
    const partitions = (...retriable: readonly (boolean | null)[]) =>
      retriable.map((can) => ({ partition: 0, offset: "1", error: can === null ? null : { retriable: can } }));
    const of = (...retriable: readonly (boolean | null)[]) =>
      make(library, "KafkaJSDeleteTopicRecordsError", { partitions: partitions(...retriable) });
    expect(of(true, null)).toMatchObject({ retriable: true, partitions: partitions(true, null) });
    expect(of(true, false)).toMatchObject({ retriable: false, message: "Error while deleting records" });
  });

  test("KafkaJSInvariantViolation asks for a report", () => {
    expect(make(library, "KafkaJSInvariantViolation", "out")).toMatchObject({
      name: "KafkaJSInvariantViolation",
      message: "Invariant violated: out. This is likely a bug and should be reported.",
      retriable: false,
    });
  });

  test("KafkaJSNoBrokerAvailableError has a text of its own", () => {
    expect(make(library, "KafkaJSNoBrokerAvailableError")).toMatchObject({
      name: "KafkaJSNoBrokerAvailableError",
      message: "No broker available",
    });
  });
});
