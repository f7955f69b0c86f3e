import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Watchdog } from "./watchdog.ts";

const home = process.env["JAVA_HOME"];

/** The JVM: of `JAVA_HOME` where that is set, else the first on the path. */
export const java = home === undefined ? "java" : join(home, "bin", "java");

/** Small and quick to start: one compiler tier, a collector without threads of its own. */
const frugal = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"];

export interface JavaCommand {
  readonly jvmOptions: readonly string[];
  readonly classPath: readonly string[];
  readonly mainClass: string;
  readonly args: readonly string[];
  /** Gets everything that the program writes, behind what is there already. */
  readonly logFile: string;
}

/** A running Java program that the watchdog owns. */
export class JavaProcess {
  readonly #child: ChildProcess;
  /** Settles when the process is gone, with its exit code or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;

  constructor(command: JavaCommand, watchdog: Watchdog) {
    const { jvmOptions, classPath, mainClass, args, logFile } = command;
    const log = openSync(logFile, "a");
    // Detached, so that a Ctrl-C at the terminal reaches the launcher alone, which stops the brokers in its own order.
    this.#child = spawn(java, [...frugal, ...jvmOptions, "-cp", classPath.join(":"), mainClass, ...args], {
      detached: true,
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    const { pid } = this.#child;
    if (pid !== undefined) watchdog.own(pid);
    this.ended = new Promise((resolve, reject) => {
      this.#child.once("error", (cause) => reject(new Error(`${java} does not start`, { cause })));
      this.#child.once("exit", (code, signal) => {
        if (pid !== undefined) watchdog.disown(pid);
        resolve(code ?? signal ?? 0);
      });
    });
    // Whoever awaits it sees the failure; a process that nobody awaits any more must not end this one.
    this.ended.catch(() => {});
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }
}

/** Runs a Java program to its end. @throws Error with the end of its output, unless it exits with 0 */
export async function runJava(command: JavaCommand, watchdog: Watchdog): Promise<void> {
  const outcome = await new JavaProcess(command, watchdog).ended;
  if (outcome !== 0) throw new Error(`${command.mainClass} ended with ${outcome}:\n${await tailOf(command.logFile)}`);
}

/** The last lines of a log. */
export async function tailOf(file: string, lines = 40): Promise<string> {
  return (await readFile(file, "utf8")).trimEnd().split("\n").slice(-lines).join("\n");
}
