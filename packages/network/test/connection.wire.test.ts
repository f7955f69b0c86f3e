import { type ResponseOf, UnsupportedVersionError } from "@odradek/protocol";
import { ApiVersions } from "@odradek/protocol/messages/api-versions";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { Produce } from "@odradek/protocol/messages/produce";
import { describe, expect, test } from "vitest";
import type { Connection } from "../src/connection.ts";
import { ClosedError, ConnectionError } from "../src/errors.ts";
import { metadataAnswer } from "./metadata-answers.ts";
import { OpenedConnection } from "./opened-connection.ts";
import { quiet } from "./passing.ts";
import { frameOf, type PeerConnection, type PeerRequest, ScriptedPeer } from "./scripted-peer.ts";
import { until } from "./until.ts";

/** Asks for the metadata of one topic, whose name tells the requests apart. */
const ask = (connection: Connection, topic = "orders") =>
  connection.request(Metadata, 12, { topics: [{ name: topic }], allowAutoTopicCreation: false });

const topicOf = (request: PeerRequest) => request.body(Metadata).topics?.[0]?.name ?? null;

/** The answer names the topic of the request as its cluster id. */
const answerTo = (request: PeerRequest) => metadataAnswer([], { clusterId: topicOf(request) });

const isClusterId = (response: ResponseOf<typeof Metadata>) => response.clusterId;

/** What a peer does that is a good broker. */
const serve = async (peer: PeerConnection) => {
  await peer.handshake();
  for (;;) {
    const request = await peer.next();
    peer.answer(request, Metadata, answerTo(request));
  }
};

/** The sockets of this process, both ends of a connection included. */
const openSockets = () => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;

/** Something that a script waits for until the test says so. */
const signal = () => {
  let give = () => {};
  const given = new Promise<void>((resolve) => {
    give = resolve;
  });
  return { give, given };
};

const unsupportedVersion = 35;
const largePayload = Buffer.alloc(32 * 1_048_576, "x");

const produce = (acks: number, records: Buffer) => ({
  acks,
  timeoutMs: 1_000,
  topicData: [{ name: "orders", partitionData: [{ index: 0, records }] }],
});

const produced = { responses: [{ name: "orders", partitionResponses: [{ index: 0, errorCode: 0, baseOffset: 0n }] }] };

