import { ConnectionError, Deadline } from "@odradek/network";
import { type BrokerErrorName, KafkaError, UnsupportedVersionError } from "@odradek/protocol";
import { OffsetFetch } from "@odradek/protocol/messages/offset-fetch";
import { describe, expect, test } from "vitest";
import { CommittedOffsets } from "../../src/offsets/committed-offsets.ts";
import type { OutgoingRequest } from "../../src/outgoing-request.ts";
import { bodyOf, named, offsetsAs, outcome, scriptedCoordinator, taken, turn } from "../group/scripted-group.ts";

const closed = () => new ConnectionError({ host: "127.0.0.1", port: 9092 }, "closed");

function fixture() {
  const { options, clock, coordinator, finder } = scriptedCoordinator();
  const committed = new CommittedOffsets(options, coordinator, clock);
  const sent: OutgoingRequest[] = [];
  const look = () => {
    const { requests, nextMs } = committed.poll(clock.now());
    sent.push(...requests);
    return nextMs;
  };
  const lookUp = (names: readonly string[], timeoutMs = 60_000) => {
    const looking = committed.lookUp(named(...names), new Deadline(clock, timeoutMs));
    void looking.catch(() => {});
    return looking;
  };
  const take = () => taken(sent, OffsetFetch);
  return { options, clock, coordinator, finder, committed, sent, look, lookUp, take };
}

const found = [
  { topic: "refunds", partition: 1, offset: null, leaderEpoch: null, metadata: null },
  { topic: "orders", partition: 2, offset: 42n, leaderEpoch: 3, metadata: "note" },
  { topic: "orders", partition: 0, offset: 0n, leaderEpoch: null, metadata: "" },
];
const names = ["refunds-1", "orders-2", "orders-0"];
const offsets = {
  "orders-0": { offset: 0n },
  "orders-2": { offset: 42n, leaderEpoch: 3, metadata: "note" },
  "refunds-1": {},
};
const topics = [
  { name: "refunds", partitionIndexes: [1] },
  { name: "orders", partitionIndexes: [2, 0] },
];

