import { api, array, bool, float64, int8, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * DescribeClientQuotas, api key 48: the quotas of users, client ids and addresses that match a filter (KIP-546).
 * An admin client sends it to any broker.
 *
 * Versions: 1 flexible.
 *
 * Source: DescribeClientQuotasRequest.json, DescribeClientQuotasResponse.json
 */
export const DescribeClientQuotas = api({
  name: "DescribeClientQuotas",
  key: 48,
  versions: [0, 1],
  flexible: 1,
  request: {
    /** An entity has to match them all; none matches every entity, unless `strict`. */
    components: array({
      /** "user", "client-id" or "ip". */
      entityType: string,
      /** 0 exactly the name in `match`, 1 the default of the type, 2 any name that was given. */
      matchType: int8,
      /** Null for match types 1 and 2. */
      match: string.nullable(),
    }),
    /** Leave out entities that have a type not named in `components`. */
    strict: bool,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    errorMessage: string.nullable(),
    /** Null when the request failed. */
    entries: array({
      /** Parts that make up one entity, such as a user together with a client id. */
      entity: array({
        entityType: string,
        /** Null for the default of the type. */
        entityName: string.nullable(),
      }),
      values: array({
        /** Such as "producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate". */
        key: string,
        /** Unit by key: bytes per second, percent of a thread, mutations per second. */
        value: float64,
      }),
    }).nullable(),
  },
});

export type DescribeClientQuotasRequest = RequestOf<typeof DescribeClientQuotas>;
export type DescribeClientQuotasResponse = ResponseOf<typeof DescribeClientQuotas>;