describe("the handshake", () => {
  test.each([
    ["and whom we mean", "cluster", { clusterId: "cluster", nodeId: 1 }],
    ["and not whom we mean where any cluster will do", null, { clusterId: null, nodeId: -1 }],
  ])("asks for the versions in our newest version, saying who we are %s", async (_, clusterId, meant) => {
    let asked: unknown;
    const peer = await ScriptedPeer.listen(async (connection) => {
      const request = await connection.handshake();
      asked = { ...request.body(ApiVersions), apiVersion: request.apiVersion, clientId: request.clientId };
      await connection.closed;
    });
    const { ready } = new OpenedConnection(peer.address, { clusterId });
    const connection = await ready;
    expect(connection.state).toBe("ready");
    expect(connection.versions.usableVersion(Metadata)).toBe(13);
    expect(asked).toEqual({
      ...meant,
      apiVersion: 5,
      clientId: "test",
      clientSoftwareName: "odradek",
      clientSoftwareVersion: "0.1.0",
    });
    await connection.close(0);
  });

  test.each([
    ["the version that the broker offers instead", [{ apiKey: 18, minVersion: 0, maxVersion: 2 }], 2],
    ["version 0 where the broker offers none (before Kafka 2.4)", [], 0],
    [
      "version 0 where the broker offers a version that does not exist",
      [{ apiKey: 18, minVersion: -9, maxVersion: -5 }],
      0,
    ],
    ["our newest version where the broker offers a newer one", [{ apiKey: 18, minVersion: 0, maxVersion: 9 }], 5],
  ])("asks again in %s", async (_, apiKeys, expected) => {
    const versions: number[] = [];
    const peer = await ScriptedPeer.listen(async (connection) => {
      const refused = await connection.next();
      versions.push(refused.apiVersion);
      // The refusal comes in the form of version 0, whatever was asked.
      connection.write(frameOf(refused, ApiVersions, { errorCode: unsupportedVersion, apiKeys }, 0));
      versions.push((await connection.handshake()).apiVersion);
      await connection.closed;
    });
    const { ready } = new OpenedConnection(peer.address);
    const connection = await ready;
    expect(versions).toEqual([5, expected]);
    await connection.close(0);
  });

  test("gives up on a broker that refuses twice", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      for (;;) {
        const refused = await connection.next();
        connection.write(frameOf(refused, ApiVersions, { errorCode: unsupportedVersion, apiKeys: [] }, 0));
      }
    });
    const opened = new OpenedConnection(peer.address);
    const cause = await opened.closed;
    expect(cause).toBeInstanceOf(UnsupportedVersionError);
    expect(cause.message).toBe(
      `ApiVersions to 127.0.0.1:${peer.address.port}: the broker refuses every version that it offered`,
    );
    expect(opened.calls).toEqual(["closed"]);
    expect(opened.clock.timers).toBe(0);
  });

  test("ends with the error that the broker answers", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake({ errorCode: 42, apiKeys: [] });
    });
    const cause = await new OpenedConnection(peer.address).closed;
    expect(cause).toMatchObject({ code: "INVALID_REQUEST", retriable: false });
    expect(cause.message).toContain(`ApiVersions to 127.0.0.1:${peer.address.port}`);
  });

  test.each([
    ["as soon as it is made", () => {}],
    [
      "after the request came",
      async (connection: PeerConnection) => {
        await connection.next();
      },
    ],
    [
      "in the midst of the answer",
      async (connection: PeerConnection) => {
        const request = await connection.next();
        connection.write(frameOf(request, ApiVersions, { errorCode: 0, apiKeys: [] }).subarray(0, 9));
      },
    ],
  ])("ends with a ConnectionError where the broker closes the connection %s", async (_, until) => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await until(connection);
      connection.end();
    });
    const opened = new OpenedConnection(peer.address);
    const cause = await opened.closed;
    expect(cause).toBeInstanceOf(ConnectionError);
    expect(cause).toMatchObject({ code: "CONNECTION", retriable: true, ...peer.address });
    expect(cause.message).toBe(
      `connection to 127.0.0.1:${peer.address.port}: closed by the broker before it answered ApiVersions`,
    );
    expect(opened.calls).toEqual(["closed"]);
    expect(opened.clock.timers).toBe(0);
  });

  test("ends where nobody listens", async () => {
    const address = await ScriptedPeer.nobody();
    const opened = new OpenedConnection(address);
    const cause = await opened.closed;
    expect(cause).toBeInstanceOf(ConnectionError);
    expect(cause.message).toBe(
      `connection to 127.0.0.1:${address.port}: connect ECONNREFUSED 127.0.0.1:${address.port}`,
    );
    expect(cause).toMatchObject({ retriable: true, cause: { code: "ECONNREFUSED" } });
    expect(opened.calls).toEqual(["closed"]);
  });

  test("ends where the host has no address", async () => {
    // A label of more than 63 characters cannot exist, so that no name server is asked.
    const host = `${"x".repeat(64)}.test`;
    const cause = await new OpenedConnection({ host, port: 9092 }).closed;
    expect(cause).toBeInstanceOf(ConnectionError);
    expect(cause.message).toContain(`connection to ${host}:9092: getaddrinfo`);
  });
});

