import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

const root = new URL("../../..", import.meta.url).pathname;

const tests = readdirSync(`${root}examples/test`).map((name) => readFileSync(`${root}examples/test/${name}`, "utf8"));

const blocks = [...readFileSync(`${root}packages/testing/TESTING.md`, "utf8").matchAll(/```ts\n(.*?)```/gs)].flatMap(
  ([, block]) => block ?? [],
);

test("the page about testing shows tests that run", () => {
  expect(blocks.length).toBeGreaterThan(0);
  expect(blocks.filter((block) => !tests.some((text) => text.includes(block)))).toEqual([]);
});
