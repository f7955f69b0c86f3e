import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import * as tls from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { progressOf, type TlsFailure, tlsFailure } from "../../src/security/tls-failure.ts";
import { TlsSettings } from "../../src/security/tls-settings.ts";
import { Authority, type KeyPair } from "./certificates.ts";

const authority = new Authority();
const stranger = new Authority("Somebody else's CA");
const between = new Authority("Intermediate CA", authority);
const broker = authority.issue();
const client = authority.issue({ name: "client" });
const ca = authority.cert;

/** The two versions that differ in when a broker looks at our certificate. */
const versions = ["TLSv1.2", "TLSv1.3"] as const;

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  // A server that listens on TCP has an address with a port.
  return (server.address() as AddressInfo).port;
}

/** Listens with TLS, and says a word to who comes through. */
async function listenTls(options: tls.TlsOptions): Promise<{ readonly port: number; readonly names: string[] }> {
  const names: string[] = [];
  const server = tls.createServer({ ...broker, ...options }, (socket) => {
    names.push(String(socket.servername));
    socket.on("error", () => {});
    socket.write("welcome");
  });
  server.on("tlsClientError", () => {});
  return { port: await listen(server), names };
}

/** Listens on TCP, and answers the first bytes that come. */
const listenTcp = (answer: (socket: Socket) => void): Promise<number> =>
  listen(createServer((socket) => socket.once("data", () => answer(socket))));

type Outcome = "welcome" | "closed" | TlsFailure;

/** Connects as a client does: TCP, then TLS over it, then waits for a first word. */
async function attempt(port: number, ssl: unknown, host = "localhost"): Promise<Outcome> {
  const settings = ssl instanceof TlsSettings ? ssl : new TlsSettings(ssl);
  const options = await settings.connectOptions({ host, port });
  const carrier = connect({ host: "127.0.0.1", port });
  await once(carrier, "connect");
  carrier.on("error", () => {});
  const socket = tls.connect({ ...options, socket: carrier });
  onTestFinished(() => {
    socket.destroy();
  });
  let isSecure = false;
  socket.on("secureConnect", () => {
    isSecure = true;
  });
  return new Promise((resolve) => {
    socket.on("data", () => resolve("welcome"));
    socket.on("error", (error) => resolve(tlsFailure(error, progressOf(socket, host, isSecure))));
    socket.on("close", () => resolve("closed"));
  });
}

describe.each(versions)("in %s", (version) => {
  const only = { minVersion: version, maxVersion: version };

  test("a broker that we trust lets us in", async () => {
    const { port } = await listenTls(only);
    expect(await attempt(port, { ca })).toBe("welcome");
  });

  test("so does one that wants a certificate and gets it", async () => {
    const { port } = await listenTls({ ...only, ca, requestCert: true });
    expect(await attempt(port, { ca, ...client })).toBe("welcome");
  });

  test.each([
    ["has expired", { valid: [-2, -1] as const }],
    ["is not valid yet", { valid: [1, 2] as const }],
  ])("a certificate that %s is told from others", async (words, subject) => {
    const { port } = await listenTls({ ...only, ...authority.issue(subject) });
    expect(await attempt(port, { ca })).toEqual({
      reason: "certificateExpired",
      text: expect.stringContaining(words),
    });
  });

  test.each([
    ["signed by a stranger", stranger.issue(), "give the certificate of its authority in ssl.ca"],
    ["signed by a stranger who shows who it is", chain(stranger.issue(), stranger), "in ssl.ca"],
    ["signed by itself", new Authority("broker"), "to trust it give it in ssl.ca"],
    ["without the one in between", between.issue(), "or the broker does not show the certificates in between"],
  ])("a certificate %s is not trusted", async (_, pair, words) => {
    const { port } = await listenTls({ ...only, key: pair.key, cert: pair.cert });
    expect(await attempt(port, { ca })).toEqual({
      reason: "certificateUntrusted",
      text: expect.stringContaining(words),
    });
  });

  test("a certificate with the one in between is trusted", async () => {
    const { port } = await listenTls({ ...only, ...chain(between.issue(), between) });
    expect(await attempt(port, { ca })).toBe("welcome");
  });

  test("a certificate that was revoked is not trusted", async () => {
    const revoking = new Authority();
    const { port } = await listenTls({ ...only, ...revoking.issue() });
    expect(await attempt(port, { ca: revoking.cert, crl: revoking.revocationList() })).toEqual({
      reason: "certificateUntrusted",
      text: "the certificate of the broker is not trusted: it was revoked, says ssl.crl",
    });
  });

  test.each(["localhost", "127.0.0.1"])("a certificate for others is not one for %s", async (host) => {
    const { port } = await listenTls({ ...only, ...authority.issue({ hosts: ["elsewhere.invalid", "10.0.0.1"] }) });
    expect(await attempt(port, { ca }, host)).toEqual({
      reason: "certificateHostMismatch",
      text:
        `the certificate of the broker is for DNS:elsewhere.invalid, IP Address:10.0.0.1, not for ${host}; ` +
        "connect by a name that it has, or say one in ssl.servername",
    });
    expect(await attempt(port, { ca, servername: "elsewhere.invalid" }, host)).toBe("welcome");
    expect(await attempt(port, { ca, checkServerIdentity: () => undefined }, host)).toBe("welcome");
  });

  test("the user's own look at a certificate decides, and may throw", async () => {
    const { port } = await listenTls(only);
    const pinning = () => {
      throw new Error("not the pinned one");
    };
    expect(await attempt(port, { ca, checkServerIdentity: pinning })).toEqual({
      reason: "certificateHostMismatch",
      text: "ssl.checkServerIdentity refuses the broker: not the pinned one",
    });
  });

  test("no certificate is looked at where the user says so", async () => {
    const { port } = await listenTls({ ...only, ...stranger.issue({ hosts: ["elsewhere.invalid"] }) });
    expect(await attempt(port, { rejectUnauthorized: false })).toBe("welcome");
  });

  test("a broker that wants a certificate and gets none says so", async () => {
    const { port } = await listenTls({ ...only, ca, requestCert: true });
    const { reason, text } = failed(await attempt(port, { ca }));
    expect(reason).toBe("certificateRefused");
    expect(text).toMatch(
      /^the broker wants a certificate and got none \(.*\); give ssl\.key and ssl\.cert, or ssl\.pfx$/,
    );
  });

  test("a host is named to the broker, an address is not", async () => {
    const { port, names } = await listenTls(only);
    expect(await attempt(port, { ca })).toBe("welcome");
    expect(await attempt(port, { ca }, "127.0.0.1")).toBe("welcome");
    expect(names).toEqual(["localhost", "false"]);
  });
});

