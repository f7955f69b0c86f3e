import { BrokerError, codeOf, UnsupportedVersionError } from "@odradek/protocol";
import {
  FindCoordinator,
  type FindCoordinatorRequest,
  type FindCoordinatorResponse,
} from "@odradek/protocol/messages/find-coordinator";
import { Metadata as MetadataApi } from "@odradek/protocol/messages/metadata";
import { describe, expect, onTestFinished, test } from "vitest";
import { resolveClientOptions } from "../src/client-options.ts";
import { Coordinators } from "../src/coordinators.ts";
import { Deadline } from "../src/deadline.ts";
import { ClosedError, TimeoutError } from "../src/errors.ts";
import { NetworkClient } from "../src/network-client.ts";
import { OptionReader } from "../src/option-reader.ts";
import { ManualClock } from "./manual-clock.ts";
import { passing } from "./passing.ts";
import { ScriptedCluster } from "./scripted-cluster.ts";
import { ScriptedPeer } from "./scripted-peer.ts";

/** What the brokers say of one key: a coordinator, an error, or nothing. */
type Told = { readonly nodeId: number; readonly host?: string; readonly port?: number } | keyof typeof errors | null;

const errors = {
  COORDINATOR_NOT_AVAILABLE: codeOf("COORDINATOR_NOT_AVAILABLE"),
  GROUP_AUTHORIZATION_FAILED: codeOf("GROUP_AUTHORIZATION_FAILED"),
};

type CoordinatorAnswer = FindCoordinatorResponse["coordinators"][number];

/** In old versions the one coordinator stands at the top. */
function answerIn(version: number, coordinators: CoordinatorAnswer[]): FindCoordinatorResponse {
  const nobody = { errorCode: 0, errorMessage: null, nodeId: 0, host: "", port: 0 };
  if (version >= 4) return { throttleTimeMs: 0, ...nobody, coordinators };
  const { key: _, ...one } = { key: "", ...nobody, ...coordinators[0] };
  return { throttleTimeMs: 0, ...one, coordinators: [] };
}

/** A client whose time stands still unless the test turns it; closed when the test is over. */
const clientOf = (bootstrapServers: readonly string[]) => {
  const clock = new ManualClock();
  const options = {
    ...resolveClientOptions(new OptionReader({ bootstrapServers })),
    maxInFlightRequestsPerConnection: 5,
  };
  const client = new NetworkClient("consumer", options, clock);
  onTestFinished(async () => {
    const closed = client.close({ timeoutMs: 0 });
    clock.advance(0);
    await closed;
  });
  return { client, clock, coordinators: new Coordinators(client, options, clock) };
};

/** A cluster of two brokers, and somebody who asks it for coordinators. */
const coordinatorsOf = async (tell: (key: string) => Told, newest = 6) => {
  const requests: FindCoordinatorRequest[] = [];
  const answerOf = (key: string) => {
    const told = tell(key);
    if (told === null) return [];
    const none = { nodeId: -1, host: "", port: -1, errorCode: 0, errorMessage: null };
    return [
      typeof told === "string"
        ? { ...none, key, errorCode: errors[told], errorMessage: `not for ${key}` }
        : { ...none, key, host: "127.0.0.1", port: 9_092, ...told },
    ];
  };
  const cluster = await ScriptedCluster.listen(2, {
    versions: {
      errorCode: 0,
      apiKeys: [
        { apiKey: MetadataApi.key, minVersion: 0, maxVersion: 13 },
        { apiKey: FindCoordinator.key, minVersion: 0, maxVersion: newest },
      ],
    },
    serve: (connection, request) => {
      const body = request.body(FindCoordinator);
      requests.push(body);
      const asked = newest < 4 ? [body.key] : body.coordinatorKeys;
      connection.answer(request, FindCoordinator, answerIn(request.apiVersion, asked.flatMap(answerOf)));
    },
  });
  const { client, clock, coordinators } = clientOf(cluster.bootstrapServers);
  const { pass, passUntil } = passing(clock);
  /** What a promise comes to, letting time pass until it does. */
  const outcome = async (promise: Promise<unknown>): Promise<unknown> => {
    let isSettled = false;
    const settle = () => (isSettled = true);
    promise.then(settle, settle);
    await passUntil(() => isSettled);
    return promise.catch((error: unknown) => error);
  };
  return {
    cluster,
    requests,
    clock,
    client,
    pass,
    outcome,
    coordinators,
    deadline: (timeoutMs = 60_000) => new Deadline(clock, timeoutMs),
    metadata: () => client.awaitMetadata(new Deadline(clock, 60_000), "ids", () => client.metadata.snapshot.clusterId),
  };
};

