import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { inject } from "vitest";

/** The top of the repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

const bootstrapServers = inject("bootstrapServers").join(",");

const options = {
  env: { ...process.env, BOOTSTRAP_SERVERS: bootstrapServers, KAFKA_BROKERS: bootstrapServers },
  timeout: 60_000,
  killSignal: "SIGKILL",
} as const;

/** Runs a compiled program as a user would. It must end by itself: a program that hangs is ended and fails. */
export async function run(program: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [`${root}${program}`, ...args], options);
  return stdout;
}

/** The same with nothing else in its environment. */
export async function runIn(
  env: Readonly<Record<string, string>>,
  program: string,
  ...args: readonly string[]
): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [`${root}${program}`, ...args], { ...options, env });
  return stdout;
}

/** Runs a program, and has it end by SIGTERM when it has printed so many lines. @returns all that it printed, and its exit code */
export async function runUntil(count: number, program: string, ...args: readonly string[]) {
  const child = spawn(process.execPath, [`${root}${program}`, ...args], {
    ...options,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  const lines: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (lines.length === count) child.kill("SIGTERM");
  }
  const [code]: unknown[] = await closed;
  return { lines, code };
}
