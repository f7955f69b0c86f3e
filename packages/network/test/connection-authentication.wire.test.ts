import { Metadata } from "@odradek/protocol/messages/metadata";
import { SaslAuthenticate } from "@odradek/protocol/messages/sasl-authenticate";
import { SaslHandshake } from "@odradek/protocol/messages/sasl-handshake";
import { describe, expect, test } from "vitest";
import type { Connection } from "../src/connection.ts";
import { AuthenticationError, ConnectionError, TimeoutError } from "../src/errors.ts";
import { SaslError } from "../src/security/sasl-error.ts";
import type { SaslExchange, SaslMechanism } from "../src/security/sasl-mechanism.ts";
import { metadataAnswer } from "./metadata-answers.ts";
import { OpenedConnection } from "./opened-connection.ts";
import { type PeerConnection, type PeerRequest, ScriptedPeer } from "./scripted-peer.ts";
import { until } from "./until.ts";

/** Sends its steps one after the other, and remembers what it got. */
class SteppingMechanism implements SaslMechanism {
  readonly name = "STEPS";
  readonly answers: string[] = [];
  readonly #steps: readonly string[];

  constructor(...steps: readonly string[]) {
    this.#steps = steps;
  }

  async authenticate(exchange: SaslExchange): Promise<void> {
    for (const step of this.#steps) this.answers.push(String(await exchange(Buffer.from(step))));
  }
}

const mechanismThat = (authenticate: SaslMechanism["authenticate"]): SaslMechanism => ({ name: "STEPS", authenticate });

const ask = (connection: Connection) => connection.request(Metadata, 13, { topics: [] });

const illegalSaslState = 34;
const unsupportedMechanism = 33;
const authenticationFailed = 58;

const authenticated = (authBytes: Buffer, sessionLifetimeMs = 0n) => ({
  errorCode: 0,
  errorMessage: null,
  authBytes,
  sessionLifetimeMs,
});

/** A broker with one mechanism: it echoes every token, in capitals, and says how long the session lives. */
class SaslBroker {
  sessionLifetimeMs = 0n;
  /** What came, in order: `STEPS` for a handshake, tokens, and `Metadata`. */
  readonly log: string[] = [];
  /** Lets the request for metadata be answered that the broker is at. */
  release: (() => void) | null = null;
  holds = false;
  refuses = false;

  readonly script = async (connection: PeerConnection): Promise<void> => {
    await connection.handshake();
    for (;;) await this.serve(connection, await connection.next());
  };

  /** Like a broker, it reads the next request when it has answered the last. */
  async serve(connection: PeerConnection, request: PeerRequest): Promise<void> {
    if (request.apiKey === SaslHandshake.key) {
      this.log.push(request.body(SaslHandshake).mechanism);
      connection.answer(request, SaslHandshake, { errorCode: 0, mechanisms: ["STEPS"] });
    } else if (request.apiKey === SaslAuthenticate.key) {
      const token = String(request.body(SaslAuthenticate).authBytes);
      this.log.push(token);
      const answer = authenticated(Buffer.from(token.toUpperCase()), this.sessionLifetimeMs);
      const errorCode = this.refuses ? authenticationFailed : 0;
      connection.answer(request, SaslAuthenticate, { ...answer, errorCode });
    } else {
      this.log.push("Metadata");
      if (this.holds) {
        await new Promise<void>((resolve) => {
          this.release = () => {
            this.release = null;
            resolve();
          };
        });
      }
      connection.answer(request, Metadata, metadataAnswer());
    }
  }
}

describe("a connection with SASL", () => {
  test("names its mechanism, exchanges tokens, and is ready then", async () => {
    const broker = new SaslBroker();
    const peer = await ScriptedPeer.listen(broker.script);
    const sasl = new SteppingMechanism("first", "second");
    const opened = new OpenedConnection(peer.address, { sasl });
    const connection = await opened.ready;
    expect(broker.log).toEqual(["STEPS", "first", "second"]);
    expect(sasl.answers).toEqual(["FIRST", "SECOND"]);
    await ask(connection);
    await connection.close(0);
  });

  test("takes no request before", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address, { sasl: new SteppingMechanism("first") });
    await until(() => opened.connection.state === "authenticating");
    expect(opened.connection.hasRoom(5)).toBe(false);
    await expect(ask(opened.connection)).rejects.toThrow("not ready (authenticating)");
    await opened.connection.close(0);
  });

