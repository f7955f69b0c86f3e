import { api, array, int8, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * DeleteAcls, api key 31: an admin removes every access rule that matches a filter. The codes are those of
 * DescribeAcls.
 * Versions: 1 pattern types, and answers before it throttles (KIP-219), 2 flexible (KIP-482), 3 users as resources.
 * Source: DeleteAclsRequest.json, DeleteAclsResponse.json
 */
export const DeleteAcls = api({
  name: "DeleteAcls",
  key: 31,
  versions: [1, 3],
  flexible: 2,
  request: {
    filters: array({
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
    }),
  },
  response: {
    throttleTimeMs: int32,
    /** One for each of `filters`, in their order. */
    filterResults: array({
      /** Of the filter; a rule that could not be removed has an error of its own. */
      errorCode: int16,
      errorMessage: string.nullable(),
      matchingAcls: array({
        errorCode: int16,
        errorMessage: string.nullable(),
        resourceType: int8,
        resourceName: string,
        patternType: int8.default(3 /* literal */),
        principal: string,
        host: string,
        operation: int8,
        permissionType: int8,
      }),
    }),
  },
});
export type DeleteAclsRequest = RequestOf<typeof DeleteAcls>;
export type DeleteAclsResponse = ResponseOf<typeof DeleteAcls>;
