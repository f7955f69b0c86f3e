import { expect, test } from "vitest";
import { Instrumentation } from "../src/client/instrumentation.ts";
import { requestListener } from "../src/client/request-events.ts";
import { createLogger, type LogEntry } from "../src/logger.ts";

const events = {
  REQUEST: "admin.network.request",
  REQUEST_TIMEOUT: "admin.network.request_timeout",
  REQUEST_QUEUE_SIZE: "admin.network.request_queue_size",
};
const where = { clientId: "me", nodeId: 1, host: "broker-1", port: 9092, purpose: "main" } as const;
const what = { api: "FindCoordinator", apiKey: 10, apiVersion: 4, correlationId: 7 };
const message = { kind: "admin-client", ...where, ...what } as const;

function setUp(level = 0) {
  const entries: LogEntry[] = [];
  const instrumentation = new Instrumentation(
    "admin",
    events,
    createLogger(level, () => (entry) => void entries.push(entry)),
  );
  const payloads: unknown[] = [];
  const listen = (name: keyof typeof events) =>
    instrumentation.on(events[name], ({ payload }: { payload: unknown }) => payloads.push(payload));
  return { listener: requestListener(instrumentation), payloads, listen, entries };
}

test("listens to nothing while nobody listens to it, and no longer than that", () => {
  const { listener, listen } = setUp();
  const functions = () => Object.values({ ...listener }).filter((listening) => listening !== undefined).length;
  expect(functions()).toBe(0);
  const remove = listen("REQUEST");
  expect(functions()).toBe(1);
  remove();
  expect(functions()).toBe(0);
});

test("tells of an answer what kafkajs tells", () => {
  const { listener, payloads, listen } = setUp();
  listen("REQUEST");
  const before = Date.now();
  listener["odradek:response"]?.({ ...message, bytes: 104, latencyMs: 20.4 });
  const { createdAt, ...payload }: { readonly createdAt?: number } = Object(payloads[0]);
  expect(payload).toEqual({
    broker: "broker-1:9092",
    clientId: "me",
    correlationId: 7,
    size: 100,
    sentAt: createdAt,
    pendingDuration: 0,
    duration: 20,
    apiName: "GroupCoordinator",
    apiKey: 10,
    apiVersion: 4,
  });
  expect(createdAt).toBeGreaterThanOrEqual(before - 21);
  expect(createdAt).toBeLessThanOrEqual(Date.now() - 20);
});

test("tells of a request without an answer, and of those that wait before another", () => {
  const { listener, payloads, listen } = setUp();
  listen("REQUEST_TIMEOUT");
  listen("REQUEST_QUEUE_SIZE");
  listener["odradek:request-timeout"]?.({ ...message, elapsedMs: 30_000 });
  listener["odradek:request"]?.({ ...message, bytes: 50, inFlight: 3 });
  expect(payloads).toMatchObject([
    { broker: "broker-1:9092", pendingDuration: 0, apiName: "GroupCoordinator", correlationId: 7 },
    { broker: "broker-1:9092", clientId: "me", queueSize: 3 },
  ]);
  expect(payloads[0]).not.toHaveProperty("size");
});

test("logs requests and answers where everything is logged", () => {
  const { listener, entries } = setUp(5);
  listener["odradek:request"]?.({ ...message, bytes: 50, inFlight: 0 });
  listener["odradek:response"]?.({ ...message, bytes: 104, latencyMs: 20 });
  const common = { broker: "broker-1:9092", clientId: "me", correlationId: 7 };
  expect(entries).toMatchObject([
    {
      namespace: "Connection",
      label: "DEBUG",
      log: { message: "Request GroupCoordinator(key: 10, version: 4)", size: 46 },
    },
    {
      namespace: "Connection",
      log: { message: "Response GroupCoordinator(key: 10, version: 4)", ...common, size: 100 },
    },
  ]);
});
