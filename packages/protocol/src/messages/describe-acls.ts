import { api, array, int8, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * DescribeAcls, api key 29: an admin asks any broker for the access rules that match a filter.
 * Versions: 1 pattern types, and answers before it throttles (KIP-219), 2 flexible (KIP-482), 3 users as resources.
 * The codes of all three ACL APIs. In each list 0 is "unknown" and 1, in filters only, is "any".
 * - resource type: 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user
 * - pattern type: 2 (filters only) every pattern that covers the name, 3 literal, 4 prefixed
 * - operation: 2 all, 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, 9 cluster action,
 *   10 describe configs, 11 alter configs, 12 idempotent write, 13 create tokens, 14 describe tokens,
 *   15 two-phase commit
 * - permission type: 2 deny, 3 allow
 * Source: DescribeAclsRequest.json, DescribeAclsResponse.json; ResourceType, PatternType, AclOperation,
 * AclPermissionType
 */
export const DescribeAcls = api({
  name: "DescribeAcls",
  key: 29,
  versions: [1, 3],
  flexible: 2,
  request: {
    resourceTypeFilter: int8,
    /** Null for any. */
    resourceNameFilter: string.nullable(),
    patternTypeFilter: int8.default(3 /* literal */),
    /** Null for any. */
    principalFilter: string.nullable(),
    /** Null for any. */
    hostFilter: string.nullable(),
    operation: int8,
    permissionType: int8,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
    resources: array({
      resourceType: int8,
      resourceName: string,
      patternType: int8.default(3 /* literal */),
      acls: array({
        /** Such as `User:alice`; `User:*` is everyone. */
        principal: string,
        /** An address; `*` is every host. */
        host: string,
        operation: int8,
        permissionType: int8,
      }),
    }),
  },
});
export type DescribeAclsRequest = RequestOf<typeof DescribeAcls>;
export type DescribeAclsResponse = ResponseOf<typeof DescribeAcls>;
