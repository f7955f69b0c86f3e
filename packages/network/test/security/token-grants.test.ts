import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, verify } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type AssertionSettings, jwtAssertion } from "../../src/security/jwt-assertion.ts";
import { clientAssertionRequest, clientSecretRequest, jwtBearerRequest } from "../../src/security/token-grants.ts";
import { ManualClock } from "../manual-clock.ts";

describe("a client with a secret", () => {
  const withSecret = (clientId: string, clientSecret: string, headerUrlencode = false, scope: string | null = null) => {
    const { form, headers } = clientSecretRequest({ clientId, clientSecret, headerUrlencode }, scope);
    const [, basic = ""] = /^Basic (.*)$/.exec(headers["authorization"]!)!;
    return { form, credentials: Buffer.from(basic, "base64").toString() };
  };

  test("asks for itself, with both as they are", () => {
    expect(withSecret("id", "s:e c+r/é")).toEqual({
      form: { grant_type: "client_credentials" },
      credentials: "id:s:e c+r/é",
    });
  });

  test("asks for a scope", () => {
    expect(withSecret("id", "secret", false, "read write").form).toEqual({
      grant_type: "client_credentials",
      scope: "read write",
    });
  });

  test("encodes both as a form does, where that is asked for (RFC 6749, appendix B)", () => {
    expect(withSecret("urn:id", " %&+£€", true).credentials).toBe("urn%3Aid:+%25%26%2B%C2%A3%E2%82%AC");
  });
});

test("a client with an assertion sends that instead of a secret, and its id where it is asked for", () => {
  const form = {
    grant_type: "client_credentials",
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: "a.b.c",
  };
  expect(clientAssertionRequest("a.b.c", null, null)).toEqual({ form, headers: {} });
  expect(clientAssertionRequest("a.b.c", "id", "read")).toEqual({
    form: { ...form, client_id: "id", scope: "read" },
    headers: {},
  });
});

test("an assertion that is a grant is all that is sent", () => {
  const form = { grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion: "a.b.c" };
  expect(jwtBearerRequest("a.b.c", null)).toEqual({ form, headers: {} });
  expect(jwtBearerRequest("a.b.c", "read")).toEqual({ form: { ...form, scope: "read" }, headers: {} });
});

describe("an assertion", () => {
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const plain: AssertionSettings = {
    privateKey: rsa,
    algorithm: "RS256",
    keyId: null,
    issuer: null,
    subject: null,
    audience: null,
    lifetimeMs: 300_000,
    notBeforeMs: 60_000,
    includeJti: false,
    claims: {},
  };
  const clock = new ManualClock(1_999);
  /** 1_700_000_001.999, whose fraction is cut off. */
  const now = 1_700_000_001;

  async function read(settings: AssertionSettings) {
    const jwt = await jwtAssertion(settings, clock);
    expect(jwt).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    const [header = "", claims = "", signature = ""] = jwt.split(".");
    const json = (part: string): unknown => JSON.parse(Buffer.from(part, "base64url").toString());
    return {
      header: json(header),
      claims: json(claims),
      signed: Buffer.from(`${header}.${claims}`),
      signature: Buffer.from(signature, "base64url"),
    };
  }

  test("says when it holds, in seconds, and nothing else that nobody asked for", async () => {
    const { header, claims } = await read(plain);
    expect(header).toEqual({ alg: "RS256", typ: "JWT" });
    expect(claims).toEqual({ iat: now, nbf: now - 60, exp: now + 300 });
  });

  test("says who, about whom, to whom, and by which key; options before claims", async () => {
    const { header, claims } = await read({
      ...plain,
      keyId: "k1",
      issuer: "me",
      subject: "alice",
      audience: "idp",
      lifetimeMs: 1_500,
      notBeforeMs: 0,
      claims: { iss: "not me", exp: 1, roles: ["a"], sub: "not alice" },
    });
    expect(header).toEqual({ alg: "RS256", typ: "JWT", kid: "k1" });
    expect(claims).toEqual({ iss: "me", sub: "alice", aud: "idp", roles: ["a"], iat: now, nbf: now, exp: now + 2 });
  });

  test("has an id of its own each time, where it is to have one", async () => {
    const ids = [await read({ ...plain, includeJti: true }), await read({ ...plain, includeJti: true })].map(
      ({ claims }) => new Map(Object.entries(claims as object)).get("jti"),
    );
    expect(ids).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), expect.stringMatching(/^[0-9a-f-]{36}$/)]);
    expect(ids[0]).not.toBe(ids[1]);
  });

  test.each<[AssertionSettings["algorithm"], KeyObject, number]>([
    ["RS256", rsa, 256],
    ["ES256", ec, 64],
  ])("is signed by %s", async (algorithm, privateKey, bytes) => {
    const { header, signed, signature } = await read({ ...plain, algorithm, privateKey });
    expect(header).toMatchObject({ alg: algorithm });
    expect(signature.length).toBe(bytes);
    const key = { key: createPublicKey(privateKey), dsaEncoding: "ieee-p1363" } as const;
    expect(verify("sha256", signed, key, signature)).toBe(true);
    expect(verify("sha256", createHash("sha256").update(signed).digest(), key, signature)).toBe(false);
  });
});