  test("sends tokens without any header to a broker that has no SaslAuthenticate", async () => {
    const tokens: string[] = [];
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake({
        errorCode: 0,
        apiKeys: [
          { apiKey: SaslHandshake.key, minVersion: 0, maxVersion: 1 },
          { apiKey: Metadata.key, minVersion: 0, maxVersion: 13 },
        ],
      });
      const handshake = await connection.next();
      expect(handshake.apiVersion).toBe(0);
      connection.answer(handshake, SaslHandshake, { errorCode: 0, mechanisms: ["STEPS"] });
      tokens.push(String(await connection.frame()));
      connection.write(Buffer.from("\0\0\0\x03abc", "latin1"));
      tokens.push(String(await connection.frame()));
      // The last answer may be empty.
      connection.write(Buffer.alloc(4));
      connection.answer(await connection.next(), Metadata, metadataAnswer());
    });
    const sasl = new SteppingMechanism("first", "second");
    const connection = await new OpenedConnection(peer.address, { sasl }).ready;
    expect(tokens).toEqual(["first", "second"]);
    expect(sasl.answers).toEqual(["abc", ""]);
    await ask(connection);
    await connection.close(0);
  });

  test("is over where the broker closes it in the midst of bare tokens", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake({
        errorCode: 0,
        apiKeys: [{ apiKey: SaslHandshake.key, minVersion: 0, maxVersion: 1 }],
      });
      connection.answer(await connection.next(), SaslHandshake, { errorCode: 0, mechanisms: ["STEPS"] });
      await connection.frame();
      connection.end();
    });
    const cause = await new OpenedConnection(peer.address, { sasl: new SteppingMechanism("first") }).closed;
    expect(cause).toBeInstanceOf(ConnectionError);
    expect(cause.message).toContain("closed by the broker during authentication");
  });

  test("has the time of its setup for all of it", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      connection.answer(await connection.next(), SaslHandshake, { errorCode: 0, mechanisms: ["STEPS"] });
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address, { sasl: new SteppingMechanism("first"), setupTimeoutMs: 10_000 });
    await until(() => peer.connections.length === 1 && opened.connection.state === "authenticating");
    opened.clock.advance(9_999);
    expect(opened.connection.state).toBe("authenticating");
    opened.clock.advance(1);
    expect(await opened.closed).toBeInstanceOf(TimeoutError);
    expect(opened.clock.timers).toBe(0);
  });
});

