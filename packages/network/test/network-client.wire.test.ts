import { getEventListeners } from "node:events";
import { UnsupportedVersionError } from "@odradek/protocol";
import { DescribeCluster } from "@odradek/protocol/messages/describe-cluster";
import { Metadata } from "@odradek/protocol/messages/metadata";
import { Produce } from "@odradek/protocol/messages/produce";
import { describe, expect, onTestFinished, test } from "vitest";
import { type NetworkOptions, resolveClientOptions } from "../src/client-options.ts";
import { type Clock, systemClock } from "../src/clock.ts";
import { Deadline } from "../src/deadline.ts";
import { ClosedError, ConnectionError, TimeoutError } from "../src/errors.ts";
import { NetworkClient } from "../src/network-client.ts";
import { OptionReader } from "../src/option-reader.ts";
import { ManualClock } from "./manual-clock.ts";
import { brokerAnswer, metadataAnswer, partitionAnswer, topicAnswer } from "./metadata-answers.ts";
import { passing, quiet } from "./passing.ts";
import { ScriptedCluster } from "./scripted-cluster.ts";
import { type PeerConnection, type PeerRequest, ScriptedPeer } from "./scripted-peer.ts";
import { until } from "./until.ts";

const openSockets = () => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;

const question = { includeClusterAuthorizedOperations: false };

/** A client whose time stands still unless the test turns it, or is `time`; closed when the test is over. */
const clientOf = (bootstrapServers: readonly string[], more: Partial<NetworkOptions> = {}, time?: Clock) => {
  const clock = new ManualClock();
  const options = {
    ...resolveClientOptions(new OptionReader({ bootstrapServers })),
    maxInFlightRequestsPerConnection: 5,
    ...more,
  };
  const client = new NetworkClient("consumer", options, time ?? clock);
  onTestFinished(async () => {
    const closed = client.close({ timeoutMs: 0 });
    clock.advance(0);
    await closed;
  });
  const deadline = (timeoutMs = 60_000) => new Deadline(clock, timeoutMs);
  /** Asks for something that is not metadata. */
  const ask = (to: number | "any" | "controller" = "any", timeoutMs = 60_000) =>
    client.request(DescribeCluster, question, { to, deadline: deadline(timeoutMs) });
  return { client, clock, deadline, ask, ...passing(clock) };
};

/** Answers who the broker is. */
const describeSelf = (connection: PeerConnection, request: PeerRequest, broker: number) => {
  connection.answer(request, DescribeCluster, {
    throttleTimeMs: 0,
    errorCode: 0,
    clusterId: `broker ${broker}`,
    brokers: [],
    clusterAuthorizedOperations: 0,
  });
};

/** What a promise rejects with. */
const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "nothing went wrong",
    (error: unknown) => error,
  );

