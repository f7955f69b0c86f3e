import { expect, test } from "vitest";
import { ManualClock } from "../src/clock.ts";
import { ClassicGroup, type JoinRequest } from "../src/groups/classic-group.ts";
import type { JoinResult } from "../src/groups/classic-member.ts";
import { GroupError } from "../src/groups/group-error.ts";

const settings = {
  ...{ initialRebalanceDelayMs: 0, minSessionTimeoutMs: 1, maxSessionTimeoutMs: 1_000_000, maxMetadataBytes: 4_096 },
  ...{ offsetsRetentionMs: 604_800_000, offsetsRetentionCheckIntervalMs: 600_000 },
  ...{ consumerSessionTimeoutMs: 1, consumerHeartbeatIntervalMs: 1 },
};

const joining: JoinRequest = {
  ...{ memberId: "", groupInstanceId: null, protocolType: "consumer", clientId: "c", clientHost: "/127.0.0.1" },
  protocols: [{ name: "range", metadata: Buffer.alloc(0) }],
  ...{ sessionTimeoutMs: 10_000, rebalanceTimeoutMs: 60_000, requiresKnownMemberId: false, canSkipAssignment: true },
};

const use = { type: "consumer", name: "range" };
const as = ({ memberId, generationId }: JoinResult) => ({ memberId, generationId, groupInstanceId: null });

const codeOfFailure = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (error instanceof GroupError) return error.code;
    throw error;
  }
  return "none";
};

/** A leader and a follower that have joined, and wait for what the leader assigns. */
async function joinedGroup() {
  const clock = new ManualClock();
  const group = new ClassicGroup(clock, settings);
  const { memberId } = await group.join(joining);
  const following = group.join(joining);
  const leader = await group.join({ ...joining, memberId });
  return { clock, group, leader, follower: await following };
}

test("who waits for the assignment is not taken for dead, however long the leader takes", async () => {
  const { clock, group, leader, follower } = await joinedGroup();
  const synced = group.sync(as(follower), use, []);
  for (let n = 0; n < 5; n++) {
    clock.advance(9_000);
    expect(group.heartbeat(as(leader))).toBeNull();
  }
  expect(group.members).toHaveLength(2);
  await group.sync(as(leader), use, [{ memberId: follower.memberId, assignment: Buffer.of(7) }]);
  expect(await synced).toMatchObject({ error: null, assignment: Buffer.of(7) });
  clock.advance(10_000);
  expect(group.members).toHaveLength(0);
});

test("who waited for an assignment that does not come is heard of again, or gone", async () => {
  const { clock, group, leader, follower } = await joinedGroup();
  const synced = group.sync(as(follower), use, []);
  group.leave({ memberId: leader.memberId, groupInstanceId: null });
  expect(await synced).toMatchObject({ error: "REBALANCE_IN_PROGRESS" });
  expect(group.heartbeat(as(follower))).toBe("REBALANCE_IN_PROGRESS");
  clock.advance(10_000);
  expect(group.members).toHaveLength(0);
});

test("a leader that joins and brings no assignment is gone after the rebalance timeout", async () => {
  const { clock, group, leader, follower } = await joinedGroup();
  const synced = group.sync(as(follower), use, []);
  for (let n = 0; n < 10; n++) {
    expect(group.heartbeat(as(leader))).toBeNull();
    clock.advance(6_000);
  }
  expect(await synced).toMatchObject({ error: "REBALANCE_IN_PROGRESS" });
  expect(group.members.map(({ memberId }) => memberId)).toEqual([follower.memberId]);
});

test("a coordinator that moves sends those that wait to the other one", async () => {
  const clock = new ManualClock();
  const group = new ClassicGroup(clock, settings);
  const first = await group.join(joining);
  await group.sync(as(first), use, []);
  const second = group.join(joining);
  group.resign();
  expect(await second).toMatchObject({ error: "NOT_COORDINATOR" });
  expect(group.heartbeat(as(first))).toBe("REBALANCE_IN_PROGRESS");
  const rejoined = group.join({ ...joining, memberId: first.memberId });
  // Whoever lost its answer never learned its id, and is counted out.
  clock.advance(10_000);
  expect(await rejoined).toMatchObject({
    error: null,
    leader: first.memberId,
    members: [{ memberId: first.memberId }],
  });
});

test("offsets may be kept in a group that nobody is in, and only by its members in any other", async () => {
  const { group, leader } = await joinedGroup();
  const outside = { memberId: "", groupInstanceId: null, generationId: -1 };
  const simple = { ...outside, memberId: "of its own" };
  expect(codeOfFailure(() => group.checkCommit(outside, false))).toBe("UNKNOWN_MEMBER_ID");
  expect(codeOfFailure(() => group.checkCommit(simple, false))).toBe("UNKNOWN_MEMBER_ID");
  expect(codeOfFailure(() => group.checkCommit(outside, true))).toBe("none");
  expect(codeOfFailure(() => group.checkCommit(as(leader), false))).toBe("REBALANCE_IN_PROGRESS");
  expect(codeOfFailure(() => group.checkCommit({ ...as(leader), generationId: 1 }, false))).toBe("ILLEGAL_GENERATION");
  const empty = new ClassicGroup(new ManualClock(), settings);
  expect(codeOfFailure(() => empty.checkCommit(simple, false))).toBe("none");
});

test("an id that was given and never used is forgotten, and holds nobody up", async () => {
  const clock = new ManualClock();
  const group = new ClassicGroup(clock, settings);
  const refused = await group.join({ ...joining, requiresKnownMemberId: true });
  expect(refused).toMatchObject({ error: "MEMBER_ID_REQUIRED" });
  expect(group.isEmpty).toBe(false);
  clock.advance(10_000);
  expect(group.isEmpty).toBe(true);
  const { memberId } = refused;
  expect(await group.join({ ...joining, memberId })).toMatchObject({ error: "UNKNOWN_MEMBER_ID" });
});
