import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { networkChannels } from "../../src/observation/diagnostics.ts";
import { silentLogger } from "../../src/observation/logger.ts";
import { networkMetrics } from "../../src/observation/network-metrics.ts";
import { NetworkObserver } from "../../src/observation/network-observer.ts";
import { ManualClock } from "../manual-clock.ts";

/** Names that Kafka's Java client gives to what its selector measures. */
const rateAndTotal = (...bases: readonly string[]) => bases.flatMap((base) => [`${base}-rate`, `${base}-total`]);
const avgAndMax = (...bases: readonly string[]) => bases.flatMap((base) => [`${base}-avg`, `${base}-max`]);

const kafkasClientMetrics = [
  ...rateAndTotal("connection-close", "connection-creation", "network-io", "request", "response", "select"),
  ...rateAndTotal("incoming-byte", "outgoing-byte"),
  ...rateAndTotal("successful-authentication", "failed-authentication"),
  ...rateAndTotal("successful-reauthentication", "failed-reauthentication"),
  ...avgAndMax("request-size", "reauthentication-latency"),
  ...["io-wait", "io"].flatMap((base) => [`${base}-time-ns-avg`, `${base}-time-ns-total`, `${base}-ratio`]),
  "connection-count",
  "successful-authentication-no-reauth-total",
];

const kafkasNodeMetrics = [
  ...rateAndTotal("request", "response", "incoming-byte", "outgoing-byte"),
  ...avgAndMax("request-size", "request-latency"),
];

const names = (group: keyof typeof networkMetrics) => networkMetrics[group].map(({ name }) => name).sort();

describe("the table of the network's metrics", () => {
  test("has Kafka's names", () => {
    expect(names("metrics")).toEqual(kafkasClientMetrics.sort());
    expect(names("node-metrics")).toEqual([...kafkasNodeMetrics, ...avgAndMax("throttle-time")].sort());
  });

  test("is what a client has from its start, and for each broker from the first request on", () => {
    const clock = new ManualClock();
    const sampling = { numSamples: 2, sampleWindowMs: 30_000 };
    const observer = new NetworkObserver({ kind: "consumer", clientId: "c", logger: silentLogger, clock, ...sampling });
    const of = (group: string) =>
      observer.registry
        .metrics()
        .filter((metric) => metric.group === group)
        .map(({ name, description }) => ({ name, description }));
    const told = (group: keyof typeof networkMetrics) =>
      networkMetrics[group].map(({ name, description }) => ({ name, description }));
    expect(of("consumer-metrics")).toEqual(told("metrics"));
    expect(of("consumer-node-metrics")).toEqual([]);
    observer.requestSent(
      { nodeId: 1, host: "h", port: 1, purpose: "main" },
      { api: { name: "Fetch", key: 1 }, version: 12, correlationId: 0 },
      10,
      0,
    );
    expect(of("consumer-node-metrics")).toEqual(told("node-metrics"));
  });
});

describe("OBSERVABILITY.md", () => {
  const page = readFileSync(new URL("../../OBSERVABILITY.md", import.meta.url), "utf8");
  /** First and second cell of the rows under a heading. */
  const rows = (heading: string) => {
    const [section = ""] = page.slice(page.indexOf(`${heading}\n`) + heading.length).split(/^#/m);
    return [...section.matchAll(/^\| `([^`]+)` \| ([^|]+) \|/gm)].map(([, name, what]) => [name, what]);
  };

  test.each([
    ["### `{kind}-metrics`, tag `client-id`", "metrics"],
    ["### `{kind}-node-metrics`, tags `client-id` and `node-id`", "node-metrics"],
  ] as const)("lists under %s what the table says", (heading, group) => {
    expect(rows(heading)).toEqual(networkMetrics[group].map(({ name, description }) => [name, description]));
  });

  test("lists every channel", () => {
    const listed = rows("## Diagnostics channels").map(([name]) => name);
    expect(listed).toEqual(Object.keys(networkChannels));
  });
});