describe("a request", () => {
  test("makes the client connect, learn the cluster, and ask", async () => {
    const cluster = await ScriptedCluster.listen(3, { serve: describeSelf });
    const { client, ask } = clientOf(cluster.bootstrapServers);
    expect([...client.metadata.snapshot.nodes.keys()]).toEqual([-1, -2, -3]);
    expect((await ask()).clusterId).toMatch(/^broker [123]$/);
    await until(() => client.metadata.snapshot.clusterId === "cluster");
    expect([...client.metadata.snapshot.nodes.keys()]).toEqual([1, 2, 3]);
    expect((await ask(3)).clusterId).toBe("broker 3");
    expect((await ask("controller")).clusterId).toBe("broker 1");
  });

  test("goes on over the connection to a bootstrap server that turned out to be the broker", async () => {
    const cluster = await ScriptedCluster.listen(1, { serve: describeSelf });
    const { ask } = clientOf(cluster.bootstrapServers);
    await ask();
    await ask(1);
    await ask("controller");
    expect(cluster.connectionsTo(1)).toHaveLength(1);
  });

  test("waits for room where a hundred are made at once", async () => {
    const cluster = await ScriptedCluster.listen(1, { serve: describeSelf });
    const { ask } = clientOf(cluster.bootstrapServers, { maxInFlightRequestsPerConnection: 2 });
    const answers = await Promise.all(Array.from({ length: 100 }, () => ask("controller")));
    expect(new Set(answers.map(({ clusterId }) => clusterId))).toEqual(new Set(["broker 1"]));
    expect(cluster.connectionsTo(1)).toHaveLength(1);
  });

  test("whose answer came while the process was busy was answered in time", async () => {
    const timeoutMs = 1_000;
    let askedAtMs = Number.NEGATIVE_INFINITY;
    const cluster = await ScriptedCluster.listen(1, {
      serve: (...asked) => {
        describeSelf(...asked);
        // The answer is there, and nobody in this process reads it before its time is over.
        while (performance.now() < askedAtMs + timeoutMs + 100);
      },
    });
    const { client } = clientOf(cluster.bootstrapServers, { requestTimeoutMs: timeoutMs }, systemClock);
    const ask = (withinMs: number) =>
      client.request(DescribeCluster, question, { to: "any", deadline: new Deadline(systemClock, withinMs) });
    await ask(60_000);
    askedAtMs = performance.now();
    expect((await ask(timeoutMs)).clusterId).toBe("broker 1");
  });

  test("to a broker that is not known yet has metadata asked for until it is", async () => {
    let known = 1;
    const cluster = await ScriptedCluster.listen(2, {
      metadata: (all) => all.answer({ brokers: all.answer().brokers.slice(0, known) }),
      serve: describeSelf,
    });
    const { ask, pass } = clientOf(cluster.bootstrapServers.slice(0, 1));
    await ask(1);
    const answer = ask(2);
    await pass(300);
    known = 2;
    const asked = cluster.questions.length;
    await pass(1_500);
    expect((await answer).clusterId).toBe("broker 2");
    expect(cluster.questions.length).toBeGreaterThan(asked);
  });

  test("to the controller has metadata asked for until there is one", async () => {
    let controllerId = -1;
    const cluster = await ScriptedCluster.listen(2, {
      metadata: (all) => all.answer({ controllerId }),
      serve: describeSelf,
    });
    const { ask, pass } = clientOf(cluster.bootstrapServers);
    const answer = ask("controller");
    await pass(300);
    controllerId = 2;
    await pass(1_500);
    expect((await answer).clusterId).toBe("broker 2");
  });

  test("of another purpose has a connection of its own", async () => {
    const cluster = await ScriptedCluster.listen(1, { serve: describeSelf });
    const { client, ask, deadline } = clientOf(cluster.bootstrapServers);
    await ask(1);
    await client.request(DescribeCluster, question, { to: 1, deadline: deadline(), purpose: "coordinator" });
    expect(cluster.connectionsTo(1)).toHaveLength(2);
  });

  test("of another purpose waits for the back-off of its own connection", async () => {
    // The second connection is the first for the coordinator: it fails.
    const cluster = await ScriptedCluster.listen(1, { accept: (_, index) => index !== 1, serve: describeSelf });
    const { client, ask, deadline, pass } = clientOf(cluster.bootstrapServers);
    await ask(1);
    const answer = client.request(DescribeCluster, question, { to: 1, deadline: deadline(), purpose: "coordinator" });
    await until(() => client.retryAtMs(1, "coordinator") < Number.POSITIVE_INFINITY);
    await pass(100);
    expect((await answer).clusterId).toBe("broker 1");
    expect(cluster.connectionsTo(1)).toHaveLength(3);
  });

  test("that a broker dies of is rejected, and metadata is asked for again elsewhere", async () => {
    const cluster = await ScriptedCluster.listen(2, {
      serve: (connection, request, broker) => {
        if (broker === 1) connection.reset();
        else describeSelf(connection, request, broker);
      },
    });
    const { ask, pass } = clientOf(cluster.bootstrapServers);
    await ask(2);
    const asked = cluster.questions.length;
    expect(await failure(ask(1))).toMatchObject({ name: "ConnectionError", retriable: true });
    await pass(1_000);
    expect(cluster.questions.length).toBeGreaterThan(asked);
  });

  test("whose answer takes longer than its deadline is given up, and its connection goes on", async () => {
    const late: (() => void)[] = [];
    const cluster = await ScriptedCluster.listen(1, {
      serve: (connection, request, broker) => {
        late.push(() => describeSelf(connection, request, broker));
      },
    });
    const { client, clock, ask } = clientOf(cluster.bootstrapServers, { requestTimeoutMs: 30_000 });
    const outcome = failure(ask("any", 5_000));
    await until(() => late.length === 1);
    clock.advance(5_000);
    expect(await outcome).toMatchObject({
      name: "TimeoutError",
      message: "DescribeCluster to any broker: no answer after 5000 ms",
    });
    const next = ask(1);
    await until(() => late.length === 2);
    for (const answer of late) answer();
    expect((await next).clusterId).toBe("broker 1");
    expect(cluster.connectionsTo(1)).toHaveLength(1);
    expect(client.ready(1)).toBe(true);
  });

  test("whose deadline is over is not sent, however ready the broker is", async () => {
    const seen: number[] = [];
    const cluster = await ScriptedCluster.listen(1, {
      serve: (connection, request, broker) => {
        seen.push(request.correlationId);
        describeSelf(connection, request, broker);
      },
    });
    const { ask } = clientOf(cluster.bootstrapServers);
    await ask(1);
    expect(await failure(ask(1, 0))).toMatchObject({ name: "TimeoutError", afterMs: 0 });
    await ask(1);
    expect(seen).toHaveLength(2);
  });

  test("that the broker does not support is refused here, and the connection goes on", async () => {
    const cluster = await ScriptedCluster.listen(1, {
      versions: { errorCode: 0, apiKeys: [{ apiKey: Metadata.key, minVersion: 0, maxVersion: 12 }] },
    });
    const { client, ask } = clientOf(cluster.bootstrapServers);
    const error = await failure(ask());
    expect(error).toBeInstanceOf(UnsupportedVersionError);
    expect(error).toMatchObject({ message: expect.stringContaining("the broker does not have DescribeCluster") });
    await until(() => client.ready(1));
    expect(cluster.connectionsTo(1)).toHaveLength(1);
  });

  test("that cannot be encoded is refused", async () => {
    const cluster = await ScriptedCluster.listen(1);
    const { client, deadline } = clientOf(cluster.bootstrapServers);
    const error = await failure(
      client.request(
        Metadata,
        { topics: [{ name: "x".repeat(40_000) }] },
        { to: "any", deadline: deadline(), bounds: { newest: 8 } },
      ),
    );
    expect(error).toMatchObject({ code: "ENCODE" });
  });

  test("is made once its version is known", async () => {
    const seen: number[] = [];
    const cluster = await ScriptedCluster.listen(1, {
      serve: (connection, request, broker) => {
        seen.push(request.apiVersion);
        describeSelf(connection, request, broker);
      },
    });
    const { client, deadline } = clientOf(cluster.bootstrapServers);
    const versions: number[] = [];
    const body = (version: number) => {
      versions.push(version);
      return question;
    };
    await client.request(DescribeCluster, body, { to: "any", deadline: deadline(), bounds: { newest: 1 } });
    expect(versions).toEqual([1]);
    expect(seen).toEqual([1]);
  });
});

