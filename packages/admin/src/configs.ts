import { OptionReader, OptionsError } from "@odradek/network";
import { BrokerError, type KafkaError, type ResponseOf } from "@odradek/protocol";
import { AlterConfigs } from "@odradek/protocol/messages/alter-configs";
import { DescribeConfigs } from "@odradek/protocol/messages/describe-configs";
import { IncrementalAlterConfigs } from "@odradek/protocol/messages/incremental-alter-configs";
import { ListConfigResources } from "@odradek/protocol/messages/list-config-resources";
import { checkedKeys, isInt32, isText, readConfigs } from "./asking/arguments.ts";
import { type AdminCallOptions, type AdminContext, Call, type Whom } from "./asking/call.ts";
import { type Answers, askAll, askOne, askParts } from "./asking/fan-out.ts";
import { toBroker } from "./asking/routing.ts";
import { Codes } from "./codes.ts";
import type { Results } from "./results.ts";

/** What can have a configuration. Source: Kafka's `ConfigResource.Type`. */
export type ConfigResourceType = "UNKNOWN" | "TOPIC" | "BROKER" | "BROKER_LOGGER" | "CLIENT_METRICS" | "GROUP";

/** Where a value comes from. Source: Kafka's `ConfigEntry.ConfigSource`. */
export type ConfigSource =
  | "UNKNOWN"
  | "DYNAMIC_TOPIC_CONFIG"
  | "DYNAMIC_BROKER_CONFIG"
  | "DYNAMIC_DEFAULT_BROKER_CONFIG"
  | "STATIC_BROKER_CONFIG"
  | "DEFAULT_CONFIG"
  | "DYNAMIC_BROKER_LOGGER_CONFIG"
  | "DYNAMIC_CLIENT_METRICS_CONFIG"
  | "DYNAMIC_GROUP_CONFIG";

/** Source: Kafka's `ConfigEntry.ConfigType`. */
export type ConfigType =
  | "UNKNOWN"
  | "BOOLEAN"
  | "STRING"
  | "INT"
  | "SHORT"
  | "LONG"
  | "DOUBLE"
  | "LIST"
  | "CLASS"
  | "PASSWORD";

/** What to do with a value. `APPEND` and `SUBTRACT` are for lists. Source: Kafka's `AlterConfigOp.OpType`. */
export type AlterConfigOperation = "SET" | "DELETE" | "APPEND" | "SUBTRACT";

const types = new Codes<ConfigResourceType>(
  { UNKNOWN: 0, TOPIC: 2, BROKER: 4, BROKER_LOGGER: 8, CLIENT_METRICS: 16, GROUP: 32 },
  "UNKNOWN",
);

const sources = new Codes<ConfigSource>(
  {
    UNKNOWN: 0,
    DYNAMIC_TOPIC_CONFIG: 1,
    DYNAMIC_BROKER_CONFIG: 2,
    DYNAMIC_DEFAULT_BROKER_CONFIG: 3,
    STATIC_BROKER_CONFIG: 4,
    DEFAULT_CONFIG: 5,
    DYNAMIC_BROKER_LOGGER_CONFIG: 6,
    DYNAMIC_CLIENT_METRICS_CONFIG: 7,
    DYNAMIC_GROUP_CONFIG: 8,
  },
  "UNKNOWN",
);

const valueTypes = new Codes<ConfigType>(
  { UNKNOWN: 0, BOOLEAN: 1, STRING: 2, INT: 3, SHORT: 4, LONG: 5, DOUBLE: 6, LIST: 7, CLASS: 8, PASSWORD: 9 },
  "UNKNOWN",
);

const operations = new Codes<AlterConfigOperation>({ SET: 0, DELETE: 1, APPEND: 2, SUBTRACT: 3 }, "SET");

export interface ConfigResource {
  readonly type: ConfigResourceType;
  /** For brokers the id as text, or empty for what is set for all of them. */
  readonly name: string;
}

export interface ConfigQuery extends ConfigResource {
  /** Which of its configs. @default all of them */
  readonly configKeys?: readonly string[];
}

