import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const page = readFileSync(new URL("../../HOSTILE.md", import.meta.url), "utf8");
const [tables = ""] = page.split("## Measured");
const rows = tables.split("\n").filter((line) => line.startsWith("| ") && !line.includes("| what happens |"));

test("every row of the page about hostile peers names tests that are there", () => {
  const bare = rows.filter((row) => {
    const paths = [...row.matchAll(/\]\(([^)]+\.test\.ts)\)/g)].map(([, path]) => path ?? "");
    return paths.length === 0 || !paths.every((path) => existsSync(new URL(`../../${path}`, import.meta.url)));
  });
  expect(bare).toEqual([]);
  expect(rows.length).toBeGreaterThan(40);
});

test("every option that the page names is one", () => {
  const names = [...page.matchAll(/`((?:receive|max|retry|check|default|request|throttle)[A-Z]\w*)`/g)].map(
    ([, name]) => name ?? "",
  );
  const sources = ["network/src/client-options.ts", "consumer/src/consumer-options.ts"]
    .map((path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"))
    .join("");
  expect([...new Set(names)].filter((name) => !sources.includes(`readonly ${name}?:`))).toEqual([]);
  expect(names.length).toBeGreaterThan(10);
});
