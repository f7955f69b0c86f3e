import { api, array, int8, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * CreateAcls, api key 30: an admin adds access rules. The codes are those of DescribeAcls.
 * Versions: 1 pattern types, and answers before it throttles (KIP-219), 2 flexible (KIP-482), 3 users as resources.
 * Source: CreateAclsRequest.json, CreateAclsResponse.json
 */
export const CreateAcls = api({
  name: "CreateAcls",
  key: 30,
  versions: [1, 3],
  flexible: 2,
  request: {
    creations: array({
      resourceType: int8,
      resourceName: string,
      resourcePatternType: int8.default(3 /* literal */),
      /** Such as `User:alice`; `User:*` is everyone. */
      principal: string,
      /** An address; `*` is every host. */
      host: string,
      operation: int8,
      permissionType: int8,
    }),
  },
  response: {
    throttleTimeMs: int32,
    /** One for each of `creations`, in their order. */
    results: array({ errorCode: int16, errorMessage: string.nullable() }),
  },
});
export type CreateAclsRequest = RequestOf<typeof CreateAcls>;
export type CreateAclsResponse = ResponseOf<typeof CreateAcls>;
