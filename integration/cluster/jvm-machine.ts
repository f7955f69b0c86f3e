import { readFile } from "node:fs/promises";
import { type JavaCommand, JavaProcess } from "./java-process.ts";
import type { Machine } from "./machine.ts";
import type { Node } from "./node.ts";
import type { Watchdog } from "./watchdog.ts";

export interface JvmCommands {
  readonly broker: JavaCommand;
  /** Runs before the first start, where the broker's folder has to be formatted. */
  readonly format: JavaCommand | undefined;
}

/** A broker as a Java process of this machine. */
export class JvmMachine implements Machine {
  readonly node: Node;
  readonly #commands: JvmCommands;
  readonly #watchdog: Watchdog;
  #process: JavaProcess | undefined;

  constructor(node: Node, commands: JvmCommands, watchdog: Watchdog) {
    this.node = node;
    this.#commands = commands;
    this.#watchdog = watchdog;
  }

  async start(): Promise<void> {
    const { format, broker } = this.#commands;
    const first = this.#process === undefined;
    if (first && format !== undefined) {
      this.#process = new JavaProcess(format, this.#watchdog);
      const outcome = await this.#process.ended;
      if (outcome !== "exit code 0") throw new Error(`${format.mainClass} ended with ${outcome}:\n${await this.log()}`);
    }
    this.#process = new JavaProcess(broker, this.#watchdog);
  }

  async ended(): Promise<string> {
    return (await this.#process?.ended) ?? "no start at all";
  }

  async stop(): Promise<void> {
    this.#process?.signal("SIGTERM");
    await this.#process?.ended;
  }

  async kill(): Promise<void> {
    this.#process?.signal("SIGKILL");
    await this.#process?.ended;
  }

  async pause(): Promise<void> {
    this.#process?.signal("SIGSTOP");
  }

  async resume(): Promise<void> {
    this.#process?.signal("SIGCONT");
  }

  log(): Promise<string> {
    return readFile(this.#commands.broker.logFile, "utf8");
  }
}
