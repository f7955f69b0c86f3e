import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { describe, expect, onTestFinished, test } from "vitest";
import { type ClientOptions, resolveClientOptions } from "../src/client-options.ts";
import type { ConnectionOptions } from "../src/connection-options.ts";
import { Deadline } from "../src/deadline.ts";
import { AuthenticationError, TimeoutError } from "../src/errors.ts";
import { NetworkClient } from "../src/network-client.ts";
import { OptionReader } from "../src/option-reader.ts";
import { TlsSettings } from "../src/security/tls-settings.ts";
import type { SocketFactory, SocketTarget } from "../src/socket.ts";
import { ManualClock } from "./manual-clock.ts";
import { metadataAnswer } from "./metadata-answers.ts";
import { OpenedConnection } from "./opened-connection.ts";
import { passing, quiet } from "./passing.ts";
import { RecordingLogger } from "./recording-logger.ts";
import { ScriptedCluster } from "./scripted-cluster.ts";
import { type PeerConnection, ScriptedPeer } from "./scripted-peer.ts";
import { Authority } from "./security/certificates.ts";
import { until } from "./until.ts";

const authority = new Authority();
const certificate = authority.issue({ hosts: ["broker.test"] });

const serve = async (connection: PeerConnection): Promise<void> => {
  await connection.handshake();
  for (;;) connection.answer(await connection.next(), Metadata, metadataAnswer());
};

/** A broker that is known by another name, which nobody but the factories under test can resolve. */
const target = { host: "broker.test", port: 9092 };

const openBy = (socketFactory: SocketFactory, options: Partial<ConnectionOptions> = {}) =>
  new OpenedConnection(target, { socketFactory, ...options });

const ask = async ({ ready }: OpenedConnection): Promise<string | null> =>
  (await (await ready).request(Metadata, 13, { topics: [] })).clusterId;

