import { once } from "node:events";
import { createServer } from "node:net";
import type { ConnectionOptions, TlsOptions } from "node:tls";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { describe, expect, onTestFinished, test } from "vitest";
import { AuthenticationError, ConnectionError, TimeoutError } from "../src/errors.ts";
import { TlsSettings } from "../src/security/tls-settings.ts";
import { metadataAnswer } from "./metadata-answers.ts";
import { OpenedConnection } from "./opened-connection.ts";
import { quiet } from "./passing.ts";
import { frameOf, type PeerConnection, ScriptedPeer } from "./scripted-peer.ts";
import { Authority } from "./security/certificates.ts";
import { until } from "./until.ts";

const authority = new Authority();
const broker = authority.issue();
const trusting = { ca: authority.cert };

const serve = async (connection: PeerConnection): Promise<void> => {
  await connection.handshake();
  for (;;) connection.answer(await connection.next(), Metadata, metadataAnswer());
};

const secureBroker = (tls: TlsOptions = broker, script = serve) => ScriptedPeer.listen(script, 0, tls);

const openTo = (peer: { readonly address: { host: string; port: number } }, ssl: unknown, setupTimeoutMs = 10_000) =>
  new OpenedConnection(peer.address, { tls: new TlsSettings(ssl), setupTimeoutMs });

describe("a connection with TLS", () => {
  test("takes requests as any other", async () => {
    const peer = await secureBroker();
    const opened = openTo(peer, trusting);
    const connection = await opened.ready;
    expect(connection.remoteAddress).toBe("127.0.0.1");
    await Promise.all([1, 2, 3].map(() => connection.request(Metadata, 13, { topics: [] })));
    await connection.close(1_000);
    expect(opened.calls.filter((call) => call !== "room")).toEqual(["ready", "closed"]);
    expect(opened.clock.timers).toBe(0);
  });

  test("reads frames that come in single bytes", async () => {
    const peer = await secureBroker(broker, async (connection) => {
      await connection.handshake();
      await connection.writeByteByByte(frameOf(await connection.next(), Metadata, metadataAnswer()));
    });
    const connection = await openTo(peer, trusting).ready;
    expect((await connection.request(Metadata, 13, { topics: [] })).clusterId).toBe("cluster");
    await connection.close(0);
  });

  test("shows the certificate that it was given, and a new one where that is replaced", async () => {
    const shown: string[] = [];
    const peer = await secureBroker({ ...broker, requestCert: true, ca: authority.cert }, async (connection) => {
      // The sockets of this server are those of TLS.
      const { socket } = connection;
      if ("getPeerCertificate" in socket && typeof socket.getPeerCertificate === "function") {
        shown.push(socket.getPeerCertificate().subject.CN);
      }
      await serve(connection);
    });
    let name = "first";
    const ssl = async (): Promise<ConnectionOptions> => ({ ...trusting, ...authority.issue({ name }) });
    const settings = new TlsSettings(ssl);
    for (name of ["first", "second"]) {
      const connection = await new OpenedConnection(peer.address, { tls: settings }).ready;
      await connection.close(0);
    }
    expect(shown).toEqual(["first", "second"]);
  });
});

describe("TLS that comes to nothing", () => {
  const stranger = new Authority("Nobody's CA");

  test.each<[string, TlsOptions, ConnectionOptions, Partial<AuthenticationError>]>([
    ["expired", authority.issue({ valid: [-9, -1] }), trusting, { reason: "certificateExpired" }],
    ["not valid yet", authority.issue({ valid: [1, 9] }), trusting, { reason: "certificateExpired" }],
    ["untrusted", stranger.issue(), trusting, { reason: "certificateUntrusted" }],
    ["for another host", authority.issue({ hosts: ["else.test"] }), trusting, { reason: "certificateHostMismatch" }],
    [
      "refused, because the broker asks for one of ours",
      { ...broker, requestCert: true, rejectUnauthorized: true, ca: authority.cert },
      trusting,
      { reason: "certificateRefused" },
    ],
    [
      "without a version in common",
      { ...broker, maxVersion: "TLSv1.2" },
      { ...trusting, minVersion: "TLSv1.3" },
      { reason: "tlsRefused" },
    ],
  ])("because of a certificate that is %s is an authentication that failed", async (_, tls, ssl, expected) => {
    const peer = await secureBroker(tls);
    const opened = openTo(peer, ssl);
    const cause = await opened.closed;
    expect(cause).toBeInstanceOf(AuthenticationError);
    expect(cause).toMatchObject({
      code: "AUTHENTICATION",
      mechanism: "TLS",
      retriable: false,
      ...peer.address,
      ...expected,
    });
    expect(cause.message).toContain(`TLS authentication with 127.0.0.1:${peer.address.port}: `);
    expect(opened.calls).toEqual(["closed"]);
    expect(opened.clock.timers).toBe(0);
  });

  test("because the broker speaks none says so, and may go well later", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      connection.end();
      await connection.closed;
    });
    const cause = await openTo(peer, trusting).closed;
    expect(cause).toMatchObject({ name: "ConnectionError", retriable: true });
    expect(cause.message).toContain("is this the port of a listener with TLS?");
  });

  test("because the broker is silent takes as long as the setup may", async () => {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    let connected = false;
    server.on("connection", (socket) => {
      connected = true;
      socket.on("error", () => {});
    });
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const opened = openTo({ address: { host: "127.0.0.1", port } }, trusting, 5_000);
    await until(() => connected);
    opened.clock.advance(4_999);
    expect(opened.connection.state).toBe("connecting");
    opened.clock.advance(1);
    expect(await opened.closed).toBeInstanceOf(TimeoutError);
    expect(opened.clock.timers).toBe(0);
  });

  test("because the function that gives its options fails is told with its words", async () => {
    const peer = await secureBroker();
    const cause = await openTo(peer, () => Promise.reject(new Error("no certificate today"))).closed;
    expect(cause).toMatchObject({ name: "AuthenticationError", reason: "credentialsUnavailable" });
    expect(cause.message).toContain("no certificate today");
  });

  test("because that function never answers takes as long as the setup may", async () => {
    const peer = await ScriptedPeer.listen((connection) => connection.closed);
    const opened = openTo(peer, () => new Promise<ConnectionOptions>(() => {}), 5_000);
    await until(() => peer.connections.length === 1);
    opened.clock.advance(5_000);
    expect(await opened.closed).toBeInstanceOf(TimeoutError);
  });

  test("because the client gives up while the options are looked up opens nothing", async () => {
    const peer = await ScriptedPeer.listen((connection) => connection.closed);
    let give: (options: ConnectionOptions) => void = () => {};
    const opened = openTo(
      peer,
      () =>
        new Promise<ConnectionOptions>((resolve) => {
          give = resolve;
        }),
    );
    await until(() => peer.connections.length === 1);
    await opened.connection.close(0);
    give(trusting);
    await quiet();
    expect(opened.calls).toEqual(["closed"]);
    expect(peer.connections).toHaveLength(1);
  });

  test("after it was agreed on is a lost connection", async () => {
    const peer = await secureBroker(broker, async (connection) => {
      await connection.handshake();
      await connection.next();
      connection.socket.destroy();
    });
    const opened = openTo(peer, trusting);
    const connection = await opened.ready;
    await expect(connection.request(Metadata, 13, { topics: [] })).rejects.toBeInstanceOf(ConnectionError);
    expect(await opened.closed).toMatchObject({ retriable: true });
  });
});