describe("answers", () => {
  test("are read from single bytes", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.writeByteByByte(
        frameOf(await connection.next(), ApiVersions, {
          errorCode: 0,
          apiKeys: [{ apiKey: 3, minVersion: 0, maxVersion: 12 }],
        }),
      );
      const request = await connection.next();
      await connection.writeByteByByte(frameOf(request, Metadata, answerTo(request)));
      await connection.closed;
    });
    const connection = await new OpenedConnection(peer.address).ready;
    expect(await ask(connection, "slow").then(isClusterId)).toBe("slow");
    await connection.close(0);
  });

  test("are read from halves, and from a chunk that holds two of them", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      const requests = [await connection.next(), await connection.next(), await connection.next()];
      const frames = Buffer.concat(requests.map((request) => frameOf(request, Metadata, answerTo(request))));
      // The first and half of the second, then the rest.
      const middle = Math.floor(frames.length / 2);
      connection.write(frames.subarray(0, middle));
      await quiet();
      connection.write(frames.subarray(middle));
      await connection.closed;
    });
    const connection = await new OpenedConnection(peer.address).ready;
    const answers = await Promise.all(["one", "two", "three"].map((topic) => ask(connection, topic)));
    expect(answers.map(isClusterId)).toEqual(["one", "two", "three"]);
    await connection.close(0);
  });

  test("are read from many chunks", async () => {
    const clusterId = "c".repeat(32_000);
    const brokers = Array.from({ length: 20_000 }, (_, nodeId) => ({
      nodeId,
      host: "host.example.com",
      port: 9_092,
      rack: null,
    }));
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      connection.answer(await connection.next(), Metadata, metadataAnswer([], { clusterId, brokers }));
      await connection.closed;
    });
    const connection = await new OpenedConnection(peer.address).ready;
    const response = await ask(connection);
    expect(response.clusterId).toBe(clusterId);
    expect(response.brokers).toHaveLength(20_000);
    await connection.close(0);
  });

  test("larger than what a handshake may take are read once it is over", async () => {
    const brokers = Array.from({ length: 60_000 }, (_, nodeId) => ({
      nodeId,
      host: "host.example.com",
      port: 9_092,
      rack: null,
    }));
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      const request = await connection.next();
      const frame = frameOf(request, Metadata, metadataAnswer([], { brokers }));
      expect(frame.length).toBeGreaterThan(1_048_576);
      connection.write(frame);
      await connection.closed;
    });
    const connection = await new OpenedConnection(peer.address).ready;
    expect((await ask(connection)).brokers).toHaveLength(60_000);
    await connection.close(0);
  });

  test("that come before the connection is closed are taken", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      const request = await connection.next();
      connection.answer(request, Metadata, answerTo(request));
      connection.end();
    });
    const opened = new OpenedConnection(peer.address);
    expect(await ask(await opened.ready, "last").then(isClusterId)).toBe("last");
    expect((await opened.closed).message).toBe(`connection to 127.0.0.1:${peer.address.port}: closed by the broker`);
    expect(opened.calls.filter((call) => call === "closed")).toHaveLength(1);
  });

  test.each([
    ["does not come at all", 0],
    ["comes by half", 11],
  ])("that %s before the connection is closed reject every request that waits, once", async (_, bytes) => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      const request = await connection.next();
      await connection.next();
      connection.write(frameOf(request, Metadata, answerTo(request)).subarray(0, bytes));
      connection.end();
    });
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    const outcomes = await Promise.allSettled([ask(connection), ask(connection)]);
    const reason = expect.objectContaining({ name: "ConnectionError", code: "CONNECTION", retriable: true });
    expect(outcomes).toEqual([
      { status: "rejected", reason },
      { status: "rejected", reason },
    ]);
    expect(opened.calls).toEqual(["ready", "closed"]);
    expect(connection.state).toBe("closed");
    expect(opened.clock.timers).toBe(0);
  });

  test("that a killed broker does not give any more reject the request", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      await connection.next();
      connection.reset();
    });
    const opened = new OpenedConnection(peer.address);
    await expect(ask(await opened.ready)).rejects.toMatchObject({
      name: "ConnectionError",
      cause: { code: "ECONNRESET" },
    });
    expect(opened.calls).toEqual(["ready", "closed"]);
  });
});

