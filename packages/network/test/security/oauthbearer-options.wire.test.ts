import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { expect, onTestFinished, test } from "vitest";
import { resolveSasl, type SaslOptions } from "../../src/security/sasl-options.ts";
import { ManualClock } from "../manual-clock.ts";
import { Authority } from "./certificates.ts";

const authority = new Authority();
const secret = "hush-hush";
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;

interface Asked {
  readonly form: ReadonlyMap<string, string>;
  readonly authorization: string;
  /** What the broker was sent then. */
  readonly token: string;
}

/** What an identity provider is asked by a client, once. */
async function asked(options: (url: string) => SaslOptions, isSecure = false): Promise<Asked> {
  let form = "";
  let authorization = "";
  const server = isSecure ? createSecureServer(authority.issue()) : createServer();
  server.on("request", (request, response) => {
    authorization = request.headers.authorization ?? "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      form += chunk;
    });
    request.on("end", () => response.end('{"access_token":"abc","expires_in":60}'));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const mechanism = resolveSasl(options(`${isSecure ? "https" : "http"}://localhost:${port}/token`))!(
    new ManualClock(),
  );
  let token = "";
  const exchange = async (bytes: Uint8Array): Promise<Buffer> => {
    token = Buffer.from(bytes).toString();
    return Buffer.alloc(0);
  };
  await mechanism.authenticate(exchange, { host: "broker-1", port: 9092 });
  return { form: new Map(new URLSearchParams(form)), authorization, token };
}

test("a token comes for a client's secret, with what goes to the broker beside it", async () => {
  const { form, authorization, token } = await asked((tokenEndpointUrl) => ({
    mechanism: "OAUTHBEARER",
    tokenEndpointUrl,
    clientId: "id",
    clientSecret: secret,
    scope: "kafka",
    extensions: { logicalCluster: "lkc-1" },
  }));
  expect(Object.fromEntries(form)).toEqual({ grant_type: "client_credentials", scope: "kafka" });
  expect(Buffer.from(authorization.slice("Basic ".length), "base64").toString()).toBe(`id:${secret}`);
  expect(token).toBe("n,,\x01auth=Bearer abc\x01logicalCluster=lkc-1\x01\x01");
});

test("a token comes by TLS from who is trusted for this alone", async () => {
  const { authorization } = await asked(
    (tokenEndpointUrl) => ({
      mechanism: "OAUTHBEARER",
      tokenEndpointUrl,
      tokenEndpointTls: { ca: authority.cert },
      clientId: "urn:id",
      clientSecret: secret,
      headerUrlencode: true,
    }),
    true,
  );
  expect(Buffer.from(authorization.slice("Basic ".length), "base64").toString()).toBe(`urn%3Aid:${secret}`);
});

test("a token comes for an assertion that is signed here, with a key that may be encrypted", async () => {
  const privateKey = rsa.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: secret }).toString();
  const assertion = { privateKey, passphrase: secret, issuer: "me", audience: "idp" };
  const { form, authorization } = await asked((tokenEndpointUrl) => ({
    mechanism: "OAUTHBEARER",
    tokenEndpointUrl,
    assertion,
  }));
  expect([[...form.keys()], authorization]).toEqual([["grant_type", "assertion"], ""]);
  expect(form.get("grant_type")).toBe("urn:ietf:params:oauth:grant-type:jwt-bearer");
  const claims = JSON.parse(Buffer.from(form.get("assertion")!.split(".")[1]!, "base64url").toString());
  expect(claims).toMatchObject({ iss: "me", aud: "idp" });
  expect([claims.exp - claims.iat, claims.iat - claims.nbf]).toEqual([300, 60]);
});

test("a token comes for an assertion in the place of a secret", async () => {
  const { form } = await asked((tokenEndpointUrl) => ({
    mechanism: "OAUTHBEARER",
    tokenEndpointUrl,
    clientAssertion: { privateKey: ec, algorithm: "ES256", issuer: "me" },
    clientId: "id",
  }));
  expect([...form.keys()]).toEqual(["grant_type", "client_assertion_type", "client_assertion", "client_id"]);
  expect([form.get("grant_type"), form.get("client_id")]).toEqual(["client_credentials", "id"]);
});

test("a token comes for an assertion that somebody else signs", async () => {
  const { form } = await asked((tokenEndpointUrl) => ({
    mechanism: "OAUTHBEARER",
    tokenEndpointUrl,
    assertion: async () => "a.b.c",
  }));
  expect(form.get("assertion")).toBe("a.b.c");
});
