import type { ContainerRuntimeClient } from "testcontainers";
import type { Machine } from "../machine.ts";
import type { Node } from "../node.ts";

/** As the client of Testcontainers hands them out. */
export type Container = ReturnType<ContainerRuntimeClient["container"]["getById"]>;

/** How long a broker may take for an orderly end. */
const stopWithinSeconds = 60;

/** A broker in a container that was created and keeps its data until it is removed. */
export class ContainerMachine implements Machine {
  readonly node: Node;
  readonly #container: Container;
  #ended: Promise<string> = Promise.resolve("no start at all");

  constructor(node: Node, container: Container) {
    this.node = node;
    this.#container = container;
  }

  async start(): Promise<void> {
    await this.#container.start();
    this.#ended = this.#container.wait().then(({ StatusCode }) => `exit code ${StatusCode}`, String);
  }

  ended(): Promise<string> {
    return this.#ended;
  }

  async stop(): Promise<void> {
    await this.#container.stop({ t: stopWithinSeconds }).catch(unlessEnded);
    await this.#ended;
  }

  async kill(): Promise<void> {
    await this.#container.kill().catch(unlessEnded);
    await this.#ended;
  }

  async pause(): Promise<void> {
    await this.#container.pause();
  }

  async resume(): Promise<void> {
    await this.#container.unpause();
  }

  async log(): Promise<string> {
    return (await this.#container.logs({ stdout: true, stderr: true })).toString();
  }
}

/** A broker that has ended by itself needs no end: the engine says so with "not modified" or "conflict". */
function unlessEnded(error: unknown): void {
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
  if (status !== 304 && status !== 409) throw error;
}
