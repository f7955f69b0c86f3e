import { createHash } from "node:crypto";
import type { Peer } from "../peer.ts";
import { codecCases } from "./cases.ts";
import { Inputs } from "./inputs.ts";
import { forget, type Patience, timeTask } from "./stopwatch.ts";
import type { PeerCodec, Task } from "./task.ts";

/** What the process of one peer is asked to do: to show what comes out of its tasks, or to time them. */
export interface Job {
  readonly peer: Peer;
  /** Where the inputs are. */
  readonly folder: string;
  /** `null` asks for outcomes. */
  readonly patience: Patience | null;
}

/** By name of the case, and without those that the peer cannot do: digests of what came out, or nanoseconds. */
export interface Answer {
  readonly outcomes: Readonly<Record<string, string>>;
  readonly ns: Readonly<Record<string, number>>;
}

/** A peer is loaded where it is measured, and nowhere else. */
const codecs: Readonly<Record<Peer, () => Promise<PeerCodec>>> = {
  odradek: async () => (await import("./odradek.ts")).odradekCodec,
  kafkajs: async () => (await import("./kafkajs.ts")).kafkaJsCodec,
  platformatic: async () => (await import("./platformatic.ts")).platformaticCodec(),
};

async function answer({ peer, folder, patience }: Job): Promise<Answer> {
  const codec = await codecs[peer]();
  const inputs = new Inputs(folder);
  const outcomes: Record<string, string> = {};
  const ns: Record<string, number> = {};
  for (const work of codecCases) {
    const task = await work.prepare(codec, inputs);
    if (task === null) continue;
    if (patience === null) outcomes[work.name] = await digest(task);
    else ns[work.name] = await timeTask(task, patience);
    forget();
  }
  return { outcomes, ns };
}

async function digest(task: Task): Promise<string> {
  return createHash("sha256")
    .update(JSON.stringify(await task.outcome()))
    .digest("base64url");
}

process.once("message", (job: Job) => {
  answer(job).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      process.stderr.write(`${job.peer}: ${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    },
  );
});
// The end of who asked is the end of this process too.
process.once("disconnect", () => process.exit());
