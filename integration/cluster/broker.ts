import type { Broker } from "./kafka-cluster.ts";
import type { Machine } from "./machine.ts";
import { endpointOf } from "./node.ts";

type State = "stopped" | "running" | "paused";

/** What happens to a broker, and what it is then; where it says nothing, the broker cannot do that. */
const transitions = {
  start: { stopped: "running" },
  stop: { running: "stopped", paused: "stopped" },
  kill: { running: "stopped", paused: "stopped" },
  pause: { running: "paused" },
  resume: { paused: "running" },
} as const satisfies Record<string, Partial<Record<State, State>>>;

type Action = keyof typeof transitions;

/** A broker that the launcher started, in whatever machine. */
export class OwnBroker implements Broker {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly #machine: Machine;
  readonly #ready: () => Promise<void>;
  #state: State = "stopped";
  /** Over when there is a process that can fail. */
  #starting: Promise<void> = Promise.resolve();

  /** @param ready waits until the brokers that run have met */
  constructor(machine: Machine, ready: () => Promise<void>) {
    const { host, port } = endpointOf(machine.node, "PLAINTEXT").advertised;
    this.id = machine.node.id;
    this.host = host;
    this.port = port;
    this.#machine = machine;
    this.#ready = ready;
  }

  get state(): State {
    return this.#state;
  }

  async start(): Promise<void> {
    this.#become("start");
    this.#starting = this.#machine.start();
    await this.#starting;
  }

  async stop(): Promise<void> {
    // A frozen broker hears nothing.
    if (this.#state === "paused") await this.resume();
    this.#become("stop");
    await this.#machine.stop();
  }

  async kill(): Promise<void> {
    this.#become("kill");
    await this.#machine.kill();
  }

  async pause(): Promise<void> {
    this.#become("pause");
    await this.#machine.pause();
  }

  async resume(): Promise<void> {
    this.#become("resume");
    await this.#machine.resume();
  }

  async restart(): Promise<void> {
    if (this.#state !== "stopped") await this.stop();
    await this.start();
    await this.#ready();
  }

  log(): Promise<string> {
    return this.#machine.log();
  }

  /** Rejects when the broker has ended, for whatever reason. */
  async failure(): Promise<never> {
    await this.#starting;
    const how = await this.#machine.ended();
    throw new Error(`broker ${this.id} ended with ${how}`);
  }

  #become(action: Action): void {
    const next: Partial<Record<State, State>> = transitions[action];
    const state = next[this.#state];
    if (state === undefined) throw new Error(`broker ${this.id} is ${this.#state}: it cannot ${action}`);
    this.#state = state;
  }
}
