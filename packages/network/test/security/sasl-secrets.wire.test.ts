import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SaslExchange } from "../../src/security/sasl-mechanism.ts";
import { resolveSasl } from "../../src/security/sasl-options.ts";
import { ManualClock } from "../manual-clock.ts";
import { ScramServer } from "./scram-server.ts";

const password = "pass-word-4711";
const clientSecret = "client-secret-4711";
const passphrase = "pass-phrase-4711";
const token = "token-value-4711";
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const pem = rsa.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase }).toString();
const bareKey = rsa.export({ type: "pkcs8", format: "pem" }).toString();

/** Each in the forms that it travels in. */
const secrets = [
  ...[password, clientSecret, passphrase, token].flatMap((secret) => [
    secret,
    Buffer.from(secret).toString("hex"),
    inspect(Buffer.from(secret)).slice(8, -1),
  ]),
  Buffer.from(`id:${clientSecret}`).toString("base64"),
  ...pem.split("\n").slice(1, 3),
  ...bareKey.split("\n").slice(1, 3),
];

/** Everything that a log could make of it. */
function shown(value: unknown): string {
  const all = { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null, maxArrayLength: null };
  const texts = [inspect(value, all), String(value)];
  if (value instanceof Error) texts.push(value.stack ?? "", JSON.stringify(value, Object.getOwnPropertyNames(value)));
  else texts.push(JSON.stringify(value) ?? "");
  return texts.join("\n");
}

const leaks = (value: unknown): string[] => secrets.filter((secret) => shown(value).includes(secret));

/** An identity provider that repeats whatever it hears. */
const provider = createServer((request, response) => {
  let body = "";
  request.setEncoding("utf8").on("data", (chunk: string) => {
    body += chunk;
  });
  request.on("end", () => {
    const heard = `${request.headers.authorization} ${clientSecret} ${token} ${body}`;
    const { status, answer } = answers.get(request.url ?? "") ?? { status: 500, answer: "" };
    response.statusCode = status;
    response.end(answer.replace("HEARD", heard));
  });
});

const answers = new Map([
  ["/refuses", { status: 401, answer: '{"error":"HEARD","error_description":"HEARD"}' }],
  ["/is-busy", { status: 503, answer: "HEARD" }],
  ["/is-odd", { status: 200, answer: "HEARD" }],
  ["/sends-none", { status: 200, answer: '{"token":"HEARD"}' }],
  ["/sends-a-bad-one", { status: 200, answer: `{"access_token":"${token}\\u0001HEARD","expires_in":60}` }],
  ["/sends-an-old-one", { status: 200, answer: `{"access_token":"${token}","expires_in":-60}` }],
  ["/sends-one", { status: 200, answer: `{"access_token":"${token}","expires_in":60}` }],
]);

beforeAll(async () => {
  provider.listen(0, "127.0.0.1");
  await once(provider, "listening");
});
afterAll(() => {
  provider.close();
});

function urlOf(path: string): string {
  const address = provider.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}${path}`;
}

const scram = (mechanism: string) => () => ({ mechanism, username: "alice", password });
const withSecret = (path: string) => () => ({
  mechanism: "OAUTHBEARER",
  tokenEndpointUrl: urlOf(path),
  clientId: "id",
  clientSecret,
});

const kinds: readonly (readonly [string, () => object])[] = [
  ["PLAIN", scram("PLAIN")],
  ["SCRAM-SHA-256", scram("SCRAM-SHA-256")],
  ["SCRAM-SHA-512", scram("SCRAM-SHA-512")],
  [
    "a token that is given",
    () => ({ mechanism: "OAUTHBEARER", token: () => ({ value: token, expiresAtMs: 1_800_000_000_000 }) }),
  ],
  ["a token that is old", () => ({ mechanism: "OAUTHBEARER", token: () => ({ value: token, expiresAtMs: 5 }) })],
  [
    "a token that is none",
    () => ({ mechanism: "OAUTHBEARER", token: () => ({ value: `${token}\0`, expiresAtMs: 5 }) }),
  ],
  [
    "an extension that is none",
    () => ({ mechanism: "OAUTHBEARER", token: () => ({ value: token, expiresAtMs: 5, extensions: { auth: token } }) }),
  ],
  ...[...answers.keys()].map((path) => [`an endpoint that ${path.slice(1)}`, withSecret(path)] as const),
  [
    "an assertion with a passphrase",
    () => ({
      mechanism: "OAUTHBEARER",
      tokenEndpointUrl: urlOf("/refuses"),
      assertion: { privateKey: pem, passphrase },
    }),
  ],
  [
    "an assertion with a bare key",
    () => ({ mechanism: "OAUTHBEARER", tokenEndpointUrl: urlOf("/is-busy"), clientAssertion: { privateKey: bareKey } }),
  ],
  [
    "an assertion that is none",
    () => ({ mechanism: "OAUTHBEARER", tokenEndpointUrl: urlOf("/sends-one"), assertion: () => `${token}\0` }),
  ],
];

/** What brokers do to a client, the ones that know its password among them. */
const brokers: readonly (readonly [string, () => SaslExchange])[] = [
  ["refuses", () => () => Promise.reject(new Error("SASL_AUTHENTICATION_FAILED"))],
  ["agrees", () => async () => Buffer.alloc(0)],
  ["repeats what it is sent", () => async (bytes) => Buffer.from(bytes)],
  ["tells what it is sent as an error", () => async (bytes) => Buffer.concat([Buffer.from("e="), bytes])],
  ["answers in JSON", () => async () => Buffer.from(`{"status":"${token}"}`)],
  ...(["SCRAM-SHA-256", "SCRAM-SHA-512"] as const).flatMap((name) => [
    [`speaks ${name}`, () => new ScramServer(name, { name: "alice", password }).exchange] as const,
    [
      `has another password by ${name}`,
      () => new ScramServer(name, { name: "alice", password: "x" }).exchange,
    ] as const,
    [
      `lies by ${name}`,
      () =>
        new ScramServer(
          name,
          { name: "alice", password },
          { final: () => `v=${Buffer.from(password).toString("base64")}` },
        ).exchange,
    ] as const,
  ]),
];

describe.each(kinds)("%s", (_, options) => {
  test("is shown by no mechanism, nor by what makes it", async () => {
    const factory = resolveSasl(options());
    const mechanism = factory!(new ManualClock());
    expect([leaks(factory), leaks(mechanism)]).toEqual([[], []]);
    const authentication = mechanism.authenticate(() => new Promise(() => {}), { host: "broker-1", port: 9092 });
    expect(leaks(mechanism)).toEqual([]);
    await Promise.race([authentication.catch(() => {}), new Promise((resolve) => setImmediate(resolve))]);
    expect(leaks(mechanism)).toEqual([]);
  });

  test.each(brokers)("is shown by no error where the broker %s", async (_name, exchange) => {
    const mechanism = resolveSasl(options())!(new ManualClock());
    const error: unknown = await mechanism
      .authenticate(exchange(), { host: "broker-1", port: 9092 })
      .catch((thrown: unknown) => thrown);
    expect(leaks(error)).toEqual([]);
    expect(leaks(mechanism)).toEqual([]);
  });
});

test("the search finds what is there", () => {
  expect(leaks(new Error("x", { cause: { hidden: [password] } }))).toEqual([password]);
  expect(leaks({ bytes: Buffer.from(`x${token}x`) }).length).toBeGreaterThan(0);
});
