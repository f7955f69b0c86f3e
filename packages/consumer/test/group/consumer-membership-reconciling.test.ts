import { describe, expect, test } from "vitest";
import { ConsumerMember, consumerMemberOf, heard, intervalMs } from "./consumer-member.ts";
import { bodyOf, committedAs, turn } from "./scripted-group.ts";

/** Has the listener wait at its next call, until the function that is returned is called. */
function heldUp(member: ConsumerMember): () => void {
  let release = () => {};
  member.onCall = () =>
    new Promise((resolve) => {
      member.onCall = () => {};
      release = resolve;
    });
  return () => release();
}

describe("ConsumerMembership, given other partitions", () => {
  test("gives up what goes before it takes what comes, keeps what stays, and acknowledges at once", async () => {
    const member = await consumerMemberOf(["orders-0", "orders-1"]);
    member.readTo(7n);
    await member.beat(["orders-1", "refunds-0"]);
    expect(member.told).toEqual(["revoked orders-0", "assigned refunds-0"]);
    expect(member.owned).toEqual(["orders-1", "refunds-0"]);
    expect(member.assignment.get({ topic: "orders", partition: 1 }).position?.offset).toBe(7n);
    expect([member.state, member.says()]).toEqual(["ACKNOWLEDGING", "1 owns orders-1 refunds-0"]);
  });

  test("begins that with the next poll only, and has its partitions until then", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.work();
    await member.beat(["orders-1"]);
    expect([member.state, member.owned, member.told, member.asked]).toEqual(["STABLE", ["orders-0"], [], []]);
    expect(member.membership.isHoldingBack).toBe(false);
    await member.comeBack();
    expect(member.owned).toEqual(["orders-1"]);
  });

  test("acknowledges as often as it takes to be heard, and no more", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    await member.beat(["orders-1"]);
    await member.answer(null, { error: "COORDINATOR_LOAD_IN_PROGRESS" });
    await member.pass(member.options.retryBackoffMaxMs);
    expect(member.says()).toBe("1 everything owns orders-1");
  });

  test("acknowledges with a heartbeat of its own where one was under way", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    const finish = heldUp(member);
    member.isPolling = false;
    await member.beat(["orders-1"]);
    member.isPolling = true;
    const settling = member.settle();
    await turn();
    await turn();
    member.clock.advance(intervalMs);
    member.look();
    const before = member.takeBeat();
    finish();
    await settling;
    expect([member.state, member.asked]).toEqual(["ACKNOWLEDGING", []]);
    before.onAnswer(heard());
    await member.settle();
    expect([member.state, member.says()]).toEqual(["ACKNOWLEDGING", "1 owns orders-1"]);
  });

  test("says that it lives while the listener works, and owns what goes until then", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    const finish = heldUp(member);
    member.isPolling = false;
    await member.beat(["orders-1"]);
    member.isPolling = true;
    const settling = member.settle();
    await turn();
    await turn();
    expect([member.state, member.owned, member.told]).toEqual(["RECONCILING", ["orders-0"], ["revoked orders-0"]]);
    member.clock.advance(intervalMs);
    member.look();
    expect(member.says()).toBe("1");
    finish();
    await settling;
  });

  test("ends what it began, and says so, before it goes on to a newer target that came while the listener worked", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.onCall = () => {
      member.onCall = () => {};
      member.clock.advance(intervalMs);
      member.look();
      member.takeBeat().onAnswer(heard(["orders-2"], { memberEpoch: 2 }));
    };
    await member.beat(["orders-1"]);
    expect([member.owned, member.told]).toEqual([["orders-1"], ["revoked orders-0", "assigned orders-1"]]);
    expect(member.says()).toBe("2 owns orders-1");
  });

  test("goes on to the newer target as soon as it was heard", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.onCall = () => {
      member.onCall = () => {};
      member.clock.advance(intervalMs);
      member.look();
      member.takeBeat().onAnswer(heard(["orders-2"]));
    };
    await member.beat(["orders-1"]);
    member.told.length = 0;
    await member.answer();
    expect([member.owned, member.told]).toEqual([["orders-2"], ["revoked orders-1", "assigned orders-2"]]);
    expect(member.says()).toBe("1 owns orders-2");
  });

  test("tells nobody of a target that it has already, though the coordinator repeats it", async () => {
    const member = await consumerMemberOf(["orders-0", "refunds-1"]);
    await member.beat(["refunds-1", "orders-0"], { memberEpoch: 2 });
    expect([member.state, member.told, member.asked]).toEqual(["STABLE", [], []]);
  });

  test("acknowledges a target that was changed back before it was begun, and tells nobody", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    member.work();
    await member.beat(["orders-0", "orders-1"]);
    await member.beat(["orders-0"]);
    await member.comeBack();
    expect([member.told, member.membership.isHoldingBack]).toEqual([[], false]);
    expect(member.says()).toBe("1 owns orders-0");
  });

  test("tells of a first target again after it lost its place, though it is the same", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    await member.beat(null, { error: "FENCED_MEMBER_EPOCH" });
    await member.answer(["orders-0"], { memberEpoch: 3 });
    expect(member.told).toEqual(["lost orders-0", "assigned orders-0"]);
    expect(member.says()).toBe("3 owns orders-0");
  });

  test("hands out nothing from the beginning of the commit to the end of the listener's work", async () => {
    const member = await consumerMemberOf(["orders-0"], { enableAutoCommit: true });
    member.readTo(42n);
    const held: string[] = [];
    member.onCall = (call) => void held.push(`${call}: ${member.membership.isHoldingBack}`);
    await member.beat(["orders-1"]);
    expect([member.state, member.told, member.membership.isHoldingBack]).toEqual(["RECONCILING", [], true]);
    member.takeCommit().onAnswer(committedAs({ "orders-0": "NONE" }));
    await member.settle();
    expect(held).toEqual(["revoked orders-0: true", "assigned orders-1: true"]);
    expect(member.membership.isHoldingBack).toBe(false);
  });
});

