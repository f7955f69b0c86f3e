import type { TlsOptions } from "node:tls";
import { type Clock, systemClock } from "./clock.ts";
import { type KafkaVersion, kafkaVersions } from "./kafka-version.ts";
import type { LogManagerSettings } from "./log/log-manager.ts";
import { type SaslMechanism, type SaslSettings, saslMechanisms } from "./security/sasl-exchange.ts";
import { maxPartitionsAtOnce, type NewTopic, type TopicDefaults } from "./topics/topics.ts";

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
  /** `offsets.retention.minutes`, here in ms: how long the offsets of a group are kept that nobody is in. @default 604,800,000 */
  readonly offsetsRetentionMs?: number;
  /** `offsets.retention.check.interval.ms`: how often offsets that are too old are looked for. @default 600,000 */
  readonly offsetsRetentionCheckIntervalMs?: number;
  /** `transaction.max.timeout.ms`. @default 900,000 */
  readonly maxTransactionTimeoutMs?: number;
  /** `log.retention.check.interval.ms`: how often segments that are too old are looked for. @default 300,000 */
  readonly logRetentionCheckIntervalMs?: number;
  /** `log.cleaner.backoff.ms`: how often logs that may be compacted are looked for. @default 15,000 */
  readonly logCleanerBackoffMs?: number;
  /** Has clients authenticate. @default nobody has to */
  readonly sasl?: SaslOptions;
  /** Has brokers speak TLS: the server's side of `node:tls`, with `key` and `cert` at the least. @default plain text */
  readonly tls?: TlsOptions;
  /** Where sessions, transactions, retention and waiting requests take their time from. @default the machine's clock */
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
  readonly offsetsRetentionMs: number;
  readonly offsetsRetentionCheckIntervalMs: number;
  /** `offset.metadata.max.bytes` */
  readonly maxMetadataBytes: number;
}

export interface TransactionSettings {
  readonly maxTimeoutMs: number;
}

export interface ResolvedOptions {
  readonly brokers: number;
  readonly port: number;
  readonly topics: readonly NewTopic[];
  readonly version: KafkaVersion;
  readonly autoCreateTopics: boolean;
  readonly topicDefaults: TopicDefaults;
  readonly racks: readonly string[];
  readonly groups: GroupSettings;
  readonly transactions: TransactionSettings;
  readonly logs: LogManagerSettings;
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
  const number = (name: NumericOption, least: number, most: number, ifAbsent: number): number =>
    whole(name, options[name] ?? ifAbsent, least, most);
  const brokers = number("brokers", 1, maxBrokers, 1);
  const version = options.version ?? "4.3";
  if (!kafkaVersions.includes(version)) throw invalid("version", version, `one of ${kafkaVersions.join(", ")}`);
  const most = Number.MAX_SAFE_INTEGER;
  return {
    brokers,
    port: number("port", 0, maxPort - brokers, 0),
    topics: resolveTopics(options.topics, brokers),
    version,
    autoCreateTopics: options.autoCreateTopics ?? true,
    topicDefaults: {
      partitions: number("defaultPartitions", 1, maxPartitionsAtOnce, 1),
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
      offsetsRetentionMs: number("offsetsRetentionMs", 1, most, 604_800_000),
      offsetsRetentionCheckIntervalMs: number("offsetsRetentionCheckIntervalMs", 1, most, 600_000),
      maxMetadataBytes: 4_096,
    },
    transactions: {
      maxTimeoutMs: number("maxTransactionTimeoutMs", 1, most, 900_000),
    },
    logs: {
      retentionCheckIntervalMs: number("logRetentionCheckIntervalMs", 1, most, 300_000),
      cleanerBackoffMs: number("logCleanerBackoffMs", 1, most, 15_000),
    },
    sasl: resolveSasl(options.sasl),
    tls: options.tls ?? null,
    clock: options.clock ?? systemClock,
    onRequest: options.onRequest,
  };
}

function resolveTopics(topics: KafkaClusterOptions["topics"] = {}, brokers: number): NewTopic[] {
  checkObject("topics", topics);
  return Object.entries(topics).map(([name, topic]) => resolveTopic(`topics.${name}`, name, topic, brokers));
}

/**
 * @param option what the topic is called in an error
 * @throws TypeError that names the option, what it is and what it may be
 */
export function resolveTopic(option: string, name: string, topic: TopicOptions, brokers: number): NewTopic {
  checkObject(option, topic);
  const { partitions, replicationFactor, configs = {} } = topic;
  checkObject(`${option}.configs`, configs);
  for (const [key, value] of Object.entries<unknown>(configs)) {
    if (typeof value !== "string") throw invalid(`${option}.configs.${key}`, value, "a string, as Kafka has it");
  }
  return {
    name,
    partitions: partitions === undefined ? -1 : whole(`${option}.partitions`, partitions, 1, maxPartitionsAtOnce),
    replicationFactor:
      replicationFactor === undefined ? -1 : whole(`${option}.replicationFactor`, replicationFactor, 1, brokers),
    assignments: [],
    configs,
  };
}

const invalid = (option: string, value: unknown, mayBe: string): TypeError =>
  new TypeError(`KafkaCluster: ${option} is ${String(value)}; it must be ${mayBe}`);

function whole(option: string, value: unknown, least: number, most: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value;
  throw invalid(option, value, `a whole number from ${least} to ${most}`);
}

function checkObject(option: string, value: unknown): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(option, value, "an object");
}

function resolveSasl(options: SaslOptions | undefined): SaslSettings | null {
  if (options === undefined) return null;
  const mechanisms = options.mechanisms ?? saslMechanisms;
  const unknown = mechanisms.find((mechanism) => !saslMechanisms.includes(mechanism));
  if (unknown === undefined) return { mechanisms, users: options.users };
  throw new TypeError(`KafkaCluster: sasl.mechanisms has ${unknown}; there are ${saslMechanisms.join(", ")}`);
}