describe("an authentication that fails", () => {
  const refusing = (answer: (connection: PeerConnection, handshake: PeerRequest) => Promise<void> | void) =>
    ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      await answer(connection, await connection.next());
      await connection.closed;
    });

  test.each([
    [unsupportedMechanism, ["PLAIN", "SCRAM-SHA-256"], "it takes PLAIN, SCRAM-SHA-256"],
    [illegalSaslState, [], "it takes none"],
  ])("because the broker has another mechanism says which: code %i", async (errorCode, mechanisms, says) => {
    const peer = await refusing((connection, request) => {
      connection.answer(request, SaslHandshake, { errorCode, mechanisms });
    });
    const opened = new OpenedConnection(peer.address, { sasl: new SteppingMechanism("secret") });
    const cause = await opened.closed;
    expect(cause).toBeInstanceOf(AuthenticationError);
    expect(cause).toMatchObject({
      code: "AUTHENTICATION",
      retriable: false,
      mechanism: "STEPS",
      reason: "mechanismRefused",
      ...peer.address,
    });
    expect(cause.message).toContain(`STEPS authentication with 127.0.0.1:${peer.address.port}:`);
    expect(cause.message).toContain(says);
    expect(opened.calls).toEqual(["closed"]);
  });

  test("because the broker refuses the token has the broker's words and not the token", async () => {
    const peer = await refusing(async (connection, request) => {
      connection.answer(request, SaslHandshake, { errorCode: 0, mechanisms: ["STEPS"] });
      connection.answer(await connection.next(), SaslAuthenticate, {
        ...authenticated(Buffer.alloc(0)),
        errorCode: authenticationFailed,
        errorMessage: "invalid credentials",
      });
    });
    // What a mechanism makes of the refusal counts less than the refusal.
    const sasl = mechanismThat(async (exchange) => {
      await exchange(Buffer.from("s3cr3t")).catch(() => {
        throw new Error("s3cr3t was refused");
      });
    });
    const cause = await new OpenedConnection(peer.address, { sasl }).closed;
    expect(cause).toMatchObject({ name: "AuthenticationError", reason: "credentialsRefused", mechanism: "STEPS" });
    expect(cause.message).toMatch(/: SASL_AUTHENTICATION_FAILED: invalid credentials$/);
  });

  test("is not hidden by a mechanism that swallows the refusal", async () => {
    const peer = await refusing((connection, request) => {
      connection.answer(request, SaslHandshake, { errorCode: unsupportedMechanism, mechanisms: [] });
    });
    const sasl = mechanismThat(async (exchange) => {
      await exchange(Buffer.from("token")).catch(() => {});
    });
    expect(await new OpenedConnection(peer.address, { sasl }).closed).toBeInstanceOf(AuthenticationError);
  });

  test("because the mechanism has found the broker out says why", async () => {
    const broker = new SaslBroker();
    const peer = await ScriptedPeer.listen(broker.script);
    const sasl = mechanismThat(async (exchange) => {
      await exchange(Buffer.from("first"));
      throw new SaslError("brokerUnverified", "its signature is wrong");
    });
    const cause = await new OpenedConnection(peer.address, { sasl }).closed;
    expect(cause).toMatchObject({ name: "AuthenticationError", reason: "brokerUnverified", retriable: false });
    expect(cause.message).toMatch(/: its signature is wrong$/);
  });

  test("because a mechanism of the user throws is one too", async () => {
    const peer = await ScriptedPeer.listen(new SaslBroker().script);
    const sasl = mechanismThat(() => Promise.reject(new TypeError("no such thing")));
    const cause = await new OpenedConnection(peer.address, { sasl }).closed;
    expect(cause).toMatchObject({ reason: "credentialsUnavailable", cause: { name: "TypeError" } });
  });

  test("because a mechanism sends nothing is one too", async () => {
    const peer = await ScriptedPeer.listen(new SaslBroker().script);
    const cause = await new OpenedConnection(peer.address, { sasl: mechanismThat(async () => {}) }).closed;
    expect(cause).toMatchObject({ name: "AuthenticationError", reason: "mechanismRefused" });
    expect(cause.message).toContain("the mechanism sent no token");
  });

  test("because credentials cannot be had right now may go well later", async () => {
    const peer = await ScriptedPeer.listen(new SaslBroker().script);
    const sasl = mechanismThat(() => Promise.reject(new ConnectionError(null, "the identity provider is down")));
    const cause = await new OpenedConnection(peer.address, { sasl }).closed;
    expect(cause).toMatchObject({ name: "ConnectionError", retriable: true });
    expect(cause.message).toContain("no credentials for STEPS");
  });
});

