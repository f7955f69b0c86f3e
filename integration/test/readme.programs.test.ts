import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { root, run, runUntil } from "./program.ts";

/** What each block of TypeScript prints, in the order of the page: they are run one after the other. */
const printed: readonly { readonly heading: string; readonly expected: readonly RegExp[]; readonly goesOn?: true }[] = [
  { heading: "Produce", expected: [/^orders-\d @ 0$/, /^\w+ no$/] },
  // It is told to end by SIGTERM.
  { heading: "Consume", expected: [/^0n 42 \{ total: 7 \}$/], goesOn: true },
  { heading: "A transaction", expected: [/^1 orders have their invoice$/] },
  { heading: "Test a service without Kafka", expected: [/^seven$/] },
  { heading: "Coming from kafkajs", expected: [/^0 seven$/], goesOn: true },
];

/** Those of a user with a strict project. */
const compilerOptions = {
  strict: true,
  target: "es2022",
  lib: ["es2023", "esnext.disposable"],
  module: "nodenext",
  types: ["node"],
};

/** Where the packages are found, as they are in a project that installed them. */
const folder = "integration/dist/readme";

const readme = readFileSync(`${root}README.md`, "utf8");

const blocks = readme
  .split(/^## /m)
  .flatMap((section) => [...section.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = ""]) => ({ section, code })))
  .map(({ section, code }, index) => ({ heading: section.split("\n")[0], code, name: `${index + 1}` }));

beforeAll(async () => {
  mkdirSync(`${root}${folder}`, { recursive: true });
  const servers = inject("bootstrapServers").map((server) => JSON.stringify(server));
  for (const { code, name } of blocks) {
    writeFileSync(`${root}${folder}/${name}.mts`, code.replaceAll('"localhost:9092"', servers.join(", ")));
  }
  writeFileSync(`${root}${folder}/tsconfig.json`, JSON.stringify({ compilerOptions }));
  await promisify(execFile)("node_modules/.bin/tsc", ["-p", folder], { cwd: root }).catch(
    ({ stdout }: { stdout: string }) => {
      throw new Error(`the README does not compile:\n${stdout}`);
    },
  );
});
afterAll(() => rmSync(`${root}${folder}`, { recursive: true }));

test("each block of TypeScript is here", () => {
  expect(blocks.map(({ heading }) => heading)).toEqual(printed.map(({ heading }) => heading));
  expect(readme.match(/^```(ts|js|typescript|javascript)/gm)).toHaveLength(blocks.length);
});

test.each(printed.map((block, index) => ({ goesOn: false, ...block, program: `${folder}/${index + 1}.mjs` })))(
  "$heading: what the README says runs",
  async ({ expected, goesOn, program }) => {
    const { lines, code } = goesOn
      ? await runUntil(expected.length, program)
      : { lines: (await run(program)).trimEnd().split("\n"), code: 0 };
    expect(lines).toEqual(expected.map((line) => expect.stringMatching(line)));
    expect(code).toBe(0);
  },
);
