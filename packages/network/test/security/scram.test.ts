import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { SaslError } from "../../src/security/sasl-error.ts";
import { Scram, type ScramName, scramNames } from "../../src/security/scram.ts";
import { saslName } from "../../src/security/scram-messages.ts";
import { type Lies, ScramServer, type StoredUser } from "./scram-server.ts";

const alice: StoredUser = { name: "alice", password: "alice-secret" };

const clientOf = (mechanism: ScramName, { name, password }: StoredUser, tokenAuth = false): Scram =>
  new Scram(mechanism, { username: name, password, tokenAuth });

/** What an authentication with a broker that lies rejects with. */
async function refusal(lies: Lies, client = clientOf("SCRAM-SHA-256", alice)): Promise<SaslError> {
  const server = new ScramServer("SCRAM-SHA-256", alice, lies);
  const error: unknown = await client.authenticate(server.exchange).catch((thrown: unknown) => thrown);
  if (error instanceof SaslError) return error;
  throw new Error(`a broker that lies was answered with ${String(error)}`);
}

describe("known exchanges, byte for byte", () => {
  const known = [
    // RFC 7677, section 3.
    {
      mechanism: "SCRAM-SHA-256",
      username: "user",
      clientNonce: "rOprNGfwEbeRWgbNEkqO",
      serverNonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
      clientFirst: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
      proof: "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
      signature: "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    },
    {
      mechanism: "SCRAM-SHA-256",
      username: "us=er,1",
      clientNonce: "rOprNGfwEbeRWgbNEkqO",
      serverNonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
      clientFirst: "n,,n=us=3Der=2C1,r=rOprNGfwEbeRWgbNEkqO",
      proof: "UH9VxvpQ9+yjImAkR3bS2X7BRSdrJ9sb2hevXrdxJqA=",
      signature: "1rzrQKpPDx6cfgqzhUETVSR7JTKnn1BvtPsUqNbcPdo=",
    },
    {
      mechanism: "SCRAM-SHA-512",
      username: "us=er,1",
      clientNonce: "rOprNGfwEbeRWgbNEkqO",
      serverNonce: "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
      clientFirst: "n,,n=us=3Der=2C1,r=rOprNGfwEbeRWgbNEkqO",
      proof: "j1EoThaPAirzH6eoT4ThvkiHjRXdaQcPk51VI6CnPc94Zkp3JnXg9MCP3S1fQkdaE3rCxVbs2hvdyoEZqU26qA==",
      signature: "gbOFC/sPyBgPA1PChELtTuGG1n4k2mVPNuAGmt1jkUh7hBI87AKSi7G0D5d9PAdoCm+TejmQNtWwo/7WBBdoeg==",
    },
  ] as const;

  test.each(known)("$mechanism of $username", async (vector) => {
    const { mechanism, username, clientNonce, serverNonce, clientFirst, proof, signature } = vector;
    const sent: string[] = [];
    const answers = [`r=${clientNonce}${serverNonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`, `v=${signature}`];
    const client = new Scram(mechanism, { username, password: "pencil", tokenAuth: false }, () => clientNonce);
    await client.authenticate(async (token) => {
      sent.push(Buffer.from(token).toString());
      return Buffer.from(answers[sent.length - 1]!);
    });
    expect(client.name).toBe(mechanism);
    expect(sent).toEqual([clientFirst, `c=biws,r=${clientNonce}${serverNonce},p=${proof}`]);
  });
});

describe.each(scramNames)("%s", (mechanism) => {
  test("any name and password that a broker can have logs in", async () => {
    const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((value) => !value.includes("\0"));
    await fc.assert(
      fc.asyncProperty(text, text, async (name, password) => {
        const server = new ScramServer(mechanism, { name, password });
        await clientOf(mechanism, { name, password }).authenticate(server.exchange);
        expect(server.hasProof).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test("a wrong password proves nothing, and the broker's refusal is passed on", async () => {
    const server = new ScramServer(mechanism, alice);
    const client = clientOf(mechanism, { ...alice, password: "alice-secreT" });
    await expect(client.authenticate(server.exchange)).rejects.toThrow(/^the password is wrong$/);
  });

  test("passwords that look alike are not the same, since Kafka compares bytes", async () => {
    const server = new ScramServer(mechanism, { ...alice, password: "IX" });
    const client = clientOf(mechanism, { ...alice, password: "\u2168" });
    await expect(client.authenticate(server.exchange)).rejects.toThrow(/^the password is wrong$/);
  });

  test("no two authentications have the same nonce, and each is as long as 128 bits at least", async () => {
    const client = clientOf(mechanism, alice);
    const nonces = new Set<string>();
    for (let count = 0; count < 5; count++) {
      const server = new ScramServer(mechanism, alice);
      await client.authenticate(server.exchange);
      nonces.add(/r=([^,]*)/.exec(server.received[0]!)![1]!);
    }
    expect(nonces.size).toBe(5);
    for (const nonce of nonces) expect(Buffer.from(nonce, "base64").length * 8).toBeGreaterThanOrEqual(128);
  });

  test("several authentications at a time do not disturb each other", async () => {
    const client = clientOf(mechanism, alice);
    const servers = Array.from({ length: 5 }, (_, index) => new ScramServer(mechanism, alice, {}, `nonce${index}`));
    await Promise.all(servers.map((server) => client.authenticate(server.exchange)));
    expect(servers.map(({ hasProof }) => hasProof)).toEqual(Array.from({ length: 5 }, () => true));
  });

  test("a delegation token says that it is one", async () => {
    const server = new ScramServer(mechanism, alice);
    await clientOf(mechanism, alice, true).authenticate(server.exchange);
    expect([server.extensions, server.hasProof]).toEqual([",tokenauth=true", true]);
  });
});

test("the event loop goes on while the password is salted", async () => {
  const slow = { ...alice, iterations: 300_000 };
  const server = new ScramServer("SCRAM-SHA-256", slow);
  let turns = 0;
  let isSalting = true;
  const authentication = clientOf("SCRAM-SHA-256", slow).authenticate((token) => {
    // The server of the test holds the loop up; what counts is what came before it.
    if (server.received.length === 1) isSalting = false;
    return server.exchange(token);
  });
  const turn = (): void => {
    turns += 1;
    if (isSalting) setImmediate(turn);
  };
  setImmediate(turn);
  await authentication;
  // A loop that is held up turns once or twice, before and behind the work.
  expect(turns).toBeGreaterThan(10);
});

describe("names", () => {
  test("commas and equals signs are escaped, and nothing else is", () => {
    expect(saslName("us=er,1")).toBe("us=3Der=2C1");
    expect(saslName("=2C,=3D")).toBe("=3D2C=2C=3D3D");
    expect(saslName("älice@example.org")).toBe("älice@example.org");
  });

  test("whatever was escaped has no comma, and comes back", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("=", ",", "2", "C", "3", "D", "x", "é") }), (name) => {
        const escaped = saslName(name);
        expect(escaped).toMatch(/^(?:[^=,]|=2C|=3D)*$/);
        expect(escaped.replace(/=2C|=3D/g, (code) => (code === "=2C" ? "," : "="))).toBe(name);
      }),
    );
  });
});

describe("a broker that lies in its first message is refused before any proof is sent", () => {
  const withIterations = (iterations: string) => (message: string) => message.replace(/i=\d+/, `i=${iterations}`);
  const withSalt = (salt: string) => (message: string) => message.replace(/s=[^,]*/, `s=${salt}`);
  const withNonce = (change: (nonce: string) => string) => (message: string) =>
    message.replace(/r=([^,]*)/, (_, nonce: string) => `r=${change(nonce)}`);
  const notScram = "the broker's first message is none of SCRAM";
  const notOurs = "the broker's nonce does not continue the client's: the answer is of another authentication";
  const iterations = (asked: string) => `the broker asks for ${asked}, and from 4096 to 1000000 are done`;

  const lies: readonly (readonly [string, (message: string) => string | Buffer, string])[] = [
    ["nothing", () => "", notScram],
    ["one byte", () => "r", notScram],
    ["bytes that are no text", () => Buffer.from([0x72, 0x3d, 0xff, 0xfe]), notScram],
    ["a message without end", (message) => `${message},x=${"y".repeat(20_000)}`, notScram],
    ["a nonce of its own", withNonce(() => "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), notOurs],
    ["our nonce and nothing behind it", withNonce((nonce) => nonce.slice(0, 32)), notOurs],
    ["a part of our nonce", withNonce((nonce) => nonce.slice(0, 16)), notOurs],
    [
      "our nonce with one letter changed",
      withNonce((nonce) => `${nonce.startsWith("A") ? "B" : "A"}${nonce.slice(1)}`),
      notOurs,
    ],
    ["our nonce at the end", withNonce((nonce) => `x${nonce}`), notOurs],
    ["no nonce", withNonce(() => ""), notScram],
    ["a nonce with a space", withNonce((nonce) => `${nonce} `), notScram],
    ["no salt", withSalt(""), "the broker has no salt for the password"],
    ["salt that is no base64", withSalt("W22ZaJ0S*Y7soEsUEjb6gQ=="), notScram],
    ["salt of a wrong length", withSalt("W22ZaJ0SNY7soEsUEjb6gQ="), notScram],
    ["salt for URLs", withSalt("W22ZaJ0SNY7soEsUEjb6-_=="), notScram],
    ["no iterations", withIterations("0"), iterations("no number of iterations")],
    ["iterations left out", (message) => message.replace(/,i=\d+/, ""), notScram],
    ["iterations without a number", withIterations(""), iterations("no number of iterations")],
    ["too few iterations", withIterations("4095"), iterations("4095 iterations")],
    ["too many iterations", withIterations("1000001"), iterations("1000001 iterations")],
    ["13 minutes of iterations", withIterations("2147483648"), iterations("2147483648 iterations")],
    ["iterations beyond any number", withIterations("9".repeat(400)), iterations("no number of iterations")],
    ["iterations in letters", withIterations("abc"), iterations("no number of iterations")],
    ["iterations in hexadecimal", withIterations("0x2000"), iterations("no number of iterations")],
    ["iterations with a zero before them", withIterations("04096"), iterations("no number of iterations")],
    ["negative iterations", withIterations("-4096"), iterations("no number of iterations")],
    ["garbage behind it", (message) => `${message},garbage`, notScram],
    ["a comma behind it", (message) => `${message},`, notScram],
    ["a NUL behind it", (message) => `${message},x=\0`, notScram],
    ["a line behind it", (message) => `${message}\nr=`, iterations("no number of iterations")],
    ["fields in another order", (message) => message.split(",").reverse().join(","), notScram],
    ["a last message instead", () => "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", notScram],
    [
      "an extension that must be understood",
      (message) => `m=future,${message}`,
      "the broker demands an extension of SCRAM, and none is known",
    ],
    ["such an extension at the end", (message) => `${message},m=future`, notScram],
  ];

  test.each(lies)("%s", async (_, first, text) => {
    let sent = 0;
    const server = new ScramServer("SCRAM-SHA-256", alice, { first });
    const authentication = clientOf("SCRAM-SHA-256", alice).authenticate((token) => {
      sent += 1;
      return server.exchange(token);
    });
    await expect(authentication).rejects.toMatchObject({
      name: "SaslError",
      reason: "brokerUnverified",
      message: text,
    });
    expect(sent).toBe(1);
  });

  test("and extensions that need not be understood are no lie", async () => {
    const server = new ScramServer("SCRAM-SHA-256", alice, { first: (message) => `${message},x=1,future=ä=b` });
    await clientOf("SCRAM-SHA-256", alice).authenticate(server.exchange);
    expect(server.hasProof).toBe(true);
  });

  test("the fewest and the most iterations that are done", async () => {
    for (const count of [4_096, 1_000_000]) {
      const server = new ScramServer("SCRAM-SHA-256", { ...alice, iterations: count });
      await clientOf("SCRAM-SHA-256", alice).authenticate(server.exchange);
      expect(server.hasProof).toBe(true);
    }
  });
});

describe("a broker that lies in its last message is not taken for the right one", () => {
  const notScram = "the broker's final message is none of SCRAM";
  const unknown = "the broker does not know the password: it is not who it should be";

  const lies: readonly (readonly [string, (message: string) => string | Buffer, string])[] = [
    ["nothing", () => "", notScram],
    ["no signature", () => "v=", unknown],
    ["a signature of zeros", () => `v=${Buffer.alloc(32).toString("base64")}`, unknown],
    ["one bit of it changed", (message) => `v=${flipped(message.slice(2))}`, unknown],
    [
      "the start of it",
      (message) => `v=${Buffer.from(message.slice(2), "base64").subarray(0, 16).toString("base64")}`,
      unknown,
    ],
    [
      "more than it",
      (message) => `v=${Buffer.concat([Buffer.from(message.slice(2), "base64"), Buffer.alloc(1)]).toString("base64")}`,
      unknown,
    ],
    ["what is no base64", () => "v=?", notScram],
    ["the signature twice", (message) => message + message, notScram],
    ["garbage behind it", (message) => `${message},garbage`, notScram],
    ["an extension that must be understood", (message) => `${message},m=future`, notScram],
    ["a space before it", (message) => ` ${message}`, notScram],
    ["the first message once more", () => "r=abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", notScram],
  ];

  test.each(lies)("%s", async (_, final, text) => {
    const error = await refusal({ final });
    expect([error.reason, error.message]).toEqual(["brokerUnverified", text]);
  });

  test("and an extension behind the signature is no lie", async () => {
    const server = new ScramServer("SCRAM-SHA-256", alice, { final: (message) => `${message},x=1` });
    await expect(clientOf("SCRAM-SHA-256", alice).authenticate(server.exchange)).resolves.toBeUndefined();
  });
});

describe("an error that the broker tells", () => {
  test.each([
    ["e=invalid-proof", "the broker refuses: invalid-proof"],
    ["e=other-error,x=1", "the broker refuses: other-error"],
    ["e=", "the broker refuses: an error that is none of RFC 5802"],
    ["e=\u001b[31mlook here", "the broker refuses: an error that is none of RFC 5802"],
    [`e=${"x".repeat(65)}`, "the broker refuses: an error that is none of RFC 5802"],
  ])("is a refusal: %j", async (message, text) => {
    const last = await refusal({ final: () => message });
    expect([last.reason, last.message]).toEqual(["credentialsRefused", text]);
    const first = await refusal({ first: () => message });
    expect([first.reason, first.message]).toEqual(["credentialsRefused", text]);
  });
});

function flipped(base64: string): string {
  const bytes = Buffer.from(base64, "base64");
  bytes[bytes.length - 1]! ^= 1;
  return bytes.toString("base64");
}
