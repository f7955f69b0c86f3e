import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { inspect } from "node:util";
import { describe, expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/clock.ts";
import { ConnectionError } from "../../src/errors.ts";
import { BearerTokens } from "../../src/security/bearer-tokens.ts";
import { OAuthBearer } from "../../src/security/oauthbearer.ts";
import { SaslError } from "../../src/security/sasl-error.ts";
import { TokenEndpoint, type TokenRequest } from "../../src/security/token-endpoint.ts";
import { ManualClock } from "../manual-clock.ts";
import { until } from "../until.ts";
import { Authority } from "./certificates.ts";

const authority = new Authority();
const secret = "client-secret";
const request: TokenRequest = {
  form: { grant_type: "client_credentials", scope: "a b&c" },
  headers: { authorization: `Basic ${secret}` },
};
const jwt = (claims: object): string => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.sig`;

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
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

function endpointAt(url: string, tls: ConnectionOptions = {}, clock = new ManualClock()): TokenEndpoint {
  return new TokenEndpoint({ url: new URL(url), tls, connectTimeoutMs: 5_000, readTimeoutMs: 7_000 }, clock);
}

/** Asks an endpoint that answers so, once. */
async function answered(listener: RequestListener, clock = new ManualClock()) {
  const port = await listen(createServer(listener));
  return endpointAt(`http://127.0.0.1:${port}/token?key=${secret}`, {}, clock).token(request);
}

const answeredWith = (status: number, body: unknown, clock?: ManualClock) =>
  answered((_, response) => {
    response.statusCode = status;
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  }, clock);

