import { codeOf, UnsupportedVersionError } from "@odradek/protocol";
import { ApiVersions } from "@odradek/protocol/messages/api-versions";
import { Metadata as MetadataApi, type MetadataRequest } from "@odradek/protocol/messages/metadata";
import { SaslAuthenticate } from "@odradek/protocol/messages/sasl-authenticate";
import { SaslHandshake } from "@odradek/protocol/messages/sasl-handshake";
import { describe, expect, onTestFinished, test } from "vitest";
import type { NameResolver } from "../src/bootstrap-servers.ts";
import { BrokerConnections } from "../src/broker-connections.ts";
import { type ClientOptions, resolveClientOptions } from "../src/client-options.ts";
import { AuthenticationError } from "../src/errors.ts";
import { Metadata } from "../src/metadata.ts";
import { MetadataUpdater } from "../src/metadata-updater.ts";
import { OptionReader } from "../src/option-reader.ts";
import { WakeSignal } from "../src/wake-signal.ts";
import { ManualClock } from "./manual-clock.ts";
import { passing } from "./passing.ts";
import { RecordingLogger } from "./recording-logger.ts";
import { type BrokerScript, ScriptedCluster } from "./scripted-cluster.ts";
import { type PeerConnection, type PeerRequest, ScriptedPeer } from "./scripted-peer.ts";
import { silentObserver } from "./silent-observer.ts";
import { until } from "./until.ts";

interface Given extends Partial<ClientOptions> {
  readonly resolver?: NameResolver;
  readonly allowAutoTopicCreation?: boolean;
}

/** An updater with everything that it needs, and nobody else who uses it. */
const updaterOf = (
  bootstrapServers: readonly string[],
  { resolver, allowAutoTopicCreation = true, ...given }: Given = {},
) => {
  const clock = new ManualClock();
  const logger = new RecordingLogger();
  const options = {
    ...resolveClientOptions(new OptionReader({ bootstrapServers, logger, ...given })),
    maxInFlightRequestsPerConnection: 5,
  };
  const signal = new WakeSignal();
  const metadata: Metadata = new Metadata(options, clock, () => updater.updateIfDue());
  const connections = new BrokerConnections(options, clock, silentObserver(clock), {
    onChange: () => signal.wake(),
    onLost: () => metadata.suspect(),
    onRebootstrapRequired: (cause) => updater.rebootstrap(cause.message),
  });
  let updates = 0;
  const updater: MetadataUpdater = new MetadataUpdater(metadata, connections, clock, {
    ...options,
    allowAutoTopicCreation,
    onUpdate: () => {
      updates += 1;
      signal.wake();
    },
    ...(resolver === undefined ? {} : { resolver }),
  });
  signal.onWake(() => updater.updateIfDue());
  onTestFinished(async () => {
    updater.close();
    const closed = connections.close(0);
    clock.advance(0);
    await closed;
  });
  return {
    clock,
    logger,
    metadata,
    connections,
    updater,
    updates: () => updates,
    ...passing(clock),
    /** Begins, and waits for the first answer. */
    begun: async () => {
      updater.updateIfDue();
      await until(() => metadata.snapshot.clusterId !== null);
    },
  };
};

/** A cluster that is known by another server than its one broker, such as a name that moves with it. */
const behindGateway = async (script: BrokerScript = {}) => {
  const brokers = await ScriptedCluster.listen(1, script);
  const gateway = await ScriptedCluster.listen(1, { metadata: () => brokers.answer() });
  return { brokers, gateway };
};

describe("a question", () => {
  /** The bodies of the questions that a cluster is asked. */
  const asked = async (given: Given, newest?: number) => {
    const bodies: MetadataRequest[] = [];
    const cluster = await ScriptedCluster.listen(1, {
      ...(newest === undefined
        ? {}
        : { versions: { errorCode: 0, apiKeys: [{ apiKey: MetadataApi.key, minVersion: 0, maxVersion: newest }] } }),
      metadata: (all, request) => {
        bodies.push(request.body(MetadataApi));
        return all.answer();
      },
    });
    const client = updaterOf(cluster.bootstrapServers, given);
    return { ...client, bodies };
  };

  test.each([true, false])(
    "for new topics and one that refreshes may create them, or not, as the option %s says",
    async (allowAutoTopicCreation) => {
      const { bodies, metadata, updater, pass } = await asked({ allowAutoTopicCreation });
      metadata.add(["orders"]);
      updater.updateIfDue();
      await until(() => bodies.length === 1);
      metadata.requestUpdate();
      await pass(200);
      expect(bodies.map((body) => body.topics?.map(({ name }) => name))).toEqual([["orders"], ["orders"]]);
      expect(bodies.map((body) => body.allowAutoTopicCreation)).toEqual([
        allowAutoTopicCreation,
        allowAutoTopicCreation,
      ]);
    },
  );

  test.each([
    [13, null],
    [1, null],
    [0, []],
  ])("for every topic is one that version %s understands, and creates none", async (newest, topics) => {
    const { bodies, metadata, updater } = await asked({ allowAutoTopicCreation: false }, newest);
    metadata.retainAll(() => true);
    updater.updateIfDue();
    await until(() => bodies.length === 1);
    expect(bodies[0]).toMatchObject({ topics, allowAutoTopicCreation: true });
  });
});

