import { api, array, bool, int8, int16, int32, type RequestOf, type ResponseOf, string, uuid } from "../schema.ts";

/**
 * CreateTopics, api key 19: an admin asks the controller for topics; in KRaft any broker passes it on.
 * Versions: 3 answers before it throttles (KIP-219), 4 the broker's defaults for partitions and replicas (KIP-464),
 * 5 flexible (KIP-482), with the topic's configuration in the response (KIP-525), 6 THROTTLING_QUOTA_EXCEEDED
 * (KIP-599), 7 topic ids in the response (KIP-516).
 * Source: CreateTopicsRequest.json, CreateTopicsResponse.json
 */
export const CreateTopics = api({
  name: "CreateTopics",
  key: 19,
  versions: [2, 7],
  flexible: 5,
  request: {
    topics: array({
      name: string,
      /** -1 with `assignments`; without them -1 takes the broker's default, from version 4. */
      numPartitions: int32,
      /** -1 with `assignments`; without them -1 takes the broker's default, from version 4. */
      replicationFactor: int16,
      /** Which brokers hold which partition, the preferred leader first; empty to let the controller choose. */
      assignments: array({ partitionIndex: int32, brokerIds: array(int32) }),
      configs: array({ name: string, value: string.nullable() }),
    }),
    /** How long the controller may take; the topics may come into being even after REQUEST_TIMED_OUT. */
    timeoutMs: int32.default(60_000),
    /** Checks the request and creates nothing. */
    validateOnly: bool.default(false),
  },
  response: {
    throttleTimeMs: int32.ignorable(),
    topics: array({
      name: string,
      topicId: uuid.since(7).ignorable(),
      errorCode: int16,
      errorMessage: string.nullable().ignorable(),

      /** Why the fields below are missing, such as TOPIC_AUTHORIZATION_FAILED. */
      topicConfigErrorCode: int16.since(5).tagged(0).ignorable(),
      /** -1 unknown. */
      numPartitions: int32.since(5).default(-1).ignorable(),
      /** -1 unknown. */
      replicationFactor: int16.since(5).default(-1).ignorable(),
      /** Null or empty where the broker does not say. */
      configs: array({
        name: string,
        /** Null when `isSensitive`. */
        value: string.nullable(),
        readOnly: bool,
        /** Where the value comes from, in the codes of DescribeConfigs; -1 unknown. */
        configSource: int8.default(-1).ignorable(),
        isSensitive: bool,
      })
        .since(5)
        .nullable()
        .ignorable(),
    }),
  },
});
export type CreateTopicsRequest = RequestOf<typeof CreateTopics>;
export type CreateTopicsResponse = ResponseOf<typeof CreateTopics>;
