import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { ConnectionPeer } from "../../src/connection-peer.ts";
import { AuthenticationError, ClosedError, ConnectionError } from "../../src/errors.ts";
import type { DiagnosticsListener, DiagnosticsMessages } from "../../src/observation/diagnostics.ts";
import { type Logger, silentLogger } from "../../src/observation/logger.ts";
import { NetworkObserver, type ObservedRequest } from "../../src/observation/network-observer.ts";
import { ManualClock } from "../manual-clock.ts";

const one: ConnectionPeer = { nodeId: 1, host: "broker-1", port: 9092, purpose: "main" };
const oneFetch: ConnectionPeer = { ...one, purpose: "fetch" };
const two: ConnectionPeer = { ...one, nodeId: 2, host: "broker-2" };
const bootstrap: ConnectionPeer = { ...one, nodeId: -1, host: "seed" };
const lost = new ConnectionError(one, "closed by the broker");
const refused = new AuthenticationError(one, "PLAIN", "credentialsRefused", "wrong name or password");

const keys = { Fetch: 1, Metadata: 3, Produce: 0 };
const asked = (name: keyof typeof keys, version = 12, correlationId = 0): ObservedRequest => ({
  api: { name, key: keys[name] },
  version,
  correlationId,
});

let clock: ManualClock;

beforeEach(() => {
  clock = new ManualClock(0);
});

const observerWith = (logger: Logger, diagnostics: DiagnosticsListener = {}): NetworkObserver => {
  const sampling = { numSamples: 2, sampleWindowMs: 30_000 };
  return new NetworkObserver({ kind: "producer", clientId: "shop", logger, diagnostics, clock, ...sampling });
};

const clientValues = (observer: NetworkObserver, ...names: readonly string[]) => {
  const metrics = observer.registry.metrics().filter(({ group }) => group === "producer-metrics");
  return names.map((name) => metrics.find((metric) => metric.name === name)?.value);
};

const nodeValues = (observer: NetworkObserver, nodeId: string) =>
  Object.fromEntries(
    observer.registry
      .metrics()
      .filter(({ group, tags }) => group === "producer-node-metrics" && tags["node-id"] === nodeId)
      .map(({ name, value }) => [name, value]),
  );

const nodeIds = (observer: NetworkObserver) => [
  ...new Set(observer.registry.metrics().flatMap(({ tags }) => tags["node-id"] ?? [])),
];