describe("an answer of another cluster", () => {
  test("is refused with both ids and the broker, and its connection closed", async () => {
    let clusterId: string | null = "ours";
    const cluster = await ScriptedCluster.listen(1, { metadata: (all) => all.answer({ clusterId }) });
    const { metadata, updater, connections, begun, passUntil } = updaterOf(cluster.bootstrapServers);
    await begun();
    const before = metadata.snapshot;
    clusterId = "theirs";
    metadata.requestUpdate();
    // No longer: with the next attempt the connection has no error any more.
    await passUntil(() => updater.lastError !== null);
    expect(updater.lastError).toMatchObject({ name: "ConnectionError", retriable: false });
    const [server] = cluster.bootstrapServers;
    expect(updater.lastError?.message).toBe(
      `connection to ${server}: the broker is of cluster theirs, and those that are known are of ours`,
    );
    await cluster.connectionsTo(1)[0]?.closed;
    expect(metadata.snapshot).toBe(before);
    expect(connections.lastError([...before.nodes.values()], "main")).toBe(updater.lastError);
  });

  test("is none where either does not say which it is", async () => {
    let clusterId: string | null = "ours";
    const cluster = await ScriptedCluster.listen(1, { metadata: (all) => all.answer({ clusterId }) });
    const { metadata, updater, begun, pass } = updaterOf(cluster.bootstrapServers);
    await begun();
    clusterId = null;
    metadata.requestUpdate();
    await pass(200);
    expect(cluster.questions).toHaveLength(2);
    expect(updater.lastError).toBeNull();
    expect(metadata.snapshot.clusterId).toBe("ours");
  });

  test("is taken after a new beginning: the bootstrap servers may lead elsewhere by now", async () => {
    let clusterId = "ours";
    const cluster = await ScriptedCluster.listen(1, { metadata: (all) => all.answer({ clusterId }) });
    const { metadata, updater, begun, pass } = updaterOf(cluster.bootstrapServers);
    await begun();
    clusterId = "theirs";
    updater.rebootstrap("told so");
    await pass(500);
    expect(updater.lastError).toBeNull();
    expect(metadata.snapshot.clusterId).toBe("theirs");
  });
});

