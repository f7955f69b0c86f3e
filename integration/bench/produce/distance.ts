import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import type { KafkaCluster } from "../../cluster/kafka-cluster.ts";
import { loopback } from "../../cluster/ports.ts";
import type { Distance } from "./distance-process.ts";

/** A process between clients and brokers, which answers reach their client later through. */
export class DistantBrokers implements Disposable {
  readonly #process: ChildProcess;
  readonly bootstrapServers: readonly string[];

  private constructor(child: ChildProcess, ports: readonly number[]) {
    this.#process = child;
    this.bootstrapServers = ports.map((port) => `${loopback}:${port}`);
  }

  static async open(cluster: KafkaCluster, addedMs: number): Promise<DistantBrokers> {
    const child = fork(require.resolve("./distance-process.js"), { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const brokers = cluster.brokers.map(({ host, port }) => ({ host, port }));
    const distance: Distance = { brokers, addedMs };
    child.send(distance);
    const lost = once(child, "exit").then(() => {
      throw new Error("there is nothing between clients and brokers: its process has ended");
    });
    const [ports] = await Promise.race([once(child, "message"), lost]);
    return new DistantBrokers(child, ports);
  }

  [Symbol.dispose](): void {
    if (this.#process.connected) this.#process.disconnect();
  }
}
