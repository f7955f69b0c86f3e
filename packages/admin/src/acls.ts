import { OptionReader } from "@odradek/network";
import { BrokerError, type KafkaError } from "@odradek/protocol";
import { CreateAcls } from "@odradek/protocol/messages/create-acls";
import { DeleteAcls } from "@odradek/protocol/messages/delete-acls";
import { DescribeAcls } from "@odradek/protocol/messages/describe-acls";
import { type AclOperation, aclOperations } from "./acl-operations.ts";
import { checkedKeys, isText } from "./asking/arguments.ts";
import { type AdminCallOptions, type AdminContext, Call, type Whom } from "./asking/call.ts";
import { askAll, askOne } from "./asking/fan-out.ts";
import { toAny } from "./asking/routing.ts";
import { Codes } from "./codes.ts";
import type { Results } from "./results.ts";

/** What rules are about; `ANY` in filters only. Source: Kafka's `ResourceType`. */
export type AclResourceType =
  | "UNKNOWN"
  | "ANY"
  | "TOPIC"
  | "GROUP"
  | "CLUSTER"
  | "TRANSACTIONAL_ID"
  | "DELEGATION_TOKEN"
  | "USER";

/**
 * `LITERAL`: this name, `*` being every name. `PREFIXED`: names that begin so. In filters only: `MATCH`, every pattern that
 * covers the name; `ANY`, patterns of this text and any type. Source: Kafka's `PatternType`, KIP-290.
 */
export type AclPatternType = "UNKNOWN" | "ANY" | "MATCH" | "LITERAL" | "PREFIXED";

/** `ANY` in filters only. Source: Kafka's `AclPermissionType`. */
export type AclPermissionType = "UNKNOWN" | "ANY" | "DENY" | "ALLOW";

const resourceTypes = new Codes<AclResourceType>(
  { UNKNOWN: 0, ANY: 1, TOPIC: 2, GROUP: 3, CLUSTER: 4, TRANSACTIONAL_ID: 5, DELEGATION_TOKEN: 6, USER: 7 },
  "UNKNOWN",
);
const patternTypes = new Codes<AclPatternType>({ UNKNOWN: 0, ANY: 1, MATCH: 2, LITERAL: 3, PREFIXED: 4 }, "UNKNOWN");
const permissionTypes = new Codes<AclPermissionType>({ UNKNOWN: 0, ANY: 1, DENY: 2, ALLOW: 3 }, "UNKNOWN");

/** One rule. Source: Kafka's `AclBinding`. */
export interface AclBinding {
  readonly resourceType: AclResourceType;
  /** `kafka-cluster` for the cluster. */
  readonly resourceName: string;
  readonly patternType: AclPatternType;
  /** Such as `User:alice`; `User:*` is everyone. */
  readonly principal: string;
  /** An address; `*` is every host. */
  readonly host: string;
  readonly operation: AclOperation;
  readonly permissionType: AclPermissionType;
}

/** A rule to be. */
export interface NewAcl extends Omit<AclBinding, "patternType" | "host"> {
  /** @default "LITERAL" */
  readonly patternType?: AclPatternType;
  /** @default "*" */
  readonly host?: string;
}

/** Which rules; what is left out may be anything. Source: Kafka's `AclBindingFilter`. */
export interface AclFilter {
  readonly resourceType?: AclResourceType;
  readonly resourceName?: string | null;
  readonly patternType?: AclPatternType;
  readonly principal?: string | null;
  readonly host?: string | null;
  readonly operation?: AclOperation;
  readonly permissionType?: AclPermissionType;
}

/** A rule that a filter matched; `error` is why it could not be deleted. */
export interface DeletedAcl extends AclBinding {
  readonly error: KafkaError | null;
}

/** What rules and filters have in common. */
interface AclFields {
  readonly resourceType: AclResourceType;
  readonly resourceName: string | null;
  readonly patternType: AclPatternType;
  readonly principal: string | null;
  readonly host: string | null;
  readonly operation: AclOperation;
  readonly permissionType: AclPermissionType;
}