describe("a new beginning", () => {
  test("is made where no broker that is known can be reached and a bootstrap server can", async () => {
    const { brokers, gateway } = await behindGateway();
    const { metadata, logger, begun, pass } = updaterOf(gateway.bootstrapServers);
    await begun();
    metadata.requestUpdate();
    await pass(200);
    expect([gateway.questions.length, brokers.questions.length]).toEqual([1, 1]);
    await brokers.peers[0]?.close();
    await pass(1_000);
    expect(gateway.questions.length).toBeGreaterThan(1);
    expect(logger.count("no broker that is known can be reached")).toBeGreaterThan(0);
  });

  test("is not made where the user does not want it", async () => {
    const { brokers, gateway } = await behindGateway();
    const { metadata, updater, logger, begun, pass } = updaterOf(gateway.bootstrapServers, {
      metadataRecoveryStrategy: "none",
    });
    await begun();
    await brokers.peers[0]?.close();
    metadata.requestUpdate();
    await pass(5_000);
    updater.rebootstrap("told so");
    await pass(400_000);
    expect(gateway.connectionsTo(1)).toHaveLength(1);
    expect([...metadata.snapshot.nodes.keys()]).toEqual([1]);
    expect(logger.lines).toEqual([]);
  });

  test("is not made where the bootstrap servers are the brokers that cannot be reached", async () => {
    const cluster = await ScriptedCluster.listen(3);
    const { metadata, logger, begun, pass } = updaterOf(cluster.bootstrapServers);
    await begun();
    for (const peer of cluster.peers) await peer.close();
    metadata.requestUpdate();
    await pass(10_000);
    expect([...metadata.snapshot.nodes.keys()]).toEqual([1, 2, 3]);
    expect(logger.lines).toEqual([]);
  });

  test("leaves the back-off of every address: a dead cluster is tried no more often than that", async () => {
    let isUp = true;
    const { brokers, gateway } = await behindGateway({ accept: () => isUp });
    const dead = await ScriptedCluster.listen(1, { accept: () => false });
    const { metadata, clock, begun, pass } = updaterOf([...dead.bootstrapServers, ...gateway.bootstrapServers]);
    await begun();
    isUp = false;
    await gateway.peers[0]?.close();
    metadata.requestUpdate();
    const rings = clock.rings;
    await pass(30_000);
    // After 50, 100, 200, 400 and 800 ms, and then every second, each a fifth sooner at most.
    const most = 6 + 29_000 / 800;
    for (const cluster of [brokers, dead]) expect(cluster.connectionsTo(1).length).toBeLessThanOrEqual(most);
    expect(dead.connectionsTo(1).length).toBeGreaterThan(20);
    expect(clock.rings - rings).toBeLessThan(8 * most);
  });

  test("is made where no answer came for the time that is set, while connections can be made", async () => {
    const { brokers, gateway } = await behindGateway({ metadata: () => null });
    const { metadata, logger, clock, begun, passUntil } = updaterOf(gateway.bootstrapServers, {
      reconnectBackoffMs: 0,
      reconnectBackoffMaxMs: 0,
    });
    await begun();
    const startMs = clock.now();
    metadata.requestUpdate();
    await passUntil(() => gateway.questions.length > 1);
    // The time counts from when it may ask, and between two questions is a back-off.
    expect(clock.now() - startMs).toBeGreaterThanOrEqual(300_080);
    expect(clock.now() - startMs).toBeLessThanOrEqual(301_120);
    expect(brokers.questions.length).toBeGreaterThan(5);
    expect(logger.lines).toEqual([
      'info: begins again with the bootstrap servers {"reason":"no metadata for 300000 ms"}',
    ]);
  });

  test("is made in that time although a request may wait longer", async () => {
    const { brokers, gateway } = await behindGateway({ metadata: () => null });
    const { metadata, begun, pass } = updaterOf(gateway.bootstrapServers, {
      requestTimeoutMs: 60_000,
      metadataRecoveryRebootstrapTriggerMs: 10_000,
    });
    await begun();
    metadata.requestUpdate();
    await pass(9_900);
    expect(gateway.questions).toHaveLength(1);
    expect(brokers.questions).toHaveLength(1);
    await pass(600);
    expect(gateway.questions).toHaveLength(2);
    await brokers.connectionsTo(1)[0]?.closed;
  });

  test.each([
    [true, { clusterId: "cluster", nodeId: 1 }],
    [false, { clusterId: null, nodeId: -1 }],
  ])(
    "is made where a broker says at the handshake that it is another one; it is told whom we mean: %s",
    async (metadataClusterCheckEnable, meant) => {
      const asked: unknown[] = [];
      const moved = await ScriptedPeer.listen(async (connection) => {
        const { clusterId, nodeId } = (await connection.handshake({ errorCode: 129, apiKeys: [] })).body(ApiVersions);
        asked.push({ clusterId, nodeId });
        await connection.closed;
      });
      const gateway = await ScriptedCluster.listen(1, {
        metadata: (all) => ({ ...all.answer(), brokers: [{ nodeId: 1, ...moved.address, rack: null }] }),
      });
      const { begun, connections, logger, metadata } = updaterOf(gateway.bootstrapServers, {
        metadataClusterCheckEnable,
      });
      await begun();
      connections.ready(metadata.snapshot.nodes.get(1)!, "main");
      await until(() => logger.lines.length > 0);
      expect(asked).toEqual([meant]);
      expect(logger.lines[0]).toContain("begins again with the bootstrap servers");
      expect([...metadata.snapshot.nodes.keys()]).toEqual([-1]);
    },
  );

  test("does not spin where that time is set to nothing", async () => {
    const { brokers, gateway } = await behindGateway({ metadata: () => null });
    const { metadata, clock, begun, pass } = updaterOf(gateway.bootstrapServers, {
      metadataRecoveryRebootstrapTriggerMs: 0,
    });
    await begun();
    metadata.requestUpdate();
    await pass(20_000);
    expect(brokers.questions.length).toBeLessThan(25);
    expect(clock.rings).toBeLessThan(300);
  });

  test("is made where a broker says so: every connection is closed", async () => {
    const { brokers, gateway } = await behindGateway({
      metadata: (all) => all.answer({ errorCode: codeOf("REBOOTSTRAP_REQUIRED") }),
    });
    const { metadata, connections, begun, pass } = updaterOf(gateway.bootstrapServers);
    await begun();
    const [broker] = [...metadata.snapshot.nodes.values()];
    connections.ready(broker!, "fetch");
    await until(() => connections.ready(broker!, "fetch") !== null);
    metadata.requestUpdate();
    await pass(400);
    expect(brokers.questions).toHaveLength(1);
    expect(gateway.questions).toHaveLength(2);
    expect(brokers.connectionsTo(1)).toHaveLength(2);
    for (const connection of brokers.connectionsTo(1)) await connection.closed;
  });

  test("for which a broker asks is a failure like others where the user does not want it", async () => {
    const { brokers, gateway } = await behindGateway({
      metadata: (all) => all.answer({ errorCode: codeOf("REBOOTSTRAP_REQUIRED") }),
    });
    const { metadata, updater, begun, pass } = updaterOf(gateway.bootstrapServers, {
      metadataRecoveryStrategy: "none",
    });
    await begun();
    metadata.requestUpdate();
    await pass(5_000);
    expect(updater.lastError).toMatchObject({ code: "REBOOTSTRAP_REQUIRED" });
    expect(gateway.questions).toHaveLength(1);
    expect(brokers.questions.length).toBeGreaterThan(3);
    expect(brokers.questions.length).toBeLessThan(12);
    expect(brokers.connectionsTo(1)).toHaveLength(1);
  });

  test("for which bootstrap servers ask as well is made no more often than back-offs allow", async () => {
    const cluster = await ScriptedCluster.listen(1, {
      metadata: (all) => all.answer({ errorCode: codeOf("REBOOTSTRAP_REQUIRED") }),
    });
    const { updater, logger, pass } = updaterOf(cluster.bootstrapServers);
    updater.updateIfDue();
    await pass(20_000);
    expect(cluster.connectionsTo(1).length).toBeGreaterThan(10);
    expect(cluster.connectionsTo(1).length).toBeLessThan(32);
    expect(logger.count("begins again")).toBeLessThan(32);
  });

  test("ends the question that is under way, which is asked again there", async () => {
    const { brokers, gateway } = await behindGateway({ metadata: () => null });
    const { metadata, updater, begun, pass } = updaterOf(gateway.bootstrapServers);
    await begun();
    metadata.requestUpdate();
    await pass(500);
    expect(brokers.questions).toHaveLength(1);
    updater.rebootstrap("told so");
    expect([...metadata.snapshot.nodes.keys()]).toEqual([-1]);
    await pass(500);
    expect(gateway.questions).toHaveLength(2);
    expect([...metadata.snapshot.nodes.keys()]).toEqual([1]);
    expect(updater.lastError).toBeNull();
  });
});