export interface DescribeConfigsOptions extends AdminCallOptions {
  /** Whether each place that sets a value is told, the one that wins first. @default false */
  readonly includeSynonyms?: boolean;
  /** Whether what it is for is told; brokers before Kafka 2.6 do not (KIP-569). @default false */
  readonly includeDocumentation?: boolean;
}

export interface ConfigSynonym {
  readonly name: string;
  readonly value: string | null;
  readonly source: ConfigSource;
}

export interface ConfigEntry {
  readonly name: string;
  /** `null` where it is sensitive, or not set. */
  readonly value: string | null;
  readonly source: ConfigSource;
  /** Whether it is as Kafka has it where nobody says otherwise. */
  readonly isDefault: boolean;
  readonly isSensitive: boolean;
  readonly isReadOnly: boolean;
  readonly type: ConfigType;
  /** Empty where they were not asked for. */
  readonly synonyms: readonly ConfigSynonym[];
  readonly documentation: string | null;
}

export interface ConfigDescription extends ConfigResource {
  readonly configs: readonly ConfigEntry[];
}

export interface AlterConfigOp {
  readonly name: string;
  readonly operation: AlterConfigOperation;
  /** What to set, or which elements of a list, separated by commas; nothing for `DELETE`. */
  readonly value?: string | null;
}

/** The changes of one resource: all of them are made, or none. */
export interface ConfigAlteration extends ConfigResource {
  readonly ops: readonly AlterConfigOp[];
}

/** All that is to be set of one resource. */
export interface ConfigReplacement extends ConfigResource {
  /** What is not named goes back to its default. */
  readonly configs: Readonly<Record<string, string | null>>;
}

export interface AlterConfigsOptions extends AdminCallOptions {
  /** Only checks whether they could be made. @default false */
  readonly validateOnly?: boolean;
}

const textOf = ({ type, name }: ConfigResource): string => `${type} ${name}`;

const keyOf = ({ type, name }: ConfigResource): ConfigResource => ({ type, name });

/** What concerns one broker is known to that one alone; `null` where any of them knows. */
function brokerOf({ type, name }: ConfigResource): number | null {
  const isOfOneBroker = (type === "BROKER" && name !== "") || type === "BROKER_LOGGER";
  return isOfOneBroker ? Number(name) : null;
}

/** The same for a change: controllers have it made by the active one, all but that of a logger, which each has its own. */
const changingBrokerOf = (resource: ConfigResource, { asksControllers }: Call): number | null =>
  asksControllers && resource.type !== "BROKER_LOGGER" ? null : brokerOf(resource);

/** See `KafkaAdmin.describeConfigs`. */
export async function describeConfigs(
  context: AdminContext,
  given: readonly ConfigQuery[],
  options: DescribeConfigsOptions,
): Promise<Results<ConfigDescription, ConfigResource>> {
  const queries = checkedKeys("resources", given, checkedQuery, textOf);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const includeSynonyms = reader.boolean("includeSynonyms", false);
  const includeDocumentation = reader.boolean("includeDocumentation", false);
  reader.finish();
  const keysOf = new Map(queries.map((query) => [textOf(query), query.configKeys]));
  return askAll<ConfigResource, ConfigDescription>(call, {
    keys: queries.map(keyOf),
    textOf,
    routing: toBroker(brokerOf),
    ask: (all, whom) =>
      askByAge(call, all, async (resources) => {
        const body = (version: number) => ({
          resources: resources.map((resource) => ({
            resourceType: types.codeOf(resource.type),
            resourceName: resource.name,
            configurationKeys: keysOf.get(textOf(resource)) ?? null,
          })),
          includeSynonyms,
          includeDocumentation: includeDocumentation && version >= documentationSince,
        });
        const { results } = await call.request(DescribeConfigs, body, whom);
        return new Map(
          results.map((told): [string, ConfigDescription | KafkaError] => {
            const { errorCode, errorMessage, configs } = told;
            const resource = toldResource(told, resources);
            const text = textOf(resource);
            if (errorCode !== 0) return [text, new BrokerError(errorCode, `configs of ${text}`, errorMessage)];
            return [text, { ...resource, configs: configs.map(toEntry) }];
          }),
        );
      }),
  });
}