describe("a session that ends", () => {
  const lifetimeMs = 60_000;

  const opened = async (broker: SaslBroker, sasl: SaslMechanism = new SteppingMechanism("token")) => {
    broker.sessionLifetimeMs = BigInt(lifetimeMs);
    const peer = await ScriptedPeer.listen(broker.script);
    const opened = new OpenedConnection(peer.address, { sasl });
    return { opened, connection: await opened.ready, clock: opened.clock };
  };

  const metric = (opened: OpenedConnection, name: string) =>
    opened.observer.registry.metrics().find((metric) => metric.name === name)?.value;

  test("goes on after another authentication, when 85 to 95 % of it are over", async () => {
    const broker = new SaslBroker();
    const { opened: told, connection, clock } = await opened(broker);
    for (let round = 1; round <= 5; round++) {
      clock.advance(0.85 * lifetimeMs - 1);
      expect(connection.state).toBe("ready");
      expect(broker.log).toHaveLength(2 * round);
      clock.advance(0.1 * lifetimeMs + 1);
      expect(connection.state).toBe("authenticating");
      await until(() => connection.state === "ready");
      expect(broker.log.slice(-2)).toEqual(["STEPS", "token"]);
    }
    expect(metric(told, "successful-reauthentication-total")).toBe(5);
    expect(metric(told, "successful-authentication-total")).toBe(1);
    await connection.close(0);
    expect(clock.timers).toBe(0);
  });

  test("is renewed before anything else is sent, also by a process that was held up when it was time", async () => {
    const broker = new SaslBroker();
    const { connection, clock } = await opened(broker);
    // Within the session, which may be over when the broker gets to read what is sent now.
    clock.holdUp(0.95 * lifetimeMs);
    expect(connection.state).toBe("ready");
    expect(connection.hasRoom(5)).toBe(false);
    clock.advance(0);
    await until(() => connection.hasRoom(5));
    await ask(connection);
    expect(broker.log).toEqual(["STEPS", "token", "STEPS", "token", "Metadata"]);
  });

  test("loses no request that is under way, and holds back those that are not", async () => {
    const broker = new SaslBroker();
    broker.holds = true;
    const { connection, clock } = await opened(broker);
    clock.advance(0.85 * lifetimeMs - 1);
    const before = Promise.all([ask(connection), ask(connection)]);
    await until(() => broker.release !== null);
    clock.advance(0.1 * lifetimeMs + 1);
    expect(connection.state).toBe("authenticating");
    expect(connection.hasRoom(5)).toBe(false);
    broker.release?.();
    await until(() => broker.release !== null);
    broker.release?.();
    await before;
    await until(() => connection.state === "ready");
    expect(broker.log).toEqual(["STEPS", "token", "Metadata", "Metadata", "STEPS", "token"]);
    await connection.close(0);
  });

  test("may take as long to go on as the answers before it", async () => {
    const broker = new SaslBroker();
    broker.holds = true;
    const { connection, clock } = await opened(broker);
    const answer = connection.request(Metadata, 13, { topics: [] }, 300_000);
    await until(() => broker.release !== null);
    clock.advance(200_000);
    expect(connection.state).toBe("authenticating");
    broker.release?.();
    await answer;
    await until(() => connection.state === "ready");
    await connection.close(0);
  });

  test("holds on where no credentials can be had for the next, which is tried again", async () => {
    const broker = new SaslBroker();
    let attempts = 0;
    const sasl = mechanismThat(async (exchange) => {
      attempts += 1;
      if (attempts === 2) throw new Error("no token today");
      await exchange(Buffer.from("token"));
    });
    const { connection, clock } = await opened(broker, sasl);
    clock.advance(0.95 * lifetimeMs);
    await until(() => connection.state === "ready");
    expect(attempts).toBe(2);
    await ask(connection);
    clock.advance(0.05 * lifetimeMs);
    await until(() => connection.state === "ready" && attempts === 3);
    expect(broker.log).toEqual(["STEPS", "token", "Metadata", "STEPS", "token"]);
    await connection.close(0);
  });

  test("and cannot go on for want of credentials ends the connection", async () => {
    const broker = new SaslBroker();
    let attempts = 0;
    const sasl = mechanismThat(async (exchange) => {
      attempts += 1;
      if (attempts > 1) throw new Error("no token any more");
      await exchange(Buffer.from("token"));
    });
    const { opened: told, connection, clock } = await opened(broker, sasl);
    // A millisecond at a time, so that each attempt fails before its time is over.
    for (let passedMs = 0; passedMs < lifetimeMs + 2_000; passedMs++) {
      clock.advance(1);
      for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    }
    expect(connection.state).not.toBe("ready");
    expect(await told.closed).toMatchObject({ name: "AuthenticationError", reason: "credentialsUnavailable" });
    expect(attempts).toBeGreaterThan(2);
    expect(attempts).toBeLessThan(10);
  });

  test("that the broker refuses to let go on ends the connection", async () => {
    const broker = new SaslBroker();
    const { opened: told, clock } = await opened(broker);
    broker.refuses = true;
    clock.advance(0.95 * lifetimeMs);
    expect(await told.closed).toMatchObject({ name: "AuthenticationError", reason: "credentialsRefused" });
    expect(metric(told, "failed-reauthentication-total")).toBe(1);
    expect(metric(told, "failed-authentication-total")).toBe(0);
  });
});

