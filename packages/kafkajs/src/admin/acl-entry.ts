import type { AclBinding, AclOperation, AclPatternType, AclPermissionType, AclResourceType } from "odradek";
import { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } from "../constants.ts";

/** Who may do what, or may not. */
export interface Acl {
  /** Such as `User:alice`; `User:*` is everyone. */
  principal: string;
  /** An address; `*` is every host. */
  host: string;
  operation: AclOperationTypes;
  permissionType: AclPermissionTypes;
}

/** With what. */
export interface AclResource {
  resourceType: AclResourceTypes;
  /** `kafka-cluster` for the cluster. */
  resourceName: string;
  resourcePatternType: ResourcePatternTypes;
}

export type AclEntry = Acl & AclResource;

/** Which entries; what is left out may be anything. */
export interface AclFilter {
  resourceType: AclResourceTypes;
  resourceName?: string;
  resourcePatternType: ResourcePatternTypes;
  principal?: string;
  host?: string;
  operation: AclOperationTypes;
  permissionType: AclPermissionTypes;
}

/** Numbers of kafkajs, and names of the layer below. */
class AclCodes<N extends string, C extends number> {
  readonly #codes: Readonly<Record<N, C>>;
  readonly #names = new Map<unknown, N>();

  /** @param codes of names that share a number, the first is meant by it */
  constructor(codes: Readonly<Record<N, C>>) {
    this.#codes = codes;
    const isName = (name: string): name is N => name in codes;
    for (const name of Object.keys(codes).filter(isName)) {
      if (!this.#names.has(codes[name])) this.#names.set(codes[name], name);
    }
  }

  has(code: unknown): boolean {
    return this.#names.has(code);
  }

  /** @throws Error for a number that `has` does not know */
  nameOf(code: C): N {
    const name = this.#names.get(code);
    if (name === undefined) throw new Error(`${code} has no name`);
    return name;
  }

  codeOf(name: N): C {
    return this.#codes[name];
  }
}

// What kafkajs has no number for is called as Kafka's clients call what is newer than they are.
export const aclResourceTypes = new AclCodes<AclResourceType, AclResourceTypes>({
  ...AclResourceTypes,
  USER: AclResourceTypes.UNKNOWN,
});
export const aclOperations = new AclCodes<AclOperation, AclOperationTypes>({
  ...AclOperationTypes,
  CREATE_TOKENS: AclOperationTypes.UNKNOWN,
  DESCRIBE_TOKENS: AclOperationTypes.UNKNOWN,
  TWO_PHASE_COMMIT: AclOperationTypes.UNKNOWN,
});
export const aclPermissions = new AclCodes<AclPermissionType, AclPermissionTypes>(AclPermissionTypes);
export const aclPatterns = new AclCodes<AclPatternType, ResourcePatternTypes>(ResourcePatternTypes);

/** An entry as the layer below has it. */
export const bindingOf = ({ principal, host, resourceName, ...codes }: AclEntry): AclBinding => ({
  ...namesOf(codes),
  resourceName,
  principal,
  host,
});

/** The names of the four numbers that entries and filters have. */
export const namesOf = (
  codes: Pick<AclEntry, "resourceType" | "resourcePatternType" | "operation" | "permissionType">,
): Pick<AclBinding, "resourceType" | "patternType" | "operation" | "permissionType"> => ({
  resourceType: aclResourceTypes.nameOf(codes.resourceType),
  patternType: aclPatterns.nameOf(codes.resourcePatternType),
  operation: aclOperations.nameOf(codes.operation),
  permissionType: aclPermissions.nameOf(codes.permissionType),
});

export const resourceOf = ({ resourceType, resourceName, patternType }: AclBinding): AclResource => ({
  resourceType: aclResourceTypes.codeOf(resourceType),
  resourceName,
  resourcePatternType: aclPatterns.codeOf(patternType),
});

export const aclOf = ({ principal, host, operation, permissionType }: AclBinding): Acl => ({
  principal,
  host,
  operation: aclOperations.codeOf(operation),
  permissionType: aclPermissions.codeOf(permissionType),
});