describe("CommittedOffsets", () => {
  test.each([8, 9])("asks version %d about a group, and takes its answer, each in the order asked", async (version) => {
    const { lookUp, look, take } = fixture();
    const looking = lookUp(names);
    look();
    const request = take();
    expect(bodyOf(request, version)).toEqual({
      topics: [],
      groups: [{ groupId: "billing", topics }],
      requireStable: true,
    });
    request.onAnswer(offsetsAs(offsets, { version }));
    expect(await looking).toEqual(found);
  });

  test("asks version 7 in its own shape, for offsets that no transaction is about to replace", async () => {
    const { lookUp, look, take } = fixture();
    const looking = lookUp(names);
    look();
    const request = take();
    expect(bodyOf(request, 7)).toEqual({ groupId: "billing", topics, groups: [], requireStable: true });
    request.onAnswer(offsetsAs(offsets, { version: 7 }));
    expect(await looking).toEqual(found);
  });

  test.each([1, 6])("asks version %d for what there is", (version) => {
    const { lookUp, look, take } = fixture();
    void lookUp(names);
    look();
    expect(bodyOf(take(), version)).toEqual({ groupId: "billing", topics, groups: [] });
  });

  test("goes past a JoinGroup that is held, and names topics", () => {
    const { lookUp, look, take } = fixture();
    void lookUp(names);
    look();
    const { options } = take();
    expect([options?.purpose, options?.bounds]).toEqual([undefined, { newest: 9 }]);
  });

  test("asks for nothing where nothing is asked", async () => {
    const { lookUp, look, sent } = fixture();
    expect(await lookUp([])).toEqual([]);
    look();
    expect(sent).toEqual([]);
  });

  test("has no offset of what the answer leaves out", async () => {
    const { lookUp, look, take } = fixture();
    const looking = lookUp(["orders-0"]);
    look();
    take().onAnswer(offsetsAs({}));
    expect(await looking).toMatchObject([{ offset: null }]);
  });

  test.each<[BrokerErrorName, boolean]>([
    ["UNSTABLE_OFFSET_COMMIT", false],
    ["COORDINATOR_LOAD_IN_PROGRESS", false],
    ["COORDINATOR_NOT_AVAILABLE", true],
    ["NOT_COORDINATOR", true],
  ])("asks again after %s, and looks for the coordinator anew: %s", async (error, looksAnew) => {
    const { lookUp, look, take, sent, clock, finder, options } = fixture();
    const looking = lookUp(["orders-0"]);
    look();
    take().onAnswer(offsetsAs({ "orders-0": { error } }));
    expect(finder.known() === null).toBe(looksAnew);
    const nextMs = look();
    expect(sent).toEqual([]);
    expect(nextMs - clock.now()).toBeGreaterThanOrEqual(options.retryBackoffMs * 0.8);
    clock.advance(options.retryBackoffMaxMs);
    look();
    await turn();
    look();
    take().onAnswer(offsetsAs({ "orders-0": { offset: 7n } }));
    expect(await looking).toMatchObject([{ offset: 7n }]);
  });

  test.each<BrokerErrorName>([
    "GROUP_AUTHORIZATION_FAILED",
    "TOPIC_AUTHORIZATION_FAILED",
    "UNKNOWN_TOPIC_OR_PARTITION",
    "UNKNOWN_MEMBER_ID",
    "ILLEGAL_GENERATION",
    "INVALID_GROUP_ID",
  ])("tells %s of a partition", async (error) => {
    const { lookUp, look, take } = fixture();
    const looking = lookUp(["orders-0", "orders-1"]);
    look();
    take().onAnswer(offsetsAs({ "orders-0": { offset: 1n }, "orders-1": { error } }));
    await expect(looking).rejects.toMatchObject({
      code: error,
      message: expect.stringContaining("orders-0, orders-1"),
    });
  });

  test.each([7, 8])("tells an error of the whole group, in version %d", async (version) => {
    const { lookUp, look, take } = fixture();
    const looking = lookUp(["orders-0"]);
    look();
    take().onAnswer(offsetsAs({}, { version, error: "GROUP_AUTHORIZATION_FAILED" }));
    expect(await outcome(looking)).toBe("GROUP_AUTHORIZATION_FAILED");
  });

  test("asks again where the connection was lost, and tells what no other attempt mends", async () => {
    const { lookUp, look, take, clock, finder, options } = fixture();
    const looking = lookUp(["orders-0"]);
    look();
    take().onFailure(closed());
    expect(finder.known()).toBeNull();
    clock.advance(options.retryBackoffMaxMs);
    look();
    await turn();
    look();
    take().onFailure(new UnsupportedVersionError("no common version"));
    expect(await outcome(looking)).toBe("UNSUPPORTED_VERSION");
  });

  test("ends with a TimeoutError that says why, and takes no notice of a late answer", async () => {
    const { lookUp, look, take, clock } = fixture();
    const looking = lookUp(["orders-0"], 1_000);
    look();
    take().onAnswer(offsetsAs({ "orders-0": { error: "UNSTABLE_OFFSET_COMMIT" } }));
    clock.advance(500);
    look();
    const late = take();
    expect(look()).toBe(clock.now() + 500);
    clock.advance(500);
    look();
    late.onAnswer(offsetsAs({ "orders-0": { offset: 1n } }));
    await expect(looking).rejects.toMatchObject({ code: "TIMEOUT", cause: { code: "UNSTABLE_OFFSET_COMMIT" } });
    expect(look()).toBe(Number.POSITIVE_INFINITY);
  });

  test("ends where it must not be asked who the coordinator is", async () => {
    const { lookUp, look, finder } = fixture();
    finder.forget();
    finder.finds = new UnsupportedVersionError("no such coordinators");
    const looking = lookUp(["orders-0"]);
    look();
    await turn();
    look();
    expect(await outcome(looking)).toBe("UNSUPPORTED_VERSION");
  });

  test("ends all that wait when it is told to", async () => {
    const { lookUp, look, take, committed } = fixture();
    const lookups = [lookUp(["orders-0"]), lookUp(["orders-1"])];
    look();
    committed.cancel(new KafkaError("closed", { code: "CLOSED" }));
    take().onAnswer(offsetsAs({ "orders-0": { offset: 1n } }));
    expect(await Promise.all(lookups.map(outcome))).toEqual(["CLOSED", "CLOSED"]);
  });
});
