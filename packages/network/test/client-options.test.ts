import { describe, expect, test } from "vitest";
import { type ClientOptions, type ResolvedClientOptions, resolveClientOptions } from "../src/client-options.ts";
import { OptionsError } from "../src/errors.ts";
import { silentLogger } from "../src/observation/logger.ts";
import { OptionReader } from "../src/option-reader.ts";

const bootstrapServers = ["localhost:9092"];

const resolve = (options: unknown): ResolvedClientOptions => {
  const reader = new OptionReader(options);
  const resolved = resolveClientOptions(reader);
  reader.finish();
  return resolved;
};

const messageOf = (options: unknown): string => {
  try {
    resolve(options);
  } catch (error) {
    if (error instanceof OptionsError) return error.message;
    throw error;
  }
  throw new Error("nothing was thrown");
};

describe("the options of a client", () => {
  test("have the defaults of Kafka's Java client", () => {
    expect(resolve({ bootstrapServers } satisfies ClientOptions)).toEqual({
      bootstrapServers: [{ host: "localhost", port: 9092 }],
      clientId: "odradek",
      requestTimeoutMs: 30_000,
      defaultApiTimeoutMs: 60_000,
      retryBackoffMs: 100,
      retryBackoffMaxMs: 1_000,
      reconnectBackoffMs: 50,
      reconnectBackoffMaxMs: 1_000,
      socketConnectionSetupTimeoutMs: 10_000,
      socketConnectionSetupTimeoutMaxMs: 30_000,
      metadataMaxAgeMs: 300_000,
      connectionsMaxIdleMs: 540_000,
      clientDnsLookup: "use_all_dns_ips",
      metadataRecoveryStrategy: "rebootstrap",
      metadataRecoveryRebootstrapTriggerMs: 300_000,
      metadataClusterCheckEnable: true,
      throttleTimeMaxMs: 600_000,
      security: { protocol: "PLAINTEXT", tls: null, sasl: null },
      socketFactory: null,
      logger: silentLogger,
      diagnostics: {},
      metricsNumSamples: 2,
      metricsSampleWindowMs: 30_000,
      receiveMessageMaxBytes: 104_857_600,
      receiveMessageMaxItems: 1_000_000,
    });
  });

  test("do not change once they are resolved", () => {
    expect(Object.isFrozen(resolve({ bootstrapServers }))).toBe(true);
  });

  test("raise a longest wait that is shorter than the first, as Java does", () => {
    const raised = resolve({
      bootstrapServers,
      retryBackoffMs: 2_000,
      reconnectBackoffMs: 3_000,
      socketConnectionSetupTimeoutMs: 40_000,
    });
    expect(raised.retryBackoffMaxMs).toBe(2_000);
    expect(raised.reconnectBackoffMaxMs).toBe(3_000);
    expect(raised.socketConnectionSetupTimeoutMaxMs).toBe(40_000);
  });

  test.each([
    ["clientId", "", 'a text that is not empty is expected, not ""'],
    ["requestTimeoutMs", 0, "a whole number from 1 to 2147483647 is expected, not 0"],
    ["requestTimeoutMs", 2 ** 31, "a whole number from 1 to 2147483647 is expected, not 2147483648"],
    ["defaultApiTimeoutMs", -1, "a whole number from 0 to 2147483647 is expected, not -1"],
    ["defaultApiTimeoutMs", 2 ** 31, "a whole number from 0 to 2147483647 is expected, not 2147483648"],
    ["retryBackoffMs", -1, "a whole number of at least 0 is expected, not -1"],
    ["retryBackoffMaxMs", 0.5, "a whole number of at least 0 is expected, not 0.5"],
    ["reconnectBackoffMs", "50", 'a whole number of at least 0 is expected, not "50"'],
    ["reconnectBackoffMaxMs", -5, "a whole number of at least 0 is expected, not -5"],
    ["socketConnectionSetupTimeoutMs", 0, "a whole number of at least 1 is expected, not 0"],
    ["socketConnectionSetupTimeoutMaxMs", 0, "a whole number of at least 1 is expected, not 0"],
    ["connectionsMaxIdleMs", -2, "a whole number of at least -1 is expected, not -2"],
    ["throttleTimeMaxMs", -1, "a whole number of at least 0 is expected, not -1"],
    ["metadataRecoveryRebootstrapTriggerMs", -1, "a whole number of at least 0 is expected, not -1"],
    [
      "clientDnsLookup",
      "all",
      'one of use_all_dns_ips, resolve_canonical_bootstrap_servers_only is expected, not "all"',
    ],
    ["metadataRecoveryStrategy", "retry", 'one of rebootstrap, none is expected, not "retry"'],
    ["socketFactory", {}, "a function is expected, not an object"],
    ["diagnostics", "odradek:request", 'an object with functions, by channel, is expected, not "odradek:request"'],
    ["diagnostics", { "odradek:request": true }, "an object with functions, by channel, is expected, not an object"],
    ["logger", { info: 1 }, "an object with debug, info, warn and error is expected, not an object"],
    ["metadataMaxAgeMs", -1, "a whole number of at least 0 is expected, not -1"],
    ["receiveMessageMaxBytes", 1_000, "a whole number from 1048576 to 2147483647 is expected, not 1000"],
    ["receiveMessageMaxBytes", 2 ** 31, "a whole number from 1048576 to 2147483647 is expected, not 2147483648"],
  ])("refuse %s as %o in one error that says what is allowed", (option, value, expected) => {
    expect(messageOf({ bootstrapServers, [option]: value })).toBe(`option ${option}: ${expected}`);
  });

  test("refuse an option that does not exist", () => {
    expect(messageOf({ bootstrapServers, brokers: [] })).toMatch(
      /^option brokers: one of the names bootstrapServers, clientDnsLookup, clientId, .* is expected, not "brokers"$/,
    );
  });
});

