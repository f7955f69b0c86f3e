import { api, array, bool, int8, int16, int32, type RequestOf, type ResponseOf, string } from "../schema.ts";

/**
 * DescribeConfigs, api key 32: an admin asks for the configuration of resources. What concerns one broker (types 4
 * and 8) goes to that broker, everything else to any.
 * Versions: 1 sources and synonyms, 2 answers before it throttles (KIP-219), 3 types and documentation, 4 flexible
 * (KIP-482).
 * Source: DescribeConfigsRequest.json, DescribeConfigsResponse.json; ConfigResource.Type, ConfigSource, ConfigType
 */
export const DescribeConfigs = api({
  name: "DescribeConfigs",
  key: 32,
  versions: [1, 4],
  flexible: 4,
  request: {
    resources: array({
      /** 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group. */
      resourceType: int8,
      /** For brokers the id as text; empty for the defaults of all brokers. */
      resourceName: string,
      /** Null for every key. */
      configurationKeys: array(string).nullable(),
    }),
    includeSynonyms: bool.default(false),
    includeDocumentation: bool.since(3).default(false),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      errorCode: int16,
      errorMessage: string.nullable(),
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        /** Null when `isSensitive`. */
        value: string.nullable(),
        readOnly: bool,
        /**
         * Where the value comes from: 1 topic, 2 this broker or 3 all brokers, set at run time, 4 the broker's file,
         * 5 Kafka's own default, 6 broker logger, 7 client metrics, 8 group; -1 and 0 unknown.
         */
        configSource: int8.default(-1).ignorable(),
        isSensitive: bool,
        /** Every place that sets the value, the one that wins first. */
        synonyms: array({
          name: string,
          value: string.nullable(),
          /** In the codes of `configSource`. */
          source: int8,
        }).ignorable(),
        /** 1 boolean, 2 string, 3 int, 4 short, 5 long, 6 double, 7 list, 8 class, 9 password; 0 unknown. */
        configType: int8.since(3).default(0).ignorable(),
        documentation: string.since(3).nullable().ignorable(),
      }),
    }),
  },
});
export type DescribeConfigsRequest = RequestOf<typeof DescribeConfigs>;
export type DescribeConfigsResponse = ResponseOf<typeof DescribeConfigs>;