describe("a cluster that is out of reach", () => {
  test("in part costs no time: the next bootstrap server is tried at once", async () => {
    const cluster = await ScriptedCluster.listen(1, { serve: describeSelf });
    const dead = await Promise.all(Array.from({ length: 4 }, () => ScriptedPeer.nobody()));
    const servers = [...dead.map(({ host, port }) => `${host}:${port}`), ...cluster.bootstrapServers];
    const { clock, ask } = clientOf(servers);
    const startMs = clock.now();
    expect((await ask()).clusterId).toBe("broker 1");
    expect(clock.now()).toBe(startMs);
  });

  test("is tried again, at most as often as the back-off allows, until time is up", async () => {
    const { host, port } = await ScriptedPeer.nobody();
    const { client, clock, ask, pass } = clientOf([`${host}:${port}`]);
    const outcome = failure(ask("any", 5_000));
    await pass(5_000);
    const error = await outcome;
    expect(error).toBeInstanceOf(TimeoutError);
    const refused = `connection to ${host}:${port}: connect ECONNREFUSED ${host}:${port}`;
    expect(error).toMatchObject({
      message: `DescribeCluster to any broker: no answer after 5000 ms; last: ${refused}`,
      cause: { name: "ConnectionError", message: refused },
    });
    // Attempts after 50, 100, 200, 400, 800 and then 1,000 ms each: about nine in five seconds.
    expect(clock.rings).toBeLessThan(60);
    await client.close();
    expect(clock.timers).toBe(0);
  });

  test("because its name is unknown has that as the cause", async () => {
    const { client, ask, pass } = clientOf([`${"x".repeat(64)}.test:9092`]);
    const outcome = failure(ask("any", 500));
    await until(() => client.retryAtMs(-1) < Number.POSITIVE_INFINITY);
    await pass(500);
    expect(await outcome).toMatchObject({
      name: "TimeoutError",
      cause: { cause: { code: expect.stringMatching(/^E/) } },
    });
  });

  test("is found when it comes back", async () => {
    const { host, port } = await ScriptedPeer.nobody();
    const { client, ask, pass } = clientOf([`${host}:${port}`]);
    const answer = ask();
    await pass(3_000);
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.handshake();
      for (;;) {
        const request = await connection.next();
        if (request.apiKey === DescribeCluster.key) describeSelf(connection, request, 1);
        else connection.answer(request, Metadata, metadataAnswer([], { brokers: [brokerAnswer(1, host, port)] }));
      }
    }, port);
    await pass(1_100);
    expect((await answer).clusterId).toBe("broker 1");
    expect(peer.connections).toHaveLength(1);
    expect(client.metadata.snapshot.nodes.size).toBe(1);
  });

  test("is found again by its metadata while nobody asks for anything", async () => {
    let isUp = true;
    const cluster = await ScriptedCluster.listen(1, { accept: () => isUp, serve: describeSelf });
    const { client, clock, ask, pass } = clientOf(cluster.bootstrapServers);
    await ask();
    await until(() => client.metadata.snapshot.clusterId !== null);
    isUp = false;
    for (const connection of cluster.connectionsTo(1)) connection.reset();
    await until(() => !client.ready(1));
    const rings = clock.rings;
    await pass(5_000);
    expect(clock.rings - rings).toBeLessThan(60);
    const asked = cluster.questions.length;
    isUp = true;
    await pass(1_200);
    expect(cluster.questions.length).toBeGreaterThan(asked);
  });

  test("because nobody there is a broker fails at once", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.next();
      connection.write(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"));
      await connection.closed;
    });
    const { client, ask, deadline } = clientOf([`127.0.0.1:${peer.address.port}`]);
    const waits = [
      ask(),
      ask("controller"),
      client.awaitMetadata(deadline(), "metadata", () => client.metadata.snapshot.clusterId),
    ];
    for (const error of await Promise.all(waits.map(failure))) {
      expect(error).toBeInstanceOf(ConnectionError);
      expect(error).toMatchObject({ retriable: false, message: expect.stringContaining("the peer speaks HTTP") });
    }
  });

  test("does not fail at once where one of its servers may still be a broker", async () => {
    const cluster = await ScriptedCluster.listen(1, { serve: describeSelf });
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.next();
      connection.write(Buffer.from("SSH-2.0-OpenSSH_9.6\r\n"));
      await connection.closed;
    });
    const { ask } = clientOf([`127.0.0.1:${peer.address.port}`, ...cluster.bootstrapServers]);
    expect((await ask()).clusterId).toBe("broker 1");
  });

  test("in one of its brokers, whose port somebody else has now, is waited for: it may move", async () => {
    const cluster = await ScriptedCluster.listen(1, { serve: describeSelf });
    const other = await ScriptedPeer.listen(async (connection) => {
      await connection.next();
      connection.write(Buffer.from("HTTP/1.1 404 Not Found\r\n\r\n"));
      await connection.closed;
    });
    const { client, ask, pass } = clientOf(cluster.bootstrapServers);
    await ask(1);
    cluster.peers.push(other);
    client.requestUpdate();
    await pass(300);
    expect(client.metadata.snapshot.nodes.size).toBe(2);
    const outcome = failure(ask(2, 1_000));
    await pass(1_100);
    expect(await outcome).toMatchObject({
      name: "TimeoutError",
      cause: { message: expect.stringContaining("the peer speaks HTTP") },
    });
  });

  test("because it has no metadata for us fails at once", async () => {
    const cluster = await ScriptedCluster.listen(1, {
      versions: { errorCode: 0, apiKeys: [{ apiKey: Metadata.key, minVersion: 90, maxVersion: 99 }] },
    });
    const { client, deadline } = clientOf(cluster.bootstrapServers);
    const error = await failure(client.awaitMetadata(deadline(), "metadata", () => client.metadata.snapshot.clusterId));
    expect(error).toBeInstanceOf(UnsupportedVersionError);
    expect(error).toMatchObject({ message: expect.stringContaining("no common version of Metadata") });
  });
});

