import { api, array, bool, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * CreatePartitions, api key 37: raise the partition count of topics (KIP-195).
 * An admin client sends it to the controller; in KRaft any broker forwards it there.
 *
 * Versions: 1 answers before it throttles (KIP-219), 2 flexible, 3 may refuse with
 * THROTTLING_QUOTA_EXCEEDED (KIP-599).
 *
 * Source: CreatePartitionsRequest.json, CreatePartitionsResponse.json
 */
export const CreatePartitions = api({
  name: "CreatePartitions",
  key: 37,
  versions: [0, 3],
  flexible: 2,
  request: {
    topics: array({
      name: string,
      /** The total after the change, so it must exceed today's count. */
      count: int32,
      /** One entry per added partition, its first broker the preferred leader; null lets the controller place them. */
      assignments: array({ brokerIds: array(int32) }).nullable(),
    }),
    timeoutMs: int32,
    /** Check everything, change nothing. */
    validateOnly: bool,
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      name: string,
      /** Each topic succeeds or fails alone; INVALID_PARTITIONS when the count would not grow. */
      errorCode: int16,
      errorMessage: string.nullable().default(null),
    }),
  },
});

export type CreatePartitionsRequest = RequestOf<typeof CreatePartitions>;
export type CreatePartitionsResponse = ResponseOf<typeof CreatePartitions>;
