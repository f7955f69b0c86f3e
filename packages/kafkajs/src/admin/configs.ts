import type {
  ConfigDescription,
  ConfigEntry,
  ConfigResource,
  ConfigResourceType,
  ConfigSource as ConfigSourceName,
  Results,
} from "odradek";
import { ConfigResourceTypes, ConfigSource } from "../constants.ts";
import { KafkaJSBrokerNotFound } from "../errors/connection-errors.ts";
import { KafkaJSNonRetriableError } from "../errors/errors.ts";
import type { AdminClient } from "./admin-client.ts";
import { checkArray } from "./arguments.ts";
import type { IResourceConfigEntry } from "./new-topic.ts";
import { textAsTyped } from "./text-as-typed.ts";

export interface ResourceConfigQuery {
  type: ConfigResourceTypes;
  /** For brokers the id as text. */
  name: string;
  /** @default all of them */
  configNames?: string[];
}

export interface ConfigSynonyms {
  configName: string;
  configValue: string;
  configSource: ConfigSource;
}

export interface ConfigEntries {
  configName: string;
  /** `null`, of which the types of kafkajs say nothing, where it is sensitive or not set. */
  configValue: string;
  isDefault: boolean;
  configSource: ConfigSource;
  isSensitive: boolean;
  readOnly: boolean;
  /** Empty unless they are asked for; the one that wins first. */
  configSynonyms: ConfigSynonyms[];
}

export interface DescribeConfigResponse {
  resources: {
    configEntries: ConfigEntries[];
    errorCode: number;
    errorMessage: string;
    resourceName: string;
    resourceType: ConfigResourceTypes;
  }[];
  throttleTime: number;
}

/** All that is to be set of a resource: what is not named goes back to its default. */
export interface IResourceConfig {
  type: ConfigResourceTypes;
  /** For brokers the id as text. */
  name: string;
  configEntries: IResourceConfigEntry[];
}

export interface AlterConfigResponse {
  resources: { errorCode: number; errorMessage: null; resourceType: ConfigResourceTypes; resourceName: string }[];
}

const types: ReadonlyMap<unknown, ConfigResourceType> = new Map([
  [ConfigResourceTypes.UNKNOWN, "UNKNOWN"],
  [ConfigResourceTypes.TOPIC, "TOPIC"],
  [ConfigResourceTypes.BROKER, "BROKER"],
  [ConfigResourceTypes.BROKER_LOGGER, "BROKER_LOGGER"],
]);

/** Those of resources that kafkajs does not know have no number there. */
const sources: Readonly<Record<ConfigSourceName, ConfigSource>> = {
  UNKNOWN: ConfigSource.UNKNOWN,
  DYNAMIC_TOPIC_CONFIG: ConfigSource.TOPIC_CONFIG,
  DYNAMIC_BROKER_CONFIG: ConfigSource.DYNAMIC_BROKER_CONFIG,
  DYNAMIC_DEFAULT_BROKER_CONFIG: ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG,
  STATIC_BROKER_CONFIG: ConfigSource.STATIC_BROKER_CONFIG,
  DEFAULT_CONFIG: ConfigSource.DEFAULT_CONFIG,
  DYNAMIC_BROKER_LOGGER_CONFIG: ConfigSource.DYNAMIC_BROKER_LOGGER_CONFIG,
  DYNAMIC_CLIENT_METRICS_CONFIG: ConfigSource.UNKNOWN,
  DYNAMIC_GROUP_CONFIG: ConfigSource.UNKNOWN,
};

/** Of one broker what that broker says, of topics what any of them does. */
export async function describeConfigs(
  client: AdminClient,
  { resources, includeSynonyms }: { resources: ResourceConfigQuery[]; includeSynonyms?: boolean },
): Promise<DescribeConfigResponse> {
  checkResources(resources);
  const unnamed = resources.find(({ configNames }) => !Array.isArray(configNames ?? []));
  if (unnamed !== undefined) throw invalid("resource configNames", unnamed.configNames, unnamed);
  const queries = resources.map(({ configNames = [], ...resource }) => ({
    ...resourceOf(resource),
    ...(configNames.length === 0 ? {} : { configKeys: configNames }),
  }));
  const described = await client.ask(async (admin) =>
    valuesOf(await admin.describeConfigs(queries, { includeSynonyms: Boolean(includeSynonyms) })),
  );
  return {
    resources: described.map((description, index) => ({
      errorCode: 0,
      errorMessage: "",
      resourceType: resources[index]?.type ?? ConfigResourceTypes.UNKNOWN,
      resourceName: description.name,
      configEntries: entriesOf(description),
    })),
    throttleTime: 0,
  };
}

