import { SaslHandshake } from "@odradek/protocol/messages/sasl-handshake";
import { describe, expect, onTestFinished, test } from "vitest";
import { BrokerConnections } from "../src/broker-connections.ts";
import { type NetworkOptions, resolveClientOptions } from "../src/client-options.ts";
import type { Node } from "../src/cluster-snapshot.ts";
import { ConnectionError } from "../src/errors.ts";
import { OptionReader } from "../src/option-reader.ts";
import type { OwnMechanism, SaslMechanism } from "../src/security/sasl-mechanism.ts";
import type { Security } from "../src/security/security-options.ts";
import { ManualClock } from "./manual-clock.ts";
import { passing } from "./passing.ts";
import { type PeerConnection, ScriptedPeer } from "./scripted-peer.ts";
import { silentObserver } from "./silent-observer.ts";
import { until } from "./until.ts";

const connectionsOf = (more: Partial<NetworkOptions> = {}) => {
  const clock = new ManualClock();
  const calls: string[] = [];
  const options = {
    ...resolveClientOptions(new OptionReader({ bootstrapServers: ["unused:1"] })),
    maxInFlightRequestsPerConnection: 5,
    connectionsMaxIdleMs: Number.POSITIVE_INFINITY,
    ...more,
  };
  const connections = new BrokerConnections(options, clock, silentObserver(clock), {
    onChange: () => calls.push("change"),
    onLost: () => calls.push("lost"),
    onRebootstrapRequired: (cause) => calls.push(cause.code),
  });
  onTestFinished(async () => {
    const closed = connections.close(0);
    clock.advance(0);
    await closed;
  });
  return { clock, calls, connections };
};

const nodeOf = ({ address }: ScriptedPeer, id = 1): Node => ({ id, rack: null, ...address });

const serve = async (connection: PeerConnection) => {
  await connection.handshake();
  await connection.closed;
};

