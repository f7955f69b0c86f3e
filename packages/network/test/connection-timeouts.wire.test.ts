import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { ApiVersions } from "@odradek/protocol/messages/api-versions";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { Produce } from "@odradek/protocol/messages/produce";
import { describe, expect, test } from "vitest";
import type { Connection } from "../src/connection.ts";
import { ConnectionError, TimeoutError } from "../src/errors.ts";
import { metadataAnswer } from "./metadata-answers.ts";
import { OpenedConnection } from "./opened-connection.ts";
import { quiet } from "./passing.ts";
import { frameOf, type PeerConnection, type PeerRequest, ScriptedPeer } from "./scripted-peer.ts";
import { until } from "./until.ts";

const ask = (connection: Connection, timeoutMs?: number) => connection.request(Metadata, 12, { topics: [] }, timeoutMs);

/** Takes every request, and answers none but the first. */
const silentAfterHandshake = async (connection: PeerConnection) => {
  await connection.handshake();
  for (;;) await connection.next();
};

describe("a request that is not answered", () => {
  test("times out after its time, and its connection is closed with it", async () => {
    const peer = await ScriptedPeer.listen(silentAfterHandshake);
    const opened = new OpenedConnection(peer.address, { requestTimeoutMs: 30_000 });
    const connection = await opened.ready;
    const answer = ask(connection).catch((error: unknown) => error);
    opened.clock.advance(29_999);
    expect(connection.state).toBe("ready");
    opened.clock.advance(1);
    expect(connection.state).toBe("closing");
    const error = await answer;
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({
      code: "TIMEOUT",
      retriable: true,
      afterMs: 30_000,
      message: `Metadata v12 to 127.0.0.1:${peer.address.port}: no answer after 30000 ms`,
    });
    expect(await opened.closed).toEqual(error);
    await peer.connections[0]?.closed;
    expect(opened.calls).toEqual(["ready", "closed"]);
    expect(opened.clock.timers).toBe(0);
  });

  test("is told of as it times out, and those that only lose their connection are not", async () => {
    const peer = await ScriptedPeer.listen(silentAfterHandshake);
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    const told: unknown[] = [];
    const listen = (message: unknown) => told.push(message);
    subscribe("odradek:request-timeout", listen);
    const answers = Promise.allSettled([ask(connection, 500), ask(connection, 100)]);
    opened.clock.advance(100);
    await answers;
    unsubscribe("odradek:request-timeout", listen);
    expect(told).toMatchObject([{ ...peer.address, api: "Metadata", apiKey: 3, apiVersion: 12, elapsedMs: 100 }]);
  });

  test("times out alone: those that had more time lose their connection", async () => {
    const peer = await ScriptedPeer.listen(silentAfterHandshake);
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    const answers = Promise.allSettled([ask(connection, 500), ask(connection, 100), ask(connection, 100)]);
    opened.clock.advance(100);
    const late = expect.objectContaining({ name: "TimeoutError", afterMs: 100 });
    const bystander = expect.objectContaining({
      name: "ConnectionError",
      message: expect.stringMatching(/closed, because Metadata v12 to .*: no answer after 100 ms$/),
      cause: late,
    });
    expect(await answers).toEqual([
      { status: "rejected", reason: bystander },
      { status: "rejected", reason: late },
      { status: "rejected", reason: late },
    ]);
  });

  test("says of each how long it waited", async () => {
    const peer = await ScriptedPeer.listen(silentAfterHandshake);
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    const first = ask(connection, 100).catch((error: unknown) => error);
    opened.clock.advance(40);
    const second = ask(connection, 60).catch((error: unknown) => error);
    opened.clock.advance(60);
    expect(await first).toMatchObject({ name: "TimeoutError", afterMs: 100 });
    expect(await second).toMatchObject({ name: "TimeoutError", afterMs: 60 });
  });

  test("leaves others that are answered in time alone", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      for (;;) connection.answer(await connection.next(), Metadata, metadataAnswer());
    });
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    for (let i = 0; i < 3; i++) {
      await ask(connection, 100);
      opened.clock.advance(99);
    }
    expect(connection.state).toBe("ready");
    expect(opened.clock.timers).toBe(0);
    await connection.close(0);
  });

  test("times out although the connection is closing down", async () => {
    const peer = await ScriptedPeer.listen(silentAfterHandshake);
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    const answer = ask(connection, 100).catch((error: unknown) => error);
    const close = connection.close(1_000);
    opened.clock.advance(100);
    expect(await answer).toBeInstanceOf(TimeoutError);
    await close;
    expect(opened.clock.timers).toBe(0);
  });
});

