import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Machine } from "../machine.ts";
import { endOfLog } from "../machine.ts";
import type { Node } from "../node.ts";
import { until } from "../readiness.ts";
import type { Watchdog } from "../watchdog.ts";
import { type JavaCommand, JavaProcess } from "./java-process.ts";

export interface JvmMachinePlan {
  readonly broker: JavaCommand;
  /** Runs before the first start, where the broker's folder has to be formatted. */
  readonly format: JavaCommand | undefined;
  /** How long after it was killed it must not start again. */
  readonly placeKeptMs: number;
}

/** A broker as a Java process of this machine. */
export class JvmMachine implements Machine {
  readonly node: Node;
  readonly #plan: JvmMachinePlan;
  readonly #watchdog: Watchdog;
  #process: JavaProcess | undefined;
  #startsFromMs = 0;

  constructor(node: Node, plan: JvmMachinePlan, watchdog: Watchdog) {
    this.node = node;
    this.#plan = plan;
    this.#watchdog = watchdog;
  }

  async start(): Promise<void> {
    const { format, broker } = this.#plan;
    await sleep(Math.max(0, this.#startsFromMs - Date.now()));
    const first = this.#process === undefined;
    if (first && format !== undefined) {
      this.#process = new JavaProcess(format, this.#watchdog);
      const how = await this.#process.ended;
      if (!this.#process.succeeded) {
        throw new Error(`${format.mainClass} ended with ${how}:\n${endOfLog(await this.log())}`);
      }
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
    this.#startsFromMs = Date.now() + this.#plan.placeKeptMs;
  }

  async pause(): Promise<void> {
    const process = this.#process;
    process?.signal("SIGSTOP");
    // Until then one of its threads may still answer.
    const isStill = async () => process?.isStopped !== false || "a thread runs";
    await until(`broker ${this.node.id} is stopped`, isStill);
  }

  async resume(): Promise<void> {
    this.#process?.signal("SIGCONT");
  }

  log(): Promise<string> {
    return readFile(this.#plan.broker.logFile, "utf8");
  }
}