const entriesOf = ({ configs }: ConfigDescription): ConfigEntries[] =>
  configs.map((entry: ConfigEntry) => ({
    configName: entry.name,
    configValue: textAsTyped(entry.value),
    readOnly: entry.isReadOnly,
    isDefault: entry.isDefault,
    configSource: sources[entry.source],
    isSensitive: entry.isSensitive,
    configSynonyms: entry.synonyms.map(({ name, value, source }) => ({
      configName: name,
      configValue: textAsTyped(value),
      configSource: sources[source],
    })),
  }));

export async function alterConfigs(
  client: AdminClient,
  { resources, validateOnly }: { resources: IResourceConfig[]; validateOnly?: boolean },
): Promise<AlterConfigResponse> {
  checkResources(resources);
  const bare = resources.find(({ configEntries }) => !Array.isArray(configEntries));
  if (bare !== undefined) throw invalid("resource configEntries", bare.configEntries, bare);
  const wrong = resources.find(({ configEntries }) =>
    configEntries.some(({ name, value }) => typeof name !== "string" || typeof value !== "string"),
  );
  if (wrong !== undefined) {
    throw new KafkaJSNonRetriableError(`Invalid resource config value: ${JSON.stringify(wrong)}`);
  }
  const replacements = resources.map(({ configEntries, ...resource }) => ({
    ...resourceOf(resource),
    configs: Object.fromEntries(configEntries.map(({ name, value }) => [name, value])),
  }));
  await client.ask(async (admin) =>
    valuesOf(await admin.alterConfigs(replacements, { validateOnly: Boolean(validateOnly) })),
  );
  return {
    resources: resources.map(({ type: resourceType, name: resourceName }) => ({
      errorCode: 0,
      errorMessage: null,
      resourceType,
      resourceName,
    })),
  };
}

const resourceOf = ({ type, name }: Pick<ResourceConfigQuery, "type" | "name">): ConfigResource => ({
  type: types.get(type) ?? "UNKNOWN",
  name,
});

function checkResources(resources: readonly Pick<ResourceConfigQuery, "type" | "name">[]): void {
  checkArray(resources, "resources");
  if (resources.length === 0) throw new KafkaJSNonRetriableError("Resources array cannot be empty");
  const untyped = resources.find(({ type }) => !types.has(type));
  if (untyped !== undefined) throw invalid("resource type", untyped.type, untyped);
  const unnamed = resources.find(({ name }) => !name || typeof name !== "string");
  if (unnamed !== undefined) throw invalid("resource name", unnamed.name, unnamed);
  const nobody = resources.find(({ type, name }) => isOfBroker(types.get(type)) && !/^\d+$/.test(name));
  if (nobody !== undefined) throw new KafkaJSBrokerNotFound(`Broker ${nobody.name} not found: brokers go by their ids`);
}

const isOfBroker = (type: ConfigResourceType | undefined): boolean => type === "BROKER" || type === "BROKER_LOGGER";

const invalid = (what: string, value: unknown, resource: object): KafkaJSNonRetriableError =>
  new KafkaJSNonRetriableError(`Invalid ${what} ${String(value)}: ${JSON.stringify(resource)}`);

/** @throws the first error; KafkaJSBrokerNotFound for one of a broker that is not there */
function valuesOf<T>(results: Results<T, ConfigResource>): T[] {
  const lost = [...results].find(({ error }) => error?.code === "BROKER_NOT_AVAILABLE")?.error;
  if (lost) throw new KafkaJSBrokerNotFound(lost);
  return results.orThrow();
}
