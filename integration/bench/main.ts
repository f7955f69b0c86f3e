import { parseArgs } from "node:util";
import { admin } from "./admin.ts";
import { codec } from "./codec.ts";
import { consume } from "./consume.ts";
import { importTime } from "./import.ts";
import { kafkajs } from "./kafkajs.ts";
import { loadAverage, machine } from "./machine.ts";
import { produce } from "./produce.ts";
import { newRun } from "./run.ts";
import type { Suite } from "./suite.ts";
import { markdown } from "./table.ts";
import { testing } from "./testing.ts";

const suites: readonly Suite[] = [codec, importTime, produce, consume, admin, kafkajs, testing];

/** `npm run bench -- [SUITE...] [--node PATH]... [--rounds 5] [--workload NAME]... [--smoke]`: measures, and prints tables. */
async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      node: { type: "string", multiple: true, default: [] },
      rounds: { type: "string", default: "5" },
      workload: { type: "string", multiple: true, default: [] },
      smoke: { type: "boolean", default: false },
    },
  });
  const chosen = positionals.length === 0 ? suites : positionals.map(suiteNamed);
  const rounds = values.smoke ? 1 : Number(values.rounds);
  if (!Number.isInteger(rounds) || (rounds < 5 && !values.smoke)) {
    throw new Error(`--rounds ${values.rounds}: it is 5 or more, for a median that means something`);
  }

  const run = newRun({ nodePaths: values.node, rounds, isSmoke: values.smoke, workloads: values.workload });
  print([...machine(run), `load average before: ${loadAverage()}`].join("\n\n"));
  for (const suite of chosen) {
    for (const table of await suite.measure(run)) print(markdown(table));
  }
  print(`load average after: ${loadAverage()}`);
}

function suiteNamed(name: string): Suite {
  const suite = suites.find((candidate) => candidate.name === name);
  if (suite === undefined) throw new Error(`no suite ${name}, only ${suites.map((each) => each.name).join(", ")}`);
  return suite;
}

function print(text: string): void {
  process.stdout.write(`${text}\n\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