describe("metrics", () => {
  let observer: NetworkObserver;

  beforeEach(() => {
    observer = observerWith(silentLogger);
  });

  test("of connections count what was set up, what ended, and what is there", () => {
    observer.connected(one, 10);
    observer.connected(oneFetch, 10);
    observer.disconnected(two, lost, false);
    observer.disconnected(one, lost, false);
    clock.advance(30_000);
    const names = ["connection-creation", "connection-close"].flatMap((base) => [`${base}-total`, `${base}-rate`]);
    expect(clientValues(observer, ...names, "connection-count")).toEqual([2, 2 / 30, 2, 2 / 30, 1]);
  });

  test("of requests are kept for the client and for each broker, whatever the connection is for", () => {
    observer.requestSent(one, asked("Metadata"), 100, 0);
    observer.requestSent(oneFetch, asked("Fetch"), 300, 0);
    observer.requestSent(bootstrap, asked("Metadata"), 500, 0);
    clock.advance(10_000);
    const names = ["request-total", "request-rate", "request-size-avg", "request-size-max"];
    const byteNames = ["outgoing-byte-total", "outgoing-byte-rate", "network-io-total"];
    expect(clientValues(observer, ...names, ...byteNames)).toEqual([3, 3 / 40, 300, 500, 900, 900 / 40, 3]);
    expect(nodeValues(observer, "node-1")).toMatchObject({
      "request-total": 2,
      "request-rate": 2 / 40,
      "request-size-avg": 200,
      "request-size-max": 300,
      "outgoing-byte-total": 400,
      "outgoing-byte-rate": 10,
    });
    expect(nodeValues(observer, "node--1")).toMatchObject({ "request-total": 1, "outgoing-byte-total": 500 });
  });

  test("of answers know how long they took, in the windows that count", () => {
    observer.responseReceived(one, asked("Fetch"), 4_000, 20);
    observer.responseReceived(one, asked("Fetch", 12, 1), 5_000, 40);
    expect(clientValues(observer, "response-total")).toEqual([2]);
    expect(nodeValues(observer, "node-1")).toMatchObject({
      "response-total": 2,
      "request-latency-avg": 30,
      "request-latency-max": 40,
    });
    clock.advance(60_000);
    expect(nodeValues(observer, "node-1")).toMatchObject({
      "response-total": 2,
      "response-rate": 0,
      "request-latency-avg": Number.NaN,
      "request-latency-max": Number.NaN,
    });
  });

  test("of bytes count them as they come, not as answers are complete", () => {
    observer.io(one, 65_536, 1, clock.now());
    observer.io(two, 100, 1, clock.now());
    expect(clientValues(observer, "incoming-byte-total", "network-io-total", "response-total")).toEqual([65_636, 2, 0]);
    expect(nodeValues(observer, "node-1")).toMatchObject({ "incoming-byte-total": 65_536 });
  });

  test("of time divide it into handling what sockets had, and waiting for it", () => {
    clock.advance(100);
    observer.io(one, 10, 4, clock.now());
    clock.advance(50);
    observer.io(two, 10, 10, clock.now());
    clock.advance(29_850);
    const ofWaiting = ["select-total", "io-wait-time-ns-avg", "io-wait-time-ns-total", "io-wait-ratio"];
    expect(clientValues(observer, ...ofWaiting)).toEqual([2, 68e6, 136e6, 136 / 59_900]);
    expect(clientValues(observer, "io-time-ns-avg", "io-time-ns-total", "io-ratio")).toEqual([7e6, 14e6, 14 / 59_900]);
  });

  test("of time never count a wait that is less than nothing", () => {
    observer.io(one, 10, 5, clock.now());
    expect(clientValues(observer, "io-wait-time-ns-total", "io-time-ns-total")).toEqual([0, 5e6]);
  });

  test("of authentications tell first from later ones, and those that failed", () => {
    observer.authenticated(one, "PLAIN", 5, false);
    observer.authenticated(two, "PLAIN", 5, false);
    observer.authenticated(one, "PLAIN", 30, true);
    observer.authenticated(one, "PLAIN", 10, true);
    observer.authenticated(one, "PLAIN", 20, true);
    observer.authenticationFailed(one, refused, true);
    observer.authenticationFailed(two, refused, false);
    observer.authenticationFailed(two, refused, false);
    const kinds = ["successful-authentication", "successful-reauthentication"];
    const failures = ["failed-authentication", "failed-reauthentication"];
    expect(clientValues(observer, ...[...kinds, ...failures].map((kind) => `${kind}-total`))).toEqual([2, 3, 2, 1]);
    expect(clientValues(observer, "successful-authentication-no-reauth-total")).toEqual([2]);
    expect(clientValues(observer, "reauthentication-latency-avg", "reauthentication-latency-max")).toEqual([20, 30]);
  });

  test("of throttling are kept for each broker", () => {
    observer.throttled(one, "Produce", 100);
    observer.throttled(one, "Produce", 300);
    expect(nodeValues(observer, "node-1")).toMatchObject({ "throttle-time-avg": 200, "throttle-time-max": 300 });
  });

  test("carry the client's id and kind", () => {
    observer.requestSent(one, asked("Metadata"), 100, 0);
    const places = observer.registry.metrics().map(({ group, tags }) => JSON.stringify([group, tags]));
    expect(new Set(places)).toEqual(
      new Set([
        JSON.stringify(["producer-metrics", { "client-id": "shop" }]),
        JSON.stringify(["producer-node-metrics", { "client-id": "shop", "node-id": "node-1" }]),
      ]),
    );
  });

  test("of a broker that the cluster has no more are let go, those of bootstrap servers stay", () => {
    for (const peer of [one, two, bootstrap]) observer.requestSent(peer, asked("Metadata"), 100, 0);
    observer.retainNodes([2]);
    expect(nodeIds(observer)).toEqual(["node-2", "node--1"]);
  });

  test("of such a broker stay until its last connection ended", () => {
    for (const peer of [one, oneFetch]) {
      observer.connected(peer, 1);
      observer.requestSent(peer, asked("Metadata"), 100, 0);
    }
    observer.retainNodes([]);
    observer.disconnected(one, new ClosedError("connection"), true);
    expect(nodeIds(observer)).toEqual(["node-1"]);
    observer.disconnected(oneFetch, new ClosedError("connection"), true);
    expect(nodeIds(observer)).toEqual([]);
  });

  test("of a broker that is lost for a while stay", () => {
    observer.connected(one, 1);
    observer.requestSent(one, asked("Metadata"), 100, 0);
    observer.disconnected(one, lost, false);
    expect(nodeIds(observer)).toEqual(["node-1"]);
    observer.retainNodes([1]);
    observer.disconnected(one, lost, false);
    expect(nodeIds(observer)).toEqual(["node-1"]);
  });
});

