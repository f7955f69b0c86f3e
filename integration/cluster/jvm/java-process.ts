import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from "node:fs";
import { delimiter } from "node:path";
import type { Watchdog } from "../watchdog.ts";

/** Small and quick to start: one compiler, and a collector without threads of its own. */
const frugal = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"];

export interface JavaCommand {
  readonly program: string;
  readonly jvmOptions: readonly string[];
  readonly classPath: readonly string[];
  readonly mainClass: string;
  readonly args: readonly string[];
  /** Gets all that the program writes, behind what is in it already. */
  readonly logFile: string;
}

/** A running Java program, which the watchdog ends when this process does not. */
export class JavaProcess {
  readonly #child: ChildProcess;
  /** Resolves when the process is gone, with its exit code, or with the signal or error that ended it. */
  readonly ended: Promise<string>;

  constructor(command: JavaCommand, watchdog: Watchdog) {
    const { program, jvmOptions, classPath, mainClass, args, logFile } = command;
    const log = openSync(logFile, "a");
    // Detached, so that a Ctrl-C at the terminal reaches the launcher alone.
    const child = spawn(program, [...frugal, ...jvmOptions, "-cp", classPath.join(delimiter), mainClass, ...args], {
      detached: true,
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    const { pid } = child;
    if (pid !== undefined) watchdog.own(pid);
    this.#child = child;
    this.ended = new Promise((resolve) => {
      child.once("error", (error) => resolve(error.message));
      child.once("exit", (code, signal) => {
        if (pid !== undefined) watchdog.disown(pid);
        resolve(signal ?? `exit code ${code}`);
      });
    });
  }

  /** Whether it has ended, with exit code 0. */
  get succeeded(): boolean {
    return this.#child.exitCode === 0;
  }

  /** Sends a signal; a process that is gone takes no notice. */
  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Whether none of its threads runs: a signal reaches one after the other. Where the system does not tell, they are believed not to. */
  get isStopped(): boolean {
    const tasks = `/proc/${this.#child.pid}/task`;
    return !existsSync(tasks) || readdirSync(tasks).every((id) => isStill(`${tasks}/${id}/stat`));
  }
}

/** Whether a thread is stopped, or has ended. */
function isStill(statFile: string): boolean {
  try {
    return /^\d+ \(.*\) [TtZX]/s.test(readFileSync(statFile, "utf8"));
  } catch {
    return true;
  }
}
