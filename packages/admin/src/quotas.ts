import { OptionReader, OptionsError } from "@odradek/network";
import { BrokerError } from "@odradek/protocol";
import { AlterClientQuotas } from "@odradek/protocol/messages/alter-client-quotas";
import { DescribeClientQuotas } from "@odradek/protocol/messages/describe-client-quotas";
import { checkedKeys, isText } from "./asking/arguments.ts";
import { type AdminCallOptions, type AdminContext, Call } from "./asking/call.ts";
import { askAll, askOne } from "./asking/fan-out.ts";
import { toAny } from "./asking/routing.ts";
import type { Results } from "./results.ts";

/**
 * Whom a quota is for: a user, a client id, both together, or an address. `null` stands for the default of that kind, which
 * counts for everyone who has no quota of his own. Source: Kafka's `ClientQuotaEntity`, KIP-546.
 */
export interface ClientQuotaEntity {
  readonly user?: string | null;
  readonly clientId?: string | null;
  readonly ip?: string | null;
}

/** Quotas of one entity, each set to a number, or taken away with `null`. Source: Kafka's `ClientQuotaAlteration`. */
export interface ClientQuotaAlteration {
  readonly entity: ClientQuotaEntity;
  /**
   * By name: `producer_byte_rate`, `consumer_byte_rate` (bytes per second and broker), `request_percentage` (of a thread),
   * `controller_mutation_rate`, `connection_creation_rate` (per second).
   */
  readonly quotas: Readonly<Record<string, number | null>>;
}

/**
 * Which entities: for each kind that is named a name, `null` for the default of the kind, or `true` for whatever name.
 * Source: Kafka's `ClientQuotaFilter`.
 */
export interface ClientQuotaFilter {
  readonly user?: string | true | null;
  readonly clientId?: string | true | null;
  readonly ip?: string | true | null;
  /** Leaves out entities with a kind that is not named here. @default false */
  readonly strict?: boolean;
}

export interface ClientQuotas {
  readonly entity: ClientQuotaEntity;
  readonly quotas: Readonly<Record<string, number>>;
}

export interface AlterQuotasOptions extends AdminCallOptions {
  /** Only checks whether they could be set. @default false */
  readonly validateOnly?: boolean;
}

/** Our names of the kinds, and Kafka's. */
const kinds = [
  ["user", "user"],
  ["clientId", "client-id"],
  ["ip", "ip"],
] as const;

const matchExact = 0;
const matchDefault = 1;
const matchAny = 2;

/** See `KafkaAdmin.describeClientQuotas`. */
export async function describeClientQuotas(
  context: AdminContext,
  given: ClientQuotaFilter,
  options: AdminCallOptions,
): Promise<ClientQuotas[]> {
  const filter = new OptionReader(given, "filter");
  const strict = filter.boolean("strict", false);
  const components = kinds.flatMap(([kind, entityType]) => {
    // `null` and nothing are two things here, which the reader does not tell apart.
    if (given[kind] === undefined) return [];
    const match = filter.value(kind, null, isMatch, "a text, null for the default, or true for any");
    if (match === true) return [{ entityType, matchType: matchAny, match: null }];
    return [{ entityType, matchType: match === null ? matchDefault : matchExact, match }];
  });
  for (const [kind] of kinds) filter.has(kind);
  filter.finish();
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  const entries = await askOne(call, "DescribeClientQuotas", async (whom) => {
    const response = await call.request(DescribeClientQuotas, { components, strict }, whom);
    if (response.errorCode !== 0)
      throw new BrokerError(response.errorCode, "DescribeClientQuotas", response.errorMessage);
    return response.entries ?? [];
  });
  return entries.map(({ entity, values }) => ({
    entity: toEntity(entity),
    quotas: Object.fromEntries(values.map(({ key, value }) => [key, value])),
  }));
}

const isMatch = (value: unknown): value is string | true | null => value === null || value === true || isText(value);

interface EntityPart {
  readonly entityType: string;
  readonly entityName: string | null;
}

const toEntity = (parts: readonly EntityPart[]): ClientQuotaEntity =>
  Object.fromEntries(
    kinds.flatMap(([kind, entityType]) =>
      parts.filter((part) => part.entityType === entityType).map(({ entityName }) => [kind, entityName]),
    ),
  );

const toParts = (entity: ClientQuotaEntity): EntityPart[] =>
  kinds.flatMap(([kind, entityType]) => {
    const entityName = entity[kind];
    return entityName === undefined ? [] : [{ entityType, entityName }];
  });

/** Names may have anything in them, so that only quotes keep a user and a client id apart from a user with both in its name. */
const textOf = (entity: ClientQuotaEntity): string => JSON.stringify(toEntity(toParts(entity)));

/** See `KafkaAdmin.alterClientQuotas`. */
export async function alterClientQuotas(
  context: AdminContext,
  given: readonly ClientQuotaAlteration[],
  options: AlterQuotasOptions,
): Promise<Results<ClientQuotaEntity, ClientQuotaEntity>> {
  const alterations = checkedKeys("alterations", given, checkedAlteration, ({ entity }) => textOf(entity));
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  const validateOnly = reader.boolean("validateOnly", false);
  reader.finish();
  const quotasOf = new Map(alterations.map(({ entity, quotas }) => [textOf(entity), quotas]));
  return askAll<ClientQuotaEntity, ClientQuotaEntity>(call, {
    keys: alterations.map(({ entity }) => entity),
    textOf,
    routing: toAny(),
    ask: async (entities, whom) => {
      const entries = entities.map((entity) => ({
        entity: toParts(entity),
        ops: Object.entries(quotasOf.get(textOf(entity)) ?? {}).map(([key, value]) => ({
          key,
          value: value ?? 0,
          remove: value === null,
        })),
      }));
      const response = await call.request(AlterClientQuotas, { entries, validateOnly }, whom);
      return new Map(
        response.entries.map(({ entity: parts, errorCode, errorMessage }) => {
          const entity = toEntity(parts);
          const text = textOf(entity);
          return [text, errorCode === 0 ? entity : new BrokerError(errorCode, `quotas of ${text}`, errorMessage)];
        }),
      );
    },
  });
}

function checkedAlteration(given: ClientQuotaAlteration, path: string): ClientQuotaAlteration {
  const reader = new OptionReader(given, path);
  const quotas = reader.record("quotas", null, isQuota, "a number, or null to take it away,");
  reader.required("entity", isObject, "an object with user, clientId or ip");
  reader.finish();
  const ofEntity = new OptionReader(given.entity, `${path}.entity`);
  for (const [kind] of kinds) ofEntity.value(kind, null, isNameOrNull, "a text, or null for the default");
  ofEntity.finish();
  const parts = toParts(given.entity);
  if (parts.length === 0) throw new OptionsError(`${path}.entity`, given.entity, "a user, a clientId or an ip");
  return { entity: toEntity(parts), quotas };
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
const isNameOrNull = (value: unknown): value is string | null => value === null || isText(value);

const isQuota = (value: unknown): value is number | null => value === null || Number.isFinite(value);
