import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { softwareName, softwareVersion } from "../src/software.ts";

describe("what brokers are told of this software", () => {
  test("is the version of the package", () => {
    const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    expect(manifest).toMatchObject({ version: softwareVersion });
  });

  test.each([softwareName, softwareVersion])("%s has the form that brokers insist on", (text) => {
    expect(text).toMatch(/^[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?$/);
  });
});