describe("the time for setting a connection up", () => {
  test("covers TCP and ApiVersions together", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.next();
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address, { setupTimeoutMs: 10_000 });
    opened.clock.advance(6_000);
    await until(() => opened.connection.state === "checkingVersions");
    opened.clock.advance(3_999);
    expect(opened.connection.state).toBe("checkingVersions");
    opened.clock.advance(1);
    const cause = await opened.closed;
    expect(cause).toBeInstanceOf(TimeoutError);
    expect(cause).toMatchObject({
      afterMs: 10_000,
      message: `connecting to 127.0.0.1:${peer.address.port}: no answer after 10000 ms`,
    });
    expect(opened.calls).toEqual(["closed"]);
    expect(opened.clock.timers).toBe(0);
  });

  test("is over for a broker that answers ApiVersions with a refusal, and then not at all", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake({ errorCode: 35, apiKeys: [] });
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address, { setupTimeoutMs: 10_000, requestTimeoutMs: 30_000 });
    await until(() => peer.connections.length === 1);
    opened.clock.advance(10_000);
    expect(await opened.closed).toBeInstanceOf(TimeoutError);
  });

  test("runs while nobody takes the connection", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address, { setupTimeoutMs: 500 });
    expect(opened.connection.state).toBe("connecting");
    opened.clock.advance(500);
    expect(await opened.closed).toBeInstanceOf(TimeoutError);
    expect(opened.clock.timers).toBe(0);
  });

  test("does not run any more once the connection is ready", async () => {
    const peer = await ScriptedPeer.listen(silentAfterHandshake);
    const opened = new OpenedConnection(peer.address, { setupTimeoutMs: 500 });
    const connection = await opened.ready;
    expect(opened.clock.timers).toBe(0);
    opened.clock.advance(100_000);
    expect(connection.state).toBe("ready");
    await connection.close(0);
  });

  test("is cut short by the time of a request, if that is shorter", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.next();
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address, { setupTimeoutMs: 10_000, requestTimeoutMs: 300 });
    await until(() => opened.connection.state === "checkingVersions");
    opened.clock.advance(300);
    const cause = await opened.closed;
    expect(cause).not.toBeInstanceOf(ConnectionError);
    expect(cause.message).toBe(`ApiVersions v5 to 127.0.0.1:${peer.address.port}: no answer after 300 ms`);
  });
});

describe("a peer that sends a byte now and then", () => {
  /** Sends a byte a second of what answers a request, and has the client's time pass with it. */
  const drip = async ({ clock }: OpenedConnection, connection: PeerConnection, answer: Uint8Array, seconds: number) => {
    for (let at = 0; at < seconds; at++) {
      connection.write(answer.subarray(at, at + 1));
      await quiet();
      clock.advance(1_000);
    }
  };

  test("has no more time to set a connection up", async () => {
    let request: PeerRequest | undefined;
    const peer = await ScriptedPeer.listen(async (connection) => {
      request = await connection.next();
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address, { setupTimeoutMs: 10_000 });
    await until(() => request !== undefined);
    const [connection] = peer.connections;
    const answer = frameOf(request!, ApiVersions, { errorCode: 0, apiKeys: [] });
    await drip(opened, connection!, answer, 9);
    expect(opened.connection.state).toBe("checkingVersions");
    await drip(opened, connection!, answer.subarray(9), 1);
    expect(await opened.closed).toMatchObject({ name: "TimeoutError", afterMs: 10_000 });
  });

  test("has no more time to answer a request", async () => {
    let request: PeerRequest | undefined;
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      request = await connection.next();
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address, { requestTimeoutMs: 5_000 });
    const connection = await opened.ready;
    const asked = connection.request(Metadata, 12, { topics: [] });
    const outcome = expect(asked).rejects.toMatchObject({ name: "TimeoutError", afterMs: 5_000 });
    await until(() => request !== undefined);
    const answer = frameOf(request!, Metadata, metadataAnswer());
    await drip(opened, peer.connections[0]!, answer, 4);
    expect(connection.state).toBe("ready");
    await drip(opened, peer.connections[0]!, answer.subarray(4), 1);
    await outcome;
    await peer.connections[0]!.closed;
    expect(opened.clock.timers).toBe(0);
  });
});

describe("a peer that does not read", () => {
  const records = Buffer.alloc(50_000_000);
  const produce = (acks: number) => ({
    acks,
    timeoutMs: 1_000,
    topicData: [{ name: "orders", partitionData: [{ index: 0, records }] }],
  });

  test("has the time of a request to take one that has no answer", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      connection.socket.pause();
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address, { requestTimeoutMs: 30_000 });
    const connection = await opened.ready;
    const sent = connection.send(Produce, 9, produce(0)).catch((error: unknown) => error);
    opened.clock.advance(29_999);
    expect(connection.state).toBe("ready");
    opened.clock.advance(1);
    expect(await sent).toMatchObject({ name: "TimeoutError", message: expect.stringContaining("writing to") });
    await opened.closed;
    expect(opened.clock.timers).toBe(0);
  });

  test("and answers all the same has that time too: the answer is given when the buffers are free", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      const request = await connection.header();
      connection.answer(request, Produce, { responses: [], throttleTimeMs: 0 });
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address, { requestTimeoutMs: 30_000 });
    const connection = await opened.ready;
    const answer = connection.request(Produce, 9, produce(1));
    await until(() => connection.inFlightCount === 0);
    opened.clock.advance(30_000);
    expect(await opened.closed).toMatchObject({ name: "TimeoutError" });
    expect((await answer).responses).toEqual([]);
    expect(opened.clock.timers).toBe(0);
  });
});
