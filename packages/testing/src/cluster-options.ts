import type { TlsOptions } from "node:tls";
import { type Clock, systemClock } from "./clock.ts";
import { type KafkaVersion, kafkaVersions } from "./kafka-version.ts";
import { type SaslMechanism, type SaslSettings, saslMechanisms } from "./security/sasl-exchange.ts";
import type { TopicDefaults } from "./topics/topics.ts";

/** A topic that is there from the start. */
export interface TopicOptions {
  /** @default 1 */
  readonly partitions?: number;
  /** @default the number of brokers, 3 at most */
  readonly replicationFactor?: number;
  /** Such as `{ "cleanup.policy": "compact" }`. */
  readonly configs?: Readonly<Record<string, string>>;
}

/** A request, as it is told to whoever follows along. */
export interface ObservedRequest {
  readonly broker: number;
  readonly api: string;
  readonly apiVersion: number;
  readonly clientId: string;
}

/** Who may connect. */
export interface SaslOptions {
  /** Passwords by user name. */
  readonly users: Readonly<Record<string, string>>;
  /** @default all: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 */
  readonly mechanisms?: readonly SaslMechanism[];
}

export interface KafkaClusterOptions {
  /** How many brokers; their ids are 1, 2, ... @default 1 */
  readonly brokers?: number;
  /** The port of the first broker on 127.0.0.1, the next one is the second's. @default 0, free ports */
  readonly port?: number;
  /** Topics that are there from the start. @default none */
  readonly topics?: Readonly<Record<string, TopicOptions>>;
  /** Which release of Kafka the brokers pass for. @default "4.3" */
  readonly version?: KafkaVersion;
  /** `auto.create.topics.enable`: a topic that a producer asks for comes to be. @default true */
  readonly autoCreateTopics?: boolean;
  /** `num.partitions`: of topics that are created without a number. @default 1 */
  readonly defaultPartitions?: number;
  /** `default.replication.factor`. @default the number of brokers, 3 at most */
  readonly defaultReplicationFactor?: number;
  /** What topics are configured with where they do not say otherwise. `retention.bytes` is 128 MiB unless given. */
  readonly topicConfigs?: Readonly<Record<string, string>>;
  /** Rack of each broker, in the order of their ids. @default none */
  readonly racks?: readonly string[];
  /** `group.initial.rebalance.delay.ms`: how long a new group waits for more members. @default 0 */
  readonly groupInitialRebalanceDelayMs?: number;
  /** `group.min.session.timeout.ms`. @default 1,000 */
  readonly groupMinSessionTimeoutMs?: number;
  /** `group.consumer.session.timeout.ms`: of members of the consumer protocol (KIP-848). @default 45,000 */
  readonly consumerSessionTimeoutMs?: number;
  /** `group.consumer.heartbeat.interval.ms`. @default 500 */
  readonly consumerHeartbeatIntervalMs?: number;
  /** `transaction.max.timeout.ms`. @default 900,000 */
  readonly maxTransactionTimeoutMs?: number;
  /** Has clients authenticate. @default nobody has to */
  readonly sasl?: SaslOptions;
  /** Has brokers speak TLS: the server's side of `node:tls`, with `key` and `cert` at the least. @default plain text */
  readonly tls?: TlsOptions;
  /** Where sessions, transactions and waiting requests take their time from. @default the machine's clock */
  readonly clock?: Clock;
  /** Called with each request before it is answered. */
  readonly onRequest?: (request: ObservedRequest) => void;
}

export interface GroupSettings {
  readonly initialRebalanceDelayMs: number;
  readonly minSessionTimeoutMs: number;
  readonly maxSessionTimeoutMs: number;
  readonly consumerSessionTimeoutMs: number;
  readonly consumerHeartbeatIntervalMs: number;
  /** `offset.metadata.max.bytes` */
  readonly maxMetadataBytes: number;
}

export interface TransactionSettings {
  readonly maxTimeoutMs: number;
}

export interface ResolvedOptions {
  readonly brokers: number;
  readonly port: number;
  readonly topics: Readonly<Record<string, TopicOptions>>;
  readonly version: KafkaVersion;
  readonly autoCreateTopics: boolean;
  readonly topicDefaults: TopicDefaults;
  readonly racks: readonly string[];
  readonly groups: GroupSettings;
  readonly transactions: TransactionSettings;
  readonly sasl: SaslSettings | null;
  readonly tls: TlsOptions | null;
  readonly clock: Clock;
  readonly onRequest: ((request: ObservedRequest) => void) | undefined;
}

/** A cluster that a test forgets in a loop must not take the machine's memory. */
const defaultRetentionBytes = `${128 * 1024 * 1024}`;

const maxBrokers = 100;
const maxPort = 65_535;

/** Options that are numbers. */
type NumericOption = {
  [K in keyof KafkaClusterOptions]-?: NonNullable<KafkaClusterOptions[K]> extends number ? K : never;
}[keyof KafkaClusterOptions];

/** @throws TypeError that names the option, what it is and what it may be */
export function resolveOptions(options: KafkaClusterOptions): ResolvedOptions {
  const number = (name: NumericOption, least: number, most: number, ifAbsent: number): number => {
    const value = options[name] ?? ifAbsent;
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
    throw new TypeError(
      `KafkaCluster: ${name} is ${String(value)}; it must be a whole number from ${least} to ${most}`,
    );
  };
  const brokers = number("brokers", 1, maxBrokers, 1);
  const version = options.version ?? "4.3";
  if (!kafkaVersions.includes(version)) {
    throw new TypeError(`KafkaCluster: version is ${String(version)}; it must be one of ${kafkaVersions.join(", ")}`);
  }
  const most = Number.MAX_SAFE_INTEGER;
  return {
    brokers,
    port: number("port", 0, maxPort - brokers, 0),
    topics: options.topics ?? {},
    version,
    autoCreateTopics: options.autoCreateTopics ?? true,
    topicDefaults: {
      partitions: number("defaultPartitions", 1, most, 1),
      replicationFactor: number("defaultReplicationFactor", 1, brokers, Math.min(3, brokers)),
      configs: { "retention.bytes": defaultRetentionBytes, ...options.topicConfigs },
    },
    racks: options.racks ?? [],
    groups: {
      initialRebalanceDelayMs: number("groupInitialRebalanceDelayMs", 0, most, 0),
      minSessionTimeoutMs: number("groupMinSessionTimeoutMs", 1, most, 1_000),
      maxSessionTimeoutMs: 1_800_000,
      consumerSessionTimeoutMs: number("consumerSessionTimeoutMs", 1, most, 45_000),
      consumerHeartbeatIntervalMs: number("consumerHeartbeatIntervalMs", 1, most, 500),
      maxMetadataBytes: 4_096,
    },
    transactions: {
      maxTimeoutMs: number("maxTransactionTimeoutMs", 1, most, 900_000),
    },
    sasl: resolveSasl(options.sasl),
    tls: options.tls ?? null,
    clock: options.clock ?? systemClock,
    onRequest: options.onRequest,
  };
}

function resolveSasl(options: SaslOptions | undefined): SaslSettings | null {
  if (options === undefined) return null;
  const mechanisms = options.mechanisms ?? saslMechanisms;
  const unknown = mechanisms.find((mechanism) => !saslMechanisms.includes(mechanism));
  if (unknown === undefined) return { mechanisms, users: options.users };
  throw new TypeError(`KafkaCluster: sasl.mechanisms has ${unknown}; there are ${saslMechanisms.join(", ")}`);
}