describe("the two sides", () => {
  test.each([
    ["version", { maxVersion: "TLSv1.2" }, { minVersion: "TLSv1.3" }],
    ["version", { minVersion: "TLSv1.3" }, { maxVersion: "TLSv1.2" }],
    [
      "version, since we take none before 1.2",
      { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" },
      {},
    ],
    [
      "cipher of TLS 1.2",
      { maxVersion: "TLSv1.2", ciphers: "ECDHE-ECDSA-AES256-GCM-SHA384" },
      { ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256" },
    ],
    [
      "cipher of TLS 1.3",
      { ciphers: "TLS_AES_256_GCM_SHA384" },
      { minVersion: "TLSv1.3", ciphers: "TLS_AES_128_GCM_SHA256" },
    ],
    ["version at all", {}, { minVersion: "TLSv1.3", maxVersion: "TLSv1.2" }],
  ] as const)("have no %s in common: %o, %o", async (_, theirs, ours) => {
    const { port } = await listenTls(theirs);
    const { reason, text } = failed(await attempt(port, { ca, ...ours }));
    expect(reason).toBe("tlsRefused");
    expect(text).toMatch(
      /^TLS cannot be agreed on with the broker \(.*\); see ssl\.minVersion, ssl\.maxVersion and ssl\.ciphers$/,
    );
  });
});

describe("a peer without TLS", () => {
  test.each([
    ["HTTP", "HTTP/1.1 400 Bad Request\r\n\r\n"],
    ["a broker's answer", Buffer.from("0000000c0000000000230000000000000000", "hex")],
    ["a record longer than TLS has", Buffer.from("160303ffff", "hex")],
  ])("is known by what it says: %s", async (_, answer) => {
    const port = await listenTcp((socket) => socket.write(answer));
    const { reason, text } = failed(await attempt(port, { ca }));
    expect(reason).toBe("tlsRefused");
    expect(text).toMatch(/^the broker does not speak TLS \(.*\); is this the port of a listener with TLS\?$/);
  });

  test.each([
    ["closes", (socket: Socket) => socket.end()],
    ["resets", (socket: Socket) => socket.resetAndDestroy()],
  ])("may be a broker that only %s, which may be worth another attempt", async (_, leave) => {
    expect(await attempt(await listenTcp(leave), { ca })).toEqual({
      reason: null,
      text: "closed by the broker in the TLS handshake; is this the port of a listener with TLS?",
    });
  });
});

describe("every alert that TLS has", () => {
  const alerts = [10, 20, 22, 40, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 70, 71, 80, 86, 90, 109, 110, 112, 116, 120];
  test.each(alerts)("is read from what OpenSSL makes of it: %i", async (alert) => {
    const port = await listenTcp((socket) => socket.end(Buffer.of(21, 3, 3, 0, 2, 2, alert)));
    expect(failed(await attempt(port, { ca })).text).toContain(`alert ${alert}`);
  });
});

describe("certificates that a function gives", () => {
  test("are those of the next connection", async () => {
    const { port } = await listenTls({ ca, requestCert: true });
    const given = [{ ca }, { ca, ...client }];
    const settings = new TlsSettings(async () => given.shift());
    expect(failed(await attempt(port, settings)).reason).toBe("certificateRefused");
    expect(await attempt(port, settings)).toBe("welcome");
  });
});

function failed(outcome: Outcome): TlsFailure {
  if (typeof outcome === "string") throw new Error(`did not fail: ${outcome}`);
  return outcome;
}

/** Shows the certificate of who signed it as well. */
const chain = ({ key, cert }: KeyPair, signer: Authority): KeyPair => ({ key, cert: cert + signer.cert });