describe("requests", () => {
  test("reach the broker in the order of the calls, under ascending correlation ids", async () => {
    const seen: (string | null)[] = [];
    const ids: number[] = [];
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      for (;;) {
        const request = await connection.next();
        seen.push(topicOf(request));
        ids.push(request.correlationId);
        connection.answer(request, Metadata, answerTo(request));
      }
    });
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    const topics = Array.from({ length: 50 }, (_, i) => `topic-${i}`);
    const answers = await Promise.all(topics.map((topic) => ask(connection, topic)));
    expect(answers.map(isClusterId)).toEqual(topics);
    expect(seen).toEqual(topics);
    expect(ids).toEqual(topics.map((_, i) => i + 1));
    expect(opened.calls.filter((call) => call === "room")).toHaveLength(50);
    await connection.close(0);
  });

  test("that cannot be encoded leave the connection as it is", async () => {
    const peer = await ScriptedPeer.listen(serve);
    const connection = await new OpenedConnection(peer.address).ready;
    await expect(ask(connection, "x".repeat(30_000))).resolves.toBeDefined();
    await expect(connection.request(Metadata, 8, { topics: [{ name: "x".repeat(40_000) }] })).rejects.toMatchObject({
      code: "ENCODE",
    });
    expect(connection.inFlightCount).toBe(0);
    expect(await ask(connection, "next").then(isClusterId)).toBe("next");
    await connection.close(0);
  });

  test("whose answer comes before they were written settle when their buffers are free", async () => {
    const mayRead = signal();
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      // The correlation id of the second request on a connection is 1. The rest of the request is not read.
      connection.answer(await connection.header(), Produce, produced);
      await mayRead.given;
      await connection.next();
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    let isSettled = false;
    const request = connection.request(Produce, 9, produce(-1, largePayload)).then((response) => {
      isSettled = true;
      return response;
    });
    await until(() => connection.inFlightCount === 0);
    expect(isSettled).toBe(false);
    expect(connection.hasRoom(5)).toBe(false);
    mayRead.give();
    expect((await request).responses).toHaveLength(1);
    await until(() => connection.hasRoom(5));
    await connection.close(0);
  });

  test("that are not yet written when the connection closes reject after the socket let go of them", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    const outcome = connection.request(Produce, 9, produce(-1, largePayload)).catch((error: Error) => {
      expect(connection.state).toBe("closed");
      return error;
    });
    connection.destroy(new ConnectionError(peer.address, "enough"));
    expect(connection.state).toBe("closing");
    expect((await outcome) as Error).toMatchObject({ message: `connection to 127.0.0.1:${peer.address.port}: enough` });
  });

  test("on a connection that is closed are refused with its reason", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      connection.end();
    });
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    const cause = await opened.closed;
    await expect(ask(connection)).rejects.toBe(cause);
    await expect(connection.send(Produce, 9, produce(0, Buffer.alloc(0)))).rejects.toBe(cause);
  });

  test("before the connection is ready are refused", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.closed;
    });
    const { connection } = new OpenedConnection(peer.address);
    await expect(ask(connection)).rejects.toMatchObject({
      name: "ConnectionError",
      message: expect.stringContaining("connecting"),
    });
    await connection.close(0);
  });
});

describe("requests without an answer", () => {
  test("settle when they are written, in the order of the calls", async () => {
    const seen: (string | null)[] = [];
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      for (let i = 0; i < 2; i++) seen.push(`acks ${(await connection.next()).body(Produce).acks}`);
      const request = await connection.next();
      seen.push(topicOf(request));
      connection.answer(request, Metadata, answerTo(request));
      await connection.closed;
    });
    const connection = await new OpenedConnection(peer.address).ready;
    const sends = [0, 0].map(() => connection.send(Produce, 9, produce(0, Buffer.from("batch"))));
    expect(connection.inFlightCount).toBe(0);
    expect(await ask(connection, "then").then(isClusterId)).toBe("then");
    await Promise.all(sends);
    expect(seen).toEqual(["acks 0", "acks 0", "then"]);
    await connection.close(0);
  });

  test("are refused room while one of them is not written, and have it afterwards", async () => {
    const mayRead = signal();
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      await mayRead.given;
      await connection.next();
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    expect(connection.hasRoom(5)).toBe(true);
    const sent = connection.send(Produce, 9, produce(0, largePayload));
    expect(connection.hasRoom(5)).toBe(false);
    expect(opened.calls).not.toContain("room");
    mayRead.give();
    await sent;
    await until(() => opened.calls.includes("room"));
    expect(connection.hasRoom(5)).toBe(true);
    await connection.close(0);
  });

  test("that are not written when the connection closes are rejected with its reason", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      await connection.closed;
    });
    const connection = await new OpenedConnection(peer.address).ready;
    const sent = connection.send(Produce, 9, produce(0, largePayload));
    connection.destroy(new ConnectionError(peer.address, "enough"));
    await expect(sent).rejects.toMatchObject({
      name: "ConnectionError",
      message: `connection to 127.0.0.1:${peer.address.port}: enough`,
    });
  });
});

