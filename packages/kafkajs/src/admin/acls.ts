import type { AclFilter as KafkaAclFilter } from "odradek";
import { KafkaJSNonRetriableError } from "../errors/errors.ts";
import {
  type Acl,
  type AclEntry,
  type AclFilter,
  type AclResource,
  aclOf,
  aclOperations,
  aclPatterns,
  aclPermissions,
  aclResourceTypes,
  bindingOf,
  namesOf,
  resourceOf,
} from "./acl-entry.ts";
import type { AdminClient } from "./admin-client.ts";
import { checkArray } from "./arguments.ts";
import { textAsTyped } from "./text-as-typed.ts";

export type DescribeAclResource = AclResource & { acls: Acl[] };

export interface DescribeAclResponse {
  throttleTime: number;
  errorCode: number;
  errorMessage?: string;
  resources: DescribeAclResource[];
}

/** An entry that a filter matched, and that is gone. */
export interface MatchingAcl extends AclEntry {
  errorCode: number;
  errorMessage?: string;
}

export interface DeleteAclFilterResponses {
  errorCode: number;
  errorMessage?: string;
  matchingAcls: MatchingAcl[];
}

export interface DeleteAclResponse {
  throttleTime: number;
  /** In the order of the filters. */
  filterResponses: DeleteAclFilterResponses[];
}

/** Adds entries; those that are there already stay. */
export async function createAcls(client: AdminClient, { acl }: { acl: AclEntry[] }): Promise<boolean> {
  checkEntries(acl, "ACL");
  checkTexts(acl, "ACL", (value) => typeof value === "string");
  checkCodes(acl);
  const bindings = distinct(acl.map(bindingOf));
  await client.ask(async (admin) => (await admin.createAcls(bindings)).orThrow());
  return true;
}

/** The entries that match, by what they are about. */
export async function describeAcls(client: AdminClient, filter: AclFilter): Promise<DescribeAclResponse> {
  for (const field of ["principal", "host", "resourceName"] as const) {
    if (isTextOrNothing(filter[field])) continue;
    throw new KafkaJSNonRetriableError(`Invalid ${field}, the ${field} have to be a valid string`);
  }
  const wrong = kinds.find(({ codeOf, codes }) => !codes.has(codeOf(filter)));
  if (wrong !== undefined) {
    const kind = wrong.kind === "resource pattern" ? "resource pattern filter" : wrong.kind;
    throw new KafkaJSNonRetriableError(`Invalid ${kind} type ${String(wrong.codeOf(filter))}`);
  }
  const bindings = await client.ask((admin) => admin.describeAcls(filterOf(filter)));
  const byResource = new Map<string, DescribeAclResource>();
  for (const binding of bindings) {
    const resource = resourceOf(binding);
    const key = JSON.stringify(resource);
    const known = byResource.get(key) ?? { ...resource, acls: [] };
    byResource.set(key, known);
    known.acls.push(aclOf(binding));
  }
  return { throttleTime: 0, errorCode: 0, resources: [...byResource.values()] };
}

/** @throws KafkaJSProtocolError of the first filter, or the first entry, that brokers refuse */
export async function deleteAcls(
  client: AdminClient,
  { filters }: { filters: AclFilter[] },
): Promise<DeleteAclResponse> {
  checkEntries(filters, "ACL Filter");
  checkTexts(filters, "ACL Filter", isTextOrNothing);
  checkCodes(filters);
  const wanted = filters.map(filterOf);
  const filterResponses = await client.ask(async (admin) => {
    const results = await admin.deleteAcls(distinct(wanted));
    const deleted = results.orThrow().flat();
    const failure = deleted.find(({ error }) => error !== null)?.error;
    if (failure) throw failure;
    return wanted.map((filter) => ({
      ...done,
      matchingAcls: (results.get(filter)?.value ?? []).map((acl) => ({
        ...done,
        ...resourceOf(acl),
        ...aclOf(acl),
      })),
    }));
  });
  return { throttleTime: 0, filterResponses };
}

/** The layer below takes each only once. */
const distinct = <T>(given: readonly T[]): T[] => [...new Map(given.map((one) => [JSON.stringify(one), one])).values()];

/** What failed is an error. */
const done = { errorCode: 0, errorMessage: textAsTyped(null) };

const filterOf = ({
  resourceName = null,
  principal = null,
  host = null,
  ...codes
}: NullableFilter): KafkaAclFilter => ({
  ...namesOf(codes),
  resourceName,
  principal,
  host,
});

/** The same, where what may be anything may be `null` as well. */
type NullableFilter = Omit<AclFilter, "resourceName" | "principal" | "host"> & {
  readonly [field in "resourceName" | "principal" | "host"]?: string | null | undefined;
};

const isTextOrNothing = (value: unknown): boolean => typeof value === "string" || value === undefined;

function checkEntries(given: readonly object[], noun: string): void {
  checkArray(given, noun);
  if (given.length === 0) throw new KafkaJSNonRetriableError(`Empty ${noun} array`);
}

type Texts = Partial<Pick<AclEntry, "principal" | "host" | "resourceName">>;

function checkTexts(given: readonly Texts[], noun: string, isText: (value: unknown) => boolean): void {
  for (const field of ["principal", "host", "resourceName"] as const) {
    if (given.every((one) => isText(one[field]))) continue;
    throw new KafkaJSNonRetriableError(`Invalid ${noun} array, the ${field}s have to be a valid string`);
  }
}

type Codes = Pick<AclEntry, "resourceType" | "resourcePatternType" | "operation" | "permissionType">;

/** Kind by kind, as kafkajs goes about it. */
const kinds: readonly {
  readonly kind: string;
  readonly codeOf: (codes: Codes) => number;
  readonly codes: { has(code: unknown): boolean };
}[] = [
  { kind: "operation", codeOf: ({ operation }) => operation, codes: aclOperations },
  { kind: "resource pattern", codeOf: ({ resourcePatternType }) => resourcePatternType, codes: aclPatterns },
  { kind: "permission", codeOf: ({ permissionType }) => permissionType, codes: aclPermissions },
  { kind: "resource", codeOf: ({ resourceType }) => resourceType, codes: aclResourceTypes },
];

function checkCodes(given: readonly Codes[]): void {
  for (const { kind, codeOf, codes } of kinds) {
    const wrong = given.find((one) => !codes.has(codeOf(one)));
    if (wrong === undefined) continue;
    throw new KafkaJSNonRetriableError(`Invalid ${kind} type ${String(codeOf(wrong))}: ${JSON.stringify(wrong)}`);
  }
}