describe("brokers that advertise an address of this machine", () => {
  test("are warned of once where they were learned of elsewhere", async () => {
    const cluster = await ScriptedCluster.listen(2);
    // Another way to write 127.0.0.1, which is not known for one.
    const elsewhere = cluster.bootstrapServers.map((server) => server.replace("127.0.0.1", "127.1"));
    const { metadata, updater, logger, begun, passUntil } = updaterOf(elsewhere);
    await begun();
    expect(logger.count("advertised.listeners")).toBe(1);
    updater.rebootstrap("told so");
    await passUntil(() => metadata.snapshot.clusterId !== null);
    expect(logger.count("advertised.listeners")).toBe(1);
  });
});

describe("bootstrap servers by their canonical names", () => {
  const portOf = (cluster: ScriptedCluster) => cluster.peers[0]!.address.port;
  const local: NameResolver = { addressesOf: async () => ["127.0.0.1"], hostOf: async () => "127.0.0.1" };
  const canonical = { clientDnsLookup: "resolve_canonical_bootstrap_servers_only" } as const;

  test("are resolved before the first question, and nobody is known before", async () => {
    const cluster = await ScriptedCluster.listen(1);
    let lookUps = 0;
    const addressesOf = async () => {
      lookUps += 1;
      return ["127.0.0.1"];
    };
    const { metadata, begun } = updaterOf([`alias.invalid:${portOf(cluster)}`], {
      ...canonical,
      resolver: { ...local, addressesOf },
    });
    expect(metadata.snapshot.nodes.size).toBe(0);
    await begun();
    expect(cluster.questions).toHaveLength(1);
    expect(lookUps).toBe(1);
  });

  test("are resolved again at each new beginning, and lead to where the names lead by then", async () => {
    const cluster = await ScriptedCluster.listen(1);
    const hosts: string[] = [];
    const hostOf = async () => {
      const host = hosts.length === 0 ? "127.0.0.1" : "localhost";
      hosts.push(host);
      return host;
    };
    const { metadata, updater, begun, passUntil } = updaterOf([`alias.invalid:${portOf(cluster)}`], {
      ...canonical,
      resolver: { ...local, hostOf },
    });
    await begun();
    updater.rebootstrap("told so");
    expect(metadata.snapshot.nodes.size).toBe(0);
    await passUntil(() => cluster.questions.length === 2);
    expect(hosts).toEqual(["127.0.0.1", "localhost"]);
  });

  test("that cannot be resolved are an error, and looked up again after the back-off", async () => {
    const cluster = await ScriptedCluster.listen(1);
    let lookUps = 0;
    let isUp = false;
    const resolver: NameResolver = {
      ...local,
      addressesOf: async () => {
        lookUps += 1;
        if (!isUp) throw new Error("getaddrinfo EAI_AGAIN alias.invalid");
        return ["127.0.0.1"];
      },
    };
    const { metadata, updater, pass } = updaterOf([`alias.invalid:${portOf(cluster)}`], { ...canonical, resolver });
    updater.updateIfDue();
    await pass(5_000);
    expect(updater.lastError).toMatchObject({ retriable: true, message: expect.stringContaining("EAI_AGAIN") });
    expect(lookUps).toBeGreaterThan(4);
    expect(lookUps).toBeLessThan(13);
    isUp = true;
    await pass(1_500);
    expect(metadata.snapshot.clusterId).toBe("cluster");
    expect(updater.lastError).toBeNull();
  });

  test("are not waited for by a close", async () => {
    let found: (addresses: readonly string[]) => void = () => {};
    const addressesOf = () => new Promise<readonly string[]>((resolve) => (found = resolve));
    const { updater, metadata, clock, updates } = updaterOf(["alias.invalid:9092"], {
      ...canonical,
      resolver: { ...local, addressesOf },
    });
    updater.updateIfDue();
    updater.close();
    found(["127.0.0.1"]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(clock.timers).toBe(0);
    expect(updates()).toBe(0);
    expect(metadata.snapshot.topics.size).toBe(0);
  });
});

describe("who is refused by the brokers", () => {
  const sasl: ClientOptions["sasl"] = {
    mechanism: {
      name: "ANY",
      authenticate: async (exchange) => {
        await exchange(Buffer.of(1));
      },
    },
  };

  /** Takes part in the authentication, or refuses it. */
  const guard = (connection: PeerConnection, request: PeerRequest, isOpen: boolean) => {
    if (request.apiKey === SaslHandshake.key) {
      const errorCode = isOpen ? 0 : codeOf("UNSUPPORTED_SASL_MECHANISM");
      connection.answer(request, SaslHandshake, { errorCode, mechanisms: ["ANY"] });
    } else {
      const answer = { errorCode: 0, errorMessage: null, authBytes: Buffer.of(2), sessionLifetimeMs: 0n };
      connection.answer(request, SaslAuthenticate, answer);
    }
  };

  /** Brokers that let nobody in before they are opened. */
  const guarded = async (count: number) => {
    let isOpen = false;
    const cluster = await ScriptedCluster.listen(count, {
      serve: (connection, request) => guard(connection, request, isOpen),
    });
    return {
      cluster,
      attempts: () => cluster.peers.reduce((all, { connections }) => all + connections.length, 0),
      open: () => {
        isOpen = true;
      },
    };
  };

  test("asks once, and not again by itself", async () => {
    const { attempts, cluster } = await guarded(3);
    const { metadata, updater, clock, pass } = updaterOf(cluster.bootstrapServers, { sasl });
    updater.updateIfDue();
    await until(() => updater.lastError !== null);
    expect(updater.lastError).toBeInstanceOf(AuthenticationError);
    expect(attempts()).toBe(1);
    metadata.suspect();
    await pass(60_000);
    metadata.suspect();
    await pass(1_000);
    expect(attempts()).toBe(1);
    expect(clock.timers).toBe(0);
  });

  test.each([
    ["requestUpdate", (metadata: Metadata) => metadata.requestUpdate()],
    ["wantUpdate", (metadata: Metadata) => metadata.wantUpdate()],
    ["add", (metadata: Metadata) => metadata.add(["orders"])],
    ["retainAll", (metadata: Metadata) => metadata.retainAll(() => true)],
  ])("asks once more with each %s", async (_, want) => {
    const { attempts, cluster, open } = await guarded(1);
    const { metadata, updater, pass } = updaterOf(cluster.bootstrapServers, { sasl });
    updater.updateIfDue();
    await until(() => updater.lastError !== null);
    await pass(5_000);
    want(metadata);
    await pass(5_000);
    expect(attempts()).toBe(2);
    open();
    metadata.requestUpdate();
    await pass(1_000);
    expect(attempts()).toBe(3);
    expect(updater.lastError).toBeNull();
    expect(metadata.snapshot.clusterId).toBe("cluster");
  });

  test("asks once more when the back-off is over, where that was wanted before", async () => {
    const { attempts, cluster, open } = await guarded(3);
    const { metadata, updater, pass } = updaterOf(cluster.bootstrapServers, { sasl, retryBackoffMs: 2_000 });
    updater.updateIfDue();
    await until(() => updater.lastError !== null);
    await pass(500);
    open();
    metadata.requestUpdate();
    expect(attempts()).toBe(1);
    await pass(2_500);
    expect(attempts()).toBe(2);
    expect(metadata.snapshot.clusterId).toBe("cluster");
  });

  test("does not ask in vain within the back-off, however often it is wanted", async () => {
    const { attempts, cluster } = await guarded(1);
    const { metadata, updater, pass } = updaterOf(cluster.bootstrapServers, { sasl });
    updater.updateIfDue();
    for (let second = 0; second < 10; second++) {
      for (let call = 0; call < 20; call++) {
        metadata.requestUpdate();
        await pass(50);
      }
    }
    // After 50, 100, 200, 400 and 800 ms, and then every second.
    expect(attempts()).toBeGreaterThan(5);
    expect(attempts()).toBeLessThanOrEqual(18);
  });

  test("goes on where a connection that somebody else made is let in", async () => {
    const { cluster, open } = await guarded(1);
    const { metadata, connections, updater, pass } = updaterOf(cluster.bootstrapServers, { sasl });
    updater.updateIfDue();
    await until(() => updater.lastError !== null);
    await pass(2_000);
    open();
    connections.ready([...metadata.snapshot.nodes.values()][0]!, "main");
    await pass(1_000);
    expect(metadata.snapshot.clusterId).toBe("cluster");
  });

  test("asks bootstrap servers first where those are others, and may let it in", async () => {
    const { attempts, cluster } = await guarded(1);
    const gateway = await ScriptedCluster.listen(1, {
      metadata: () => cluster.answer(),
      serve: (connection, request) => guard(connection, request, true),
    });
    const { metadata, begun, pass } = updaterOf(gateway.bootstrapServers, { sasl });
    await begun();
    metadata.requestUpdate();
    await pass(500);
    expect(attempts()).toBe(1);
    expect(gateway.questions.length).toBeGreaterThan(1);
  });

  test("because nobody there is a broker asks no more either", async () => {
    const stranger = await ScriptedPeer.listen(async (connection) => {
      await connection.next();
      connection.write(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n"));
    });
    const { metadata, updater, pass } = updaterOf([`127.0.0.1:${stranger.address.port}`]);
    updater.updateIfDue();
    await pass(10_000);
    expect(stranger.connections).toHaveLength(1);
    expect(updater.lastError?.message).toContain("the peer speaks HTTP");
    metadata.requestUpdate();
    await pass(10_000);
    expect(stranger.connections).toHaveLength(2);
  });

  test("because they have no metadata that can be read asks no more either", async () => {
    const cluster = await ScriptedCluster.listen(1, { versions: { errorCode: 0, apiKeys: [] } });
    const { metadata, updater, updates, pass } = updaterOf(cluster.bootstrapServers);
    updater.updateIfDue();
    await pass(10_000);
    expect(updates()).toBe(1);
    expect(updater.fatalError).toBeInstanceOf(UnsupportedVersionError);
    metadata.requestUpdate();
    await pass(10_000);
    expect(updates()).toBe(2);
  });
});
