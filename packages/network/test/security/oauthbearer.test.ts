import { describe, expect, test } from "vitest";
import { type BearerToken, checkedToken, expiryOf } from "../../src/security/bearer-token.ts";
import { OAuthBearer } from "../../src/security/oauthbearer.ts";
import { SaslError } from "../../src/security/sasl-error.ts";

const token: BearerToken = { value: "abc.DEF-1_2~3+/==", expiresAtMs: 5_000 };

/** What is sent to a broker that answers so, and how it ended. */
async function authenticated(given: BearerToken, ...answers: (string | Error)[]) {
  const sent: string[] = [];
  const mechanism = new OAuthBearer({ current: async () => given, close() {} });
  const error: unknown = await mechanism
    .authenticate(async (bytes) => {
      sent.push(Buffer.from(bytes).toString("latin1"));
      const answer = answers[sent.length - 1];
      if (answer === undefined) throw new Error("nothing more was to be sent");
      if (answer instanceof Error) throw answer;
      return Buffer.from(answer);
    })
    .then(
      () => null,
      (thrown: unknown) => thrown,
    );
  return { sent, error };
}

describe("what is sent", () => {
  test("is the token", async () => {
    expect(await authenticated(token, "")).toEqual({
      sent: ["n,,\x01auth=Bearer abc.DEF-1_2~3+/==\x01\x01"],
      error: null,
    });
  });

  test("is the token, and the extensions behind it in their order", async () => {
    const extensions = { logicalCluster: "lkc-1", identityPoolId: "pool 2=x" };
    const { sent } = await authenticated({ ...token, extensions }, "");
    expect(sent).toEqual([
      "n,,\x01auth=Bearer abc.DEF-1_2~3+/==\x01logicalCluster=lkc-1\x01identityPoolId=pool 2=x\x01\x01",
    ]);
  });

  test("is nothing where there is no token", async () => {
    const unavailable = new Error("no token");
    const mechanism = new OAuthBearer({ current: () => Promise.reject(unavailable), close() {} });
    let sent = 0;
    const authentication = mechanism.authenticate(async () => {
      sent += 1;
      return Buffer.alloc(0);
    });
    await expect(authentication).rejects.toBe(unavailable);
    expect(sent).toBe(0);
  });
});

describe("a broker that refuses", () => {
  test("is told that its reason was read, and what it says then is passed on", async () => {
    const refusal = new Error("SASL_AUTHENTICATION_FAILED");
    const { sent, error } = await authenticated(token, '{"status":"invalid_token"}', refusal);
    expect(sent[1]).toBe("\x01");
    expect(error).toBe(refusal);
  });

  test.each([
    ['{"status":"invalid_token","scope":"x"}', "the broker refuses the token: invalid_token"],
    ['{"status":"look \\u001b here"}', "the broker refuses the token"],
    ['{"status":5}', "the broker refuses the token"],
    ["[]", "the broker refuses the token"],
    ["null", "the broker refuses the token"],
    ["{", "the broker refuses the token"],
    ["\0", "the broker refuses the token"],
  ])("does not become one that agrees when it says no more: %j", async (answer, text) => {
    const { error } = await authenticated(token, answer, "");
    expect(error).toBeInstanceOf(SaslError);
    expect(error).toMatchObject({ reason: "credentialsRefused", message: text });
  });
});

describe("a token that somebody made", () => {
  test("is taken with what else it holds left aside", () => {
    const extensions = { traceId: "1" };
    expect(checkedToken({ ...token, extensions, more: 1 }, "sasl.token")).toEqual({ ...token, extensions });
    expect(checkedToken({ ...token, extensions: undefined }, "sasl.token")).toEqual({ ...token, extensions: {} });
  });

  const secret = "abc-secret";
  const badExtensions =
    "sasl.token gave a token whose extensions are not names of letters other than auth, each with a text of visible ASCII and spaces";
  test.each<[string, unknown, string]>([
    ["nothing", undefined, "sasl.token gave no token, which is an object"],
    ["a text", secret, "sasl.token gave no token, which is an object"],
    ["no value", { expiresAtMs: 1 }, "sasl.token gave a token whose value is not a text"],
    ["an empty value", { ...token, value: "" }, "sasl.token gave a token whose value is not a text"],
    ["a number for a value", { ...token, value: 5 }, "sasl.token gave a token whose value is not a text"],
    ...["\x01auth=Bearer other", "\0", "\n", " ", "\u007f", "é"].map((odd): [string, unknown, string] => [
      `the character ${JSON.stringify(odd)}`,
      { ...token, value: secret + odd },
      "sasl.token gave a token with characters that no token has",
    ]),
    ["no end", { value: secret }, "sasl.token gave a token whose expiresAtMs is not a number"],
    [
      "a date for its end",
      { value: secret, expiresAtMs: new Date() },
      "sasl.token gave a token whose expiresAtMs is not a number",
    ],
    [
      "an end that is none",
      { value: secret, expiresAtMs: Number.NaN },
      "sasl.token gave a token whose expiresAtMs is not a number",
    ],
    ["extensions in a list", { ...token, extensions: ["a"] }, badExtensions],
    ["the extension auth", { ...token, extensions: { auth: secret } }, badExtensions],
    ["an extension without a name", { ...token, extensions: { "": secret } }, badExtensions],
    ["an extension with a digit", { ...token, extensions: { a1: secret } }, badExtensions],
    ["an extension with a line after its name", { ...token, extensions: { "a\n": secret } }, badExtensions],
    ["an extension without a value", { ...token, extensions: { a: "" } }, badExtensions],
    ["an extension that is a number", { ...token, extensions: { a: 1 } }, badExtensions],
    ["an extension that ends the field", { ...token, extensions: { a: `${secret}\x01b=c` } }, badExtensions],
  ])("is refused with %s, and not shown", (_, given, text) => {
    expect(() => checkedToken(given, "sasl.token")).toThrow(
      expect.objectContaining({ name: "SaslError", reason: "credentialsUnavailable", message: text }),
    );
  });
});

describe("the end of a JSON Web Token", () => {
  const jwt = (claims: string): string => `e30.${Buffer.from(claims).toString("base64url")}.sig`;

  test("is what it claims, in milliseconds", () => {
    expect(expiryOf(jwt('{"exp":1700000000}'))).toBe(1_700_000_000_000);
    expect(expiryOf(jwt('{"exp":1.5}'))).toBe(1_500);
  });

  test.each(["opaque", "", "a.b.c", jwt("{}"), jwt('{"exp":"5"}'), jwt("null"), jwt('"exp"'), jwt("{")])(
    "is not known of %j",
    (value) => {
      expect(expiryOf(value)).toBe(null);
    },
  );
});