/** What is found where one broker coordinates all. */
const allAt = (nodeId: number, keys: readonly string[]) => new Map(keys.map((key) => [key, nodeId]));

describe("coordinators", () => {
  test("are found once, and known from then on until they are forgotten", async () => {
    const { coordinators, requests, outcome, deadline, metadata } = await coordinatorsOf(() => ({ nodeId: 2 }));
    await outcome(metadata());
    expect(coordinators.known("group", "billing")).toBeNull();
    for (let call = 0; call < 2; call++) {
      expect(await outcome(coordinators.find("group", ["billing"], deadline()))).toEqual(new Map([["billing", 2]]));
    }
    expect(coordinators.known("group", "billing")).toBe(2);
    expect(coordinators.known("transaction", "billing")).toBeNull();
    expect(requests).toHaveLength(1);
    coordinators.forget("group", "billing");
    expect(coordinators.known("group", "billing")).toBeNull();
    await outcome(coordinators.find("group", ["billing"], deadline()));
    expect(requests).toHaveLength(2);
  });

  test("of a broker that is lost are forgotten, of whatever type, and no others", async () => {
    const { coordinators, outcome, deadline, metadata } = await coordinatorsOf((key) => ({ nodeId: Number(key) }));
    await outcome(metadata());
    await outcome(coordinators.find("group", ["1", "2"], deadline()));
    await outcome(coordinators.find("transaction", ["1"], deadline()));
    coordinators.forgetNode(1);
    expect(coordinators.known("group", "1")).toBeNull();
    expect(coordinators.known("transaction", "1")).toBeNull();
    expect(coordinators.known("group", "2")).toBe(2);
  });

  test("that are asked for in one turn go into one request for each type", async () => {
    const { coordinators, requests, outcome, deadline } = await coordinatorsOf(() => ({ nodeId: 1 }));
    const all = [
      coordinators.find("group", ["a", "b"], deadline()),
      coordinators.find("transaction", ["t"], deadline()),
      Promise.resolve().then(() => coordinators.find("group", ["b", "c"], deadline())),
      coordinators.find("share", ["g:topic:0"], deadline()),
    ];
    const found = await outcome(Promise.all(all));
    expect(found).toEqual([allAt(1, ["a", "b"]), allAt(1, ["t"]), allAt(1, ["b", "c"]), allAt(1, ["g:topic:0"])]);
    const asked = requests.map(({ keyType, coordinatorKeys }) => ({ keyType, coordinatorKeys }));
    expect(asked).toHaveLength(3);
    expect(asked).toContainEqual({ keyType: 0, coordinatorKeys: ["a", "b", "c"] });
    expect(asked).toContainEqual({ keyType: 1, coordinatorKeys: ["t"] });
    expect(asked).toContainEqual({ keyType: 2, coordinatorKeys: ["g:topic:0"] });
  });

  test("are asked for one by one where brokers know no more", async () => {
    const { coordinators, requests, outcome, deadline } = await coordinatorsOf((key) => ({ nodeId: key.length }), 3);
    const found = await outcome(coordinators.find("transaction", ["a", "bb"], deadline()));
    expect(found).toEqual(new Map([...allAt(1, ["a"]), ...allAt(2, ["bb"])]));
    expect(requests.map(({ keyType, key }) => ({ keyType, key }))).toEqual([
      { keyType: 1, key: "a" },
      { keyType: 1, key: "bb" },
    ]);
  });

  test("of share groups are refused where brokers have none", async () => {
    const { coordinators, requests, outcome, deadline } = await coordinatorsOf(() => ({ nodeId: 1 }), 5);
    const error = await outcome(coordinators.find("share", ["g:topic:0"], deadline()));
    expect(error).toBeInstanceOf(UnsupportedVersionError);
    expect(requests).toHaveLength(0);
  });

  test("that are not there yet are asked for again after back-offs that grow, and the others not", async () => {
    let isThere = false;
    const told = (key: string): Told => (key === "late" && !isThere ? "COORDINATOR_NOT_AVAILABLE" : { nodeId: 1 });
    const { coordinators, requests, outcome, deadline, pass } = await coordinatorsOf(told);
    const found = coordinators.find("group", ["late", "early"], deadline());
    await pass(3_000);
    expect(requests.length).toBeGreaterThanOrEqual(4);
    expect(requests.length).toBeLessThanOrEqual(7);
    expect(requests.slice(1).every(({ coordinatorKeys }) => coordinatorKeys?.join() === "late")).toBe(true);
    isThere = true;
    expect(await outcome(found)).toEqual(allAt(1, ["late", "early"]));
  });

  test("that are not there before the deadline have their last error, and the others are found", async () => {
    const { coordinators, clock, outcome, deadline } = await coordinatorsOf((key) =>
      key === "late" ? "COORDINATOR_NOT_AVAILABLE" : { nodeId: 1 },
    );
    const startMs = clock.now();
    const found = await outcome(coordinators.find("group", ["late", "early"], deadline(2_000)));
    expect(clock.now() - startMs).toBeGreaterThanOrEqual(2_000);
    if (!(found instanceof Map)) throw found;
    expect(found.get("early")).toBe(1);
    expect(found.get("late")).toMatchObject({ code: "COORDINATOR_NOT_AVAILABLE" });
  });

  test("that are asked for once are found or not, and those that are found are known", async () => {
    const { coordinators, requests, outcome, deadline } = await coordinatorsOf((key) =>
      key === "late" ? "COORDINATOR_NOT_AVAILABLE" : { nodeId: 1 },
    );
    for (let call = 1; call <= 2; call++) {
      const found = await outcome(coordinators.findOnce("group", ["late", "early", "late"], deadline()));
      if (!(found instanceof Map)) throw found;
      expect([...found.keys()]).toEqual(["late", "early"]);
      expect(found.get("early")).toBe(1);
      expect(found.get("late")).toMatchObject({ code: "COORDINATOR_NOT_AVAILABLE", retriable: true });
    }
    expect(requests.map(({ coordinatorKeys }) => coordinatorKeys)).toEqual([["late", "early"], ["late"]]);
  });

  test("that are asked for once while nobody can be asked have that as their error, beside those that are known", async () => {
    const { coordinators, client, outcome, deadline } = await coordinatorsOf(() => ({ nodeId: 1 }));
    await outcome(coordinators.find("group", ["known"], deadline()));
    await client.close({ timeoutMs: 0 });
    const found = await outcome(coordinators.findOnce("group", ["known", "late"], deadline()));
    if (!(found instanceof Map)) throw found;
    expect(found.get("known")).toBe(1);
    expect(found.get("late")).toBeInstanceOf(ClosedError);
  });

  test("that are denied have that as their value, at once, and the others are found", async () => {
    const { coordinators, requests, outcome, deadline } = await coordinatorsOf((key) =>
      key === "secret" ? "GROUP_AUTHORIZATION_FAILED" : { nodeId: 1 },
    );
    const found = await outcome(coordinators.find("group", ["secret", "billing"], deadline()));
    if (!(found instanceof Map)) throw found;
    expect(found.get("billing")).toBe(1);
    expect(found.get("secret")).toBeInstanceOf(BrokerError);
    expect(found.get("secret")).toMatchObject({
      code: "GROUP_AUTHORIZATION_FAILED",
      message: "FindCoordinator of group secret: GROUP_AUTHORIZATION_FAILED: not for secret",
    });
    expect(requests).toHaveLength(1);
    expect(coordinators.known("group", "secret")).toBeNull();
  });

  test("that no broker can be asked for in time are a TimeoutError with its cause", async () => {
    const { host, port } = await ScriptedPeer.nobody();
    const { client, clock, coordinators } = clientOf([`${host}:${port}`]);
    const found = coordinators.find("group", ["billing"], new Deadline(clock, 1_000)).catch((error: unknown) => error);
    await passing(clock).pass(1_000);
    expect(await found).toMatchObject({ name: "TimeoutError", cause: { name: "ConnectionError" } });
    await client.close({ timeoutMs: 0 });
    expect(clock.timers).toBe(0);
  });

  test("are waited for no longer than by the own deadline, whoever else asks", async () => {
    const { host, port } = await ScriptedPeer.nobody();
    const { client, clock, coordinators } = clientOf([`${host}:${port}`]);
    const patient = coordinators.find("group", ["a"], new Deadline(clock, 60_000)).catch((error: unknown) => error);
    const hasty = coordinators.find("group", ["b"], new Deadline(clock, 500)).catch((error: unknown) => error);
    clock.advance(0);
    clock.advance(500);
    expect(await hasty).toBeInstanceOf(TimeoutError);
    await client.close({ timeoutMs: 0 });
    expect(await patient).toBeInstanceOf(ClosedError);
    expect(clock.timers).toBe(0);
  });

  test("are waited for no longer than the signal allows", async () => {
    const { coordinators, deadline, pass } = await coordinatorsOf(() => "COORDINATOR_NOT_AVAILABLE");
    const reason = new Error("never mind");
    for (const beforeMs of [0, 1_000]) {
      const controller = new AbortController();
      const found = coordinators.find("group", ["billing"], deadline(), controller.signal);
      const outcome = found.catch((error: unknown) => error);
      await pass(beforeMs);
      controller.abort(reason);
      expect(await outcome).toBe(reason);
    }
    await expect(coordinators.find("group", ["billing"], deadline(), AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  test("lost with the connection are asked for again elsewhere", async () => {
    let isFirst = true;
    const cluster = await ScriptedCluster.listen(1, {
      serve: (connection, request) => {
        const coordinator = { nodeId: 1, host: "127.0.0.1", port: 1, errorCode: 0, errorMessage: null, key: "billing" };
        if (isFirst) connection.reset();
        else connection.answer(request, FindCoordinator, answerIn(request.apiVersion, [coordinator]));
        isFirst = false;
      },
    });
    const { clock, coordinators } = clientOf(cluster.bootstrapServers);
    const found = coordinators.find("group", ["billing"], new Deadline(clock, 60_000));
    let isFound = false;
    void found.then(() => (isFound = true));
    await passing(clock).passUntil(() => isFound);
    expect(await found).toEqual(new Map([["billing", 1]]));
  });
});

describe("an answer about coordinators", () => {
  test("may name a broker that the metadata does not have yet", async () => {
    const { coordinators, client, outcome, deadline, metadata } = await coordinatorsOf(() => ({
      nodeId: 7,
      host: "seven",
      port: 9_097,
    }));
    await outcome(metadata());
    expect(await outcome(coordinators.find("group", ["billing"], deadline()))).toEqual(new Map([["billing", 7]]));
    expect(client.metadata.snapshot.nodes.get(7)).toEqual({ id: 7, host: "seven", port: 9_097, rack: null });
  });

  test("counts for no longer than the broker is in the cluster", async () => {
    const { coordinators, client, outcome, deadline, metadata, pass } = await coordinatorsOf(() => ({ nodeId: 7 }));
    await outcome(metadata());
    await outcome(coordinators.find("group", ["billing"], deadline()));
    expect(coordinators.known("group", "billing")).toBe(7);
    client.metadata.requestUpdate();
    await pass(1_500);
    expect(client.metadata.snapshot.nodes.has(7)).toBe(false);
    expect(coordinators.known("group", "billing")).toBeNull();
  });

  test("leaves the address of a broker as the metadata has it", async () => {
    const { coordinators, client, outcome, deadline, metadata } = await coordinatorsOf(() => ({
      nodeId: 1,
      host: "elsewhere",
    }));
    await outcome(metadata());
    await outcome(coordinators.find("group", ["billing"], deadline()));
    expect(client.metadata.snapshot.nodes.get(1)?.host).toBe("127.0.0.1");
  });

  test.each<[string, Told]>([
    ["names a broker with a negative id", { nodeId: -1 }],
    ["names a broker without a host", { nodeId: 7, host: "" }],
    ["names a broker whose port is out of range", { nodeId: 7, port: 70_000 }],
    ["does not name the key", null],
  ])("that %s is none", async (_, told) => {
    const { coordinators, client, outcome, deadline } = await coordinatorsOf(() => told);
    const found = await outcome(coordinators.find("group", ["billing"], deadline(1_000)));
    if (!(found instanceof Map)) throw found;
    expect(found.get("billing")).toMatchObject({ code: "COORDINATOR_NOT_AVAILABLE", retriable: true });
    expect(coordinators.known("group", "billing")).toBeNull();
    expect(client.metadata.snapshot.nodes.has(7)).toBe(false);
  });
});
