import { OptionReader, OptionsError } from "@odradek/network";
import { describe, expect, test } from "vitest";
import { resolveGroupOptions } from "../../src/group/group-options.ts";
import { commonProtocol } from "../../src/group/partition-assignor.ts";

const resolved = (options: object) => {
  const reader = new OptionReader(options);
  const group = resolveGroupOptions(reader);
  reader.finish();
  return group;
};

const assign = () => [];
const custom = { name: "mine", assign };
const raw = { name: "raw", metadata: () => Buffer.alloc(0), topicsOf: assign, assignRaw: assign };

describe("resolveGroupOptions", () => {
  test("has the defaults of Kafka's Java client", () => {
    const { partitionAssignmentStrategy, ...others } = resolved({ groupId: "billing" });
    expect(others).toEqual({
      groupId: "billing",
      groupInstanceId: null,
      groupProtocol: "classic",
      groupRemoteAssignor: null,
      sessionTimeoutMs: 45_000,
      heartbeatIntervalMs: 3_000,
      maxPollIntervalMs: 300_000,
      enableAutoCommit: true,
      autoCommitIntervalMs: 5_000,
      excludeInternalTopics: true,
      clientRack: null,
    });
    expect(partitionAssignmentStrategy.map(({ name }) => name)).toEqual(["range", "cooperative-sticky"]);
  });

  test("commits nothing by itself without a group", () => {
    expect(resolved({})).toMatchObject({ groupId: null, enableAutoCommit: false });
    expect(resolved({ enableAutoCommit: false }).enableAutoCommit).toBe(false);
  });

  test("knows the assignors that come with it, and takes others, the best liked first", () => {
    const given = ["sticky", custom, "roundrobin", "range", "cooperative-sticky"];
    const { partitionAssignmentStrategy } = resolved({ groupId: "billing", partitionAssignmentStrategy: given });
    expect(partitionAssignmentStrategy.map(({ name }) => name)).toEqual([
      "sticky",
      "mine",
      "roundrobin",
      "range",
      "cooperative-sticky",
    ]);
    expect(partitionAssignmentStrategy[1]).toBe(custom);
  });

  test.each<[string, unknown]>([
    ["groupId", ""],
    ["groupId", 7],
    ["groupInstanceId", ""],
    ["groupProtocol", "modern"],
    ["groupRemoteAssignor", ""],
    ["sessionTimeoutMs", 0],
    ["sessionTimeoutMs", 2 ** 31],
    ["heartbeatIntervalMs", 0],
    ["heartbeatIntervalMs", 1.5],
    ["heartbeatIntervalMs", 45_000],
    ["maxPollIntervalMs", 0],
    ["maxPollIntervalMs", 2 ** 31],
    ["enableAutoCommit", "yes"],
    ["autoCommitIntervalMs", -1],
    ["excludeInternalTopics", 1],
    ["clientRack", ""],
    ["partitionAssignmentStrategy", []],
    ["partitionAssignmentStrategy", "range"],
    ["partitionAssignmentStrategy", ["range", "range"]],
    ["partitionAssignmentStrategy", [custom, { ...custom, name: "range" }, "range"]],
    ["partitionAssignmentStrategy", ["range", { ...custom, protocols: ["cooperative"] }]],
  ])("refuses %s: %j", (option, value) => {
    const options = { groupId: "billing", [option]: value };
    expect(() => resolved(options)).toThrow(OptionsError);
    expect(() => resolved(options)).toThrow(`option ${option}: `);
  });

  test("take an assignor with bytes of its own", () => {
    expect(resolved({ groupId: "billing", partitionAssignmentStrategy: [raw] }).partitionAssignmentStrategy).toEqual([
      raw,
    ]);
  });

  test.each<unknown>([
    "Range",
    "toString",
    null,
    { name: "mine" },
    { assign },
    { name: "", assign },
    { name: "mine", assign: 7 },
    { ...custom, userData: 7 },
    { ...custom, protocols: [] },
    { ...custom, protocols: ["lazy"] },
    { ...custom, protocols: "eager" },
    { ...custom, assignRaw: assign },
    { ...raw, topicsOf: undefined },
    { ...raw, protocols: ["cooperative"] },
  ])("refuses an assignor that is none: %j", (assignor) => {
    const options = { groupId: "billing", partitionAssignmentStrategy: ["range", assignor] };
    expect(() => resolved(options)).toThrow("option partitionAssignmentStrategy[1]: ");
  });

  test.each<[string, object, string]>([
    ["commits without a group", { enableAutoCommit: true }, "enableAutoCommit: a groupId"],
    ["a static member without a group", { groupInstanceId: "host-1" }, "groupInstanceId: a groupId"],
    [
      "heartbeats that are no more frequent than the session is long",
      { groupId: "g", sessionTimeoutMs: 3_000 },
      "heartbeatIntervalMs: less than sessionTimeoutMs (3000)",
    ],
    [
      "what only brokers divide with, in a classic group",
      { groupId: "g", groupRemoteAssignor: "uniform" },
      "groupProtocol: another one where groupRemoteAssignor is set",
    ],
    ...["partitionAssignmentStrategy", "sessionTimeoutMs", "heartbeatIntervalMs"].map(
      (name): [string, object, string] => [
        `${name} where the broker decides that`,
        { groupId: "g", groupProtocol: "consumer", [name]: name.endsWith("Ms") ? 5_000 : ["range"] },
        `groupProtocol: another one where ${name} is set`,
      ],
    ),
  ])("refuses %s", (_, options, message) => {
    expect(() => resolved(options)).toThrow(`option ${message}`);
  });
});

describe("commonProtocol", () => {
  const eager = { name: "e", assign };
  const cooperative = { name: "c", assign, protocols: ["cooperative"] } as const;
  const both = { name: "b", assign, protocols: ["cooperative", "eager"] } as const;
  test.each([
    [[eager, both], "eager"],
    [[both], "cooperative"],
    [[both, cooperative], "cooperative"],
    [[eager, cooperative], null],
  ])("is the best that all have: %j", (assignors, protocol) => {
    expect(commonProtocol(assignors)).toBe(protocol);
  });
});
