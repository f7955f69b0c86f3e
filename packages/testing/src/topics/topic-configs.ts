/** The types of a configuration value, in the codes of DescribeConfigs. */
const configType = { boolean: 1, string: 2, int: 3, long: 5, double: 6, list: 7 } as const;
type ConfigType = keyof typeof configType;

interface ConfigKey {
  readonly type: ConfigType;
  readonly default: string;
  /** What it may be, where not everything of its type. */
  readonly among?: readonly string[];
  /** The least that a number may be. */
  readonly least?: number;
  /** The most that it may be. */
  readonly most?: number;
}

/** What a topic can be configured with, and Kafka's defaults. Source: TopicConfig, LogConfig (apache/kafka) */
const topicConfigKeys: Readonly<Record<string, ConfigKey>> = {
  "cleanup.policy": { type: "list", default: "delete", among: ["delete", "compact"] },
  "compression.type": {
    type: "string",
    default: "producer",
    among: ["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"],
  },
  "compression.gzip.level": { type: "int", default: "-1", least: -1, most: 9 },
  "compression.lz4.level": { type: "int", default: "9", least: 1, most: 17 },
  "compression.zstd.level": { type: "int", default: "3", least: -131_072, most: 22 },
  "delete.retention.ms": { type: "long", default: "86400000", least: 0 },
  "file.delete.delay.ms": { type: "long", default: "60000", least: 0 },
  "flush.messages": { type: "long", default: "9223372036854775807", least: 1 },
  "flush.ms": { type: "long", default: "9223372036854775807", least: 0 },
  "follower.replication.throttled.replicas": { type: "list", default: "" },
  "index.interval.bytes": { type: "int", default: "4096", least: 0 },
  "leader.replication.throttled.replicas": { type: "list", default: "" },
  "local.retention.bytes": { type: "long", default: "-2", least: -2 },
  "local.retention.ms": { type: "long", default: "-2", least: -2 },
  "max.compaction.lag.ms": { type: "long", default: "9223372036854775807", least: 1 },
  "max.message.bytes": { type: "int", default: "1048588", least: 0 },
  "message.timestamp.after.max.ms": { type: "long", default: "3600000", least: 0 },
  "message.timestamp.before.max.ms": { type: "long", default: "9223372036854775807", least: 0 },
  "message.timestamp.type": { type: "string", default: "CreateTime", among: ["CreateTime", "LogAppendTime"] },
  "min.cleanable.dirty.ratio": { type: "double", default: "0.5", least: 0 },
  "min.compaction.lag.ms": { type: "long", default: "0", least: 0 },
  "min.insync.replicas": { type: "int", default: "1", least: 1 },
  preallocate: { type: "boolean", default: "false" },
  "remote.log.copy.disable": { type: "boolean", default: "false" },
  "remote.log.delete.on.disable": { type: "boolean", default: "false" },
  // Brokers without a remote storage refuse it.
  "remote.storage.enable": { type: "boolean", default: "false", among: ["false"] },
  "retention.bytes": { type: "long", default: "-1", least: -1 },
  "retention.ms": { type: "long", default: "604800000", least: -1 },
  "segment.bytes": { type: "int", default: "1073741824", least: 14 },
  "segment.index.bytes": { type: "int", default: "10485760", least: 4 },
  "segment.jitter.ms": { type: "long", default: "0", least: 0 },
  "segment.ms": { type: "long", default: "604800000", least: 1 },
  "unclean.leader.election.enable": { type: "boolean", default: "false" },
};

/** Where a value comes from, in the codes of DescribeConfigs. */
export const configSource = { topic: 1, broker: 4, default: 5 } as const;

export interface ConfigEntry {
  readonly name: string;
  readonly value: string;
  readonly source: number;
  readonly type: number;
  readonly isReadOnly: boolean;
  readonly synonyms: readonly { readonly name: string; readonly value: string; readonly source: number }[];
}

/** A change of one key: Kafka's operations, `null` where it names one that there is not. */
export type ConfigOperation = "set" | "delete" | "append" | "subtract";

export const configOperations: readonly ConfigOperation[] = ["set", "delete", "append", "subtract"];

export interface ConfigChange {
  readonly name: string;
  readonly operation: ConfigOperation;
  readonly value: string | null;
}

/** Thrown for a key or a value that there is not: INVALID_CONFIG, with Kafka's words where a client sees them. */
export class InvalidConfigError extends Error {}

/** What one topic is configured with, over the defaults of the cluster. */
export class TopicConfigs {
  readonly #clusterDefaults: Readonly<Record<string, string>>;
  readonly #own = new Map<string, string>();
  #revision = 0;

