import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const original = dirname(createRequire(import.meta.url).resolve("kafkajs/package.json"));
const declarations = readFileSync(join(original, "types/index.d.ts"), "utf8");
const pairs = readFileSync(new URL("types/pairs.ts", import.meta.url), "utf8");

/** What is compared there is for the compiler to say (`npm run types`); here is said that nothing is left out. */
test("each name of kafkajs' types is compared with ours", () => {
  const names = [...declarations.matchAll(/^export (?:type|interface|class|enum|const|var) (\w+)/gm)];
  const compared = new Set([...pairs.matchAll(/original\.(\w+)/g)].map(([, name]) => name));
  expect(names).toHaveLength(167);
  expect(names.map(([, name]) => name).filter((name) => !compared.has(name))).toEqual([]);
});