describe("ConsumerMembership, committing before partitions go", () => {
  test("commits what is done with in its epoch, before the listener is told", async () => {
    const member = await consumerMemberOf(["orders-0"], { enableAutoCommit: true });
    member.readTo(42n);
    await member.beat([], { memberEpoch: 4 });
    const commit = member.takeCommit();
    expect(bodyOf(commit)).toMatchObject({
      memberId: member.membership.identity.memberId,
      generationIdOrMemberEpoch: 4,
      topics: [{ name: "orders", partitions: [{ partitionIndex: 0, committedOffset: 42n, committedLeaderEpoch: 3 }] }],
    });
    expect(member.told).toEqual([]);
    commit.onAnswer(committedAs({ "orders-0": "NONE" }));
    await member.settle();
    expect(member.told).toEqual(["revoked orders-0", "assigned"]);
  });

  test("commits again in the epoch that it is in by then, where the one before is stale", async () => {
    const member = await consumerMemberOf(["orders-0"], { enableAutoCommit: true });
    member.readTo(42n);
    await member.beat([]);
    await member.pass(intervalMs);
    member.takeCommit().onAnswer(committedAs({ "orders-0": "STALE_MEMBER_EPOCH" }));
    await member.answer(null, { memberEpoch: 5 });
    await member.pass(member.options.retryBackoffMaxMs);
    expect(bodyOf(member.takeCommit()).generationIdOrMemberEpoch).toBe(5);
    expect([member.state, member.told]).toEqual(["RECONCILING", []]);
  });

  test("goes on without the commit where that fails", async () => {
    const member = await consumerMemberOf(["orders-0"], { enableAutoCommit: true });
    member.readTo(42n);
    await member.beat([]);
    member.takeCommit().onAnswer(committedAs({ "orders-0": "GROUP_AUTHORIZATION_FAILED" }));
    await member.settle();
    expect(member.told).toEqual(["revoked orders-0", "assigned"]);
    expect([member.logger.count("auto-commit failed"), member.thrown]).toEqual([1, []]);
  });

  test("waits no longer for the commit than a rebalance may take", async () => {
    const member = await consumerMemberOf(["orders-0"], { enableAutoCommit: true, maxPollIntervalMs: 3_000 });
    member.readTo(42n);
    await member.beat([]);
    await member.pass(2_999);
    expect(member.told).toEqual([]);
    await member.pass(1);
    expect(member.told).toEqual(["revoked orders-0", "assigned"]);
  });

  test("commits nothing where nothing goes", async () => {
    const member = await consumerMemberOf(["orders-0"], { enableAutoCommit: true });
    member.readTo(42n);
    await member.beat(["orders-0", "orders-1"]);
    expect([member.told, member.asked]).toEqual([["assigned orders-1"], ["ConsumerGroupHeartbeat"]]);
  });

  test("revokes nothing any more where its place is lost while it commits, but tells that all is lost", async () => {
    const member = await consumerMemberOf(["orders-0"], { enableAutoCommit: true });
    member.readTo(42n);
    await member.beat([]);
    member.takeCommit().onAnswer(committedAs({ "orders-0": "UNKNOWN_MEMBER_ID" }));
    await member.settle();
    expect([member.told, member.owned]).toEqual([["lost orders-0"], []]);
    expect(member.says()).toBe("0 everything owns");
  });
});