/** One text for each rule or filter, to tell them apart. */
function textOf({
  resourceType,
  resourceName,
  patternType,
  principal,
  host,
  operation,
  permissionType,
}: AclFields): string {
  const named = [resourceType, patternType, resourceName, principal, host, operation, permissionType];
  return named.map((part) => (part === null ? "anything" : JSON.stringify(part))).join(" ");
}

/** See `KafkaAdmin.createAcls`. */
export async function createAcls(
  context: AdminContext,
  given: readonly NewAcl[],
  options: AdminCallOptions,
): Promise<Results<AclBinding, AclBinding>> {
  const acls = checkedKeys("acls", given, checkedBinding, textOf);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  return askAll(call, {
    keys: acls,
    textOf,
    routing: toAny(),
    ask: async (some, whom) => {
      const creations = some.map((acl) => ({
        ...codesOf(acl),
        resourceName: acl.resourceName,
        resourcePatternType: patternTypes.codeOf(acl.patternType),
        principal: acl.principal,
        host: acl.host,
      }));
      const { results } = await call.request(CreateAcls, { creations }, whom);
      return new Map(
        some.flatMap((acl, index): [string, AclBinding | KafkaError][] => {
          const told = results[index];
          if (told === undefined) return [];
          const about = `creating the ACL of ${acl.principal} on ${acl.resourceType} ${acl.resourceName}`;
          return [
            [textOf(acl), told.errorCode === 0 ? acl : new BrokerError(told.errorCode, about, told.errorMessage)],
          ];
        }),
      );
    },
  });
}

const codesOf = ({ resourceType, operation, permissionType }: AclFields) => ({
  resourceType: resourceTypes.codeOf(resourceType),
  operation: aclOperations.codeOf(operation),
  permissionType: permissionTypes.codeOf(permissionType),
});

/** Names that stand for more than one thing, and so for nothing that could be created. */
const ofFilters: ReadonlySet<string> = new Set(["ANY", "MATCH"]);

const ofOneKind =
  <N extends string>({ isName }: Codes<N>) =>
  (value: unknown): value is N =>
    isName(value) && !ofFilters.has(value);

const oneKind = <N extends string>({ names }: Codes<N>): string =>
  expected(names.filter((name) => !ofFilters.has(name)));

function checkedBinding(given: NewAcl, path: string): AclBinding {
  const reader = new OptionReader(given, path);
  const binding = {
    resourceType: reader.required("resourceType", ofOneKind(resourceTypes), oneKind(resourceTypes)),
    resourceName: reader.required("resourceName", isText, "a text that is not empty"),
    patternType: reader.value<AclPatternType>("patternType", "LITERAL", ofOneKind(patternTypes), oneKind(patternTypes)),
    principal: reader.required("principal", isPrincipal, "a type and a name, such as User:alice"),
    host: reader.string("host", "*"),
    operation: reader.required("operation", ofOneKind(aclOperations), oneKind(aclOperations)),
    permissionType: reader.required("permissionType", ofOneKind(permissionTypes), oneKind(permissionTypes)),
  };
  reader.finish();
  return binding;
}

const expected = (names: readonly string[]): string =>
  `one of ${names.filter((name) => name !== "UNKNOWN").join(", ")}`;

const isPrincipal = (value: unknown): value is string => typeof value === "string" && /^[^:]+:./s.test(value);

/** See `KafkaAdmin.describeAcls`. */
export async function describeAcls(
  context: AdminContext,
  given: AclFilter,
  options: AdminCallOptions,
): Promise<AclBinding[]> {
  const filter = checkedFilter(given, "filter");
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  const ask = async (whom: Whom) => {
    const { resourceType, ...codes } = codesOf(filter);
    const body = { ...codes, ...filterFields(filter), resourceTypeFilter: resourceType };
    const response = await call.request(DescribeAcls, body, whom);
    if (response.errorCode !== 0) throw new BrokerError(response.errorCode, "describing ACLs", response.errorMessage);
    return response.resources;
  };
  const resources = await askOne(call, "describing ACLs", ask);
  return resources.flatMap(({ acls, ...resource }) => acls.map((acl) => toBinding({ ...resource, ...acl })));
}

