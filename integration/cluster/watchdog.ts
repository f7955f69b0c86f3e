import { spawn } from "node:child_process";
import { asset } from "./workspace.ts";

/**
 * A small process that outlives this one by a moment, and then takes away what this one left: after an exit, a signal
 * and a `kill -9` alike, because all that it waits for is the end of a pipe.
 */
export class Watchdog {
  readonly #pipe: NodeJS.WritableStream;

  /**
   * @param release command and fixed arguments that get the names of what is left
   * @param last command that runs after it, also when nothing is left
   */
  constructor(release: readonly string[], last: readonly string[]) {
    // Detached, for a Ctrl-C at the terminal goes to the whole process group and would end the watchdog first.
    const child = spawn("sh", [asset("watchdog.sh"), release.join(" "), ...last], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    child.unref();
    this.#pipe = child.stdin;
  }

  own(name: string | number): void {
    this.#pipe.write(`own ${name}\n`);
  }

  disown(name: string | number): void {
    this.#pipe.write(`disown ${name}\n`);
  }

  /** Lets it do its work now. */
  release(): void {
    this.#pipe.end();
  }
}