describe("ConsumerMembership, given topics that it does not know yet", () => {
  test("takes what it knows, acknowledges that, and asks what the others are", async () => {
    const member = new ConsumerMember();
    await member.settle();
    const before = member.cluster.updatesRequested;
    await member.answer(["orders-0", "payments-1"]);
    expect([member.owned, member.told]).toEqual([["orders-0"], ["assigned orders-0"]]);
    expect(member.says()).toBe("1 owns orders-0");
    expect(member.cluster.updatesRequested).toBeGreaterThan(before);
  });

  test("takes the rest when the cluster tells of it", async () => {
    const member = await consumerMemberOf(["orders-0", "payments-1"]);
    member.learn("orders", "refunds", "payments");
    await member.settle();
    expect([member.owned, member.told]).toEqual([["orders-0", "payments-1"], ["assigned payments-1"]]);
    await member.answer();
    await member.pass(intervalMs);
    expect([member.state, member.says()]).toEqual(["STABLE", "1"]);
  });

  test("waits for it without doing anything but to ask, and to live", async () => {
    const member = await consumerMemberOf(["orders-0", "payments-1"]);
    for (let looks = 0; looks < 20; looks++) member.look();
    expect([member.state, member.asked, member.told]).toEqual(["STABLE", [], []]);
    expect(member.nextMs).toBe(member.clock.now() + intervalMs);
    const asked = member.cluster.updatesRequested;
    member.look();
    expect(member.cluster.updatesRequested).toBeGreaterThan(asked);
  });

  test("asks no more when it knows everything", async () => {
    const member = await consumerMemberOf(["orders-0", "payments-1"]);
    member.learn("orders", "refunds", "payments");
    await member.settle();
    await member.answer();
    const asked = member.cluster.updatesRequested;
    await member.beat();
    expect(member.cluster.updatesRequested).toBe(asked);
  });

  test("gives up what goes though it does not know what comes", async () => {
    const member = await consumerMemberOf(["orders-0", "orders-1"]);
    await member.beat(["orders-1", "payments-0"]);
    expect([member.owned, member.told]).toEqual([["orders-1"], ["revoked orders-0", "assigned"]]);
    expect(member.says()).toBe("1 owns orders-1");
  });

  test("acknowledges that it keeps what it has where all that comes is unknown, and tells nobody", async () => {
    const member = await consumerMemberOf(["orders-0"]);
    await member.beat(["orders-0", "payments-0"]);
    expect(member.told).toEqual([]);
    expect(member.says()).toBe("1 owns orders-0");
  });

  test("forgets what it never learned of when the coordinator gives that to others", async () => {
    const member = await consumerMemberOf(["orders-0", "payments-1"]);
    await member.beat(["orders-0"]);
    await member.answer();
    member.learn("orders", "refunds", "payments");
    await member.settle();
    expect([member.owned, member.told]).toEqual([["orders-0"], []]);
  });
});

describe("ConsumerMembership, whose topics the cluster does not tell of any more", () => {
  test("keeps partitions that the coordinator leaves it", async () => {
    const member = await consumerMemberOf(["orders-0", "refunds-0"]);
    member.learn("orders");
    await member.beat(["orders-0", "orders-1", "refunds-0"]);
    expect([member.owned, member.told]).toEqual([["orders-0", "orders-1", "refunds-0"], ["assigned orders-1"]]);
    expect(member.says()).toBe("1 owns orders-0 orders-1 refunds-0");
  });

  test("does not say that it gave up what it still has", async () => {
    const member = await consumerMemberOf(["orders-0", "refunds-0"]);
    member.learn("orders");
    await member.beat(null, { error: "COORDINATOR_LOAD_IN_PROGRESS" });
    await member.pass(member.options.retryBackoffMaxMs);
    expect(member.says()).toBe("1 everything owns orders-0 refunds-0");
  });

  test("does not know a topic any more that it has given up", async () => {
    const member = await consumerMemberOf(["orders-0", "refunds-0"]);
    await member.beat(["orders-0"]);
    await member.answer();
    member.told.length = 0;
    member.learn("orders");
    await member.beat(["orders-0", "orders-1"]);
    await member.answer();
    await member.beat(["orders-0", "refunds-0"]);
    expect([member.owned, member.told]).toEqual([["orders-0"], ["assigned orders-1", "revoked orders-1", "assigned"]]);
  });
});
