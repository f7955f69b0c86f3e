import { Metadata } from "@odradek/protocol/messages/metadata";
import type { Broker, KafkaCluster } from "./kafka-cluster.ts";
import type { ClientListener } from "./listeners.ts";
import { hostPort } from "./node.ts";
import { createTopic, type TopicSpec } from "./topic.ts";
import { type Address, ask } from "./wire.ts";

/**
 * The cluster that `KAFKA_BROKERS` names: used and never touched. It takes topics and records like any other;
 * its brokers cannot be stopped from here.
 */
export class GivenCluster implements KafkaCluster {
  readonly version = undefined;
  readonly security = undefined;
  readonly brokers: readonly GivenBroker[];

  constructor(brokers: readonly GivenBroker[]) {
    this.brokers = brokers;
  }

  /** @param list `host:port`, separated by commas */
  static async find(list: string): Promise<GivenCluster> {
    const addresses = list.split(",").map(addressOf);
    try {
      const { brokers } = await Promise.any(addresses.map((address) => ask(address, Metadata, { topics: [] })));
      return new GivenCluster(brokers.map(({ nodeId, host, port }) => new GivenBroker(nodeId, host, port)));
    } catch (cause) {
      throw new Error(`no broker answers at ${list}, which KAFKA_BROKERS names`, { cause });
    }
  }

  get bootstrapServers(): readonly string[] {
    return this.brokers.map(hostPort);
  }

  bootstrapServersOf(listener: ClientListener): readonly string[] {
    if (listener === "PLAINTEXT") return this.bootstrapServers;
    throw new Error(`of the cluster in KAFKA_BROKERS only the listener PLAINTEXT is known, not ${listener}`);
  }

  describe(): string {
    return `Kafka as KAFKA_BROKERS says, ${this.brokers.length} brokers: ${this.bootstrapServers.join(",")}`;
  }

  createTopic(topic: TopicSpec): Promise<void> {
    return createTopic(this.brokers, topic);
  }

  async stop(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

class GivenBroker implements Broker {
  readonly id: number;
  readonly host: string;
  readonly port: number;

  constructor(id: number, host: string, port: number) {
    this.id = id;
    this.host = host;
    this.port = port;
  }

  stop = (): Promise<never> => this.#refuse("stop");
  kill = (): Promise<never> => this.#refuse("kill");
  pause = (): Promise<never> => this.#refuse("pause");
  resume = (): Promise<never> => this.#refuse("resume");
  restart = (): Promise<never> => this.#refuse("restart");
  log = (): Promise<never> => this.#refuse("read the log of");

  async #refuse(action: string): Promise<never> {
    throw new Error(
      `cannot ${action} broker ${this.id}: KAFKA_BROKERS gave it, and what is given is not touched; ` +
        "start a cluster with { own: true }",
    );
  }
}

function addressOf(text: string): Address {
  const end = text.lastIndexOf(":");
  const port = Number(text.slice(end + 1));
  if (end < 1 || !Number.isInteger(port)) throw new Error(`KAFKA_BROKERS has "${text}" in place of host:port`);
  return { host: text.slice(0, end).trim(), port };
}
