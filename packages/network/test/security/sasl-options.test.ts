import { generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { OptionsError } from "../../src/errors.ts";
import type { SaslExchange, SaslMechanism, SaslPeer } from "../../src/security/sasl-mechanism.ts";
import { resolveSasl, type SaslOptions } from "../../src/security/sasl-options.ts";
import { ManualClock } from "../manual-clock.ts";
import { ScramServer } from "./scram-server.ts";

const peer = { host: "broker-1", port: 9092 };
const secret = "hush-hush";

/** Goes through the types, as a user of TypeScript does. */
const mechanismOf = (options: SaslOptions): SaslMechanism => resolveSasl(options)!(new ManualClock());

/** What a client sends first. */
async function firstToken(mechanism: SaslMechanism): Promise<string> {
  const tokens: string[] = [];
  await mechanism.authenticate(async (token) => {
    tokens.push(Buffer.from(token).toString());
    return Buffer.alloc(0);
  }, peer);
  return tokens[0]!;
}

/** How options are refused; never with the secret in the message. */
function refusal(options: unknown): string {
  try {
    resolveSasl(options);
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    expect(error.message).not.toContain(secret);
    return error.message;
  }
  throw new Error("nothing was thrown");
}

const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const pem = (passphrase?: string) =>
  rsa.privateKey
    .export({ type: "pkcs8", format: "pem", ...(passphrase && { cipher: "aes-256-cbc", passphrase }) })
    .toString();

test.each([undefined, null])("%o is no authentication", (value) => {
  expect(resolveSasl(value)).toBe(null);
});

describe("names and passwords", () => {
  test("PLAIN sends them", async () => {
    const mechanism = mechanismOf({ mechanism: "PLAIN", username: "alice", password: secret });
    expect([mechanism.name, await firstToken(mechanism)]).toEqual(["PLAIN", `\0alice\0${secret}`]);
  });

  test.each(["SCRAM-SHA-256", "SCRAM-SHA-512"] as const)("%s proves them", async (name) => {
    const server = new ScramServer(name, { name: "alice", password: secret });
    const mechanism = mechanismOf({ mechanism: name, username: "alice", password: secret });
    await mechanism.authenticate(server.exchange, peer);
    expect([mechanism.name, server.hasProof, server.extensions]).toEqual([name, true, ""]);
  });

  test("SCRAM takes those of a delegation token", async () => {
    const server = new ScramServer("SCRAM-SHA-256", { name: "token-id", password: secret });
    const options = { mechanism: "SCRAM-SHA-256", username: "token-id", password: secret, tokenAuth: true } as const;
    await mechanismOf(options).authenticate(server.exchange, peer);
    expect([server.hasProof, server.extensions]).toEqual([true, ",tokenauth=true"]);
  });

  test("SCRAM leaves them as they are typed, and prepares them where it is asked to", async () => {
    const typed = { mechanism: "SCRAM-SHA-256", username: "\u2168", password: "\ufb01\u2460\u00aa" } as const;
    const asTyped = new ScramServer("SCRAM-SHA-256", { name: "\u2168", password: "\ufb01\u2460\u00aa" });
    await mechanismOf(typed).authenticate(asTyped.exchange, peer);
    const asPrepared = new ScramServer("SCRAM-SHA-256", { name: "IX", password: "fi1a" });
    await mechanismOf({ ...typed, saslPrep: true }).authenticate(asPrepared.exchange, peer);
    expect([asTyped.hasProof, asPrepared.hasProof]).toEqual([true, true]);
  });

  const text = "a text that is not empty and has no NUL is expected, not";
  const saslPrep = "a text that SASLprep (RFC 4013) takes is expected, not";
  test.each<[object, string]>([
    [{ username: "alice" }, `option sasl.password: ${text} undefined`],
    [{ username: "alice", password: null }, `option sasl.password: ${text} undefined`],
    [{ username: "alice", password: "" }, `option sasl.password: ${text} "<string>"`],
    [{ username: "alice", password: `${secret}\0` }, `option sasl.password: ${text} "<string>"`],
    [{ username: "alice", password: `${secret}\ud800` }, `option sasl.password: ${text} "<string>"`],
    [{ username: "alice", password: 4711 }, `option sasl.password: ${text} "<number>"`],
    [{ username: "alice", password: true }, `option sasl.password: ${text} "<boolean>"`],
    [{ username: "alice", password: [secret] }, `option sasl.password: ${text} an array of 1`],
    [{ username: "alice", password: Buffer.from(secret) }, `option sasl.password: ${text} an object`],
    [{ username: "alice", password: () => secret }, `option sasl.password: ${text} a function`],
    [{ password: secret }, `option sasl.username: ${text} undefined`],
    [{ username: 5, password: secret }, `option sasl.username: ${text} 5`],
    [{ username: "a\0b", password: secret }, `option sasl.username: ${text} "a\\u0000b"`],
    [
      { username: "alice", password: secret, tokenAuth: "yes" },
      'option sasl.tokenAuth: true or false is expected, not "yes"',
    ],
    [{ username: "alice", password: secret, saslPrep: 1 }, "option sasl.saslPrep: true or false is expected, not 1"],
    [
      { username: "alice", password: `${secret}\u0007`, saslPrep: true },
      `option sasl.password: ${saslPrep} "<string>"`,
    ],
    [{ username: "\u0221", password: secret, saslPrep: true }, `option sasl.username: ${saslPrep} "\u0221"`],
    [
      { username: "alice", password: secret, pasword: secret },
      'option sasl.pasword: one of the names mechanism, password, saslPrep, tokenAuth, username is expected, not "pasword"',
    ],
  ])("SCRAM refuses %o", (options, message) => {
    expect(refusal({ mechanism: "SCRAM-SHA-512", ...options })).toBe(message);
  });

  test("PLAIN has nothing of SCRAM", () => {
    expect(refusal({ mechanism: "PLAIN", username: "alice", password: secret, tokenAuth: true })).toBe(
      'option sasl.tokenAuth: one of the names mechanism, password, username is expected, not "tokenAuth"',
    );
  });
});

describe("the mechanism", () => {
  test("may be one's own", async () => {
    class Own implements SaslMechanism {
      readonly name = "AWS_MSK_IAM";
      readonly peers: SaslPeer[] = [];
      async authenticate(_: SaslExchange, peer: SaslPeer): Promise<void> {
        this.peers.push(peer);
      }
    }
    const own = new Own();
    const mechanism = mechanismOf({ mechanism: own });
    expect(mechanism.name).toBe("AWS_MSK_IAM");
    await mechanism.authenticate(() => Promise.reject(new Error("nothing is sent")), { host: "b", port: 1 });
    expect(own.peers).toEqual([{ host: "b", port: 1 }]);
  });

  const allowed =
    "option sasl.mechanism: one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, or an object with name and authenticate, is expected, not";
  test.each<[unknown, string]>([
    [{}, `${allowed} undefined`],
    [{ mechanism: "plain" }, `${allowed} "plain"`],
    [{ mechanism: "GSSAPI" }, `${allowed} "GSSAPI"`],
    [{ mechanism: { name: "X" } }, `${allowed} an object`],
    [{ mechanism: { name: "", authenticate() {} } }, `${allowed} an object`],
    [{ mechanism: { name: "X", authenticate: "y" } }, `${allowed} an object`],
    [
      { mechanism: { name: "X", authenticate() {} }, username: "x" },
      'option sasl.username: one of the names mechanism is expected, not "username"',
    ],
    [secret, 'option sasl: an object is expected, not "<string>"'],
    [[secret], "option sasl: an object is expected, not an array of 1"],
    [true, 'option sasl: an object is expected, not "<boolean>"'],
  ])("is not %o", (options, message) => {
    expect(refusal(options)).toBe(message);
  });
});

describe("tokens from a function", () => {
  test("are asked for once for all connections of a client, and for each client anew", async () => {
    let asked = 0;
    const factory = resolveSasl({
      mechanism: "OAUTHBEARER",
      token: async () => {
        asked += 1;
        return { value: `t${asked}`, expiresAtMs: 1_800_000_000_000, extensions: { traceId: "x" } };
      },
    } satisfies SaslOptions)!;
    const client = factory(new ManualClock());
    const tokens = await Promise.all([firstToken(client), firstToken(client)]);
    expect(client.name).toBe("OAUTHBEARER");
    expect([...tokens, await firstToken(client)]).toEqual(
      Array.from({ length: 3 }, () => "n,,\x01auth=Bearer t1\x01traceId=x\x01\x01"),
    );
    expect(await firstToken(factory(new ManualClock()))).toBe("n,,\x01auth=Bearer t2\x01traceId=x\x01\x01");
  });

  test("may come at once, and need no extensions", async () => {
    const token = () => ({ value: "abc", expiresAtMs: 1_800_000_000_000 });
    expect(await firstToken(mechanismOf({ mechanism: "OAUTHBEARER", token }))).toBe("n,,\x01auth=Bearer abc\x01\x01");
  });

  test("that do not come may come later", async () => {
    const cause = new Error("the metadata service is busy");
    const mechanism = mechanismOf({ mechanism: "OAUTHBEARER", token: () => Promise.reject(cause) });
    const failed = await firstToken(mechanism).catch((error: unknown) => error);
    expect(failed).toMatchObject({
      code: "CONNECTION",
      retriable: true,
      message: "no connection: sasl.token failed: the metadata service is busy",
    });
    // It may show the request that failed, and with it the secret.
    expect(inspect(failed)).not.toContain("[cause]");
  });

  test("are of no use when they are not tokens", async () => {
    // As from JavaScript.
    const mechanism = resolveSasl({ mechanism: "OAUTHBEARER", token: () => ({ value: secret }) })!(new ManualClock());
    await expect(firstToken(mechanism)).rejects.toMatchObject({
      reason: "credentialsUnavailable",
      message: "sasl.token gave a token whose expiresAtMs is not a number",
    });
  });

  const token = () => ({ value: secret, expiresAtMs: 1 });
  const wanted =
    "option sasl.token: a function that gives a token, or sasl.tokenEndpointUrl in its place, is expected, not";
  test.each<[object, string]>([
    [{}, `${wanted} undefined`],
    [{ token: secret }, `${wanted} "<string>"`],
    [{ token: { value: secret } }, `${wanted} an object`],
    [
      { token, loginRetryBackoffMs: -1 },
      "option sasl.loginRetryBackoffMs: a whole number of at least 0 is expected, not -1",
    ],
    [
      { token, clientSecret: secret },
      'option sasl.clientSecret: one of the names loginRetryBackoffMaxMs, loginRetryBackoffMs, mechanism, token, tokenEndpointUrl is expected, not "clientSecret"',
    ],
  ])("are not had from %o", (options, message) => {
    expect(refusal({ mechanism: "OAUTHBEARER", ...options })).toBe(message);
  });
});

describe("tokens from an identity provider", () => {
  const tokenEndpointUrl = "https://idp.example/token";
  const withSecret = { mechanism: "OAUTHBEARER", tokenEndpointUrl, clientId: "id", clientSecret: secret } as const;

  test.each([
    [
      "",
      {
        reason: "credentialsUnavailable",
        message: "sasl.assertion gave no assertion, which is a text of visible ASCII",
      },
    ],
    [
      undefined,
      {
        reason: "credentialsUnavailable",
        message: "sasl.assertion gave no assertion, which is a text of visible ASCII",
      },
    ],
    [new Error("no file"), { retriable: true, message: "no connection: sasl.assertion failed: no file" }],
  ])("do not come where that one gives %o", async (given, error) => {
    const assertion = () => {
      if (given instanceof Error) throw given;
      return given;
    };
    const mechanism = resolveSasl({ mechanism: "OAUTHBEARER", tokenEndpointUrl, assertion })!(new ManualClock());
    await expect(firstToken(mechanism)).rejects.toMatchObject(error);
  });

  test.each([
    "https://idp.example/a?b=c",
    "http://localhost:1/",
    "http://127.0.0.1/",
    "http://127.1.2.3:8080/t",
    "http://[::1]:1/t",
  ])("may be asked for at %s", (url) => {
    expect(resolveSasl({ ...withSecret, tokenEndpointUrl: url })).toBeTypeOf("function");
  });

  const url =
    "a URL of https:, or of http: where it is a loopback address, without a name and password in it, is expected, not";
  test.each([
    ["http://idp.example/token", `${url} "http://idp.example/token"`],
    [`http://idp.example/token?key=${secret}`, `${url} "http://idp.example/token"`],
    ["http://127.0.0.1.example/", `${url} "http://127.0.0.1.example/"`],
    ["http://localhost.example/", `${url} "http://localhost.example/"`],
    ["http://10.0.0.1/", `${url} "http://10.0.0.1/"`],
    ["http://[::ffff:10.0.0.1]/", `${url} "http://[::ffff:a00:1]/"`],
    ["file:///etc/passwd", `${url} "file:///etc/passwd"`],
    ["ftp://127.0.0.1/", `${url} "ftp://127.0.0.1/"`],
    [`https://id:${secret}@idp.example/token`, `${url} "https://idp.example/token"`],
    [`idp ${secret}`, `${url} "<string>"`],
    ["", 'a URL is expected, not "<string>"'],
    [5, 'a URL is expected, not "<number>"'],
  ])("may not be asked for at %s", (tokenEndpointUrl, text) => {
    expect(refusal({ ...withSecret, tokenEndpointUrl })).toBe(`option sasl.tokenEndpointUrl: ${text}`);
  });

  const key = (of: string, more = "") =>
    `option sasl.assertion.privateKey: a private key ${of}, as PEM or KeyObject${more}, is expected, not`;
  const assertionOnly = { mechanism: "OAUTHBEARER", tokenEndpointUrl };
  test.each<[string, object, string]>([
    [
      "no secret",
      { ...withSecret, clientSecret: undefined },
      "option sasl.clientSecret: a text that is not empty and has no NUL, or sasl.clientAssertion or sasl.assertion in its place, is expected, not undefined",
    ],
    [
      "a secret in bytes",
      { ...withSecret, clientSecret: Buffer.from(secret) },
      "option sasl.clientSecret: a text that is not empty and has no NUL, or sasl.clientAssertion or sasl.assertion in its place, is expected, not an object",
    ],
    [
      "a secret and an assertion",
      { ...withSecret, assertion: { privateKey: pem() } },
      "option sasl.assertion: nothing beside sasl.clientSecret is expected, not an object",
    ],
    [
      "two assertions",
      { ...assertionOnly, assertion: () => secret, clientAssertion: secret },
      "option sasl.assertion: nothing beside sasl.clientAssertion is expected, not an object",
    ],
    [
      "no id",
      { ...withSecret, clientId: undefined },
      "option sasl.clientId: a text that is not empty and has no NUL is expected, not undefined",
    ],
    [
      "an id with a colon",
      { ...withSecret, clientId: `id:${secret}` },
      'option sasl.clientId: a text without a colon, or sasl.headerUrlencode, is expected, not "<string>"',
    ],
    [
      "a wrong scope",
      { ...withSecret, scope: ["a"] },
      "option sasl.scope: a text that is not empty is expected, not an array of 1",
    ],
    [
      "wrong extensions",
      { ...withSecret, extensions: { auth: secret } },
      "option sasl.extensions: names of letters other than auth, each with a text of visible ASCII and spaces is expected, not an object",
    ],
    [
      "TLS options that are none",
      { ...withSecret, tokenEndpointTls: secret },
      'option sasl.tokenEndpointTls: an object of options that node:tls can use is expected, not "<string>"',
    ],
    [
      "TLS options that OpenSSL refuses",
      { ...withSecret, tokenEndpointTls: { key: secret } },
      "option sasl.tokenEndpointTls: an object of options that node:tls can use is expected, not an object",
    ],
    [
      "no time to connect",
      { ...withSecret, loginConnectTimeoutMs: 0 },
      "option sasl.loginConnectTimeoutMs: a whole number of at least 1 is expected, not 0",
    ],
    [
      "no time to answer",
      { ...withSecret, loginReadTimeoutMs: "5" },
      'option sasl.loginReadTimeoutMs: a whole number of at least 1 is expected, not "5"',
    ],
    [
      "an id beside a grant",
      { ...assertionOnly, assertion: () => secret, clientId: "id" },
      'option sasl.clientId: one of the names assertion, clientAssertion, clientSecret, extensions, loginConnectTimeoutMs, loginReadTimeoutMs, loginRetryBackoffMaxMs, loginRetryBackoffMs, mechanism, scope, tokenEndpointTls, tokenEndpointUrl is expected, not "clientId"',
    ],
    [
      "an assertion as text",
      { ...assertionOnly, assertion: secret },
      'option sasl.assertion: an object with a privateKey, or a function that gives an assertion, is expected, not "<string>"',
    ],
    ["an assertion without a key", { ...assertionOnly, assertion: {} }, `${key("of RSA")} undefined`],
    [
      "an assertion with a text for a key",
      { ...assertionOnly, assertion: { privateKey: secret } },
      `${key("of RSA")} "<string>"`,
    ],
    ["a public key", { ...assertionOnly, assertion: { privateKey: rsa.publicKey } }, `${key("of RSA")} an object`],
    [
      "a key of another kind",
      { ...assertionOnly, assertion: { privateKey: ec.privateKey } },
      `${key("of RSA")} an object`,
    ],
    [
      "a key of another kind the other way",
      { ...assertionOnly, assertion: { privateKey: pem(), algorithm: "ES256" } },
      `${key("of the curve P-256")} "<string>"`,
    ],
    [
      "a key of another curve",
      {
        ...assertionOnly,
        assertion: { privateKey: generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey, algorithm: "ES256" },
      },
      `${key("of the curve P-256")} an object`,
    ],
    [
      "a wrong passphrase",
      { ...assertionOnly, assertion: { privateKey: pem("pass"), passphrase: secret } },
      `${key("of RSA", " and with this passphrase")} "<string>"`,
    ],
    [
      "a missing passphrase",
      { ...assertionOnly, assertion: { privateKey: pem(secret) } },
      `${key("of RSA")} "<string>"`,
    ],
    [
      "a passphrase in digits",
      { ...assertionOnly, assertion: { privateKey: pem("1234"), passphrase: 1234 } },
      'option sasl.assertion.passphrase: a text that is not empty and has no NUL is expected, not "<number>"',
    ],
    [
      "another algorithm",
      { ...assertionOnly, assertion: { privateKey: pem(), algorithm: "none" } },
      'option sasl.assertion.algorithm: one of RS256, ES256 is expected, not "none"',
    ],
    [
      "an assertion for ever",
      { ...assertionOnly, assertion: { privateKey: pem(), lifetimeMs: 86_400_001 } },
      "option sasl.assertion.lifetimeMs: a whole number from 1000 to 86400000 is expected, not 86400001",
    ],
    [
      "claims without a JSON form",
      { ...assertionOnly, assertion: { privateKey: pem(), claims: { a: 1n } } },
      "option sasl.assertion.claims: an object that has a JSON form is expected, not an object",
    ],
    [
      "a misspelt option of an assertion",
      { ...assertionOnly, assertion: { privateKey: pem(), iss: "me" } },
      'option sasl.assertion.iss: one of the names algorithm, audience, claims, includeJti, issuer, keyId, lifetimeMs, notBeforeMs, passphrase, privateKey, subject is expected, not "iss"',
    ],
  ])("are not to be had with %s", (_, options, message) => {
    expect(refusal(options)).toBe(message);
  });
});