/** A stream that is no socket, such as that of a tunnel. */
const tunnelOver = (socket: Socket): Duplex => {
  const tunnel = new Duplex({
    read: () => socket.resume(),
    write: (chunk, _, done) => void socket.write(chunk, done),
    final: (done) => void socket.end(done),
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on("data", (chunk) => tunnel.push(chunk) || socket.pause());
  socket.on("end", () => tunnel.push(null));
  return tunnel;
};

/** What may be given in place of a socket that `net.connect` gives at once. */
const ways: readonly [string, (port: number) => ReturnType<SocketFactory>][] = [
  ["a socket that is still connecting", (port) => connect(port, "127.0.0.1")],
  ["a promise of a socket that is still connecting", async (port) => connect(port, "127.0.0.1")],
  [
    "a promise of a socket that is connected",
    async (port) => {
      const socket = connect(port, "127.0.0.1");
      await once(socket, "connect");
      return socket;
    },
  ],
  ["a stream that is no socket", (port) => tunnelOver(connect(port, "127.0.0.1"))],
];

describe("a socketFactory", () => {
  test.each(ways)("may give %s", async (_, make) => {
    const peer = await ScriptedPeer.listen(serve);
    const asked: SocketTarget[] = [];
    const opened = openBy((whom) => {
      asked.push(whom);
      return make(peer.address.port);
    });
    expect(await ask(opened)).toBe("cluster");
    expect(asked).toEqual([{ ...target, signal: expect.any(AbortSignal) }]);
    await opened.connection.close(1_000);
    await peer.connections[0]?.closed;
    expect(opened.calls.filter((call) => call !== "room")).toEqual(["ready", "closed"]);
    expect(opened.clock.timers).toBe(0);
  });

  test.each(ways)("has TLS spoken over %s, with the broker's own name", async (_, make) => {
    const names: unknown[] = [];
    const tls = {
      ...certificate,
      SNICallback: (name: string, done: (error: null) => void) => {
        names.push(name);
        done(null);
      },
    };
    const peer = await ScriptedPeer.listen(serve, 0, tls);
    const opened = openBy(() => make(peer.address.port), { tls: new TlsSettings({ ca: authority.cert }) });
    expect(await ask(opened)).toBe("cluster");
    expect(names).toEqual(["broker.test"]);
    await opened.connection.close(1_000);
    await peer.connections[0]?.closed;
  });

  test.each(ways)("has certificates checked that come over %s", async (_, make) => {
    const peer = await ScriptedPeer.listen(serve, 0, authority.issue({ hosts: ["localhost", "127.0.0.1"] }));
    const opened = openBy(() => make(peer.address.port), { tls: new TlsSettings({ ca: authority.cert }) });
    const cause = await opened.closed;
    expect(cause).toBeInstanceOf(AuthenticationError);
    expect(cause).toMatchObject({ reason: "certificateHostMismatch", ...target });
    expect(opened.calls).toEqual(["closed"]);
  });

  test("may speak TLS itself", async () => {
    const peer = await ScriptedPeer.listen(serve, 0, certificate);
    const { port } = peer.address;
    const opened = openBy(() => connectTls({ port, host: "127.0.0.1", servername: "broker.test", ca: authority.cert }));
    expect(await ask(opened)).toBe("cluster");
    await opened.connection.close(1_000);
  });
});

describe("a socketFactory that gives none", () => {
  const proxyIsGone = new Error("the proxy is gone");
  const broken = (): Duplex => new Duplex({ read() {}, write() {} });

  test.each<[string, SocketFactory, string]>([
    [
      "throws",
      () => {
        throw proxyIsGone;
      },
      "the proxy is gone",
    ],
    ["rejects", () => Promise.reject(proxyIsGone), "the proxy is gone"],
    ["rejects with no error", () => Promise.reject("no"), "no"],
    ["gives a socket that fails at once", () => broken().destroy(proxyIsGone), "the proxy is gone"],
    [
      "promises a socket that has failed",
      async () =>
        broken()
          .on("error", () => {})
          .destroy(proxyIsGone),
      "the proxy is gone",
    ],
    ["gives a socket that is closed", () => broken().destroy(), "the socket that it gave is closed"],
    // What JavaScript may give is not what the types allow.
    ["gives nothing", (() => undefined) as unknown as SocketFactory, "no stream.Duplex"],
    ["promises an agent", (async () => ({ connect() {} })) as unknown as SocketFactory, "no stream.Duplex"],
  ])("because it %s says so, and may be asked again", async (_, factory, says) => {
    const opened = openBy(factory);
    const cause = await opened.closed;
    expect(cause).toMatchObject({ name: "ConnectionError", retriable: true, ...target });
    expect(cause.message).toContain(`connection to broker.test:9092: socketFactory: `);
    expect(cause.message).toContain(says);
    expect(opened.calls).toEqual(["closed"]);
    expect(opened.clock.timers).toBe(0);
  });

  test("because nobody listens there is told with the words of the socket", async () => {
    const peer = await ScriptedPeer.listen(serve);
    await peer.close();
    const { port } = peer.address;
    const cause = await openBy(() => connect(port, "127.0.0.1")).closed;
    expect(cause.message).toBe(`connection to broker.test:9092: connect ECONNREFUSED 127.0.0.1:${port}`);
  });

  test("in time is told to stop, and a socket that comes later is closed", async () => {
    const peer = await ScriptedPeer.listen(serve);
    let give: (socket: Socket) => void = () => {};
    let signal: AbortSignal | undefined;
    const opened = openBy(
      (asked) =>
        new Promise((resolve) => {
          ({ signal } = asked);
          give = resolve;
        }),
      { setupTimeoutMs: 5_000 },
    );
    await until(() => signal !== undefined);
    expect(opened.connection.state).toBe("connecting");
    opened.clock.advance(4_999);
    await quiet();
    expect(signal?.aborted).toBe(false);
    opened.clock.advance(1);
    expect(await opened.closed).toBeInstanceOf(TimeoutError);
    expect(signal?.aborted).toBe(true);
    const late = connect(peer.address.port, "127.0.0.1");
    give(late);
    await once(late, "close");
    expect(opened.calls).toEqual(["closed"]);
    expect(opened.clock.timers).toBe(0);
  });

  test("before the client is closed delays nothing, whatever it says afterwards", async () => {
    let fail: (error: Error) => void = () => {};
    let isAsked = false;
    const opened = openBy(
      () =>
        new Promise((_, reject) => {
          isAsked = true;
          fail = reject;
        }),
    );
    await until(() => isAsked);
    await opened.connection.close(1_000);
    fail(proxyIsGone);
    await quiet();
    expect(opened.calls).toEqual(["closed"]);
    expect(await opened.closed).toMatchObject({ code: "CLOSED" });
  });
});

test.each([null, { ca: authority.cert }])(
  "a stream that fails later fails what is under way (TLS: %o)",
  async (ssl) => {
    const peer = await ScriptedPeer.listen(
      async (connection) => {
        await connection.handshake();
        await connection.next();
      },
      0,
      ssl === null ? undefined : certificate,
    );
    let tunnel: Duplex | undefined;
    const opened = openBy(
      () => {
        tunnel = tunnelOver(connect(peer.address.port, "127.0.0.1"));
        return tunnel;
      },
      { tls: ssl === null ? null : new TlsSettings(ssl) },
    );
    const asking = ask(opened);
    await until(() => opened.connection.inFlightCount === 1 && opened.connection.wasReady);
    tunnel?.destroy(new Error("the tunnel broke"));
    await expect(asking).rejects.toMatchObject({ name: "ConnectionError", retriable: true });
    await expect(asking).rejects.toThrow("the tunnel broke");
    expect(opened.calls.filter((call) => call === "closed")).toEqual(["closed"]);
  },
);

describe("a client with a socketFactory", () => {
  const clientOf = (given: Partial<ClientOptions>) => {
    const clock = new ManualClock();
    const logger = new RecordingLogger();
    const reader = new OptionReader({ bootstrapServers: ["bootstrap.test:9092"], logger, ...given });
    const options = { ...resolveClientOptions(reader), maxInFlightRequestsPerConnection: 5 };
    const client = new NetworkClient("producer", options, clock);
    onTestFinished(() => client.close({ timeoutMs: 0 }));
    const learn = () =>
      client.awaitMetadata(new Deadline(clock, 60_000), "metadata", () => client.metadata.snapshot.clusterId);
    return { client, clock, logger, learn, ...passing(clock) };
  };

  test("reaches brokers at addresses that mean something only beyond it", async () => {
    const cluster = await ScriptedCluster.listen(2, {
      // As they are known within their own network.
      metadata: (self) =>
        self.answer({
          brokers: [1, 2].map((id) => ({ nodeId: id, rack: null, host: `broker-${id}.test`, port: 9092 })),
        }),
    });
    const asked: string[] = [];
    const { client, learn, passUntil } = clientOf({
      socketFactory: ({ host }) => {
        asked.push(host);
        return connect(cluster.peers[host === "broker-2.test" ? 1 : 0]?.address.port ?? 0, "127.0.0.1");
      },
    });
    await learn();
    expect(client.ready(2)).toBe(false);
    await passUntil(() => client.ready(2));
    expect(asked).toEqual(["bootstrap.test", "broker-2.test"]);
  });

  test("asks it again after a back-off, and says what it said to who runs out of time", async () => {
    const cluster = await ScriptedCluster.listen(1);
    let isUp = false;
    const askedAtMs: number[] = [];
    const { clock, logger, learn, pass } = clientOf({
      reconnectBackoffMs: 100,
      reconnectBackoffMaxMs: 100,
      socketFactory: () => {
        askedAtMs.push(clock.now());
        if (!isUp) throw new Error("the proxy is down");
        return connect(cluster.peers[0]?.address.port ?? 0, "127.0.0.1");
      },
    });
    const impatient = learn();
    const outcome = expect(impatient).rejects.toThrow(
      /60000 ms; last: connection to bootstrap\.test:9092: socketFactory: the proxy is down$/,
    );
    await pass(60_000);
    await outcome;
    const waits = askedAtMs.slice(1).map((atMs, index) => atMs - (askedAtMs[index] ?? 0));
    expect(waits.every((ms) => ms >= 80 && ms <= 120)).toBe(true);
    expect(logger.count("the proxy is down")).toBeGreaterThan(0);
    isUp = true;
    const patient = learn();
    await pass(1_000);
    expect(await patient).toBe("cluster");
  });

  const sasl = { mechanism: "PLAIN", username: "alice", password: "secret" } as const;

  test("is not warned of credentials in the clear: whether they are it cannot know", () => {
    expect(clientOf({ sasl, socketFactory: () => connect(1) }).logger.lines).toEqual([]);
    expect(clientOf({ sasl }).logger.count("credentials travel without encryption")).toBe(1);
  });
});