describe("a signal", () => {
  const reason = new Error("nobody wants it any more");

  test("ends the wait for a connection, and nothing is sent", async () => {
    const cluster = await ScriptedCluster.listen(1, { accept: () => false });
    const { client, deadline } = clientOf(cluster.bootstrapServers);
    const controller = new AbortController();
    const options = { to: "any", deadline: deadline(), signal: controller.signal } as const;
    const outcome = failure(client.request(DescribeCluster, question, options));
    controller.abort(reason);
    expect(await outcome).toBe(reason);
  });

  test("that was given before ends the call at once", async () => {
    const cluster = await ScriptedCluster.listen(1, { serve: describeSelf });
    const { client, deadline } = clientOf(cluster.bootstrapServers);
    const signal = AbortSignal.abort(reason);
    expect(await failure(client.request(DescribeCluster, question, { to: "any", deadline: deadline(), signal }))).toBe(
      reason,
    );
    expect(await failure(client.awaitMetadata(deadline(), "metadata", () => null, { signal }))).toBe(reason);
    expect(await failure(client.pause(deadline(), { signal }))).toBe(reason);
    expect(cluster.connectionsTo(1)).toHaveLength(0);
  });

  test("after the request was written drops its answer, and the connection goes on with the right ones", async () => {
    const held: (() => void)[] = [];
    const cluster = await ScriptedCluster.listen(1, {
      serve: async (connection, request, broker) => {
        await new Promise<void>((resolve) => held.push(resolve));
        describeSelf(connection, request, broker);
      },
    });
    const { client, deadline, ask } = clientOf(cluster.bootstrapServers);
    const controller = new AbortController();
    const options = { to: "any", deadline: deadline(), signal: controller.signal } as const;
    const outcome = failure(client.request(DescribeCluster, question, options));
    await until(() => held.length === 1);
    controller.abort(reason);
    expect(await outcome).toBe(reason);
    const next = ask(1);
    held[0]?.();
    await until(() => held.length === 2);
    held[1]?.();
    expect((await next).clusterId).toBe("broker 1");
    expect(cluster.connectionsTo(1)).toHaveLength(1);
  });

  test("leaves no listener behind on a signal that lives longer", async () => {
    const cluster = await ScriptedCluster.listen(1, { serve: describeSelf });
    const { client, deadline } = clientOf(cluster.bootstrapServers);
    const { signal } = new AbortController();
    for (let calls = 0; calls < 3; calls++) {
      await client.request(DescribeCluster, question, { to: "any", deadline: deadline(), signal });
    }
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

describe("a client that waits", () => {
  test("sleeps while a connection is being made", async () => {
    const peer = await ScriptedPeer.listen(async (connection) => {
      await connection.next();
      await connection.closed;
    });
    const other = await ScriptedPeer.listen(() => {});
    const { clock, ask, pass } = clientOf([peer, other].map(({ address }) => `127.0.0.1:${address.port}`));
    const outcome = failure(ask("any", 7_000));
    await until(() => peer.connections.length + other.connections.length > 0);
    const rings = clock.rings;
    await pass(6_900);
    expect(clock.rings - rings).toBeLessThanOrEqual(2);
    await pass(200);
    expect(await outcome).toBeInstanceOf(TimeoutError);
  });

  test("sleeps between two questions for a topic that does not come", async () => {
    const cluster = await ScriptedCluster.listen(3, {
      metadata: (all) => all.answer({ topics: [topicAnswer("orders", [], { errorCode: 3 })] }),
    });
    const { client, clock, deadline, pass } = clientOf(cluster.bootstrapServers);
    client.metadata.add(["orders"]);
    const outcome = failure(
      client.awaitMetadata(
        deadline(10_000),
        "topic orders",
        () => client.metadata.snapshot.topics.get("orders") ?? null,
      ),
    );
    await pass(10_000);
    expect(await outcome).toMatchObject({ name: "TimeoutError", message: "topic orders: no answer after 10000 ms" });
    // After 100, 200, 400, 800 and then 1,000 ms each.
    expect(cluster.questions.length).toBeGreaterThan(8);
    expect(cluster.questions.length).toBeLessThan(20);
    expect(clock.rings).toBeLessThan(40);
  });

  test("finds the topic when it comes", async () => {
    let topics = [topicAnswer("orders", [], { errorCode: 5 })];
    const cluster = await ScriptedCluster.listen(1, { metadata: (all) => all.answer({ topics }) });
    const { client, deadline, pass } = clientOf(cluster.bootstrapServers);
    client.metadata.add(["orders"]);
    const found = client.awaitMetadata(
      deadline(),
      "topic orders",
      () => client.metadata.snapshot.topics.get("orders") ?? null,
    );
    await pass(200);
    topics = [topicAnswer("orders", [partitionAnswer(0, 1)])];
    await pass(1_000);
    expect((await found).partitions).toHaveLength(1);
  });

  test("blames no broker that is out of reach while another answers", async () => {
    const dead = await ScriptedPeer.nobody();
    const cluster = await ScriptedCluster.listen(1, {
      metadata: (all) => all.answer({ brokers: [...all.answer().brokers, brokerAnswer(2, dead.host, dead.port)] }),
    });
    const { client, deadline, pass } = clientOf(cluster.bootstrapServers);
    await client.awaitMetadata(deadline(), "metadata", () => client.metadata.snapshot.clusterId);
    client.ready(2);
    await until(() => client.retryAtMs(2) < Number.POSITIVE_INFINITY);
    const outcome = failure(client.awaitMetadata(deadline(1_000), "topic orders", () => null));
    await pass(1_100);
    const error = await outcome;
    expect(error).toMatchObject({ name: "TimeoutError", message: "topic orders: no answer after 1000 ms" });
    expect(error).not.toHaveProperty("cause");
  });

  test("is told why metadata could not be had", async () => {
    const cluster = await ScriptedCluster.listen(1, { metadata: (all) => all.answer({ errorCode: 129 }) });
    const { client, deadline, pass } = clientOf(cluster.bootstrapServers);
    const id = () => client.metadata.snapshot.clusterId;
    const outcome = failure(client.awaitMetadata(deadline(1_000), "metadata", id));
    await pass(1_100);
    expect(await outcome).toMatchObject({
      name: "TimeoutError",
      message: expect.stringContaining("beginning again with the bootstrap servers: Metadata: REBOOTSTRAP_REQUIRED"),
    });
    expect(cluster.questions.length).toBeLessThan(8);
  });

  test("finds what is there although its time is over", async () => {
    const cluster = await ScriptedCluster.listen(1);
    const { client, deadline } = clientOf(cluster.bootstrapServers);
    const id = () => client.metadata.snapshot.clusterId;
    await client.awaitMetadata(deadline(), "metadata", id);
    expect(await client.awaitMetadata(deadline(0), "metadata", id)).toBe("cluster");
    expect(await failure(client.awaitMetadata(deadline(0), "nothing", () => null))).toBeInstanceOf(TimeoutError);
  });

  test("is told what `find` throws, and asks again for what it threw about", async () => {
    let topics = [topicAnswer("orders", [], { errorCode: 29 })];
    const cluster = await ScriptedCluster.listen(1, { metadata: (all) => all.answer({ topics }) });
    const { client, deadline, pass } = clientOf(cluster.bootstrapServers);
    client.metadata.add(["orders"]);
    const find = () => {
      const fatal = client.metadata.fatalErrorOf("orders");
      if (fatal !== null) throw fatal;
      return client.metadata.snapshot.topics.get("orders") ?? null;
    };
    expect(await failure(client.awaitMetadata(deadline(), "topic orders", find))).toMatchObject({
      code: "TOPIC_AUTHORIZATION_FAILED",
    });
    topics = [topicAnswer("orders", [partitionAnswer(0, 1)])];
    await pass(500);
    expect((await client.awaitMetadata(deadline(), "topic orders", find)).partitions).toHaveLength(1);
  });

  test("is woken by every change, once for many", async () => {
    const cluster = await ScriptedCluster.listen(1, { serve: describeSelf });
    const { client, ask } = clientOf(cluster.bootstrapServers);
    let wakes = 0;
    const unsubscribe = client.onWake(() => {
      wakes += 1;
    });
    await ask();
    expect(wakes).toBeGreaterThan(0);
    await quiet();
    wakes = 0;
    for (let i = 0; i < 10; i++) client.wake();
    await new Promise((resolve) => setImmediate(resolve));
    expect(wakes).toBe(1);
    unsubscribe();
    client.wake();
    await new Promise((resolve) => setImmediate(resolve));
    expect(wakes).toBe(1);
  });
});

describe("a loop that batches", () => {
  test("finds a node ready once its connection is, and sends in the order of its calls", async () => {
    const topics: string[] = [];
    const cluster = await ScriptedCluster.listen(1, {
      serve: (connection, request) => {
        const names = request.body(Produce).topicData.map(({ name }) => name);
        topics.push(...names);
        const responses = names.map((name) => ({ name, partitionResponses: [] }));
        connection.answer(request, Produce, { responses });
      },
    });
    const { client } = clientOf(cluster.bootstrapServers, { maxInFlightRequestsPerConnection: 3 });
    expect(client.ready(1)).toBe(false);
    client.wake();
    await until(() => client.ready(1));
    const send = (name: string) =>
      client.send(
        1,
        Produce,
        { acks: -1, timeoutMs: 1_000, topicData: [{ name, partitionData: [] }] },
        { bounds: { newest: 12 } },
      );
    const sends = ["a", "b", "c"].map(send);
    expect(client.ready(1)).toBe(false);
    expect(await failure(send("d"))).toMatchObject({
      name: "ConnectionError",
      message: expect.stringContaining("not ready"),
    });
    await Promise.all(sends);
    expect(topics).toEqual(["a", "b", "c"]);
    expect(client.ready(1)).toBe(true);
  });

  test("sends what has no answer", async () => {
    const acks: number[] = [];
    const cluster = await ScriptedCluster.listen(1, {
      serve: (_, request) => {
        acks.push(request.body(Produce).acks);
      },
    });
    const { client } = clientOf(cluster.bootstrapServers);
    client.wake();
    await until(() => client.ready(1));
    await client.sendOnly(1, Produce, { acks: 0, timeoutMs: 1_000, topicData: [] }, { bounds: { newest: 12 } });
    await until(() => acks.length === 1);
    expect(acks).toEqual([0]);
  });

  test("is told when a node that is out of reach is worth another look", async () => {
    const { host, port } = await ScriptedPeer.nobody();
    const { client, clock } = clientOf([`${host}:${port}`]);
    expect(client.ready(-1)).toBe(false);
    expect(client.retryAtMs(-1)).toBe(Number.POSITIVE_INFINITY);
    await until(() => client.retryAtMs(-1) < Number.POSITIVE_INFINITY);
    expect(client.retryAtMs(-1) - clock.now()).toBeGreaterThanOrEqual(40);
    expect(client.retryAtMs(-1) - clock.now()).toBeLessThanOrEqual(60);
    expect(client.retryAtMs(77)).toBe(Number.POSITIVE_INFINITY);
  });

  test("is refused a node that nobody knows", async () => {
    const cluster = await ScriptedCluster.listen(1);
    const { client } = clientOf(cluster.bootstrapServers);
    expect(client.ready(77)).toBe(false);
    expect(await failure(client.send(77, DescribeCluster, question))).toMatchObject({
      name: "ConnectionError",
      retriable: true,
      message: "no connection: broker 77 is not known",
    });
  });
});

describe("a broker", () => {
  test("that restarts while nobody asks anything is connected to again when somebody does", async () => {
    const cluster = await ScriptedCluster.listen(2, { serve: describeSelf });
    const { client, ask, pass } = clientOf(cluster.bootstrapServers);
    await ask(1);
    await until(() => client.metadata.snapshot.clusterId !== null);
    for (const connection of cluster.connectionsTo(1)) connection.end();
    await until(() => !client.ready(1));
    const answer = ask(1);
    await pass(100);
    expect((await answer).clusterId).toBe("broker 1");
  });

  test("waits longer after each attempt that fails, and as little as at first after one that does not", async () => {
    let isUp = true;
    const cluster = await ScriptedCluster.listen(1, { accept: () => isUp, serve: describeSelf });
    const { client, clock, ask, pass } = clientOf(cluster.bootstrapServers);
    await ask(1);
    const waitMs = async () => {
      await until(() => {
        client.ready(1);
        return client.retryAtMs(1) < Number.POSITIVE_INFINITY;
      });
      return client.retryAtMs(1) - clock.now();
    };
    const lose = () => {
      isUp = false;
      for (const connection of cluster.connectionsTo(1)) connection.reset();
    };
    lose();
    const waits: number[] = [];
    for (let i = 0; i < 5; i++) {
      waits.push(await waitMs());
      clock.advance(client.retryAtMs(1) - clock.now());
    }
    expect(waits[0]).toBeLessThanOrEqual(60);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(320);
    isUp = true;
    const answer = ask(1);
    await pass(1_500);
    await answer;
    lose();
    expect(await waitMs()).toBeLessThanOrEqual(60);
  });

  test("at the same address as another shares its connection", async () => {
    const cluster = await ScriptedCluster.listen(1, {
      metadata: (all) => {
        const { brokers } = all.answer();
        return all.answer({ brokers: [...brokers, ...brokers.map((broker) => ({ ...broker, nodeId: 9 }))] });
      },
      serve: describeSelf,
    });
    const { ask } = clientOf(cluster.bootstrapServers);
    await ask(1);
    await ask(9);
    expect(cluster.connectionsTo(1)).toHaveLength(1);
  });

  test("with an address that does not exist harms nobody else", async () => {
    const cluster = await ScriptedCluster.listen(1, {
      metadata: (all) =>
        all.answer({
          brokers: [
            ...all.answer().brokers,
            brokerAnswer(2, "127.0.0.1", 70_000),
            brokerAnswer(3, "", 9_092),
            brokerAnswer(4, "a\0b", 9_092),
            brokerAnswer(-5, "127.0.0.1", 9_092),
          ],
        }),
      serve: describeSelf,
    });
    const { client, ask, pass } = clientOf(cluster.bootstrapServers);
    await ask(1);
    await until(() => client.metadata.snapshot.clusterId !== null);
    expect([...client.metadata.snapshot.nodes.keys()]).toEqual([1, 4]);
    const outcome = failure(ask(4, 200));
    await pass(300);
    expect(await outcome).toBeInstanceOf(TimeoutError);
    expect((await ask(1)).clusterId).toBe("broker 1");
  });
});

describe("a pause", () => {
  test("ends with its deadline, though nothing else happens", async () => {
    const { client, clock, deadline } = clientOf(["127.0.0.1:1"]);
    const paused = client.pause(deadline(50));
    clock.advance(50);
    await expect(paused).resolves.toBeUndefined();
  });

  test("ends with the client", async () => {
    const { client, clock, deadline } = clientOf(["127.0.0.1:1"]);
    const outcome = failure(client.pause(deadline()));
    const closed = client.close({ timeoutMs: 0 });
    expect(await outcome).toBeInstanceOf(ClosedError);
    clock.advance(0);
    await closed;
  });
});

describe("close", () => {
  test("rejects who waits, lets what is under way finish, and leaves neither socket nor timer", async () => {
    await until(() => openSockets() === 0);
    const finish: (() => void)[] = [];
    const cluster = await ScriptedCluster.listen(2, {
      serve: (connection, request, broker) => {
        finish.push(() => describeSelf(connection, request, broker));
      },
    });
    const { client, clock, ask, deadline } = clientOf(cluster.bootstrapServers);
    const underWay = ask(1);
    await until(() => finish.length === 1);
    const waiting = [
      failure(ask(77)),
      failure(client.awaitMetadata(deadline(), "a topic", () => client.metadata.snapshot.topics.get("none") ?? null)),
    ];
    const close = client.close({ timeoutMs: 5_000 });
    for (const error of await Promise.all(waiting)) expect(error).toBeInstanceOf(ClosedError);
    finish[0]?.();
    expect((await underWay).clusterId).toBe("broker 1");
    await close;
    expect(clock.timers).toBe(0);
    await until(() => openSockets() === 0);
  });

  test("gives up on what is under way after its time", async () => {
    const cluster = await ScriptedCluster.listen(1);
    const { client, clock, ask } = clientOf(cluster.bootstrapServers);
    const outcome = failure(ask(1));
    await until(() => client.metadata.snapshot.clusterId !== null);
    const close = client.close({ timeoutMs: 5_000 });
    clock.advance(5_000);
    await close;
    expect(await outcome).toBeInstanceOf(ClosedError);
    expect(clock.timers).toBe(0);
  });

  test("closes also connections to bootstrap servers that turned out to be no brokers", async () => {
    await until(() => openSockets() === 0);
    const brokers = await ScriptedCluster.listen(1, { serve: describeSelf });
    // It names another broker than itself while it owes the answer to a request.
    const gateway = await ScriptedCluster.listen(1, { metadata: () => brokers.answer() });
    const { client, clock, ask } = clientOf(gateway.bootstrapServers);
    const outcome = failure(ask("any"));
    await until(() => client.metadata.snapshot.clusterId !== null);
    const close = client.close({ timeoutMs: 100 });
    clock.advance(100);
    await close;
    expect(await outcome).toMatchObject({ name: "ClosedError" });
    expect(clock.timers).toBe(0);
    await until(() => openSockets() === 0);
  });

  test.each(["before anything was asked", "while connecting", "while every broker backs off"])(
    "%s leaves nothing",
    async (when) => {
      const { host, port } = await ScriptedPeer.nobody();
      const { client, clock, ask } = clientOf([`${host}:${port}`]);
      const outcome = when === "before anything was asked" ? null : failure(ask());
      if (when === "while every broker backs off") await until(() => client.retryAtMs(-1) < Number.POSITIVE_INFINITY);
      await client.close();
      if (outcome !== null) expect(await outcome).toBeInstanceOf(ClosedError);
      expect(clock.timers).toBe(0);
    },
  );

  test("refuses what comes after it, and may be called again", async () => {
    const cluster = await ScriptedCluster.listen(1, { serve: describeSelf });
    const { client, clock, ask } = clientOf(cluster.bootstrapServers);
    await ask(1);
    await Promise.all([client.close(), client.close()]);
    await client.close();
    for (const refused of [
      ask(1),
      client.send(1, DescribeCluster, question),
      client.sendOnly(1, DescribeCluster, question),
    ]) {
      expect(await failure(refused)).toMatchObject({ name: "ClosedError", message: "the consumer is closed" });
    }
    client.metadata.add(["orders"]);
    client.metadata.requestUpdate();
    client.wake();
    expect(client.ready(1)).toBe(false);
    await new Promise((resolve) => setImmediate(resolve));
    expect(clock.timers).toBe(0);
  });
});
