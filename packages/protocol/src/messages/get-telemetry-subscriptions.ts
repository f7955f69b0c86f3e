import { api, array, bool, int8, int16, int32, type RequestOf, type ResponseOf, string, uuid } from "../schema.ts";

/**
 * GetTelemetrySubscriptions, api key 71: which of its own metrics a client is to report, and how often (KIP-714).
 * Any client sends it to a broker of its choice, before its first PushTelemetry and whenever the subscription has
 * changed. Brokers without a receiver for client metrics do not offer this API.
 *
 * Source: GetTelemetrySubscriptionsRequest.json, GetTelemetrySubscriptionsResponse.json
 */
export const GetTelemetrySubscriptions = api({
  name: "GetTelemetrySubscriptions",
  key: 71,
  versions: [0, 0],
  flexible: 0,
  request: {
    /** Zero the first time; from then on the id that the answer gave. */
    clientInstanceId: uuid,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
    /** The new id for a request that had none, otherwise zero. */
    clientInstanceId: uuid,
    /** Goes into every push; another one means that the subscription changed. */
    subscriptionId: int32,
    /** 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd, the broker's favourite first. */
    acceptedCompressionTypes: array(int8),
    pushIntervalMs: int32,
    /** Largest `metrics` of a push. */
    telemetryMaxBytes: int32,
    /** Counters report the growth since the last push; otherwise since the start. */
    deltaTemporality: bool,
    /** Prefixes of metric names. Empty for none of them; a single "*" or an empty string for all. */
    requestedMetrics: array(string),
  },
});

export type GetTelemetrySubscriptionsRequest = RequestOf<typeof GetTelemetrySubscriptions>;
export type GetTelemetrySubscriptionsResponse = ResponseOf<typeof GetTelemetrySubscriptions>;