describe("the connections of a client", () => {
  test("are one for each address and purpose, whatever the node's id", async () => {
    const peer = await ScriptedPeer.listen(serve);
    const { connections } = connectionsOf();
    const nodes = [nodeOf(peer, -1), nodeOf(peer, 1)];
    for (const node of nodes) expect(connections.ready(node, "main")).toBeNull();
    await until(() => nodes.every((node) => connections.ready(node, "main") !== null));
    const [first, second] = nodes.map((node) => connections.ready(node, "main"));
    expect(first).toBe(second);
    expect(connections.ready(nodeOf(peer), "fetch")).toBeNull();
    await until(() => connections.ready(nodeOf(peer), "fetch") !== null);
    expect(peer.connections).toHaveLength(2);
  });

  test("tell when one became ready, and when one is lost", async () => {
    const peer = await ScriptedPeer.listen(serve);
    const { calls, connections } = connectionsOf();
    connections.ready(nodeOf(peer), "main");
    await until(() => connections.ready(nodeOf(peer), "main") !== null);
    expect(calls).toEqual(["change"]);
    peer.connections[0]?.reset();
    await until(() => connections.ready(nodeOf(peer), "main") === null && calls.length > 1);
    expect(calls).toEqual(["change", "lost", "change"]);
    expect(connections.lastError([nodeOf(peer)], "main")).toMatchObject({ name: "ConnectionError" });
  });

  test("to addresses that no broker has any more are closed, which is no loss", async () => {
    const [old, kept] = [await ScriptedPeer.listen(serve), await ScriptedPeer.listen(serve)];
    const { clock, calls, connections } = connectionsOf();
    for (const peer of [old, kept]) connections.ready(nodeOf(peer), "main");
    await until(() => [old, kept].every((peer) => connections.ready(nodeOf(peer), "main") !== null));
    connections.retain([nodeOf(kept)]);
    await old.connections[0]?.closed;
    await until(() => calls.length === 3);
    expect(calls).toEqual(["change", "change", "change"]);
    expect(connections.ready(nodeOf(kept), "main")).not.toBeNull();
    expect(clock.timers).toBe(0);
  });

  test("have more time to be set up after each attempt that failed, up to a limit", async () => {
    // The kernel takes the connection, and nobody answers.
    const peer = await ScriptedPeer.listen(() => {});
    const { clock, connections } = connectionsOf({ reconnectBackoffMs: 0, reconnectBackoffMaxMs: 0 });
    const node = nodeOf(peer);
    const spans: number[] = [];
    for (let attempt = 0; attempt < 4; attempt++) {
      const startMs = clock.now();
      connections.ready(node, "main");
      await passing(clock).passUntil(() => connections.retryAtMs(node, "main") < Number.POSITIVE_INFINITY);
      spans.push(clock.now() - startMs);
    }
    const [first = 0, second = 0, third = 0, fourth = 0] = spans;
    // 10, 20, 30 and 30 seconds, each a fifth more or less.
    expect(first).toBeGreaterThanOrEqual(8_000);
    expect(first).toBeLessThanOrEqual(12_000);
    expect(second).toBeGreaterThanOrEqual(16_000);
    expect(second).toBeLessThanOrEqual(24_000);
    for (const span of [third, fourth]) {
      expect(span).toBeGreaterThanOrEqual(24_000);
      expect(span).toBeLessThanOrEqual(30_000);
    }
  });

  test("that were ready and are lost have as much time as at first", async () => {
    let isSilent = false;
    const peer = await ScriptedPeer.listen((connection) => (isSilent ? undefined : serve(connection)));
    const { clock, connections } = connectionsOf({ reconnectBackoffMs: 0, reconnectBackoffMaxMs: 0 });
    const node = nodeOf(peer);
    connections.ready(node, "main");
    await until(() => connections.ready(node, "main") !== null);
    isSilent = true;
    peer.connections[0]?.reset();
    await until(() => connections.retryAtMs(node, "main") < Number.POSITIVE_INFINITY);
    connections.ready(node, "main");
    clock.advance(12_000);
    await until(() => connections.retryAtMs(node, "main") < Number.POSITIVE_INFINITY);
    expect(connections.lastError([node], "main")).toMatchObject({ name: "TimeoutError" });
  });

  test("are hopeless only where none of the nodes can be a broker", async () => {
    const stranger = await ScriptedPeer.listen(async (connection) => {
      await connection.next();
      connection.write(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"));
    });
    const { host, port } = await ScriptedPeer.nobody();
    const { connections } = connectionsOf();
    const [first, second]: [Node, Node] = [nodeOf(stranger, 1), { id: 2, host, port, rack: null }];
    for (const node of [first, second]) {
      connections.ready(node, "main");
      await until(() => connections.retryAtMs(node, "main") < Number.POSITIVE_INFINITY);
    }
    expect(connections.fatalError([first], "main")?.message).toContain("the peer speaks HTTP");
    expect(connections.fatalError([first, second], "main")).toBeNull();
    expect(connections.fatalError([], "main")).toBeNull();
  });

  test("tell of a broker that does not let us in until they may ask it again, which is not at once", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      connection.answer(await connection.next(), SaslHandshake, { errorCode: 33, mechanisms: ["OTHER"] });
      await connection.closed;
    });
    const sasl: SaslMechanism = { name: "ANY", authenticate: async (exchange) => void (await exchange(Buffer.of(1))) };
    const security: Security = { protocol: "SASL_PLAINTEXT", tls: null, sasl: () => sasl };
    const { clock, connections } = connectionsOf({ security, reconnectBackoffMs: 0, reconnectBackoffMaxMs: 0 });
    const node = nodeOf(peer);
    connections.ready(node, "main");
    await until(() => connections.authenticationError([node], "main") !== null);
    expect(connections.authenticationError([node], "fetch")).toBeNull();
    for (let asked = 0; asked < 10; asked++) connections.ready(node, "main");
    clock.advance(99);
    connections.ready(node, "main");
    expect(connections.authenticationError([node], "main")).toMatchObject({ reason: "mechanismRefused" });
    expect(peer.connections).toHaveLength(1);
    clock.advance(1);
    expect(connections.authenticationError([node], "main")).toBeNull();
    connections.ready(node, "main");
    await until(() => connections.authenticationError([node], "main") !== null);
    expect(peer.connections).toHaveLength(2);
  });

  test("that are reset are all closed at once with the reason, and keep their back-offs", async () => {
    const peer = await ScriptedPeer.listen(serve);
    const { clock, calls, connections } = connectionsOf();
    const node = nodeOf(peer);
    connections.ready(node, "main");
    await until(() => connections.ready(node, "main") !== null);
    const cause = new ConnectionError(null, "beginning again");
    connections.reset(cause);
    await until(() => calls.includes("lost"));
    expect(connections.lastError([node], "main")).toBe(cause);
    expect(connections.retryAtMs(node, "main")).toBeGreaterThan(clock.now());
  });

  test("tell where a broker says that it is of another cluster", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake({ errorCode: 129, apiKeys: [] });
      await connection.closed;
    });
    const { calls, connections } = connectionsOf();
    connections.ready(nodeOf(peer), "main");
    await until(() => calls.includes("lost"));
    expect(calls).toContain("REBOOTSTRAP_REQUIRED");
  });

  test("close a mechanism when all of them are closed", async () => {
    let closed = 0;
    const close = () => {
      closed += 1;
    };
    const sasl: OwnMechanism = { name: "ANY", authenticate: async () => {}, close };
    const { connections } = connectionsOf({ security: { protocol: "SASL_PLAINTEXT", tls: null, sasl: () => sasl } });
    await connections.close(0);
    expect(closed).toBe(1);
  });
});
