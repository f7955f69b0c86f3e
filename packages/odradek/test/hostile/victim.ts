import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const client = fileURLToPath(new URL("./client.cjs", import.meta.url));
const compiler = fileURLToPath(new URL("../../../../node_modules/typescript/bin/tsc", import.meta.url));
const clientPackage = fileURLToPath(new URL("../..", import.meta.url));

/** What a client does in a process of its own. */
export type Work = "admin" | "producer" | "consumer";

export interface ReportedError {
  readonly name: string;
  /** Whether it is one of Odradek's. */
  readonly isTyped: boolean;
  readonly code: string | null;
  readonly message: string;
  readonly cause: ReportedError | null;
}

/** What became of the client, see `client.cjs`. */
export interface Report {
  readonly error: ReportedError | null;
  readonly records: number;
  readonly largestPollBytes: number;
  readonly uncaught: readonly string[];
  readonly peakBytes: number;
}

/** The process runs compiled code. Types are for `npm run types` to check. */
export function compileClient(): void {
  const { status, stdout } = spawnSync(process.execPath, [compiler, "-b", "--noCheck", clientPackage]);
  if (status !== 0) throw new Error(`the client could not be compiled: ${stdout}`);
}

/**
 * Runs a client against the broker on a port of this machine. V8 gets 200 MB for its objects: what would take more ends
 * the process, and no report comes.
 *
 * @param patienceMs how long it tries again, where what it meets may pass
 *
 * @throws where the process does not end by itself, or ends badly
 */
export async function run(work: Work, port: number, patienceMs: number, withinMs = 60_000): Promise<Report> {
  const args = ["--max-old-space-size=200", client, work, String(port), String(patienceMs)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  child.stderr.on("data", (chunk) => {
    errors += String(chunk);
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), withinMs);
  const code = await new Promise((resolve) => child.on("close", (status, signal) => resolve(status ?? signal)));
  clearTimeout(timer);
  if (code !== 0) throw new Error(`the client ended with ${code}: ${output}${errors.slice(0, 2_000)}`);
  return JSON.parse(output);
}
