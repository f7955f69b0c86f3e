import { fork } from "node:child_process";
import { once } from "node:events";
import type { NodeBinary } from "./run.ts";

/** A process that does one job of one client, and answers once. */
export interface ClientProcess<Job> {
  readonly node: NodeBinary;
  /** The compiled program, which answers its first message. */
  readonly program: string;
  readonly job: Job;
  /** One that has not ended by then hangs, and is killed. */
  readonly longestMs: number;
  /** Options of its Node, on top. */
  readonly nodeOptions?: readonly string[];
}

/** How long it may take to end once it has answered. */
const graceMs = 3_000;

/**
 * @returns what it answered, when it has ended
 * @throws Error where it ended without an answer; what it says of that is on stderr
 */
export async function askClient<Job extends object, Outcome>(asked: ClientProcess<Job>): Promise<Outcome> {
  const { node, program, job, longestMs, nodeOptions = [] } = asked;
  const child = fork(program, {
    execPath: node.path,
    // kafkajs asks for timers of negative length, of which newer Nodes warn.
    execArgv: ["--disable-warning=TimeoutNegativeWarning", ...nodeOptions],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    signal: AbortSignal.timeout(longestMs),
    killSignal: "SIGKILL",
  });
  const ended = once(child, "exit");
  try {
    child.send(job);
    const lost = ended.then(() => {
      throw new Error("its process ended without an answer");
    });
    const [{ outcome }] = await Promise.race([once(child, "message"), lost]);
    return outcome;
  } finally {
    if (child.connected) child.disconnect();
    // One that is busy with what nobody waits for any more does not notice.
    const impatience = setTimeout(() => child.kill("SIGKILL"), graceMs);
    // Where it was killed for its time, this fails as the try did.
    await ended.catch(() => {});
    clearTimeout(impatience);
  }
}

/** What such a process does: the other end of `askClient`. */
export function answerOnce<Job extends { readonly client: string }>(answer: (job: Job) => Promise<unknown>): void {
  process.once("message", (job: Job) => {
    answer(job).then(
      (outcome) => process.send?.({ outcome }),
      (error: unknown) => {
        process.stderr.write(`${job.client}: ${error instanceof Error ? error.stack : String(error)}\n`);
        process.exit(1);
      },
    );
  });
  // The end of who asked is the end of this process too.
  process.once("disconnect", () => process.exit());
}
