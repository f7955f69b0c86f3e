import { OwnBroker } from "./broker.ts";
import type { KafkaCluster } from "./kafka-cluster.ts";
import type { ClientListener } from "./listeners.ts";
import type { Fleet } from "./machine.ts";
import { endOfLog } from "./machine.ts";
import { endpointOf, hostPort } from "./node.ts";
import { untilMembersMeet } from "./readiness.ts";
import type { ClusterSecurity } from "./security/security.ts";
import { createTopic, type TopicSpec } from "./topic.ts";
import type { KafkaVersion } from "./versions.ts";

export interface Description {
  readonly version: KafkaVersion;
  readonly security: ClusterSecurity | undefined;
  /** Where it runs and why there: "on the local JVM, because no Docker engine answers". */
  readonly whereabouts: string;
}

/** A cluster that the launcher started, and that its caller may break. */
export class OwnCluster implements KafkaCluster {
  readonly version: KafkaVersion;
  readonly security: ClusterSecurity | undefined;
  readonly brokers: readonly OwnBroker[];
  readonly #fleet: Fleet;
  readonly #whereabouts: string;

  constructor(fleet: Fleet, { version, security, whereabouts }: Description) {
    this.version = version;
    this.security = security;
    this.#whereabouts = whereabouts;
    this.#fleet = fleet;
    this.brokers = fleet.machines.map((machine) => new OwnBroker(machine, () => this.#ready()));
  }

  get bootstrapServers(): readonly string[] {
    return this.bootstrapServersOf("PLAINTEXT");
  }

  bootstrapServersOf(listener: ClientListener): readonly string[] {
    return this.#fleet.machines.map(({ node }) => hostPort(endpointOf(node, listener).advertised));
  }

  describe(): string {
    const { length } = this.brokers;
    const count = length === 1 ? "1 broker" : `${length} brokers`;
    return `Kafka ${this.version}, ${count} ${this.#whereabouts}: ${this.bootstrapServers.join(",")}`;
  }

  /** @throws Error with the end of every broker's log, when one ends or they do not meet in time; then nothing is left */
  async start(): Promise<void> {
    try {
      await Promise.all(this.brokers.map((broker) => broker.start()));
      await this.#ready();
      await this.security?.addUsers(this.brokers);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  createTopic(topic: TopicSpec): Promise<void> {
    return createTopic(this.#running(), topic);
  }

  async stop(): Promise<void> {
    try {
      await Promise.all(this.brokers.filter(({ state }) => state !== "stopped").map((broker) => broker.kill()));
    } finally {
      this.security?.close();
      await this.#fleet.dispose();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #running(): OwnBroker[] {
    return this.brokers.filter(({ state }) => state === "running");
  }

  async #ready(): Promise<void> {
    const running = this.#running();
    const settled = new AbortController();
    try {
      await Promise.race([untilMembersMeet(running, settled.signal), ...running.map((broker) => broker.failure())]);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`${this.describe()} is not ready: ${reason}\n${await this.#logs()}`, { cause });
    } finally {
      settled.abort();
    }
  }

  async #logs(): Promise<string> {
    const logs = await Promise.all(
      this.brokers.map(
        async (broker) => `--- the end of the log of broker ${broker.id}:\n${endOfLog(await broker.log())}`,
      ),
    );
    return logs.join("\n");
  }
}
