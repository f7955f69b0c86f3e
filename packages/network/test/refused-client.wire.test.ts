import { codeOf } from "@odradek/protocol";
import { DescribeCluster } from "@odradek/protocol/messages/describe-cluster";
import { SaslAuthenticate } from "@odradek/protocol/messages/sasl-authenticate";
import { SaslHandshake } from "@odradek/protocol/messages/sasl-handshake";
import { describe, expect, onTestFinished, test } from "vitest";
import { type ClientOptions, resolveClientOptions } from "../src/client-options.ts";
import type { Purpose } from "../src/connection-peer.ts";
import { Deadline } from "../src/deadline.ts";
import { NetworkClient } from "../src/network-client.ts";
import { OptionReader } from "../src/option-reader.ts";
import type { SaslMechanism } from "../src/security/sasl-mechanism.ts";
import { ManualClock } from "./manual-clock.ts";
import { passing, quiet } from "./passing.ts";
import { RecordingLogger } from "./recording-logger.ts";
import { ScriptedCluster } from "./scripted-cluster.ts";
import type { PeerConnection, PeerRequest } from "./scripted-peer.ts";
import { until } from "./until.ts";

const mechanism: SaslMechanism = {
  name: "ANY",
  async authenticate(exchange) {
    await exchange(Buffer.of(1));
  },
};

/** A cluster whose brokers let nobody in while its door is shut. */
class GuardedCluster {
  isOpen = true;
  /** Whether it takes its time to say so. */
  isSlow = false;
  /** What it has to say then. */
  readonly held: (() => void)[] = [];
  readonly brokers: ScriptedCluster;

  private constructor(listen: (serve: (connection: PeerConnection, request: PeerRequest) => void) => ScriptedCluster) {
    this.brokers = listen((connection, request) => this.#serve(connection, request));
  }

  static async listen(count: number): Promise<GuardedCluster> {
    let serve: (connection: PeerConnection, request: PeerRequest) => void = () => {};
    const brokers = await ScriptedCluster.listen(count, { serve: (connection, request) => serve(connection, request) });
    return new GuardedCluster((own) => {
      serve = own;
      return brokers;
    });
  }

  /** Closes the first connection to each broker, which is the one for metadata and all else. */
  reset(): void {
    for (const peer of this.brokers.peers) {
      const live = peer.connections.find(({ socket }) => !socket.destroyed);
      live?.reset();
    }
  }

  #serve(connection: PeerConnection, request: PeerRequest): void {
    if (request.apiKey === SaslHandshake.key) {
      const errorCode = this.isOpen ? 0 : codeOf("UNSUPPORTED_SASL_MECHANISM");
      const answer = () => connection.answer(request, SaslHandshake, { errorCode, mechanisms: ["ANY"] });
      if (this.isSlow) this.held.push(answer);
      else answer();
    } else if (request.apiKey === SaslAuthenticate.key) {
      connection.answer(request, SaslAuthenticate, { errorCode: 0, errorMessage: null, authBytes: Buffer.of(2) });
    } else {
      connection.answer(request, DescribeCluster, {
        throttleTimeMs: 0,
        errorCode: 0,
        clusterId: "guarded",
        brokers: [],
        clusterAuthorizedOperations: 0,
      });
    }
  }
}

const clientOf = ({ brokers }: GuardedCluster, more: Partial<ClientOptions> = {}) => {
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  const given = { bootstrapServers: brokers.bootstrapServers, sasl: { mechanism }, logger, ...more };
  const options = { ...resolveClientOptions(new OptionReader(given)), maxInFlightRequestsPerConnection: 5 };
  const client = new NetworkClient("consumer", options, clock);
  onTestFinished(async () => {
    const closed = client.close({ timeoutMs: 0 });
    clock.advance(0);
    await closed;
  });
  const ask = (to: number | "any", purpose: Purpose) =>
    client.request(
      DescribeCluster,
      { includeClusterAuthorizedOperations: false },
      { to, purpose, deadline: new Deadline(clock, 60_000) },
    );
  const learnt = async () => {
    client.requestUpdate();
    await until(() => client.metadata.snapshot.clusterId !== null);
  };
  return { client, clock, logger, ask, learnt, ...passing(clock) };
};