/** What an endpoint that gives no token leads to; it never shows what was sent. */
async function refusal(token: Promise<unknown>): Promise<Error> {
  const error: unknown = await token.then(
    () => new Error("a token was given"),
    (thrown: unknown) => thrown,
  );
  expect(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain(secret);
  if (error instanceof SaslError || error instanceof ConnectionError) return error;
  throw error;
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  let body = "";
  for await (const chunk of message) body += String(chunk);
  return body;
}

describe("what is asked", () => {
  test("is a form, by POST, on a connection that ends with the answer", async () => {
    const asked: unknown[] = [];
    const token = await answered((message, response) => {
      void bodyOf(message).then((body) => {
        const { accept, authorization, connection } = message.headers;
        const type = message.headers["content-type"];
        asked.push(message.method, message.url, accept, authorization, connection, type, body);
        response.end(JSON.stringify({ access_token: "abc", expires_in: 60 }));
      });
    });
    expect(asked).toEqual([
      "POST",
      `/token?key=${secret}`,
      "application/json",
      `Basic ${secret}`,
      "close",
      "application/x-www-form-urlencoded",
      "grant_type=client_credentials&scope=a+b%26c",
    ]);
    expect(token.value).toBe("abc");
  });

  test("goes by TLS to who has a certificate of the authority that is trusted", async () => {
    const listener: RequestListener = (_, response) => response.end('{"access_token":"abc","expires_in":60}');
    const port = await listen(createSecureServer(authority.issue(), listener));
    const token = await endpointAt(`https://localhost:${port}/token`, { ca: authority.cert }).token(request);
    expect(token.value).toBe("abc");
  });
});

describe("the token in an answer", () => {
  test.each([
    ["access_token", { access_token: "one", id_token: "another", expires_in: 60 }, "one"],
    ["id_token where there is no other", { id_token: jwt({ exp: 1_700_000_060 }) }, jwt({ exp: 1_700_000_060 })],
  ])("is the %s", async (_, body, value) => {
    expect(await answeredWith(200, body)).toMatchObject({ value });
  });
});

describe("when a token expires", () => {
  const inAMinute = { access_token: jwt({ exp: 1 }), expires_in: 60 };

  test.each([
    ["what the endpoint says", inAMinute, 60_000],
    ["what it says in a text", { ...inAMinute, expires_in: "60" }, 60_000],
  ])("is %s, from now on", async (_, body, afterMs) => {
    const clock = new ManualClock();
    const { value, expiresAtMs } = await answeredWith(200, body, clock);
    expect([value, expiresAtMs - clock.wallTimeMs()]).toEqual([inAMinute.access_token, afterMs]);
  });

  test.each([{}, { expires_in: null }, { expires_in: "soon" }])("is what the token says, with %o", async (more) => {
    const { expiresAtMs } = await answeredWith(201, { access_token: jwt({ exp: 1_700_000_060 }), ...more });
    expect(expiresAtMs).toBe(1_700_000_060_000);
  });
});

describe("an endpoint that cannot give a token right now may be asked again", () => {
  test.each([408, 425, 429, 500, 502, 503, 504, 599])("status %d", async (status) => {
    const error = await refusal(answeredWith(status, { error: "temporarily_unavailable", detail: secret }));
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: "CONNECTION", retriable: true });
    expect(error.message).toMatch(
      new RegExp(
        `^no connection: the token endpoint http://127\\.0\\.0\\.1:\\d+/token answered with status ${status} \\(temporarily_unavailable\\)$`,
      ),
    );
  });

  test("nobody listens", async () => {
    const server = createTcpServer();
    const port = await listen(server);
    server.close();
    const error = await refusal(endpointAt(`http://127.0.0.1:${port}/token`).token(request));
    expect(error).toMatchObject({ name: "ConnectionError", retriable: true });
    expect(error.message).toContain("cannot be asked: connect ECONNREFUSED");
  });

  test.each([
    ["says nothing", "", "socket hang up"],
    ["says less than it promises", 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"access_token":"a', "aborted"],
    [
      "changes the protocol",
      "HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n",
      "closed before there was an answer",
    ],
    ["does not speak HTTP", "SSH-2.0-OpenSSH\r\n", "Parse Error: Expected HTTP/"],
  ])("one that %s", async (_, bytes, text) => {
    const server = createTcpServer((socket) => socket.once("data", () => socket.end(bytes)));
    const port = await listen(server);
    const error = await refusal(endpointAt(`http://127.0.0.1:${port}/token`).token(request));
    expect(error).toMatchObject({ name: "ConnectionError", retriable: true });
    expect(error.message).toContain(`cannot be asked: ${text}`);
  });

  test("one that does not answer in TLS", async () => {
    const clock = new ManualClock();
    let connected = 0;
    const server = createTcpServer(() => {
      connected += 1;
    });
    const port = await listen(server);
    const failed = refusal(endpointAt(`https://127.0.0.1:${port}/token`, {}, clock).token(request));
    await until(() => connected === 1);
    clock.advance(5_000);
    expect((await failed).message).toContain("cannot be asked: no connection within 5000 ms");
    expect(clock.timers).toBe(0);
  });

  test("one that takes the question and says no more", async () => {
    const clock = new ManualClock();
    let asked = 0;
    const server = createServer(() => {
      asked += 1;
    });
    const failed = refusal(endpointAt(`http://127.0.0.1:${await listen(server)}/token`, {}, clock).token(request));
    await until(() => asked === 1);
    clock.advance(7_000);
    expect((await failed).message).toContain("cannot be asked: no answer within 7000 ms");
    expect(clock.timers).toBe(0);
  });

  test("one that is asked by a client that closes meanwhile, which leaves neither socket nor timer", async () => {
    const clock = new ManualClock();
    const sockets: Socket[] = [];
    const server = createServer(({ socket }) => sockets.push(socket));
    const endpoint = endpointAt(`http://127.0.0.1:${await listen(server)}/token`, {}, clock);
    const tokens = new BearerTokens((signal) => endpoint.token(request, signal), clock, {
      retryBackoffMs: 100,
      retryBackoffMaxMs: 100,
    });
    const mechanism = new OAuthBearer(tokens);
    const failed = refusal(mechanism.authenticate(() => Promise.reject(new Error("no token came"))));
    await until(() => sockets.length === 1);
    mechanism.close();
    expect((await failed).message).toContain("cannot be asked");
    expect(clock.timers).toBe(0);
    const [socket] = sockets;
    if (socket?.destroyed === false) await once(socket, "close");
  });

  test("one that goes on answering without an end", async () => {
    const clock = new ManualClock();
    let asked = 0;
    const server = createServer((_, response) => {
      response.write("{");
      asked += 1;
    });
    const failed = refusal(endpointAt(`http://127.0.0.1:${await listen(server)}/token`, {}, clock).token(request));
    await until(() => asked === 1);
    clock.advance(7_000);
    expect((await failed).message).toContain("cannot be asked: no answer within 7000 ms");
    expect(clock.timers).toBe(0);
  });

  test("one that answers with more than a mebibyte", async () => {
    let closed = 0;
    const failed = refusal(
      answered((_, response) => {
        response.on("close", () => {
          closed += 1;
        });
        const more = (): void => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536, " ")));
        };
        response.on("drain", more);
        more();
      }),
    );
    expect((await failed).message).toContain("cannot be asked: an answer of more than 1048576 bytes");
    await until(() => closed === 1);
  });
});

