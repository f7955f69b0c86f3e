import { AuthenticationError, ConnectionError, TimeoutError } from "@odradek/network";
import { BrokerError, codeOf, UnsupportedVersionError } from "@odradek/protocol";
import { describe, expect, test } from "vitest";
import { ScriptedFinder, scriptedCoordinator, turn } from "./scripted-group.ts";

const closed = () => new ConnectionError({ host: "127.0.0.1", port: 9092 }, "closed");
const unknown = () => scriptedCoordinator(undefined, new ScriptedFinder(null));

describe("GroupCoordinator", () => {
  test("is ready where it is known and takes requests, on the connection that is asked for", () => {
    const { coordinator, cluster, finder } = scriptedCoordinator();
    expect([coordinator.ready(), coordinator.ready("main")]).toEqual([1, 1]);
    expect(cluster.readied).toEqual(["1 coordinator", "1 main"]);
    expect(finder.looks).toBe(0);
  });

  test("is looked for where it is not known, once for all who ask, and says so when it is found", async () => {
    const { coordinator, finder, changes } = unknown();
    expect([coordinator.ready(), coordinator.ready()]).toEqual([null, null]);
    expect([finder.looks, coordinator.retryAtMs]).toEqual([1, Number.POSITIVE_INFINITY]);
    await turn();
    expect([changes.count, coordinator.ready()]).toEqual([1, 1]);
  });

  test("is waited for while it is being connected to", () => {
    const { coordinator, cluster, finder } = scriptedCoordinator();
    cluster.unready.set(1, Number.POSITIVE_INFINITY);
    expect([coordinator.ready(), finder.known(), coordinator.retryAtMs]).toEqual([null, 1, Number.POSITIVE_INFINITY]);
  });

  test("is looked for anew where connecting to it failed, after a back-off", () => {
    const { coordinator, cluster, finder, clock, options } = scriptedCoordinator();
    cluster.unready.set(1, clock.now() + 50);
    const failure = closed();
    cluster.failures.set(1, failure);
    expect([coordinator.ready(), finder.known(), coordinator.lastError]).toEqual([null, null, failure]);
    const waitMs = coordinator.retryAtMs - clock.now();
    expect(waitMs).toBeGreaterThanOrEqual(options.retryBackoffMs * 0.8);
    coordinator.ready();
    expect(finder.looks).toBe(0);
    clock.advance(waitMs);
    coordinator.ready();
    expect(finder.looks).toBe(1);
  });

  test("is looked for less often the more often it is lost, until it answers", async () => {
    const { coordinator, clock, options } = scriptedCoordinator();
    const waits: number[] = [];
    const lose = async () => {
      coordinator.lost(1, closed());
      waits.push(coordinator.retryAtMs - clock.now());
      clock.advance(waits.at(-1) ?? 0);
      coordinator.ready();
      await turn();
    };
    for (let losses = 0; losses < 5; losses++) await lose();
    expect(waits[4]).toBeGreaterThan((waits[0] ?? 0) * 4);
    expect(coordinator.lastError?.message).toContain("closed");
    coordinator.answered();
    expect(coordinator.lastError).toBeNull();
    await lose();
    expect(waits[5]).toBeLessThanOrEqual(options.retryBackoffMs * 1.2);
  });

  test("stays where another one was lost", () => {
    const { coordinator, finder } = scriptedCoordinator();
    coordinator.lost(2, closed());
    expect([finder.known(), coordinator.ready()]).toEqual([1, 1]);
  });

  test("is looked for anew where it is suspected, and not twice", () => {
    const { coordinator, finder, clock } = scriptedCoordinator();
    coordinator.suspect();
    const { retryAtMs } = coordinator;
    expect([finder.known(), retryAtMs > clock.now()]).toEqual([null, true]);
    coordinator.suspect();
    expect(coordinator.retryAtMs).toBe(retryAtMs);
  });

  test("is asked for again where that may help", async () => {
    const { coordinator, finder, clock, changes } = unknown();
    finder.finds = new TimeoutError("FindCoordinator", 1_000);
    coordinator.ready();
    await turn();
    expect([coordinator.error, coordinator.lastError, changes.count]).toEqual([null, finder.finds, 1]);
    expect(coordinator.retryAtMs).toBeGreaterThan(clock.now());
    finder.finds = 1;
    clock.advance(coordinator.retryAtMs - clock.now());
    coordinator.ready();
    await turn();
    expect(coordinator.ready()).toBe(1);
  });

  test.each([
    new BrokerError(codeOf("GROUP_AUTHORIZATION_FAILED"), "FindCoordinator"),
    new UnsupportedVersionError("no common version"),
  ])("is not asked for again where that will not help, until the user has heard of it: %s", async (error) => {
    const { coordinator, finder, clock, options } = unknown();
    finder.finds = error;
    coordinator.ready();
    await turn();
    clock.advance(options.retryBackoffMaxMs);
    expect([coordinator.ready(), finder.looks, coordinator.retryAtMs]).toEqual([null, 1, Number.POSITIVE_INFINITY]);
    expect(coordinator.error).toBe(error);
    expect(coordinator.takeError()).toBe(error);
    expect(coordinator.takeError()).toBeNull();
    coordinator.ready();
    expect(finder.looks).toBe(2);
  });

  test("tells the user of one that does not let us in, and asks it again only afterwards", () => {
    const { coordinator, cluster, clock } = scriptedCoordinator();
    const refusal = new AuthenticationError({ host: "b", port: 1 }, "PLAIN", "credentialsRefused", "no");
    cluster.unready.set(1, clock.now() + 50);
    cluster.refusals.set(1, refusal);
    expect(coordinator.ready()).toBeNull();
    expect(coordinator.takeError()).toBe(refusal);
  });

  test("is looked for no more once that is over, and nobody hears of an error", async () => {
    const { coordinator, finder } = unknown();
    finder.finds = null;
    coordinator.ready();
    coordinator.close();
    await turn();
    expect([coordinator.error, coordinator.lastError]).toEqual([null, null]);
  });
});
