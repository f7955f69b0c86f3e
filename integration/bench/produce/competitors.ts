import { fork } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { packages } from "../peer.ts";
import type { NodeBinary, Run } from "../run.ts";
import { JavaTool } from "./java.ts";
import { hasty, type Outcome, patient } from "./load.ts";
import { versionOfConfluent } from "./native.ts";
import { payloadValues } from "./payloads.ts";
import type { Job } from "./process.ts";
import { type Client, clients } from "./producers.ts";
import type { Target } from "./target.ts";
import type { Workload } from "./workloads.ts";

/** Somebody who sends, in a process of their own each time. */
export interface Competitor {
  readonly name: string;
  /** @returns `null` for what it cannot do */
  measure(target: Target, workload: Workload): Promise<Outcome | null>;
}

/** Who is there on a Node, and what is to be said of them and of those that are not. */
export interface Field {
  readonly present: readonly Competitor[];
  readonly notes: readonly string[];
}

/** The columns of a table, whoever is there. */
export const competitorNames: readonly string[] = [...clients, "java"];

/** `@platformatic/kafka` calls what Node has only since. */
const platformaticMajor = 22;
/** A process that has not ended by then hangs. */
const longestTurnMs = 180_000;
/** What Java's tool sends where nobody looks at the result. */
const smokeRecords = 2_000;

/** @param folder for the input of Java's tool */
export async function fieldOn(node: NodeBinary, run: Run, folder: string): Promise<Field> {
  const present: Competitor[] = [];
  const notes: string[] = [];
  const client = (name: Client): Competitor => ({ name, measure: (...turn) => ask(node, run, name, ...turn) });
  const unlessMissing = async (name: string, find: () => Promise<readonly [Competitor, string]>): Promise<void> => {
    try {
      const [competitor, version] = await find();
      present.push(competitor);
      notes.push(`${name} is ${version}`);
    } catch (error) {
      notes.push(`${name} is missing: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  for (const name of ["odradek", "kafkajs"] as const) present.push(client(name));
  await unlessMissing("platformatic", async () => {
    if (Number.parseInt(node.version.slice(1), 10) < platformaticMajor) {
      throw new Error(`it is for Node ${platformaticMajor} and later`);
    }
    return [client("platformatic"), packages.platformatic];
  });
  await unlessMissing("confluent", async () => {
    if (run.isSmoke) throw new Error("a smoke run is without native code");
    return [client("confluent"), await versionOfConfluent(node)];
  });
  await unlessMissing("java", async () => {
    const tool = await JavaTool.find();
    return [{ name: "java", measure: (...turn) => runJava(tool, run, folder, ...turn) }, tool.version];
  });
  return { present, notes };
}

async function ask(
  node: NodeBinary,
  run: Run,
  client: Client,
  target: Target,
  { name: workload }: Workload,
): Promise<Outcome | null> {
  const child = fork(require.resolve("./process.js"), {
    execPath: node.path,
    // kafkajs asks for timers of negative length, of which newer Nodes warn.
    execArgv: ["--disable-warning=TimeoutNegativeWarning"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    signal: AbortSignal.timeout(longestTurnMs),
    killSignal: "SIGKILL",
  });
  try {
    const job: Job = { client, target, workload, patience: run.isSmoke ? hasty : patient };
    child.send(job);
    const lost = once(child, "exit").then(() => {
      throw new Error("its process ended without an answer");
    });
    const [{ outcome }] = await Promise.race([once(child, "message"), lost]);
    return outcome;
  } finally {
    if (child.connected) child.disconnect();
  }
}

async function runJava(tool: JavaTool, run: Run, folder: string, target: Target, workload: Workload): Promise<Outcome> {
  const valuesFile = join(folder, `values-${workload.valueBytes}`);
  await writeFile(valuesFile, payloadValues(workload.valueBytes).join("\n"));
  return tool.run(target, { records: run.isSmoke ? smokeRecords : workload.javaRecords, valuesFile });
}
