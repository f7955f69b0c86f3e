import { Deadline } from "@odradek/network";
import type { BrokerErrorName } from "@odradek/protocol";
import { Heartbeat } from "@odradek/protocol/messages/heartbeat";
import { JoinGroup } from "@odradek/protocol/messages/join-group";
import { SyncGroup } from "@odradek/protocol/messages/sync-group";
import { describe, expect, test } from "vitest";
import { beat, committedAs, joined, named, outcome, synced } from "./scripted-group.ts";
import { joinsAs, memberOf, TestMember } from "./test-member.ts";

/** What a member does about an error. */
interface Row {
  readonly error: BrokerErrorName;
  /** As whom it joins next: at once, unless `later`. */
  readonly joins: string;
  readonly later?: true;
  /** Whether it looks for the coordinator first. */
  readonly looksAnew?: true;
  /** Whether the poll throws it, and joining waits for the next poll. */
  readonly throws?: true;
}

const fatal = (joins: string, ...errors: readonly BrokerErrorName[]): Row[] =>
  errors.map((error) => ({ error, joins, throws: true }));

/** Has a member that joins be refused, and follows what comes of it. */
async function expectJoins(member: TestMember, refuse: () => void, { error, joins, later, looksAnew, throws }: Row) {
  const { looks } = member.finder;
  refuse();
  await member.settle();
  expect(member.thrown).toMatchObject(throws ? [{ code: error }] : []);
  if (throws || later) expect(member.asked).toEqual([]);
  if (throws) await member.settle();
  if (later) {
    expect(member.nextMs).toBeGreaterThan(member.clock.now());
    await member.pass(member.options.retryBackoffMaxMs);
  }
  expect(member.finder.looks - looks).toBe(looksAnew ? 1 : 0);
  expect(joinsAs(member)).toBe(joins);
}

describe("ClassicMembership, where JoinGroup is refused", () => {
  test.each<Row>([
    { error: "COORDINATOR_LOAD_IN_PROGRESS", joins: "me 1", later: true },
    { error: "COORDINATOR_NOT_AVAILABLE", joins: "me 1", later: true, looksAnew: true },
    { error: "NOT_COORDINATOR", joins: "me 1", later: true, looksAnew: true },
    { error: "REBALANCE_IN_PROGRESS", joins: "me 1", later: true },
    { error: "UNKNOWN_MEMBER_ID", joins: "nobody -1" },
    { error: "MEMBER_ID_REQUIRED", joins: "new -1" },
    ...fatal("me -1", "FENCED_INSTANCE_ID"),
    ...fatal(
      "me 1",
      "INCONSISTENT_GROUP_PROTOCOL",
      "INVALID_SESSION_TIMEOUT",
      "INVALID_GROUP_ID",
      "GROUP_MAX_SIZE_REACHED",
      "UNSUPPORTED_VERSION",
      "GROUP_AUTHORIZATION_FAILED",
      "UNKNOWN_SERVER_ERROR",
    ),
  ])("does about $error what is to be done", async (row) => {
    const member = await memberOf([]);
    member.membership.requestRejoin("test");
    await member.settle();
    const request = member.take(JoinGroup);
    await expectJoins(member, () => request.onAnswer(joined({ error: row.error, memberId: "new" })), row);
  });
});

describe("ClassicMembership, where SyncGroup is refused", () => {
  test.each<Row>([
    { error: "COORDINATOR_LOAD_IN_PROGRESS", joins: "me 2", later: true },
    { error: "COORDINATOR_NOT_AVAILABLE", joins: "me 2", later: true, looksAnew: true },
    { error: "NOT_COORDINATOR", joins: "me 2", later: true, looksAnew: true },
    { error: "REBALANCE_IN_PROGRESS", joins: "me 2" },
    { error: "UNKNOWN_MEMBER_ID", joins: "nobody -1" },
    { error: "ILLEGAL_GENERATION", joins: "me -1" },
    ...fatal("me -1", "FENCED_INSTANCE_ID"),
    ...fatal("me 2", "GROUP_AUTHORIZATION_FAILED", "UNKNOWN_SERVER_ERROR", "INCONSISTENT_GROUP_PROTOCOL"),
  ])("does about $error what is to be done", async (row) => {
    const member = await memberOf([]);
    member.membership.requestRejoin("test");
    await member.settle();
    member.take(JoinGroup).onAnswer(joined({ generationId: 2 }));
    await member.settle();
    const request = member.take(SyncGroup);
    await expectJoins(member, () => request.onAnswer(synced([], { error: row.error })), row);
  });
});