describe("a session whose renewal is late", () => {
  const opened = async (sasl: SaslMechanism, lifetimeMs: number) => {
    const broker = new SaslBroker();
    broker.sessionLifetimeMs = BigInt(lifetimeMs);
    const peer = await ScriptedPeer.listen(broker.script);
    const opened = new OpenedConnection(peer.address, { sasl, setupTimeoutMs: 10_000 });
    return { broker, opened, connection: await opened.ready, clock: opened.clock };
  };

  /** Its first authentication goes well; how the next ones find their credentials is the test's affair. */
  const lookingFor = (credentials: () => Promise<void>): SaslMechanism => {
    let isFirst = true;
    return mechanismThat(async (exchange) => {
      if (!isFirst) await credentials();
      isFirst = false;
      await exchange(Buffer.from("token"));
    });
  };

  test("because its mechanism still looks for credentials takes requests until its end", async () => {
    const { broker, connection, clock } = await opened(
      lookingFor(() => new Promise(() => {})),
      60_000,
    );
    clock.advance(59_999);
    expect(connection.state).toBe("ready");
    expect(connection.hasRoom(5)).toBe(true);
    await ask(connection);
    expect(broker.log).toEqual(["STEPS", "token", "Metadata"]);
  });

  test("because its process was held up takes requests again as soon as its mechanism looks for credentials", async () => {
    const {
      opened: told,
      connection,
      clock,
    } = await opened(
      lookingFor(() => new Promise(() => {})),
      60_000,
    );
    clock.holdUp(59_000);
    expect(connection.hasRoom(5)).toBe(false);
    told.calls.length = 0;
    clock.advance(0);
    expect(told.calls).toEqual(["room"]);
    expect(connection.hasRoom(5)).toBe(true);
  });

  test("because its mechanism never finds credentials ends with its connection, soon after", async () => {
    const {
      opened: told,
      connection,
      clock,
    } = await opened(
      lookingFor(() => new Promise(() => {})),
      60_000,
    );
    clock.advance(60_000);
    expect(connection.hasRoom(5)).toBe(false);
    for (let passedMs = 0; passedMs < 20_000; passedMs += 1_000) {
      clock.advance(1_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const cause = await told.closed;
    expect(cause).toMatchObject({ name: "TimeoutError" });
    expect(cause.message).toContain("credentials of STEPS");
    expect(clock.timers).toBe(0);
  });

  test("because its mechanism was slow, and was given up on, does not hear of it any more", async () => {
    const found: (() => void)[] = [];
    const { broker, connection, clock } = await opened(
      lookingFor(() => new Promise<void>((resolve) => found.push(resolve))),
      600_000,
    );
    /** Lets time go by until the mechanism has been asked so often. */
    const asked = async (times: number) => {
      while (found.length < times) {
        clock.advance(1_000);
        await Promise.resolve();
      }
    };
    // The second time, the first was given up on.
    await asked(2);
    found[0]?.();
    await ask(connection);
    expect(broker.log).toEqual(["STEPS", "token", "Metadata"]);
    found[1]?.();
    await until(() => broker.log.length === 5);
    expect(broker.log.slice(3)).toEqual(["STEPS", "token"]);
    await connection.close(0);
  });

  test("because the broker throttled is renewed before anything else is sent", async () => {
    const broker = new SaslBroker();
    broker.sessionLifetimeMs = 10_000n;
    let throttleTimeMs = 20_000;
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      for (;;) {
        const request = await connection.next();
        if (request.apiKey !== Metadata.key) {
          await broker.serve(connection, request);
          continue;
        }
        broker.log.push("Metadata");
        connection.answer(request, Metadata, metadataAnswer([], { throttleTimeMs }));
        throttleTimeMs = 0;
      }
    });
    const told = new OpenedConnection(peer.address, { sasl: new SteppingMechanism("token") });
    const connection = await told.ready;
    await ask(connection);
    told.calls.length = 0;
    told.clock.advance(20_000);
    expect(connection.hasRoom(5)).toBe(false);
    await until(() => connection.hasRoom(5));
    await ask(connection);
    expect(broker.log).toEqual(["STEPS", "token", "Metadata", "STEPS", "token", "Metadata"]);
    await connection.close(0);
  });

  test("does not keep a connection from being idle for too long", async () => {
    const broker = new SaslBroker();
    broker.sessionLifetimeMs = 60_000n;
    const peer = await ScriptedPeer.listen(broker.script);
    const sasl = new SteppingMechanism("token");
    const told = new OpenedConnection(peer.address, { sasl, connectionsMaxIdleMs: 100_000 });
    const connection = await told.ready;
    for (let passedMs = 0; passedMs < 100_000; passedMs += 1_000) {
      told.clock.advance(1_000);
      await until(() => connection.state !== "authenticating");
    }
    expect((await told.closed).message).toContain("idle for 100000 ms");
  });
});
