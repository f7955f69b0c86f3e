import { Metadata } from "@odradek/protocol/messages/metadata";
import { describe, expect, test } from "vitest";
import { ClosedError } from "../src/errors.ts";
import { metadataAnswer } from "./metadata-answers.ts";
import { OpenedConnection } from "./opened-connection.ts";
import { ScriptedPeer } from "./scripted-peer.ts";
import { until } from "./until.ts";

const connectionsMaxIdleMs = 1_000;

/** Answers every request, each when the test says so. */
const askedBroker = () => {
  const releases: (() => void)[] = [];
  const peer = ScriptedPeer.listen(async (connection) => {
    await connection.handshake();
    for (;;) {
      const request = await connection.next();
      releases.push(() => connection.answer(request, Metadata, metadataAnswer()));
    }
  });
  return { peer, releases };
};

describe("a connection over which nothing goes", () => {
  test("is closed after its time, which is no failure", async () => {
    const peer = await askedBroker().peer;
    const opened = new OpenedConnection(peer.address, { connectionsMaxIdleMs });
    const connection = await opened.ready;
    opened.clock.advance(connectionsMaxIdleMs - 1);
    expect(connection.state).toBe("ready");
    opened.clock.advance(1);
    const cause = await opened.closed;
    expect(cause).toBeInstanceOf(ClosedError);
    expect(cause.message).toContain("idle for 1000 ms");
    expect(opened.clock.timers).toBe(0);
  });

  test("has its time anew after each request and each answer", async () => {
    const { peer: listening, releases } = askedBroker();
    const peer = await listening;
    const opened = new OpenedConnection(peer.address, { connectionsMaxIdleMs });
    const connection = await opened.ready;
    for (let asked = 1; asked <= 3; asked++) {
      opened.clock.advance(connectionsMaxIdleMs - 1);
      const answer = connection.request(Metadata, 13, { topics: [] });
      await until(() => releases.length === asked);
      // Longer than it may be idle: whoever waits for an answer is not.
      opened.clock.advance(5 * connectionsMaxIdleMs);
      releases[asked - 1]?.();
      await answer;
    }
    opened.clock.advance(connectionsMaxIdleMs - 1);
    expect(connection.state).toBe("ready");
    opened.clock.advance(1);
    expect(await opened.closed).toBeInstanceOf(ClosedError);
  });
});
