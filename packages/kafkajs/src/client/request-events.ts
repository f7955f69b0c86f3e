import type { DiagnosticsListener, RequestMessage, RequestTimeoutMessage, ResponseMessage } from "odradek";
import { isDebugging } from "../logger.ts";
import type {
  Instrumentation,
  RequestPayload,
  RequestQueueSizePayload,
  RequestTimeoutPayload,
} from "./instrumentation.ts";

type OfRequest = RequestMessage | ResponseMessage | RequestTimeoutMessage;

/** Where kafkajs has another name than Kafka. */
const apiNames: ReadonlyMap<string, string> = new Map([["FindCoordinator", "GroupCoordinator"]]);

/** In front of each frame; kafkajs does not count it. */
const lengthBytes = 4;

const brokerOf = ({ host, port }: OfRequest): string => `${host}:${port}`;

/** @param durationMs from the request to now. It waits for nothing before it is sent: a connection takes none that it cannot send. */
function requestOf(message: ResponseMessage | RequestTimeoutMessage, durationMs: number, nowMs: number) {
  const { clientId, correlationId, api, apiKey, apiVersion } = message;
  const sentAt = Math.round(nowMs - durationMs);
  return {
    broker: brokerOf(message),
    clientId,
    correlationId,
    createdAt: sentAt,
    sentAt,
    pendingDuration: 0,
    apiName: apiNames.get(api) ?? api,
    apiKey,
    apiVersion,
  };
}

/** What kafkajs calls a request where it logs it. */
const nameOf = ({ api, apiKey, apiVersion }: OfRequest): string =>
  `${apiNames.get(api) ?? api}(key: ${apiKey}, version: ${apiVersion})`;

/**
 * Tells the events REQUEST, REQUEST_TIMEOUT and REQUEST_QUEUE_SIZE of one client, while somebody listens to them, and logs its requests
 * and their answers while DEBUG is let through.
 */
export function requestListener(instrumentation: Instrumentation): DiagnosticsListener {
  const { client, clock } = instrumentation;
  const logger = instrumentation.logger.namespace("Connection");
  const log = (what: "Request" | "Response", message: RequestMessage | ResponseMessage): void => {
    const { clientId, correlationId, bytes } = message;
    const extra = { broker: brokerOf(message), clientId, correlationId, size: bytes - lengthBytes };
    logger.debug(`${what} ${nameOf(message)}`, extra);
  };
  const requestEvent = `${client}.network.request`;
  const timeoutEvent = `${client}.network.request_timeout`;
  const queueSizeEvent = `${client}.network.request_queue_size`;

  const onRequest = (message: RequestMessage): void => {
    instrumentation.requestSent();
    if (isDebugging(logger)) log("Request", message);
    const { clientId, inFlight } = message;
    const payload: RequestQueueSizePayload = { broker: brokerOf(message), clientId, queueSize: inFlight };
    instrumentation.emit(queueSizeEvent, payload);
  };
  const onResponse = (message: ResponseMessage): void => {
    if (isDebugging(logger)) log("Response", message);
    const { bytes, latencyMs } = message;
    const { apiName, apiKey, apiVersion, ...request } = requestOf(message, latencyMs, clock.wallTimeMs());
    const size = bytes - lengthBytes;
    const payload: RequestPayload = { ...request, size, duration: Math.round(latencyMs), apiName, apiKey, apiVersion };
    instrumentation.emit(requestEvent, payload);
  };
  const onTimeout = (message: RequestTimeoutMessage): void => {
    const payload: RequestTimeoutPayload = requestOf(message, message.elapsedMs, clock.wallTimeMs());
    instrumentation.emit(timeoutEvent, payload);
  };
  return {
    get "odradek:request"() {
      const isWanted = instrumentation.isWatched || instrumentation.isHeard(queueSizeEvent) || isDebugging(logger);
      return isWanted ? onRequest : undefined;
    },
    get "odradek:response"() {
      return instrumentation.isHeard(requestEvent) || isDebugging(logger) ? onResponse : undefined;
    },
    get "odradek:request-timeout"() {
      return instrumentation.isHeard(timeoutEvent) ? onTimeout : undefined;
    },
  };
}