/** Brokers refuse all of a request for a type that they do not know: those that not every release has are asked about by themselves. */
async function askByAge<T>(
  call: Call,
  resources: readonly ConfigResource[],
  ask: (some: readonly ConfigResource[]) => Promise<Answers<T>>,
): Promise<Answers<T>> {
  const ages = [...new Set(resources.map(ageOf))].map((age) => resources.filter((one) => ageOf(one) === age));
  return askParts(
    call,
    ages.map((some) => ({ texts: () => some.map(textOf), ask: () => ask(some) })),
  );
}

/** Who does not know a type tells of it as none: what was asked about together has one then. */
function toldResource({ resourceType, resourceName: name }: ToldResource, asked: readonly ConfigResource[]) {
  const type = types.nameOf(resourceType);
  return { type: type === "UNKNOWN" ? (asked[0]?.type ?? type) : type, name };
}

interface ToldResource {
  readonly resourceType: number;
  readonly resourceName: string;
}

const ageOf = ({ type }: ConfigResource): ConfigResourceType => (type === "TOPIC" ? "BROKER" : type);

const documentationSince = 3;

function checkedQuery(given: ConfigQuery, path: string) {
  const reader = new OptionReader(given, path);
  const checked = {
    ...readResource(reader, path),
    configKeys: reader.items("configKeys", null, isText, "the name of a config"),
  };
  reader.finish();
  return checked;
}

function readResource(reader: OptionReader, path: string): ConfigResource {
  const resource = {
    type: reader.required("type", types.isName, `one of ${types.names.slice(1).join(", ")}`),
    name: reader.required("name", isResourceName, "a text"),
  };
  if (brokerOf(resource) !== null && !isBrokerId(resource.name)) {
    throw new OptionsError(`${path}.name`, resource.name, "the id of a broker");
  }
  return resource;
}

const isBrokerId = (text: string): boolean => /^\d{1,10}$/.test(text) && isInt32(Number(text));

const isResourceName = (value: unknown): value is string => typeof value === "string";

type EntryAnswer = ResponseOf<typeof DescribeConfigs>["results"][number]["configs"][number];

const toEntry = (entry: EntryAnswer): ConfigEntry => ({
  name: entry.name,
  value: entry.value,
  source: sources.nameOf(entry.configSource),
  isDefault: sources.nameOf(entry.configSource) === "DEFAULT_CONFIG",
  isSensitive: entry.isSensitive,
  isReadOnly: entry.readOnly,
  type: valueTypes.nameOf(entry.configType),
  synonyms: entry.synonyms.map(({ name, value, source }) => ({ name, value, source: sources.nameOf(source) })),
  documentation: entry.documentation,
});

/** See `KafkaAdmin.incrementalAlterConfigs`. */
export async function incrementalAlterConfigs(
  context: AdminContext,
  given: readonly ConfigAlteration[],
  options: AlterConfigsOptions,
): Promise<Results<ConfigResource, ConfigResource>> {
  const alterations = checkedKeys("resources", given, checkedAlteration, textOf);
  return altered(context, alterations, options, async (call, asked, validateOnly, whom) => {
    const resources = asked.map(({ type, name: resourceName, ops }) => ({
      resourceType: types.codeOf(type),
      resourceName,
      configs: ops.map(({ name, operation, value }) => ({
        name,
        configOperation: operations.codeOf(operation),
        value,
      })),
    }));
    return (await call.request(IncrementalAlterConfigs, { resources, validateOnly }, whom)).responses;
  });
}

/** Asks whoever changes them, in one of the two ways, which are routed and answered alike. */
async function altered<R extends ConfigResource>(
  context: AdminContext,
  alterations: readonly R[],
  options: AlterConfigsOptions,
  ask: (
    call: Call,
    asked: readonly R[],
    validateOnly: boolean,
    whom: Whom,
  ) => Promise<ResponseOf<typeof AlterConfigs>["responses"]>,
): Promise<Results<ConfigResource, ConfigResource>> {
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const validateOnly = reader.boolean("validateOnly", false);
  reader.finish();
  const byText = new Map(alterations.map((alteration) => [textOf(alteration), alteration]));
  return askAll<ConfigResource, ConfigResource>(call, {
    keys: alterations.map(keyOf),
    textOf,
    routing: toBroker(changingBrokerOf),
    ask: (all, whom) =>
      askByAge(call, all, async (resources) => {
        const asked = resources.flatMap((resource) => byText.get(textOf(resource)) ?? []);
        return alteredResources(await ask(call, asked, validateOnly, whom), asked);
      }),
  });
}

