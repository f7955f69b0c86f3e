import { randomUUID } from "node:crypto";
import { askClient } from "../client-process.ts";
import type { Client, Field } from "../field.ts";
import type { JavaPrograms } from "../java-program.ts";
import type { NodeBinary, Run } from "../run.ts";
import { firstOfJava, readWithJava } from "./java.ts";
import type { Outcome } from "./outcome.ts";
import { hasty, patient } from "./patience.ts";
import type { Job } from "./process.ts";
import type { Source } from "./sink.ts";
import type { Workload } from "./workloads.ts";

/** What a turn is about. */
export interface Turn {
  readonly workload: Workload;
  readonly bootstrapServers: readonly string[];
  readonly topic: string;
  /** How many are in the topic. */
  readonly records: number;
}

/** Somebody who reads, in a process of their own and as a member of a new group each time. */
export interface Competitor {
  readonly name: string;
  /**
   * @returns `null` for what it cannot do
   * @throws Error where records are missing among those that came, or came twice
   */
  measure(turn: Turn): Promise<Outcome | null>;
}

const longestTurnMs = 120_000;
/** Java's tool takes seconds to start: this is enough to show that it runs. */
const smokeOfJava = "bulk";

export function competitorsOn(node: NodeBinary, { clients, java }: Field, run: Run): Competitor[] {
  const ofNode = clients.map((name): Competitor => ({ name, measure: (turn) => ask(node, run, name, turn) }));
  if (java === null) return ofNode;
  return [...ofNode, { name: "java", measure: (turn) => runJava(java, run, turn) }];
}

/** @param nodeOptions of the client's Node, on top */
export function ask(
  node: NodeBinary,
  { isSmoke }: Run,
  client: Client,
  turn: Turn,
  nodeOptions: readonly string[] = [],
): Promise<Outcome | null> {
  const { workload, records } = turn;
  const patience = isSmoke ? hasty : patient;
  const job: Job = { client, source: sourceOf(turn), workload: workload.name, records, patience };
  return askClient({ node, program: require.resolve("./process.js"), job, longestMs: longestTurnMs, nodeOptions });
}

async function runJava(java: JavaPrograms, { isSmoke }: Run, turn: Turn): Promise<Outcome | null> {
  const { name, measure, style } = turn.workload;
  if (style === "each" || (isSmoke && name !== smokeOfJava)) return null;
  switch (measure) {
    case "rate":
      return readWithJava(java, sourceOf(turn), turn.records);
    case "first":
      return firstOfJava(java, sourceOf(turn));
    case "latency":
      return null;
  }
}

function sourceOf({ workload, bootstrapServers, topic }: Turn): Source {
  const { style, content } = workload;
  return { bootstrapServers, topic, groupId: `bench-${randomUUID()}`, compression: content.compression, style };
}
