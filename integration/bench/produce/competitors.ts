import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { askClient } from "../client-process.ts";
import type { Client, Field } from "../field.ts";
import type { JavaPrograms } from "../java-program.ts";
import type { NodeBinary, Run } from "../run.ts";
import { runJavaProducer } from "./java.ts";
import { hasty, type Outcome, patient } from "./load.ts";
import { payloadValues } from "./payloads.ts";
import type { Job } from "./process.ts";
import type { Target } from "./target.ts";
import type { Workload } from "./workloads.ts";

/** Somebody who sends, in a process of their own each time. */
export interface Competitor {
  readonly name: string;
  /** @returns `null` for what it cannot do */
  measure(target: Target, workload: Workload): Promise<Outcome | null>;
}

const longestTurnMs = 180_000;
/** What Java's tool sends where nobody looks at the result. */
const smokeRecords = 2_000;

/** @param folder for the input of Java's tool */
export function competitorsOn(node: NodeBinary, { clients, java }: Field, run: Run, folder: string): Competitor[] {
  const ofNode = clients.map((name): Competitor => ({ name, measure: (...turn) => ask(node, run, name, ...turn) }));
  if (java === null) return ofNode;
  return [...ofNode, { name: "java", measure: (...turn) => runJava(java, run, folder, ...turn) }];
}

function ask(
  node: NodeBinary,
  run: Run,
  client: Client,
  target: Target,
  { name: workload }: Workload,
): Promise<Outcome | null> {
  const job: Job = { client, target, workload, patience: run.isSmoke ? hasty : patient };
  return askClient({ node, program: require.resolve("./process.js"), job, longestMs: longestTurnMs });
}

async function runJava(
  java: JavaPrograms,
  run: Run,
  folder: string,
  target: Target,
  workload: Workload,
): Promise<Outcome> {
  const valuesFile = join(folder, `values-${workload.valueBytes}`);
  await writeFile(valuesFile, payloadValues(workload.valueBytes).join("\n"));
  return runJavaProducer(java, target, { records: run.isSmoke ? smokeRecords : workload.javaRecords, valuesFile });
}
