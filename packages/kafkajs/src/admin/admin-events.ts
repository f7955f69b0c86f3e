import type { RequestPayload, RequestQueueSizePayload, RequestTimeoutPayload } from "../client/instrumentation.ts";

export const adminEvents = Object.freeze({
  CONNECT: "admin.connect",
  DISCONNECT: "admin.disconnect",
  REQUEST: "admin.network.request",
  REQUEST_TIMEOUT: "admin.network.request_timeout",
  REQUEST_QUEUE_SIZE: "admin.network.request_queue_size",
});

export type AdminEvents = typeof adminEvents;

/** What each event tells. */
export interface AdminEventPayloads {
  "admin.connect": null;
  "admin.disconnect": null;
  "admin.network.request": RequestPayload;
  "admin.network.request_timeout": RequestTimeoutPayload;
  "admin.network.request_queue_size": RequestQueueSizePayload;
}
