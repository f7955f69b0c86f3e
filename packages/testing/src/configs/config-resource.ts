import { codeOf } from "@odradek/protocol";
import type { RequestContext } from "../request-context.ts";
import { type ConfigChange, type ConfigEntry, configSource, InvalidConfigError } from "../topics/topic-configs.ts";

/** What can have a configuration, in the codes of the config APIs. */
export const resourceType = { topic: 2, broker: 4 } as const;

export interface ConfigResource {
  readonly resourceType: number;
  readonly resourceName: string;
}

interface Outcome {
  readonly errorCode: number;
  readonly errorMessage: string | null;
}

const refused = (name: Parameters<typeof codeOf>[0], errorMessage: string): Outcome => ({
  errorCode: codeOf(name),
  errorMessage,
});

const noSuchTopic = "This server does not host this topic-partition.";

/** What a resource is configured with. */
export function entriesOf(
  resource: ConfigResource,
  { cluster }: RequestContext,
): { readonly outcome: Outcome; readonly entries: readonly ConfigEntry[] } {
  const { resourceName } = resource;
  if (resource.resourceType === resourceType.topic) {
    const topic = cluster.topics.byName(resourceName);
    if (topic === undefined) return { outcome: refused("UNKNOWN_TOPIC_OR_PARTITION", noSuchTopic), entries: [] };
    return { outcome: { errorCode: 0, errorMessage: null }, entries: topic.configs.entries() };
  }
  if (resource.resourceType === resourceType.broker) {
    const isDefault = resourceName === "";
    if (!isDefault && cluster.broker(Number(resourceName)) === undefined) {
      return { outcome: refused("INVALID_REQUEST", `Unexpected broker id ${resourceName}`), entries: [] };
    }
    return {
      outcome: { errorCode: 0, errorMessage: null },
      entries: isDefault ? [] : brokerEntries(resourceName, cluster.options),
    };
  }
  return { outcome: refused("INVALID_REQUEST", `Unsupported resource type: ${resource.resourceType}`), entries: [] };
}

/** The broker's settings that the cluster was started with: they do not change. */
function brokerEntries(id: string, options: RequestContext["cluster"]["options"]): ConfigEntry[] {
  const entry = (name: string, value: string | number | boolean, type: number): ConfigEntry => {
    const stated = { name, value: String(value), source: configSource.broker };
    return { ...stated, type, isReadOnly: true, synonyms: [stated] };
  };
  return [
    entry("auto.create.topics.enable", options.autoCreateTopics, 1),
    entry("broker.id", id, 3),
    entry("default.replication.factor", options.topicDefaults.replicationFactor, 3),
    entry("group.consumer.heartbeat.interval.ms", options.groups.consumerHeartbeatIntervalMs, 3),
    entry("group.consumer.session.timeout.ms", options.groups.consumerSessionTimeoutMs, 3),
    entry("group.initial.rebalance.delay.ms", options.groups.initialRebalanceDelayMs, 3),
    entry("group.min.session.timeout.ms", options.groups.minSessionTimeoutMs, 3),
    entry("log.cleaner.backoff.ms", options.logs.cleanerBackoffMs, 5),
    entry("log.retention.check.interval.ms", options.logs.retentionCheckIntervalMs, 5),
    entry("node.id", id, 3),
    entry("num.partitions", options.topicDefaults.partitions, 3),
    entry("transaction.max.timeout.ms", options.transactions.maxTimeoutMs, 3),
  ];
}

/** Changes the configuration of a resource, all keys or none. */
export function alter(
  resource: ConfigResource,
  changes: readonly ConfigChange[],
  validateOnly: boolean,
  { cluster }: RequestContext,
): Outcome {
  if (resource.resourceType === resourceType.broker) return alterBroker(changes);
  if (resource.resourceType !== resourceType.topic) {
    return refused("INVALID_REQUEST", `Unsupported resource type: ${resource.resourceType}`);
  }
  const topic = cluster.topics.byName(resource.resourceName);
  if (topic === undefined)
    return refused("UNKNOWN_TOPIC_OR_PARTITION", `The topic '${resource.resourceName}' does not exist.`);
  try {
    const own = topic.configs.changed(changes);
    if (!validateOnly) topic.configs.replace(own);
    return { errorCode: 0, errorMessage: null };
  } catch (error) {
    if (!(error instanceof InvalidConfigError)) throw error;
    return refused("INVALID_CONFIG", error.message);
  }
}

/** No key can be set while brokers run, so that none is there to be deleted, which is no error. */
function alterBroker(changes: readonly ConfigChange[]): Outcome {
  const set = changes.filter(({ operation }) => operation !== "delete").map(({ name }) => name);
  if (set.length === 0) return { errorCode: 0, errorMessage: null };
  return refused("INVALID_REQUEST", `Cannot update these configs dynamically: [${set.join(", ")}]`);
}

/** What a change to exactly `configs` comes to: the keys that are not listed go back to their defaults. */
export function replacing(
  resource: ConfigResource,
  configs: readonly { readonly name: string; readonly value: string | null }[],
  { cluster }: RequestContext,
): ConfigChange[] {
  const own = cluster.topics.byName(resource.resourceName)?.configs.overrides() ?? {};
  const kept = new Set(configs.map(({ name }) => name));
  const deletions = Object.keys(own).filter((name) => !kept.has(name));
  return [
    ...deletions.map((name): ConfigChange => ({ name, operation: "delete", value: null })),
    ...configs.map(({ name, value }): ConfigChange => ({ name, operation: "set", value })),
  ];
}
