import { api, bool, bytes, int8, int16, int32, uuid } from "../schema.ts";

/** PushTelemetry, api key 72. */
export const PushTelemetry = api({
  name: "PushTelemetry",
  key: 72,
  versions: [0, 0],
  flexible: 0,
  request: {
    clientInstanceId: uuid,
    subscriptionId: int32,
    terminating: bool,
    compressionType: int8,
    metrics: bytes,
  },
  response: {
    throttleTimeMs: int32,
    errorCode: int16,
  },
});