describe("a client that was refused over one of its connections", () => {
  test("is told so as long as its back-off lasts, and not longer", async () => {
    const cluster = await GuardedCluster.listen(1);
    const { client, pass, learnt } = clientOf(cluster);
    await learnt();
    cluster.isOpen = false;
    cluster.reset();
    const told: (string | undefined)[] = [];
    for (let passedMs = 0; passedMs < 2_000; passedMs += 10) {
      await pass(10);
      told.push(client.fatalError?.name);
    }
    expect(told).toContain("AuthenticationError");
    expect(told.at(-1)).toBeUndefined();
  });

  test("is told so after one attempt, however long that takes, and however many brokers there are to try", async () => {
    const cluster = await GuardedCluster.listen(3);
    cluster.isOpen = false;
    cluster.isSlow = true;
    const { client, clock, ask } = clientOf(cluster);
    const metadata = client.awaitMetadata(new Deadline(clock, 60_000), "a topic", () => null);
    const calls = Promise.allSettled([ask("any", "main"), metadata]);
    let isOver = false;
    void calls.then(() => {
      isOver = true;
    });
    let attempts = 0;
    for (;;) {
      await until(() => isOver || cluster.held.length > 0);
      if (isOver) break;
      attempts += 1;
      // Longer than the first back-offs, so that those of the brokers before are over.
      clock.advance(400);
      cluster.held.shift()?.();
      await quiet();
    }
    const refused = { status: "rejected", reason: expect.objectContaining({ name: "AuthenticationError" }) };
    expect(await calls).toEqual([refused, refused]);
    expect(attempts).toBe(1);
  });

  test("goes on with the others, and learns of the cluster again once it is let in", async () => {
    const cluster = await GuardedCluster.listen(3);
    const { client, pass, ask, learnt } = clientOf(cluster, { metadataMaxAgeMs: 10_000 });
    client.metadata.add(["orders"]);
    await learnt();
    for (const id of [1, 2, 3]) await ask(id, "fetch");
    cluster.isOpen = false;
    cluster.reset();
    await pass(15_000);
    cluster.isOpen = true;
    const asked = cluster.brokers.questions.length;
    await pass(30_000);
    expect(cluster.brokers.questions.length).toBeGreaterThan(asked);
    expect((await ask(1, "fetch")).clusterId).toBe("guarded");
  });

  test("is let in for another purpose at once", async () => {
    const cluster = await GuardedCluster.listen(1);
    const { pass, ask, learnt } = clientOf(cluster);
    await learnt();
    cluster.isOpen = false;
    cluster.reset();
    await pass(60_000);
    cluster.isOpen = true;
    const answer = ask(1, "coordinator");
    await pass(2_000);
    expect((await answer).clusterId).toBe("guarded");
  });

  test("tries again where somebody wants metadata before that may be asked for", async () => {
    const cluster = await GuardedCluster.listen(1);
    cluster.isOpen = false;
    const { client, pass } = clientOf(cluster);
    client.requestUpdate();
    await until(() => client.fatalError !== null);
    cluster.isOpen = true;
    client.requestUpdate();
    await pass(5_000);
    expect(client.metadata.snapshot.clusterId).toBe("cluster");
  });

  test("does not throw the first connection away over which it is let in again", async () => {
    const cluster = await GuardedCluster.listen(1);
    const { client, pass, logger, learnt } = clientOf(cluster);
    client.metadata.add(["orders"]);
    await learnt();
    cluster.isOpen = false;
    cluster.reset();
    await pass(600_000);
    cluster.isOpen = true;
    const before = cluster.brokers.connectionsTo(1).length;
    client.ready(1);
    await pass(5_000);
    expect(cluster.brokers.connectionsTo(1).length - before).toBe(1);
    expect(logger.lines.filter((line) => line.includes("begins again"))).toEqual([]);
  });
});

describe("a client that gets on with a broker", () => {
  test("does not begin again with the bootstrap servers because another connection to it is lost", async () => {
    const cluster = await GuardedCluster.listen(1);
    const { pass, ask, learnt, logger } = clientOf(cluster);
    await learnt();
    await ask(1, "fetch");
    cluster.reset();
    await pass(1_000);
    expect(logger.lines.filter((line) => line.includes("begins again"))).toEqual([]);
    const [, fetch] = cluster.brokers.connectionsTo(1);
    expect(fetch?.socket.destroyed).toBe(false);
  });
});

test("a logger that throws harms nobody", () => {
  const boom = () => {
    throw new Error("boom");
  };
  const logger = { debug: boom, info: boom, warn: boom, error: boom };
  const sasl = { mechanism: "PLAIN", username: "alice", password: "secret" } as const;
  const reader = new OptionReader({ bootstrapServers: ["localhost:9092"], sasl, logger });
  const options = { ...resolveClientOptions(reader), maxInFlightRequestsPerConnection: 5 };
  expect(() => new NetworkClient("producer", options, new ManualClock())).not.toThrow();
});