describe("the user's logger", () => {
  const lines: unknown[][] = [];
  const logger: Logger = {
    debug: (...line) => lines.push(["debug", ...line]),
    info: (...line) => lines.push(["info", ...line]),
    warn: (...line) => lines.push(["warn", ...line]),
    error: (...line) => lines.push(["error", ...line]),
  };
  const where = { clientId: "shop", nodeId: 1, host: "broker-1", port: 9092, purpose: "main" };
  let observer: NetworkObserver;

  beforeEach(() => {
    lines.length = 0;
    observer = observerWith(logger);
  });

  test("is told of a connection that was lost, and warned of one that could not be set up", () => {
    observer.connected(one, 12);
    observer.disconnected(one, lost, false);
    observer.disconnected(one, lost, false);
    const reason = "connection to broker-1:9092: closed by the broker";
    expect(lines).toEqual([
      ["debug", "connected to broker 1 at broker-1:9092", { ...where, durationMs: 12 }],
      ["info", `lost broker 1: ${reason}`, where],
      ["warn", `could not reach broker 1: ${reason}`, where],
    ]);
  });

  test("knows a bootstrap server from a broker", () => {
    observer.disconnected(bootstrap, lost, false);
    expect(lines[0]?.[1]).toMatch(/^could not reach a bootstrap server: /);
  });

  test("hears of what was wanted only when it debugs", () => {
    observer.connected(one, 12);
    observer.disconnected(one, new ClosedError("connection"), true);
    expect(lines.at(-1)).toEqual(["debug", "closed the connection to broker 1", where]);
  });

  test("is told once that an authentication failed, although its connection ends with it", () => {
    observer.authenticationFailed(one, refused, false);
    observer.disconnected(one, refused, false);
    expect(lines).toEqual([
      [
        "error",
        "PLAIN authentication with broker-1:9092: wrong name or password",
        { ...where, mechanism: "PLAIN", reason: "credentialsRefused", isReauthentication: false },
      ],
    ]);
  });

  test("hears of authentications and throttling when it debugs", () => {
    observer.authenticated(one, "SCRAM-SHA-512", 8, false);
    observer.authenticated(one, "SCRAM-SHA-512", 9, true);
    observer.throttled(one, "Produce", 250);
    const how = { ...where, mechanism: "SCRAM-SHA-512" };
    expect(lines).toEqual([
      ["debug", "authenticated with broker 1 by SCRAM-SHA-512", { ...how, durationMs: 8, isReauthentication: false }],
      [
        "debug",
        "authenticated with broker 1 again by SCRAM-SHA-512",
        { ...how, durationMs: 9, isReauthentication: true },
      ],
      [
        "debug",
        "broker 1 wants 250 ms of pause after Produce: a quota is used up",
        { ...where, api: "Produce", throttleTimeMs: 250 },
      ],
    ]);
  });

  test("may throw at everything", () => {
    const fails = () => {
      throw new Error("disk full");
    };
    const unlucky = observerWith({ debug: fails, info: fails, warn: fails, error: fails });
    tellEverything(unlucky);
    expect(clientValues(unlucky, "request-total", "connection-close-total")).toEqual([1, 1]);
  });
});

/** Each method once. */
function tellEverything(observer: NetworkObserver): void {
  observer.authenticated(one, "PLAIN", 5, false);
  observer.connected(one, 12);
  observer.requestSent(one, asked("Produce", 9, 7), 1_000, 3);
  observer.io(one, 80, 0.5, clock.now());
  observer.responseReceived(one, asked("Produce", 9, 7), 80, 3.5);
  observer.requestTimedOut(one, asked("Produce", 9, 8), 30_000);
  observer.throttled(one, "Produce", 250);
  observer.authenticationFailed(one, refused, true);
  observer.disconnected(one, refused, false);
}

const who = { kind: "producer", clientId: "shop", nodeId: 1, host: "broker-1", port: 9092, purpose: "main" } as const;
const request = { api: "Produce", apiKey: 0, apiVersion: 9, correlationId: 7 };
const everyMessage: DiagnosticsMessages = {
  "odradek:connect": { ...who, durationMs: 12 },
  "odradek:disconnect": { ...who, error: refused, expected: false, wasConnected: true },
  "odradek:request": { ...who, ...request, bytes: 1_000, inFlight: 3 },
  "odradek:response": { ...who, ...request, bytes: 80, latencyMs: 3.5 },
  "odradek:request-timeout": { ...who, ...request, correlationId: 8, elapsedMs: 30_000 },
  "odradek:throttle": { ...who, api: "Produce", throttleTimeMs: 250 },
  "odradek:authentication-failure": { ...who, error: refused, isReauthentication: true },
};

