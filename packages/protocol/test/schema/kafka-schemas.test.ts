import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseSchema, parseVersions, readKafkaSchemas } from "./kafka-schemas.ts";

test("without the jar, one line says how to get it", () => {
  const empty = mkdtempSync(join(tmpdir(), "odradek-"));
  try {
    for (const cache of [empty, join(empty, "missing")]) {
      expect(() => readKafkaSchemas("4.3.1", cache)).toThrow(
        `no kafka-clients-4.3.1.jar in ${cache}: run "node integration/setup.mjs jars" to get it`,
      );
    }
  } finally {
    rmSync(empty, { recursive: true });
  }
});

describe("Kafka's JSON", () => {
  test("may have comments, and text that looks like one", () => {
    const text = `// head\n{ "name": "A//B", // tail\n "type": "data", "validVersions": "none" }`;
    expect(parseSchema(text, "A.json")).toEqual({ name: "A//B", type: "data", validVersions: "none" });
  });

  test("with an attribute that nothing here compares is refused", () => {
    const field = { name: "Id", type: "int32", versions: "0+", packed: true };
    const text = JSON.stringify({
      name: "A",
      type: "data",
      validVersions: "0",
      fields: [{ name: "B", fields: [field] }],
    });
    expect(() => parseSchema(text, "A.json")).toThrow("A.json.B.Id: nothing here knows what packed means");
  });

  test("names ranges of versions", () => {
    expect(parseVersions("3")).toEqual({ first: 3, last: 3 });
    expect(parseVersions("0-12")).toEqual({ first: 0, last: 12 });
    expect(parseVersions("4+")).toEqual({ first: 4, last: Number.POSITIVE_INFINITY });
    expect(parseVersions("none").last).toBeLessThan(0);
    expect(() => parseVersions("4-")).toThrow('"4-" is not a range of versions');
  });
});