describe("an endpoint that will not give a token is not asked again", () => {
  test.each([400, 401, 403, 404, 413, 501, 505, 204, 206])("status %d", async (status) => {
    const body = status === 204 ? "" : { error: "invalid_client", error_description: secret };
    const error = await refusal(answeredWith(status, body));
    expect(error).toMatchObject({ name: "SaslError", reason: "credentialsUnavailable" });
    const word = status === 204 ? "" : " \\(invalid_client\\)";
    expect(error.message).toMatch(new RegExp(`/token answered with status ${status}${word}$`));
  });

  test.each([secret, "Invalid", "look \u001b here", "x".repeat(65), 5, null, ["a"]])(
    "and %j is no error of OAuth that would be told",
    async (error) => {
      const { message } = await refusal(answeredWith(400, { error }));
      expect(message).toMatch(/answered with status 400$/);
    },
  );

  test("nor is one that sends elsewhere followed", async () => {
    let elsewhere = 0;
    const other = await listen(
      createServer((_, response) => {
        elsewhere += 1;
        response.end('{"access_token":"abc","expires_in":60}');
      }),
    );
    for (const status of [301, 302, 303, 307, 308]) {
      const error = await refusal(
        answered((_, response) => {
          response.writeHead(status, { location: `http://127.0.0.1:${other}/token` }).end();
        }),
      );
      expect(error).toMatchObject({ name: "SaslError", reason: "credentialsUnavailable" });
      expect(error.message).toMatch(new RegExp(`answered with status ${status}; redirects are not followed$`));
    }
    expect(elsewhere).toBe(0);
  });

  const noToken = "gave an answer without an access_token";
  test.each([
    ["no JSON", `<html>${secret}`, noToken],
    ["nothing", "", noToken],
    ["null", "null", noToken],
    ["a list", "[1]", noToken],
    ["no token", { refresh_token: secret, expires_in: 60 }, noToken],
    ["an empty token", { access_token: "", expires_in: 60 }, noToken],
    ["a number for a token", { access_token: 5, expires_in: 60 }, noToken],
    [
      "a token that no field can hold",
      { access_token: `${secret}\x01auth=x`, expires_in: 60 },
      "gave a token with characters that no token has",
    ],
    ["a token without an end", { access_token: secret }, "gave an answer that says nowhere when the token expires"],
  ])("and one with %s is useless", async (_, body, text) => {
    const error = await refusal(answeredWith(200, body));
    expect(error).toMatchObject({ name: "SaslError", reason: "credentialsUnavailable" });
    expect(error.message).toMatch(new RegExp(`/token ${text}$`));
  });

  test.each([
    ["an authority that is not known", {}, "localhost", "unable to verify the first certificate"],
    ["a name of somebody else", { ca: authority.cert, servername: "other" }, "localhost", "does not match"],
  ])("nor is one with %s trusted", async (_, tls, host, text) => {
    let asked = 0;
    const server = createSecureServer(authority.issue(), () => {
      asked += 1;
    });
    const error = await refusal(endpointAt(`https://${host}:${await listen(server)}/token`, tls).token(request));
    expect(error).toMatchObject({ name: "SaslError", reason: "credentialsUnavailable" });
    expect(error.message).toContain("cannot be trusted: ");
    expect(error.message).toContain(text);
    expect(error.message).toMatch(/; see tokenEndpointTls$/);
    expect(asked).toBe(0);
  });
});

test("nothing is left behind that keeps a process alive", async () => {
  const before = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const port = await listen(createServer((_, response) => response.end('{"access_token":"abc","expires_in":60}')));
  const settings = {
    url: new URL(`http://127.0.0.1:${port}/`),
    tls: {},
    connectTimeoutMs: 60_000,
    readTimeoutMs: 60_000,
  };
  await new TokenEndpoint(settings, systemClock).token(request);
  const left = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  await until(() => left() <= before);
});
