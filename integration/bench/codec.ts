import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CodecCase, codecCases } from "./codec/cases.ts";
import { writeInputs } from "./codec/input-writer.ts";
import type { Answer, Job } from "./codec/process.ts";
import { hasty, patient } from "./codec/stopwatch.ts";
import { Comparison } from "./comparison.ts";
import { type Peer, peers } from "./peer.ts";
import { inTurn, type NodeBinary, type Run, say } from "./run.ts";
import type { Suite } from "./suite.ts";
import type { Table } from "./table.ts";

/** Bytes to records and messages, and back: what each client does between the application and the socket. */
export const codec: Suite = {
  name: "codec",

  async measure(run) {
    const folder = await mkdtemp(join(tmpdir(), "odradek-bench-"));
    try {
      await writeInputs(folder);
      for (const node of run.nodes) await checkOutcomes(node, folder);
      return await timeAll(run, folder);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};

/**
 * Nothing is timed before all peers agree on what comes out: the same bytes where they encode, the same values where
 * they decode.
 *
 * @throws Error naming the work and the peer that is alone with its outcome
 */
async function checkOutcomes(node: NodeBinary, folder: string): Promise<void> {
  say(`codec: outcomes on Node ${node.version}`);
  const answers: [Peer, Answer][] = [];
  for (const peer of peers) answers.push([peer, await ask(node, { peer, folder, patience: null })]);
  for (const { name } of codecCases) {
    const outcomes = answers.flatMap(([peer, answer]) =>
      name in answer.outcomes ? [{ peer, outcome: answer.outcomes[name] }] : [],
    );
    const [first] = outcomes;
    const other = outcomes.find(({ outcome }) => outcome !== first?.outcome);
    if (other !== undefined) throw new Error(`${name}: what comes out of ${other.peer} and ${first?.peer} differs`);
  }
}

/** A peer on a Node, and what it answered in the rounds so far. */
interface Turn {
  readonly node: NodeBinary;
  readonly peer: Peer;
  readonly answers: Answer[];
}

async function timeAll(run: Run, folder: string): Promise<Table[]> {
  const turns = run.nodes.flatMap((node) => peers.map((peer): Turn => ({ node, peer, answers: [] })));
  for (let round = 0; round < run.rounds; round++) {
    for (const { node, peer, answers } of inTurn(turns, round)) {
      say(`codec: round ${round + 1} of ${run.rounds}, ${peer} on Node ${node.version}`);
      answers.push(await ask(node, { peer, folder, patience: run.isSmoke ? hasty : patient }));
    }
  }
  return run.nodes.map((node) => {
    const comparison = new Comparison(run, node, peers);
    for (const turn of turns.filter((each) => each.node === node)) {
      for (const work of codecCases) {
        const values = valuesOf(work, turn.answers);
        if (values.length === 0) continue;
        comparison.add({ runId: run.id, nodeVersion: node.version, peer: turn.peer, work: work.name, values });
      }
    }
    return comparison.table("Codec", codecCases);
  });
}

function valuesOf(work: CodecCase, answers: readonly Answer[]): number[] {
  return answers.flatMap(({ ns: { [work.name]: ns } }) => (ns === undefined ? [] : [work.valueOf(ns)]));
}

/** Has a job done by a process of its own. */
async function ask(node: NodeBinary, job: Job): Promise<Answer> {
  const child = fork(require.resolve("./codec/process.js"), {
    execPath: node.path,
    execArgv: ["--expose-gc"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  try {
    child.send(job);
    const lost = once(child, "exit").then(() => {
      throw new Error(`${job.peer} ended without an answer`);
    });
    const [answer] = await Promise.race([once(child, "message"), lost]);
    return answer;
  } finally {
    if (child.connected) child.disconnect();
  }
}