describe("close", () => {
  test("waits for the answers under way, takes no more requests, and leaves nothing behind", async () => {
    await until(() => openSockets() === 0);
    const isClosing = signal();
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      const requests = [await connection.next(), await connection.next()];
      await isClosing.given;
      for (const request of requests) connection.answer(request, Metadata, answerTo(request));
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    const answers = Promise.all([ask(connection, "one"), ask(connection, "two")]);
    const close = connection.close(1_000);
    expect(connection.state).toBe("draining");
    await expect(ask(connection)).rejects.toBeInstanceOf(ClosedError);
    isClosing.give();
    expect((await answers).map(isClusterId)).toEqual(["one", "two"]);
    await close;
    expect(connection.state).toBe("closed");
    expect(opened.calls.filter((call) => call === "closed")).toHaveLength(1);
    expect(opened.clock.timers).toBe(0);
    await until(() => openSockets() === 0);
  });

  test("waits for requests without an answer to be written", async () => {
    const mayRead = signal();
    let received = 0;
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      await mayRead.given;
      received = (await connection.next()).body(Produce).topicData[0]?.partitionData[0]?.records?.length ?? 0;
      await connection.closed;
    });
    const connection = await new OpenedConnection(peer.address).ready;
    const sent = connection.send(Produce, 9, produce(0, largePayload));
    const close = connection.close(1_000);
    expect(connection.state).toBe("draining");
    mayRead.give();
    await sent;
    await close;
    await until(() => received > 0);
    expect(received).toBe(largePayload.length);
  });

  test("gives up on answers after its time", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    const answer = ask(connection).catch((error: unknown) => error);
    const close = connection.close(1_000);
    opened.clock.advance(999);
    expect(connection.state).toBe("draining");
    opened.clock.advance(1);
    expect(await answer).toBeInstanceOf(ClosedError);
    await close;
    expect(opened.clock.timers).toBe(0);
  });

  test("that is called again with less time takes less", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address);
    const connection = await opened.ready;
    const answer = ask(connection).catch((error: unknown) => error);
    const closes = [connection.close(30_000), connection.close(10)];
    expect(connection.state).toBe("draining");
    opened.clock.advance(10);
    await Promise.all(closes);
    expect(await answer).toBeInstanceOf(ClosedError);
    expect(opened.clock.timers).toBe(0);
    expect(opened.calls.filter((call) => call === "closed")).toHaveLength(1);
  });

  test.each(["connecting", "checkingVersions"] as const)("does not wait for a connection that is %s", async (state) => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.closed;
    });
    const opened = new OpenedConnection(peer.address);
    await until(() => opened.connection.state === state);
    await opened.connection.close(30_000);
    expect(opened.connection.state).toBe("closed");
    expect(opened.clock.timers).toBe(0);
    expect(opened.calls).toEqual(["closed"]);
    expect(await opened.closed).toBeInstanceOf(ClosedError);
  });

  test("of a connection that is closed has nothing to do", async () => {
    const opened = new OpenedConnection(await ScriptedPeer.nobody());
    await opened.closed;
    await opened.connection.close(1_000);
    expect(opened.calls).toEqual(["closed"]);
    expect(opened.clock.timers).toBe(0);
  });
});
