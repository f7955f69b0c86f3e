import { Metadata } from "@odradek/protocol/messages/metadata";
import { describe, expect, test } from "vitest";
import type { Connection } from "../src/connection.ts";
import { metadataAnswer } from "./metadata-answers.ts";
import { OpenedConnection } from "./opened-connection.ts";
import { ScriptedPeer } from "./scripted-peer.ts";
import { until } from "./until.ts";

const ask = (connection: Connection, timeoutMs?: number) => connection.request(Metadata, 13, { topics: [] }, timeoutMs);

/** Answers requests for metadata with these throttle times, one after the other, and then no more. */
const throttlingBroker = (...times: readonly number[]) =>
  ScriptedPeer.listen(async (connection) => {
    await connection.handshake();
    for (const throttleTimeMs of times) {
      connection.answer(await connection.next(), Metadata, metadataAnswer([], { throttleTimeMs }));
    }
    for (;;) await connection.next();
  });

const value = (opened: OpenedConnection, name: string) =>
  opened.observer.registry.metrics().find((metric) => metric.name === name)?.value;

describe("a broker that throttles", () => {
  test("is sent nothing for exactly that long", async () => {
    const peer = await throttlingBroker(250, 0);
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    await ask(connection);
    expect(connection.state).toBe("throttled");
    expect(connection.hasRoom(5)).toBe(false);
    await expect(ask(connection)).rejects.toMatchObject({
      code: "CONNECTION",
      retriable: true,
      message: expect.stringContaining("not ready (throttled)"),
    });
    opened.clock.advance(249);
    expect(connection.state).toBe("throttled");
    opened.calls.length = 0;
    opened.clock.advance(1);
    expect(connection.state).toBe("ready");
    expect(opened.calls).toEqual(["room"]);
    await ask(connection);
    expect(connection.state).toBe("ready");
    await connection.close(0);
    expect(opened.clock.timers).toBe(0);
  });

  test("shows in the metrics of its node", async () => {
    const peer = await throttlingBroker(250, 750);
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    await ask(connection);
    opened.clock.advance(250);
    await ask(connection);
    expect(value(opened, "throttle-time-avg")).toBe(500);
    expect(value(opened, "throttle-time-max")).toBe(750);
    await connection.close(0);
  });

  test("twice is sent nothing until the later of both ends", async () => {
    const peer = await throttlingBroker(500, 100);
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    await Promise.all([ask(connection), ask(connection)]);
    opened.clock.advance(499);
    expect(connection.state).toBe("throttled");
    opened.clock.advance(1);
    expect(connection.state).toBe("ready");
    await connection.close(0);
  });

  test("is given the time in which it reads nothing on top for what it has to answer", async () => {
    const peer = await throttlingBroker(5_000);
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    const answers = Promise.allSettled([ask(connection, 1_000), ask(connection, 1_000)]);
    await until(() => connection.state === "throttled");
    opened.clock.advance(5_999);
    expect(connection.state).toBe("ready");
    opened.clock.advance(1);
    expect(connection.state).toBe("closing");
    expect(await answers).toMatchObject([{ status: "fulfilled" }, { status: "rejected", reason: { code: "TIMEOUT" } }]);
  });

  test("for ever is believed up to a limit", async () => {
    const peer = await throttlingBroker(0x7fff_ffff);
    const opened = new OpenedConnection(peer.address, { throttleTimeMaxMs: 60_000 });
    const connection = await opened.ready;
    await ask(connection);
    opened.clock.advance(59_999);
    expect(connection.state).toBe("throttled");
    opened.clock.advance(1);
    expect(connection.state).toBe("ready");
    await connection.close(0);
  });

  test("does not keep a connection from being closed", async () => {
    const peer = await throttlingBroker(60_000);
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    await ask(connection);
    await connection.close(1_000);
    expect(connection.state).toBe("closed");
    expect(opened.clock.timers).toBe(0);
  });

  test("with its first answer already is sent nothing until that is over", async () => {
    const apiKeys = [{ apiKey: Metadata.key, minVersion: 0, maxVersion: 13 }];
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake({ errorCode: 0, apiKeys, throttleTimeMs: 5_000 });
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    expect(connection.state).toBe("throttled");
    opened.clock.advance(5_000);
    expect(connection.hasRoom(5)).toBe(true);
    await connection.close(0);
  });
});