/** What comes of an error of a heartbeat, for a member that has `orders-0`. */
interface BeatRow {
  readonly error: BrokerErrorName;
  /** What the listener is told in the next poll. */
  readonly told?: string;
  readonly joins?: string;
  readonly throws?: true;
}

describe("ClassicMembership, where a heartbeat is refused", () => {
  test.each<BeatRow>([
    { error: "COORDINATOR_LOAD_IN_PROGRESS" },
    { error: "COORDINATOR_NOT_AVAILABLE" },
    { error: "NOT_COORDINATOR" },
    { error: "REBALANCE_IN_PROGRESS", told: "revoked orders-0", joins: "me 1" },
    { error: "ILLEGAL_GENERATION", told: "lost orders-0", joins: "me -1" },
    { error: "UNKNOWN_MEMBER_ID", told: "lost orders-0", joins: "nobody -1" },
    // Under its id, so that it does not take its name back, and the other one does not do the same.
    { error: "FENCED_INSTANCE_ID", told: "lost orders-0", joins: "me -1", throws: true },
    // It has its place for as long as its session lasts, and may be given its rights back before that is over.
    { error: "GROUP_AUTHORIZATION_FAILED", throws: true },
  ])("does about $error what is to be done", async ({ error, told, joins, throws }) => {
    const member = await memberOf(["orders-0"]);
    await member.pass(member.options.heartbeatIntervalMs);
    member.take(Heartbeat).onAnswer(beat(error));
    await member.settle();
    expect(member.thrown).toMatchObject(throws ? [{ code: error }] : []);
    if (throws) await member.settle();
    expect(member.told).toEqual(told === undefined ? [] : [told]);
    if (joins === undefined) {
      expect([member.state, member.owned]).toEqual(["STABLE", ["orders-0"]]);
      await member.pass(member.options.heartbeatIntervalMs);
      expect(member.asked).toEqual(["Heartbeat"]);
    } else expect(joinsAs(member)).toBe(joins);
  });

  test.each(["ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID", "FENCED_INSTANCE_ID", "REBALANCE_IN_PROGRESS"] as const)(
    "ignores %s where it has moved on since the heartbeat was sent",
    async (error) => {
      const member = await memberOf(["orders-0"]);
      await member.pass(member.options.heartbeatIntervalMs);
      const old = member.take(Heartbeat);
      member.membership.requestRejoin("test");
      await member.join(named("orders-0"), { generationId: 2 });
      old.onAnswer(beat(error));
      await member.settle();
      expect([member.state, member.owned, member.thrown]).toEqual(["STABLE", ["orders-0"], []]);
      expect(member.membership.identity).toMatchObject({ memberId: "me", generationId: 2 });
    },
  );

  test("keeps its id where it was displaced since a heartbeat, whose answer would have it forgotten", async () => {
    const member = await memberOf(["orders-0"]);
    await member.pass(member.options.heartbeatIntervalMs);
    const old = member.take(Heartbeat);
    member.work();
    const offsets = [{ topic: "orders", partition: 0, offset: 7n, leaderEpoch: null, metadata: "" }];
    const committing = outcome(member.commits.commit(offsets, new Deadline(member.clock, 60_000), false));
    await member.settle();
    member.takeCommit().onAnswer(committedAs({ "orders-0": "ILLEGAL_GENERATION" }));
    expect(await committing).toBe("COMMIT_FAILED");
    old.onAnswer(beat("UNKNOWN_MEMBER_ID"));
    expect(member.membership.identity).toMatchObject({ memberId: "me", generationId: -1 });
  });

  test("joins once, and not twice, where the call to a rebalance comes while it joins already", async () => {
    const member = await memberOf(["orders-0"]);
    await member.pass(member.options.heartbeatIntervalMs);
    const heartbeat = member.take(Heartbeat);
    member.membership.requestRejoin("test");
    await member.settle();
    expect(member.state).toBe("JOINING");
    heartbeat.onAnswer(beat("REBALANCE_IN_PROGRESS"));
    await member.join(named("orders-0"), { generationId: 2 });
    expect([member.state, member.asked]).toEqual(["STABLE", []]);
  });

  test("hands out nothing any more as soon as its place is lost", async () => {
    const member = await memberOf(["orders-0"]);
    expect(member.membership.isHoldingBack).toBe(false);
    member.work();
    await member.beat("UNKNOWN_MEMBER_ID");
    expect([member.owned, member.membership.isHoldingBack]).toEqual([["orders-0"], true]);
  });

  test("assigns nothing where its place was lost before the application polled", async () => {
    const member = new TestMember();
    await member.settle();
    member.take(JoinGroup).onAnswer(joined());
    await member.settle();
    member.work();
    member.take(SyncGroup).onAnswer(synced(named("orders-0")));
    await member.settle();
    await member.beat("UNKNOWN_MEMBER_ID");
    await member.comeBack();
    expect([member.told.filter((call) => call.startsWith("assigned")), member.owned]).toEqual([[], []]);
    expect(joinsAs(member)).toBe("nobody -1");
  });
});

