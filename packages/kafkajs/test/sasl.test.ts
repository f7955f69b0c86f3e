import { describe, expect, test } from "vitest";
import { type Mechanism, type SASLOptions, saslOptionsOf } from "../src/client/sasl.ts";
import { KafkaJSSASLAuthenticationError } from "../src/errors/connection-errors.ts";
import { createLogger } from "../src/logger.ts";

const logger = createLogger(0, () => () => {});
const peer = { host: "b", port: 9092 };

/** What a mechanism says to a broker that gives these answers. */
async function said(sasl: SASLOptions | Mechanism, answers: readonly string[]): Promise<readonly string[]> {
  const { mechanism } = saslOptionsOf(sasl, logger);
  if (typeof mechanism === "string") throw new Error("it is built in below");
  const tokens: string[] = [];
  const exchange = async (token: Uint8Array): Promise<Buffer> => {
    tokens.push(Buffer.from(token).toString());
    return Buffer.from(answers[tokens.length - 1] ?? "");
  };
  await mechanism.authenticate(exchange, peer);
  return [mechanism.name, ...tokens];
}

describe("sasl", () => {
  const credentials = { username: "u", password: "p" };

  const passwords: readonly SASLOptions[] = [
    { mechanism: "plain", ...credentials },
    { mechanism: "scram-sha-256", ...credentials },
    { mechanism: "scram-sha-512", ...credentials },
  ];

  test.each(passwords)("$mechanism is the layer's own", (sasl) => {
    expect(saslOptionsOf(sasl, logger)).toEqual({ ...sasl, mechanism: sasl.mechanism.toUpperCase() });
  });

  test("aws says who it is in one message", async () => {
    const keys = { authorizationIdentity: "i", accessKeyId: "k", secretAccessKey: "s" };
    expect(await said({ mechanism: "aws", ...keys, sessionToken: "t" }, [])).toEqual(["AWS", "i\0k\0s\0t"]);
    expect(await said({ mechanism: "aws", ...keys }, [])).toEqual(["AWS", "i\0k\0s\0"]);
  });

  test("oauthbearer asks its provider, and ends what a broker refuses", async () => {
    const oauthBearerProvider = async () => ({ value: "token", extensions: { a: "1" } });
    const first = "n,,\x01auth=Bearer token\x01a=1\x01\x01";
    expect(await said({ mechanism: "oauthbearer", oauthBearerProvider }, [""])).toEqual(["OAUTHBEARER", first]);
    expect(await said({ mechanism: "oauthbearer", oauthBearerProvider }, ["{}"])).toEqual([
      "OAUTHBEARER",
      first,
      "\x01",
    ]);
    const named = await said({ mechanism: "oauthbearer", oauthBearerProvider, authorizationIdentity: "me" }, [""]);
    expect(named[1]?.startsWith("n,a=me,\x01")).toBe(true);
  });

  describe("code of the user that fails", () => {
    const away = new Error("the token server is away");
    const attempts = (...outcomes: readonly (Error | string | null)[]) => {
      const left = [...outcomes];
      const oauthBearerProvider = async () => {
        const outcome = left.shift();
        if (outcome instanceof Error) throw outcome;
        return JSON.parse(JSON.stringify({ value: outcome }));
      };
      const { mechanism } = saslOptionsOf({ mechanism: "oauthbearer", oauthBearerProvider }, logger);
      if (typeof mechanism === "string") throw new Error("it is built in below");
      return () => mechanism.authenticate(async () => Buffer.alloc(0), peer);
    };

    test("is final before it has worked", async () => {
      const attempt = attempts(away);
      await expect(attempt()).rejects.toBe(away);
    });

    test("may do better next time once it has, unless it says otherwise", async () => {
      const defect = new TypeError("no");
      const attempt = attempts("token", away, defect, null);
      await attempt();
      await expect(attempt()).rejects.toMatchObject({ message: away.message, retriable: true, cause: away });
      await expect(attempt()).rejects.toBe(defect);
      await expect(attempt()).rejects.toMatchObject({
        name: "KafkaJSSASLAuthenticationError",
        message: "SASL OAUTHBEARER: Invalid OAuth bearer token",
      });
    });
  });

  test("a mechanism of one's own gets lengths before what it says and hears", async () => {
    const heard: unknown[] = [];
    const framed = (text: string) => Buffer.concat([Buffer.from([0, 0, 0, text.length]), Buffer.from(text)]);
    const own: Mechanism = {
      mechanism: "mine",
      authenticationProvider: ({ host, port, saslAuthenticate }) => ({
        async authenticate() {
          heard.push(host, port);
          const decode = (raw: Buffer) => raw;
          heard.push(
            await saslAuthenticate({ request: { encode: () => framed("one") }, response: { decode, parse: String } }),
          );
          heard.push(await saslAuthenticate({ request: { encode: async () => framed("two") } }));
        },
      }),
    };
    expect(await said(own, ["yes", "no"])).toEqual(["MINE", "one", "two"]);
    expect(heard).toEqual(["b", 9092, "\0\0\0\u0003yes", undefined]);
  });

  test("what is no mechanism, or lacks something, is an error that shows no secret", () => {
    const wrong = (sasl: object) => () => Reflect.apply(saslOptionsOf, undefined, [sasl, logger]);
    expect(wrong({ mechanism: "gssapi" })).toThrow("SASL GSSAPI mechanism is not supported by the client");
    expect(wrong({ mechanism: "plain", password: "secret" })).toThrow(/^SASL Plain: Invalid username or password$/);
    expect(wrong({ mechanism: "scram-sha-256", username: "u" })).toThrow(
      /^SASL SCRAM SHA256 authentication: Invalid username or password$/,
    );
    expect(wrong({ mechanism: "aws", authorizationIdentity: "i", accessKeyId: "k" })).toThrow(
      "SASL AWS-IAM: Missing secretAccessKey",
    );
    expect(wrong({ mechanism: "oauthbearer" })).toThrow("SASL OAUTHBEARER: Missing OAuth bearer token provider");
    expect(wrong({ mechanism: "oauthbearer" })).toThrow(KafkaJSSASLAuthenticationError);
  });
});
