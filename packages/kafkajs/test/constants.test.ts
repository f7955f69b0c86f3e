import { describe, expect, test } from "vitest";
import { libraries } from "./libraries.ts";

const [[, original], [, ours]] = [libraries[0]!, libraries[1]!];

const enums = [
  "logLevel",
  "CompressionTypes",
  "ConfigResourceTypes",
  "ConfigSource",
  "AclResourceTypes",
  "AclOperationTypes",
  "AclPermissionTypes",
  "ResourcePatternTypes",
];

test.each(enums)("%s has the same names and numbers, and no way back from number to name", (name) => {
  expect(ours[name]).toEqual(original[name]);
});

describe("exports", () => {
  test("are those of kafkajs", () => {
    expect(Object.keys(ours).sort()).toEqual(Object.keys(original).sort());
  });

  test("are of the same kinds", () => {
    const kinds = Object.entries(ours).map(([name, value]) => [name, typeof value]);
    expect(kinds).toEqual(Object.keys(ours).map((name) => [name, typeof original[name]]));
  });
});
