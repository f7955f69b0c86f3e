import { describe, expect, test } from "vitest";
import { type Library, libraries } from "./libraries.ts";

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
  test("are the 44 of kafkajs", () => {
    expect(Object.keys(original)).toHaveLength(44);
    expect(Object.keys(ours).sort()).toEqual(Object.keys(original).sort());
  });

  test("are of the same kinds", () => {
    const kindsOf = (library: Library) => Object.keys(original).map((name) => [name, typeof library[name]]);
    expect(kindsOf(ours)).toEqual(kindsOf(original));
  });
});