/** What a commit is told, and who the member is then. */
interface CommitRow {
  readonly error: BrokerErrorName;
  readonly told: string;
  readonly identity: string;
}

describe("ClassicMembership, where a commit is refused", () => {
  const identityOf = ({ membership }: TestMember) => {
    const { memberId, generationId } = membership.identity;
    return `${memberId || "nobody"} ${generationId}`;
  };
  const commit = (member: TestMember) => {
    const offsets = [{ topic: "orders", partition: 0, offset: 7n, leaderEpoch: null, metadata: "" }];
    return outcome(member.commits.commit(offsets, new Deadline(member.clock, 60_000), false));
  };

  test.each<CommitRow>([
    { error: "UNKNOWN_MEMBER_ID", told: "COMMIT_FAILED", identity: "nobody -1" },
    { error: "ILLEGAL_GENERATION", told: "COMMIT_FAILED", identity: "me -1" },
    { error: "STALE_MEMBER_EPOCH", told: "COMMIT_FAILED", identity: "me -1" },
    { error: "REBALANCE_IN_PROGRESS", told: "REBALANCE_IN_PROGRESS", identity: "me 1" },
    { error: "FENCED_INSTANCE_ID", told: "FENCED_INSTANCE_ID", identity: "me 1" },
    { error: "GROUP_AUTHORIZATION_FAILED", told: "GROUP_AUTHORIZATION_FAILED", identity: "me 1" },
  ])("with $error as who it is, tells $told", async ({ error, told, identity }) => {
    const member = await memberOf(["orders-0"]);
    member.work();
    const committing = commit(member);
    await member.settle();
    member.takeCommit().onAnswer(committedAs({ "orders-0": error }));
    expect(await committing).toBe(told);
    expect(identityOf(member)).toBe(identity);
  });

  test("joins anew after a commit met a rebalance", async () => {
    const member = await memberOf(["orders-0"]);
    const committing = commit(member);
    await member.settle();
    member.takeCommit().onAnswer(committedAs({ "orders-0": "REBALANCE_IN_PROGRESS" }));
    await committing;
    await member.settle();
    expect(joinsAs(member)).toBe("me 1");
  });

  test.each([
    ["UNKNOWN_MEMBER_ID", "COMMIT_FAILED"],
    ["ILLEGAL_GENERATION", "COMMIT_FAILED"],
    ["FENCED_INSTANCE_ID", "COMMIT_FAILED"],
    ["REBALANCE_IN_PROGRESS", "REBALANCE_IN_PROGRESS"],
  ] as const)("keeps its place where %s is of a generation before", async (error, told) => {
    const member = await memberOf(["orders-0"]);
    const committing = commit(member);
    await member.settle();
    const old = member.takeCommit();
    member.membership.requestRejoin("test");
    await member.join(named("orders-0"), { generationId: 2 });
    old.onAnswer(committedAs({ "orders-0": error }));
    expect(await committing).toBe(told);
    await member.settle();
    expect([identityOf(member), member.state, member.asked]).toEqual(["me 2", "STABLE", []]);
  });

  test.each(["UNKNOWN_MEMBER_ID", "ILLEGAL_GENERATION", "FENCED_INSTANCE_ID"] as const)(
    "asks to commit again where %s is of a generation before and it joins right now",
    async (error) => {
      const member = await memberOf(["orders-0"]);
      const committing = commit(member);
      await member.settle();
      const old = member.takeCommit();
      member.membership.requestRejoin("test");
      await member.settle();
      member.take(JoinGroup).onAnswer(joined({ generationId: 2 }));
      await member.settle();
      expect(member.state).toBe("JOINING");
      old.onAnswer(committedAs({ "orders-0": error }));
      expect(await committing).toBe("REBALANCE_IN_PROGRESS");
      expect(identityOf(member)).toBe("me 2");
    },
  );

  test("commits nothing while it joins, nor without a place", async () => {
    const member = new TestMember();
    const before = commit(member);
    member.isPolling = false;
    await member.settle();
    expect(await before).toBe("COMMIT_FAILED");
    await member.comeBack();
    const during = commit(member);
    await member.settle();
    expect(await during).toBe("REBALANCE_IN_PROGRESS");
    expect(member.asked).toEqual(["JoinGroup"]);
  });
});
