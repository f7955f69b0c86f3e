import type { ClientListener } from "./listeners.ts";
import type { ClusterSecurity } from "./security/security.ts";
import type { TopicSpec } from "./topic.ts";
import type { KafkaVersion } from "./versions.ts";
import type { Address } from "./wire.ts";

/** A Kafka cluster that tests, benchmarks and the demo run against. */
export interface KafkaCluster extends AsyncDisposable {
  /** `undefined` for a cluster that was given: brokers do not tell. */
  readonly version: KafkaVersion | undefined;
  /** `host:port` of every broker's PLAINTEXT listener. */
  readonly bootstrapServers: readonly string[];
  readonly brokers: readonly Broker[];
  /** What a client needs at the other listeners; `undefined` unless the cluster is secure. */
  readonly security: ClusterSecurity | undefined;
  /** One line that says what it is, where it came from and why from there. */
  describe(): string;
  /**
   * `host:port` of one listener of every broker.
   *
   * @throws Error where the cluster lacks it
   */
  bootstrapServersOf(listener: ClientListener): readonly string[];
  /** Creates a topic, and waits until every broker knows it with the leaders and replicas asked for. */
  createTopic(topic: TopicSpec): Promise<void>;
  /** Stops what was started and removes its data. A cluster that was given stays as it is. */
  stop(): Promise<void>;
}

/** One broker, and what can happen to it. Each of these is refused, with the reason, where the cluster was given. */
export interface Broker extends Address {
  readonly id: number;
  /** Shuts it down in order: it hands over what it leads, writes its data, and ends. */
  stop(): Promise<void>;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** Freezes it: its connections stay open, and nobody answers. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Starts it again with its data on its ports, after a stop where it runs; resolves when the others count it in. */
  restart(): Promise<void>;
  /** All that it has logged so far. */
  log(): Promise<string>;
}