describe("the bootstrap servers", () => {
  test.each([
    ["kafka-1.example.com:9092", { host: "kafka-1.example.com", port: 9092 }],
    ["127.0.0.1:1", { host: "127.0.0.1", port: 1 }],
    [" broker-2:9092", { host: "broker-2", port: 9092 }],
    ["[::1]:9092", { host: "::1", port: 9092 }],
    ["[fe80::1%eth0]:65535", { host: "fe80::1%eth0", port: 65_535 }],
  ])("may be %s", (server, address) => {
    expect(resolve({ bootstrapServers: [server] }).bootstrapServers).toEqual([address]);
  });

  test.each([
    "localhost",
    "localhost:",
    ":9092",
    "localhost:0",
    "localhost:65536",
    "localhost:-1",
    "localhost:9o92",
    "local host:9092",
    "::1:9092",
    "[::1]",
    "[::1:9092",
    "[localhost]:9092",
    "kafka://localhost:9092",
    "localhost:9092/topic",
    "",
  ])("may not be %o", (server) => {
    expect(messageOf({ bootstrapServers: ["localhost:9092", server] })).toBe(
      `option bootstrapServers: host:port without a scheme, such as broker-1:9092 or [::1]:9092, is expected, not ${JSON.stringify(server)}`,
    );
  });

  test.each([
    [undefined, "undefined"],
    [[], "an array of 0"],
    ["kafka://me:hunter2@localhost:9092", '"<string>"'],
    [[7], "an array of 1"],
  ])("must be a list: %o is refused", (servers, shown) => {
    expect(messageOf({ bootstrapServers: servers })).toBe(
      `option bootstrapServers: a list of host:port that is not empty is expected, not ${shown}`,
    );
  });

  test("are not shown with a name and password that stand in one of them", () => {
    const message = messageOf({ bootstrapServers: ["kafka://me:hunter2@localhost:9092"] });
    expect(message).not.toContain("hunter2");
    expect(message).toContain("localhost:9092");
  });
});