const filterFields = ({ resourceName, patternType, principal, host }: AclFields) => ({
  resourceNameFilter: resourceName,
  patternTypeFilter: patternTypes.codeOf(patternType),
  principalFilter: principal,
  hostFilter: host,
});

function checkedFilter(given: AclFilter, path: string): AclFields {
  const reader = new OptionReader(given, path);
  const filter = {
    resourceType: reader.value(
      "resourceType",
      anything.resourceType,
      resourceTypes.isName,
      expected(resourceTypes.names),
    ),
    resourceName: reader.string("resourceName", null),
    patternType: reader.value("patternType", anything.patternType, patternTypes.isName, expected(patternTypes.names)),
    principal: reader.string("principal", null),
    host: reader.string("host", null),
    operation: reader.value("operation", anything.operation, aclOperations.isName, expected(aclOperations.names)),
    permissionType: reader.value(
      "permissionType",
      anything.permissionType,
      permissionTypes.isName,
      expected(permissionTypes.names),
    ),
  };
  reader.finish();
  return filter;
}

interface BindingAnswer {
  readonly resourceType: number;
  readonly resourceName: string;
  readonly patternType: number;
  readonly principal: string;
  readonly host: string;
  readonly operation: number;
  readonly permissionType: number;
}

const toBinding = (acl: BindingAnswer): AclBinding => ({
  resourceType: resourceTypes.nameOf(acl.resourceType),
  resourceName: acl.resourceName,
  patternType: patternTypes.nameOf(acl.patternType),
  principal: acl.principal,
  host: acl.host,
  operation: aclOperations.nameOf(acl.operation),
  permissionType: permissionTypes.nameOf(acl.permissionType),
});

const anything: AclFields = Object.freeze({
  resourceType: "ANY",
  resourceName: null,
  patternType: "ANY",
  principal: null,
  host: null,
  operation: "ANY",
  permissionType: "ANY",
});

const wholeFilter = (filter: AclFilter): AclFields => ({ ...anything, ...filter });

/** The same text for a filter that leaves out what may be anything as for one that says so. */
const filterText = (filter: AclFilter): string => textOf(wholeFilter(filter));

/** See `KafkaAdmin.deleteAcls`. */
export async function deleteAcls(
  context: AdminContext,
  given: readonly AclFilter[],
  options: AdminCallOptions,
): Promise<Results<readonly DeletedAcl[], AclFilter>> {
  const filters = checkedKeys("filters", given, checkedFilter, textOf);
  const reader = new OptionReader(options);
  const call = new Call(context, reader);
  reader.finish();
  return askAll<AclFilter, readonly DeletedAcl[]>(call, {
    keys: filters,
    textOf: filterText,
    routing: toAny(),
    ask: async (keys, whom) => {
      const some = keys.map(wholeFilter);
      const body = {
        filters: some.map((filter) => {
          const { resourceType, ...codes } = codesOf(filter);
          return { ...codes, ...filterFields(filter), resourceTypeFilter: resourceType };
        }),
      };
      const { filterResults } = await call.request(DeleteAcls, body, whom);
      return new Map(
        some.flatMap((filter, index): [string, readonly DeletedAcl[] | KafkaError][] => {
          const told = filterResults[index];
          if (told === undefined) return [];
          if (told.errorCode !== 0) {
            return [[textOf(filter), new BrokerError(told.errorCode, "deleting ACLs", told.errorMessage)]];
          }
          return [[textOf(filter), told.matchingAcls.map(toDeleted)]];
        }),
      );
    },
  });
}

const toDeleted = (
  acl: BindingAnswer & { readonly errorCode: number; readonly errorMessage: string | null },
): DeletedAcl => ({
  ...toBinding(acl),
  error: acl.errorCode === 0 ? null : new BrokerError(acl.errorCode, "deleting an ACL", acl.errorMessage),
});
