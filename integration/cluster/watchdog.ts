import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { asset } from "./workspace.ts";

/**
 * A small process that outlives this one by a moment, and then takes away what this one left: after an exit, a signal
 * and a `kill -9` alike, because all that it waits for is the end of a pipe.
 */
export class Watchdog {
  readonly #child: ChildProcess;
  readonly #pipe: Writable;

  /** @param last runs when all processes that it owns are gone */
  constructor(last: readonly [command: string, ...args: string[]]) {
    // Detached, for a Ctrl-C at the terminal goes to the whole process group and must not end the watchdog first.
    const child = spawn("sh", [asset("watchdog.sh"), ...last], { detached: true, stdio: ["pipe", "ignore", "ignore"] });
    child.unref();
    // Where somebody killed it, the brokers still end in order, only not after a crash of this process.
    child.stdin.on("error", () => {});
    this.#child = child;
    this.#pipe = child.stdin;
  }

  own(pid: number): void {
    this.#pipe.write(`own ${pid}\n`);
  }

  disown(pid: number): void {
    this.#pipe.write(`disown ${pid}\n`);
  }

  /** Has it do its work now, and waits for the end of it. */
  async release(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.ref();
    this.#pipe.end();
    await once(this.#child, "exit");
  }
}