const isMessage = (value: unknown) => typeof value === "object" && value !== null && "nodeId" in value;

describe("diagnostics channels", () => {
  const subscriptions: [string, (message: unknown) => void][] = [];
  const listen = (channel: string, listener: (message: unknown) => void) => {
    subscribe(channel, listener);
    subscriptions.push([channel, listener]);
  };

  afterEach(() => {
    for (const [channel, listener] of subscriptions.splice(0)) unsubscribe(channel, listener);
    vi.restoreAllMocks();
  });

  test.each(Object.entries(everyMessage))("%s has its message, which is frozen", (channel, expected) => {
    const messages: unknown[] = [];
    listen(channel, (message) => messages.push(message));
    tellEverything(observerWith(silentLogger));
    expect(messages).toEqual([expected]);
    expect(messages.every(Object.isFrozen)).toBe(true);
  });

  test("make no message where nobody listens, and only the one that somebody listens to", () => {
    const observer = observerWith(silentLogger);
    const freeze = vi.spyOn(Object, "freeze");
    tellEverything(observer);
    // Other things are frozen too, such as tags.
    const messages = () => freeze.mock.calls.filter(([value]: readonly unknown[]) => isMessage(value)).length;
    const withoutListeners = messages();
    listen("odradek:response", () => {});
    tellEverything(observer);
    expect([withoutListeners, messages()]).toEqual([0, 1]);
  });

  test("do not even look at whom a request is to, where nobody listens", () => {
    const looked: PropertyKey[] = [];
    const watched = new Proxy(one, {
      get(target, property, receiver) {
        looked.push(property);
        return Reflect.get(target, property, receiver);
      },
    });
    const observer = observerWith(silentLogger);
    observer.requestSent(watched, asked("Produce", 9, 7), 1_000, 0);
    observer.io(watched, 80, 0.5, clock.now());
    observer.responseReceived(watched, asked("Produce", 9, 7), 80, 3.5);
    expect(new Set(looked)).toEqual(new Set(["nodeId"]));
  });

  test("that throw stop nothing, and Node tells the process", async () => {
    const heard: unknown[] = [];
    listen("odradek:request", () => {
      throw new Error("listener broke");
    });
    listen("odradek:request", (message) => heard.push(message));
    const observer = observerWith(silentLogger);
    const uncaught = await uncaughtBy(() => tellEverything(observer));
    expect(heard).toEqual([everyMessage["odradek:request"]]);
    expect(clientValues(observer, "response-total", "connection-close-total")).toEqual([1, 1]);
    expect(uncaught).toEqual(["listener broke"]);
  });
});

describe("a listener of one client", () => {
  test.each(Object.entries(everyMessage))("hears %s of that client alone, frozen", (channel, expected) => {
    const messages: unknown[] = [];
    const observer = observerWith(silentLogger, { [channel]: (message: unknown) => messages.push(message) });
    tellEverything(observer);
    tellEverything(observerWith(silentLogger));
    expect(messages).toEqual([expected]);
    expect(messages.every(Object.isFrozen)).toBe(true);
  });

  test("may come and go", () => {
    const messages: unknown[] = [];
    const listener: { "odradek:request"?: (message: unknown) => void } = {};
    const observer = observerWith(silentLogger, listener);
    tellEverything(observer);
    listener["odradek:request"] = (message) => messages.push(message);
    tellEverything(observer);
    delete listener["odradek:request"];
    tellEverything(observer);
    expect(messages).toEqual([everyMessage["odradek:request"]]);
  });

  test("stops nothing where it throws, and Node tells the process", async () => {
    const uncaught = await uncaughtBy(() => {
      const observer = observerWith(silentLogger, {
        "odradek:request": () => {
          throw new Error("listener broke");
        },
      });
      tellEverything(observer);
      expect(clientValues(observer, "response-total", "connection-close-total")).toEqual([1, 1]);
    });
    expect(uncaught).toEqual(["listener broke"]);
  });
});

/** What Node tells the process meanwhile, and in the turn that follows: there it throws what listeners threw. */
async function uncaughtBy(run: () => void): Promise<readonly string[]> {
  const uncaught: string[] = [];
  const others = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", (error) => uncaught.push(error.message));
  run();
  await new Promise((resolve) => setImmediate(resolve));
  process.removeAllListeners("uncaughtException");
  for (const other of others) process.on("uncaughtException", other);
  return uncaught;
}
