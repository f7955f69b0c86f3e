import { api, array, bool, float64, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/** Parts that make up one entity, such as a user together with a client id. */
const entity = array({
  /** "user", "client-id" or "ip". */
  entityType: string,
  /** Null for the default of the type. */
  entityName: string.nullable(),
});

/**
 * AlterClientQuotas, api key 49: set or remove quotas of users, client ids and addresses (KIP-546).
 * An admin client sends it to any broker, which forwards it to the controller.
 *
 * Versions: 1 flexible.
 *
 * Source: AlterClientQuotasRequest.json, AlterClientQuotasResponse.json
 */
export const AlterClientQuotas = api({
  name: "AlterClientQuotas",
  key: 49,
  versions: [0, 1],
  flexible: 1,
  request: {
    entries: array({
      entity,
      ops: array({
        /** Such as "producer_byte_rate", "consumer_byte_rate", "request_percentage", "controller_mutation_rate". */
        key: string,
        /** Unit by key: bytes per second, percent of a thread, mutations per second. Ignored with `remove`. */
        value: float64,
        /** True takes the quota away instead of setting it. */
        remove: bool,
      }),
    }),
    /** Check everything, change nothing. */
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    entries: array({
      /** Each entity succeeds or fails alone. */
      errorCode: int16,
      errorMessage: string.nullable(),
      entity,
    }),
  },
});

export type AlterClientQuotasRequest = RequestOf<typeof AlterClientQuotas>;
export type AlterClientQuotasResponse = ResponseOf<typeof AlterClientQuotas>;