  /** @throws InvalidConfigError */
  constructor(clusterDefaults: Readonly<Record<string, string>>, own: Readonly<Record<string, string>> = {}) {
    this.#clusterDefaults = clusterDefaults;
    for (const [name, value] of Object.entries(own)) {
      checkConfig(name, value);
      this.#own.set(name, value);
    }
  }

  /** Another one after each change. */
  get revision(): number {
    return this.#revision;
  }

  /** The value that counts. */
  value(name: string): string {
    return this.#own.get(name) ?? this.#clusterDefaults[name] ?? topicConfigKeys[name]?.default ?? "";
  }

  number(name: string): number {
    return Number(this.value(name));
  }

  /** A number, of which a negative one stands for no limit. */
  limit(name: string): number {
    const value = this.number(name);
    return value < 0 ? Number.POSITIVE_INFINITY : value;
  }

  isListed(name: string, item: string): boolean {
    return this.value(name).split(",").includes(item);
  }

  entries(): ConfigEntry[] {
    return Object.entries(topicConfigKeys).map(([name, key]) => {
      const values = [
        { value: this.#own.get(name), source: configSource.topic },
        { value: this.#clusterDefaults[name], source: configSource.broker },
        { value: key.default, source: configSource.default },
      ];
      const synonyms = values.flatMap(({ value, source }) => (value === undefined ? [] : [{ name, value, source }]));
      const [first = { value: key.default, source: configSource.default }] = synonyms;
      return { name, ...first, type: configType[key.type], isReadOnly: false, synonyms };
    });
  }

  /** What is set on the topic itself. */
  overrides(): Record<string, string> {
    return Object.fromEntries(this.#own);
  }

  /**
   * What the topic would be configured with after these changes.
   *
   * @throws InvalidConfigError
   */
  changed(changes: readonly ConfigChange[]): Record<string, string> {
    const own = this.overrides();
    for (const { name, operation, value } of changes) {
      const key = topicConfigKeys[name];
      if (key === undefined) throw new InvalidConfigError(`Unknown topic config name: ${name}`);
      if (operation === "delete") {
        delete own[name];
        continue;
      }
      if (value === null) throw new InvalidConfigError(`Null value not supported for topic configs: ${name}`);
      own[name] = operation === "set" ? value : edited(name, key, own[name] ?? this.value(name), operation, value);
      checkConfig(name, own[name] ?? "");
    }
    return own;
  }

  /** Takes what `changed` gave. */
  replace(own: Readonly<Record<string, string>>): void {
    this.#revision += 1;
    this.#own.clear();
    for (const [name, value] of Object.entries(own)) this.#own.set(name, value);
  }
}

function edited(name: string, key: ConfigKey, before: string, operation: "append" | "subtract", value: string): string {
  if (key.type !== "list") {
    throw new InvalidConfigError(`Can't ${operation.toUpperCase()} to key ${name} because its type is not LIST.`);
  }
  const items = before === "" ? [] : before.split(",");
  const given = value.split(",");
  const after =
    operation === "append" ? [...new Set([...items, ...given])] : items.filter((item) => !given.includes(item));
  return after.join(",");
}

/** @throws InvalidConfigError where a topic has no such key, or the key no such value */
function checkConfig(name: string, value: string): void {
  const key = topicConfigKeys[name];
  if (key === undefined) throw new InvalidConfigError(`Unknown topic config name: ${name}`);
  const refusal = (why: string) => new InvalidConfigError(`Invalid value ${value} for configuration ${name}: ${why}`);
  switch (key.type) {
    case "boolean":
      if (!/^(?:true|false)$/i.test(value)) throw refusal("Expected value to be either true or false");
      break;
    case "int":
    case "long":
      if (!/^[+-]?\d+$/.test(value)) throw refusal(`Not a number of type ${key.type.toUpperCase()}`);
      break;
    case "double":
      if (value.trim() === "" || Number.isNaN(Number(value))) throw refusal("Not a number of type DOUBLE");
      break;
    default:
      break;
  }
  if (key.among !== undefined) {
    const { among } = key;
    const items = key.type === "list" ? value.split(",") : [value];
    if (!items.every((item) => among.includes(item))) throw refusal(`String must be one of: ${among.join(", ")}`);
  }
  if (key.least !== undefined && Number(value) < key.least) throw refusal(`Value must be at least ${key.least}`);
  if (key.most !== undefined && Number(value) > key.most) throw refusal(`Value must be no more than ${key.most}`);
}