const alteredResources = (
  responses: ResponseOf<typeof AlterConfigs>["responses"],
  asked: readonly ConfigResource[],
): Answers<ConfigResource> =>
  new Map(
    responses.map(({ errorCode, errorMessage, ...told }) => {
      const resource = toldResource(told, asked);
      const about = `altering configs of ${textOf(resource)}`;
      return [textOf(resource), errorCode === 0 ? resource : new BrokerError(errorCode, about, errorMessage)];
    }),
  );

function checkedAlteration(given: ConfigAlteration, path: string) {
  const reader = new OptionReader(given, path);
  const resource = readResource(reader, path);
  const ops: readonly AlterConfigOp[] = reader.required("ops", isOps, "an array of changes");
  reader.finish();
  return {
    ...resource,
    ops: checkedKeys(`${path}.ops`, ops, checkedOp, ({ name }) => name),
  };
}

/** What is in it is checked one by one. */
const isOps = (value: unknown): value is readonly AlterConfigOp[] => Array.isArray(value);

function checkedOp(given: AlterConfigOp, path: string) {
  const reader = new OptionReader(given, path);
  const op = {
    name: reader.required("name", isText, "the name of a config"),
    operation: reader.required("operation", operations.isName, `one of ${operations.names.join(", ")}`),
    value: reader.value("value", null, isValue, "a text"),
  };
  reader.finish();
  if (op.value === null && op.operation !== "DELETE") throw new OptionsError(`${path}.value`, op.value, "a text");
  return op;
}

const isValue = (value: unknown): value is string | null => value === null || typeof value === "string";

/** See `KafkaAdmin.alterConfigs`. */
export async function alterConfigs(
  context: AdminContext,
  given: readonly ConfigReplacement[],
  options: AlterConfigsOptions,
): Promise<Results<ConfigResource, ConfigResource>> {
  const replacements = checkedKeys("resources", given, checkedReplacement, textOf);
  return altered(context, replacements, options, async (call, asked, validateOnly, whom) => {
    const resources = asked.map(({ type, name: resourceName, configs }) => ({
      resourceType: types.codeOf(type),
      resourceName,
      configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
    }));
    return (await call.request(AlterConfigs, { resources, validateOnly }, whom)).responses;
  });
}

function checkedReplacement(given: ConfigReplacement, path: string): ConfigReplacement {
  const reader = new OptionReader(given, path);
  const resource = readResource(reader, path);
  const configs = readConfigs(reader, null);
  reader.finish();
  return { ...resource, configs };
}

/** See `KafkaAdmin.listConfigResources`. */
export async function listConfigResources(
  context: AdminContext,
  given: readonly ConfigResourceType[],
  options: AdminCallOptions,
): Promise<ConfigResource[]> {
  const wanted = checkedKeys("types", given, (type, path) => {
    if (!types.isName(type)) throw new OptionsError(path, type, `one of ${types.names.slice(1).join(", ")}`);
    return type;
  });
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  // Before Kafka 4.1 brokers know of one type, and cannot be told which.
  const isOldEnough = wanted.length === 1 && wanted[0] === "CLIENT_METRICS";
  const body = (version: number) =>
    version < typesSince ? {} : { resourceTypes: wanted.map((type) => types.codeOf(type)) };
  const bounds = isOldEnough ? {} : { oldest: typesSince };
  const ask = async (whom: Whom) => {
    const response = await call.request(ListConfigResources, body, whom, bounds);
    if (response.errorCode !== 0) throw new BrokerError(response.errorCode, "ListConfigResources");
    return response.configResources;
  };
  const resources = await askOne(call, "ListConfigResources", ask);
  return resources.map(({ resourceName: name, resourceType }) => ({ type: types.nameOf(resourceType), name }));
}

const typesSince = 1;
