import { askClient } from "../client-process.ts";
import type { JavaPrograms } from "../java-program.ts";
import type { NodeBinary } from "../run.ts";
import { admins } from "./admins.ts";
import { runJavaAdmin } from "./java.ts";
import type { Outcome } from "./outcome.ts";
import type { Job } from "./process.ts";
import type { Target } from "./target.ts";

/** Somebody who asks, in a process of their own each time. */
export interface Competitor {
  readonly name: string;
  measure(target: Target, calls: number): Promise<Outcome>;
}

/** The columns of a table, whoever is there. */
export const competitorNames: readonly string[] = [...admins, "java"];

/** `kafkajs` looks for all topics that it was asked about before, again for each new one. */
const longestTurnMs = 600_000;

/** @param java `null` where there is none that could take part */
export function competitorsOn(node: NodeBinary, java: JavaPrograms | null): Competitor[] {
  const program = require.resolve("./process.js");
  const ofNode = admins.map((client): Competitor => {
    const measure = (target: Target, calls: number): Promise<Outcome> => {
      const job: Job = { client, target, calls };
      return askClient({ node, program, job, longestMs: longestTurnMs });
    };
    return { name: client, measure };
  });
  if (java === null) return ofNode;
  return [...ofNode, { name: "java", measure: (target, calls) => runJavaAdmin(java, target, calls, longestTurnMs) }];
}
