import { api, bool, bytes, int8, int16, int32, type RequestOf, type ResponseOf, uuid } from "../schema.ts";

/**
 * PushTelemetry, api key 72: the metrics that the broker asked for with GetTelemetrySubscriptions (KIP-714).
 * Any client sends it to the broker that gave it the subscription, at the interval stated, and once more as it closes.
 *
 * Source: PushTelemetryRequest.json, PushTelemetryResponse.json
 */
export const PushTelemetry = api({
  name: "PushTelemetry",
  key: 72,
  versions: [0, 0],
  flexible: 0,
  request: {
    clientInstanceId: uuid,
    subscriptionId: int32,
    /** The last push of this client; it may come before the interval is over. */
    terminating: bool,
    /** Of `metrics`: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd. */
    compressionType: int8,
    /** OpenTelemetry `MetricsData` v1 in protobuf, compressed. A receiver has to bound what it unpacks. */
    metrics: bytes,
  },
  response: {
    throttleTimeMs: int32,
    /**
     * UNKNOWN_SUBSCRIPTION_ID, UNSUPPORTED_COMPRESSION_TYPE: ask for the subscription anew. TELEMETRY_TOO_LARGE,
     * THROTTLING_QUOTA_EXCEEDED: wait for the next interval. INVALID_REQUEST, INVALID_RECORD: stop for good.
     */
    errorCode: int16,
  },
});

export type PushTelemetryRequest = RequestOf<typeof PushTelemetry>;
export type PushTelemetryResponse = ResponseOf<typeof PushTelemetry>;
