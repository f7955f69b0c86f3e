import { startOnJvm } from "./jvm.ts";
import { defaultVersion, type KafkaVersion } from "./versions.ts";
import type { Address } from "./wire.ts";

/** A Kafka cluster that tests, benchmarks and the demo run against. */
export interface KafkaCluster extends AsyncDisposable {
  /** One `host:port` per broker. */
  readonly bootstrapServers: readonly string[];
  readonly version: string;
  readonly brokers: readonly Broker[];
  /** Where it came from, for the output of a run. */
  describe(): string;
  /** Stops what was started, and removes its data. */
  stop(): Promise<void>;
}

/** One broker, and what can happen to it. */
export interface Broker extends Address {
  readonly id: number;
  /** Shuts it down in order: it hands over its partitions first. */
  stop(): Promise<void>;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** It keeps its connections and no longer answers. */
  pause(): void;
  resume(): void;
  /** Starts it again where it was, on the same ports with its data; resolves when the cluster counts it in. */
  restart(): Promise<void>;
  /** All that it has logged. */
  log(): Promise<string>;
}

export interface ClusterOptions {
  /** @default "4.3.1" */
  readonly version?: KafkaVersion;
  /** @default 3 */
  readonly brokers?: 1 | 3;
  /** Lines of `server.properties` for every broker, on top of the launcher's own. */
  readonly properties?: Readonly<Record<string, string>>;
}

/** Starts a cluster and waits until every broker answers and knows all others. */
export function startCluster(options: ClusterOptions = {}): Promise<KafkaCluster> {
  return startOnJvm({
    version: options.version ?? defaultVersion,
    brokers: options.brokers ?? 3,
    properties: options.properties ?? {},
  });
}
