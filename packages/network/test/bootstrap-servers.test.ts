import { describe, expect, test } from "vitest";
import { canonicalServers, type NameResolver, systemResolver, warnOfLocal } from "../src/bootstrap-servers.ts";
import { silentLogger } from "../src/observation/logger.ts";
import { RecordingLogger } from "./recording-logger.ts";

const at = (host: string, port = 9_092) => ({ host, port });

/** DNS of a network with an alias for two brokers, and a host whose address has no name. */
const resolver: NameResolver = {
  addressesOf: async (host) => {
    const addresses = { kafka: ["10.0.0.1", "10.0.0.2"], two: ["10.0.0.2"], nameless: ["10.0.0.9"] }[host];
    if (addresses === undefined) throw new Error(`getaddrinfo ENOTFOUND ${host}`);
    return addresses;
  },
  hostOf: async (address) => {
    const host = { "10.0.0.1": "one.example", "10.0.0.2": "two.example" }[address];
    if (host === undefined) throw new Error(`getnameinfo ENOTFOUND ${address}`);
    return host;
  },
};

describe("bootstrap servers by their canonical names", () => {
  test("are all hosts that a name stands for, each with the port of the server, and each once", async () => {
    expect(await canonicalServers([at("kafka"), at("two"), at("two", 9_093)], resolver, silentLogger)).toEqual([
      at("one.example"),
      at("two.example"),
      at("two.example", 9_093),
    ]);
  });

  test("are addresses where those have no name", async () => {
    expect(await canonicalServers([at("nameless")], resolver, silentLogger)).toEqual([at("10.0.0.9")]);
  });

  test("are those that can be resolved, and a warning for each that cannot", async () => {
    const logger = new RecordingLogger();
    expect(await canonicalServers([at("gone"), at("two")], resolver, logger)).toEqual([at("two.example")]);
    expect(logger.lines).toEqual([
      'warn: a bootstrap server cannot be resolved {"host":"gone","port":9092,"reason":"getaddrinfo ENOTFOUND gone"}',
    ]);
  });

  test.each([
    ["whose names are unknown", resolver, "getaddrinfo ENOTFOUND gone"],
    ["without addresses", { ...resolver, addressesOf: async () => [] }, "no addresses"],
  ])("%s are an error that names them, and may pass", async (_, names, reason) => {
    await expect(canonicalServers([at("gone"), at("lost", 1)], names, silentLogger)).rejects.toMatchObject({
      name: "ConnectionError",
      retriable: true,
      message: `no connection: none of the bootstrap servers gone:9092, lost:1 can be resolved: ${reason}`,
    });
  });

  test("are resolved by the system", async () => {
    expect(await systemResolver.addressesOf("127.0.0.1")).toEqual(["127.0.0.1"]);
    const [server] = await canonicalServers([at("127.0.0.1")], systemResolver, silentLogger);
    expect(server?.host).toMatch(/./);
    expect(server?.port).toBe(9_092);
  });
});

describe("a broker that advertises an address of this machine", () => {
  test.each(["localhost", "127.0.0.1", "127.1.2.3", "0.0.0.0", "::1", "::", "broker.localhost", "::ffff:127.0.0.1"])(
    "such as %s is warned of where it was learned elsewhere",
    (host) => {
      const logger = new RecordingLogger();
      expect(warnOfLocal(at("kafka.example"), [at("one.example"), at(host)], logger)).toBe(true);
      expect(logger.lines).toHaveLength(1);
      expect(logger.lines[0]).toContain("advertised.listeners");
      expect(logger.lines[0]).toContain(host);
      expect(logger.lines[0]).toContain("kafka.example:9092");
    },
  );

  test("is right where it was learned here", () => {
    const logger = new RecordingLogger();
    expect(warnOfLocal(at("localhost"), [at("127.0.0.1")], logger)).toBe(false);
    expect(logger.lines).toEqual([]);
  });

  test.each(["one.example", "10.0.0.1", "localhost.example", "128.0.0.1", "::2", "1270.0.0.1"])(
    "is not meant by %s",
    (host) => {
      expect(warnOfLocal(at("kafka.example"), [at(host)], new RecordingLogger())).toBe(false);
    },
  );
});
