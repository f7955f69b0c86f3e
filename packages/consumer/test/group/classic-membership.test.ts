import { Heartbeat } from "@odradek/protocol/messages/heartbeat";
import { JoinGroup } from "@odradek/protocol/messages/join-group";
import { SyncGroup } from "@odradek/protocol/messages/sync-group";
import { describe, expect, test } from "vitest";
import { decodeSubscription } from "../../src/group/consumer-protocol.ts";
import { topicLedBy } from "../test-cluster.ts";
import { beat, bodyOf, committedAs, joined, named, synced } from "./scripted-group.ts";
import { joinsAs, memberOf, TestMember } from "./test-member.ts";

const cooperative = { partitionAssignmentStrategy: ["cooperative-sticky"] } as const;

describe("ClassicMembership, joining", () => {
  test("joins when the application polls, gets its partitions, and tells the listener within the poll", async () => {
    const member = new TestMember();
    member.isPolling = false;
    await member.settle();
    expect(member.asked).toEqual([]);
    member.isPolling = true;
    await member.settle();
    expect([member.state, member.asked]).toEqual(["JOINING", ["JoinGroup"]]);
    member.take(JoinGroup).onAnswer(joined());
    await member.settle();
    member.isPolling = false;
    member.take(SyncGroup).onAnswer(synced(named("orders-0", "orders-2")));
    await member.settle();
    expect([member.state, member.owned, member.told]).toEqual(["ASSIGNING", [], []]);
    member.isPolling = true;
    await member.settle();
    expect([member.state, member.owned]).toEqual(["STABLE", ["orders-0", "orders-2"]]);
    expect(member.told).toEqual(["assigned orders-0 orders-2"]);
    expect(member.membership.identity).toEqual({ memberId: "me", generationId: 1, groupInstanceId: null });
  });

  test("says what it subscribed to, for each assignor, and how long it may take", async () => {
    const member = new TestMember({ clientRack: "r1", sessionTimeoutMs: 10_000, maxPollIntervalMs: 60_000 });
    await member.settle();
    const request = member.take(JoinGroup);
    const body = bodyOf(request);
    expect(body).toMatchObject({
      groupId: "billing",
      memberId: "",
      groupInstanceId: null,
      protocolType: "consumer",
      sessionTimeoutMs: 10_000,
      rebalanceTimeoutMs: 60_000,
    });
    expect(body.protocols.map(({ name }) => name)).toEqual(["range", "cooperative-sticky"]);
    expect(decodeSubscription(Buffer.from(body.protocols[0]?.metadata ?? []))).toMatchObject({
      topics: ["orders"],
      rackId: "r1",
      ownedPartitions: [],
      generationId: -1,
    });
    expect(request.options).toMatchObject({ purpose: "coordinator", bounds: {}, timeoutMs: 65_000 });
  });

  test("waits with joining until it is known what a pattern matches", async () => {
    const member = new TestMember();
    member.subscription.clear();
    member.subscription.subscribePattern(/^ref/, member.listener, member.cluster.metadata.updatedAtMs);
    await member.settle();
    expect(member.asked).toEqual([]);
    member.clock.advance(10);
    member.cluster.learn([topicLedBy("orders", [1]), topicLedBy("refunds", [1])]);
    member.subscription.match(member.cluster.metadata);
    await member.settle();
    expect(member.asked).toEqual(["JoinGroup"]);
  });

  test("drops what it is given of topics that it gave up meanwhile, and joins once more", async () => {
    const member = new TestMember();
    await member.settle();
    member.take(JoinGroup).onAnswer(joined());
    await member.settle();
    member.subscribe(["refunds"]);
    member.take(SyncGroup).onAnswer(synced(named("orders-0", "orders-1")));
    await member.settle();
    expect(member.owned).toEqual([]);
    const { protocols } = bodyOf(member.take(JoinGroup));
    expect(decodeSubscription(Buffer.from(protocols[0]?.metadata ?? [])).topics).toEqual(["refunds"]);
  });

  test("drops what it never asked for, and joins once more", async () => {
    const member = new TestMember();
    await member.join(named("orders-0", "refunds-0"));
    expect([member.owned, member.asked]).toEqual([[], ["JoinGroup"]]);
    expect(member.told).toEqual(["assigned orders-0", "revoked orders-0"]);
  });

  test("sends no heartbeats while the coordinator holds its JoinGroup", async () => {
    const member = await memberOf(["orders-0"]);
    member.membership.requestRejoin("test");
    await member.pass(10 * member.options.heartbeatIntervalMs);
    expect(member.asked).toEqual(["JoinGroup"]);
  });

  test("joins once more where that was asked for while it joined", async () => {
    const member = new TestMember();
    await member.settle();
    member.membership.requestRejoin("enforced");
    await member.join(named("orders-0"));
    expect(bodyOf(member.take(JoinGroup)).reason).toBe("enforced");
  });

  test("joins anew, with the reason, when a rebalance is enforced, and not before the next poll", async () => {
    const member = await memberOf(["orders-0"]);
    member.work();
    member.membership.requestRejoin("because");
    await member.settle();
    expect([member.state, member.asked]).toEqual(["STABLE", []]);
    await member.comeBack();
    expect(bodyOf(member.take(JoinGroup)).reason).toBe("because");
  });

  test("tells the broker no more of a reason than it takes", async () => {
    const member = await memberOf(["orders-0"]);
    member.membership.requestRejoin("x".repeat(300));
    await member.settle();
    expect(bodyOf(member.take(JoinGroup)).reason).toHaveLength(255);
  });

  test("joins anew when it subscribed to other topics", async () => {
    const member = await memberOf(["orders-0"]);
    member.subscribe(["orders", "refunds"]);
    await member.settle();
    expect(member.told).toEqual(["revoked orders-0"]);
    expect(member.asked).toEqual(["JoinGroup"]);
  });

  test("does not join anew when it subscribed to the same topics again", async () => {
    const member = await memberOf(["orders-0"]);
    member.subscribe(["orders"]);
    await member.settle();
    expect([member.state, member.asked]).toEqual(["STABLE", []]);
  });

  test("learns who it is and joins at once, where the coordinator asks for that", async () => {
    const member = new TestMember();
    await member.settle();
    member.take(JoinGroup).onAnswer(joined({ error: "MEMBER_ID_REQUIRED", memberId: "me-7" }));
    await member.settle();
    expect(joinsAs(member)).toBe("me-7 -1");
    expect(member.thrown).toEqual([]);
  });
});

describe("ClassicMembership, in an eager rebalance", () => {
  test("gives up everything before it joins, and gets everything anew", async () => {
    const member = await memberOf(["orders-0", "orders-1"]);
    await member.beat("REBALANCE_IN_PROGRESS");
    expect(member.owned).toEqual([]);
    expect(member.told).toEqual(["revoked orders-0 orders-1"]);
    await member.join(named("orders-1"), { generationId: 2 });
    expect(member.told).toEqual(["revoked orders-0 orders-1", "assigned orders-1"]);
    expect([member.state, member.asked]).toEqual(["STABLE", []]);
    expect(member.membership.identity.generationId).toBe(2);
  });

  test("begins it with the next poll only, and has its partitions until then", async () => {
    const member = await memberOf(["orders-0"]);
    member.work();
    await member.beat("REBALANCE_IN_PROGRESS");
    expect([member.state, member.owned, member.told]).toEqual(["STABLE", ["orders-0"], []]);
    await member.comeBack();
    expect([member.state, member.owned]).toEqual(["JOINING", []]);
  });

  test("commits what is done with before it gives it up, and as the member that it is", async () => {
    const member = await memberOf(["orders-0"], { enableAutoCommit: true });
    member.readTo(42n);
    await member.beat("REBALANCE_IN_PROGRESS");
    expect([member.state, member.told, member.owned]).toEqual(["REVOKING", [], ["orders-0"]]);
    expect(member.membership.isHoldingBack).toBe(true);
    const commit = member.takeCommit();
    expect(bodyOf(commit)).toMatchObject({
      memberId: "me",
      generationIdOrMemberEpoch: 1,
      topics: [{ name: "orders", partitions: [{ partitionIndex: 0, committedOffset: 42n, committedLeaderEpoch: 3 }] }],
    });
    commit.onAnswer(committedAs({ "orders-0": "NONE" }));
    await member.settle();
    expect([member.state, member.told]).toEqual(["JOINING", ["revoked orders-0"]]);
  });

  test("goes on without the commit where that fails", async () => {
    const member = await memberOf(["orders-0"], { enableAutoCommit: true });
    member.readTo(42n);
    await member.beat("REBALANCE_IN_PROGRESS");
    member.takeCommit().onAnswer(committedAs({ "orders-0": "TOPIC_AUTHORIZATION_FAILED" }));
    await member.settle();
    expect(member.state).toBe("JOINING");
    expect(member.logger.count("auto-commit failed")).toBe(1);
    expect(member.thrown).toEqual([]);
  });

  test("waits no longer for the commit than the rebalance may take", async () => {
    const member = await memberOf(["orders-0"], { enableAutoCommit: true, maxPollIntervalMs: 60_000 });
    member.readTo(42n);
    await member.beat("REBALANCE_IN_PROGRESS");
    await member.pass(59_999);
    expect(member.state).toBe("REVOKING");
    await member.pass(1);
    expect(member.state).toBe("JOINING");
  });
});

describe("ClassicMembership, in a cooperative rebalance", () => {
  test("keeps what it has, gives up only what goes to others, and joins once more so that they get it", async () => {
    const member = await memberOf(["orders-0", "orders-1"], cooperative);
    member.readTo(7n);
    await member.beat("REBALANCE_IN_PROGRESS");
    expect([member.owned, member.told]).toEqual([["orders-0", "orders-1"], []]);
    expect(member.membership.isHoldingBack).toBe(false);
    await member.join(named("orders-1", "orders-2"), { generationId: 2 });
    expect(member.told).toEqual(["revoked orders-0", "assigned orders-2"]);
    expect(member.owned).toEqual(["orders-1", "orders-2"]);
    expect(member.assignment.get({ topic: "orders", partition: 1 }).position?.offset).toBe(7n);
    expect(joinsAs(member)).toBe("me 2 orders-1 orders-2");
  });

  test("says in a rebalance what it holds, and in which generation it got that", async () => {
    const member = await memberOf(["orders-0", "orders-1"], cooperative);
    await member.beat("REBALANCE_IN_PROGRESS");
    expect(joinsAs(member)).toBe("me 1 orders-0 orders-1");
  });

  test("has no second rebalance where nothing goes to others, and tells the listener of an end without news", async () => {
    const member = await memberOf(["orders-0"], cooperative);
    await member.beat("REBALANCE_IN_PROGRESS");
    await member.join(named("orders-0"), { generationId: 2 });
    expect([member.state, member.asked, member.told]).toEqual(["STABLE", [], ["assigned"]]);
  });

  test("gives up what it did subscribe to no more before it joins", async () => {
    const member = new TestMember(cooperative);
    member.subscribe(["orders", "refunds"]);
    await member.join(named("orders-0", "refunds-1"));
    member.told.length = 0;
    member.subscribe(["orders"]);
    await member.settle();
    expect([member.owned, member.told]).toEqual([["orders-0"], ["revoked refunds-1"]]);
    expect(joinsAs(member)).toBe("me 1 orders-0");
  });

  test("commits what is done with of partitions that go to others, before they go", async () => {
    const member = await memberOf(["orders-0", "orders-1"], { ...cooperative, enableAutoCommit: true });
    member.readTo(42n);
    await member.beat("REBALANCE_IN_PROGRESS");
    await member.join(named("orders-1"), { generationId: 2 });
    expect([member.state, member.told]).toEqual(["ASSIGNING", []]);
    const commit = member.takeCommit();
    expect(bodyOf(commit)).toMatchObject({ generationIdOrMemberEpoch: 2 });
    commit.onAnswer(committedAs({ "orders-0": "NONE", "orders-1": "NONE" }));
    await member.settle();
    expect(member.told).toEqual(["revoked orders-0", "assigned"]);
  });

  test("hands out nothing while partitions are given up", async () => {
    const member = await memberOf(["orders-0", "orders-1"], cooperative);
    const held: boolean[] = [];
    member.onCall = () => void held.push(member.membership.isHoldingBack);
    await member.beat("REBALANCE_IN_PROGRESS");
    await member.join(named("orders-1"), { generationId: 2 });
    expect(held).toEqual([true, true]);
  });

  test("tells that everything is lost where its place is lost while it joins, and joins with nothing", async () => {
    const member = await memberOf(["orders-0"], cooperative);
    await member.beat("REBALANCE_IN_PROGRESS");
    member.take(JoinGroup).onAnswer(joined({ error: "UNKNOWN_MEMBER_ID" }));
    await member.settle();
    expect([member.told, member.owned]).toEqual([["lost orders-0"], []]);
    expect(joinsAs(member)).toBe("nobody -1");
  });

  test("tells that everything is lost where its place is lost while the listener works, and joins with nothing", async () => {
    const member = new TestMember(cooperative);
    member.subscribe(["orders", "refunds"]);
    await member.join(named("orders-0", "refunds-1"));
    member.told.length = 0;
    await member.pass(member.options.heartbeatIntervalMs);
    const heartbeat = member.take(Heartbeat);
    member.onCall = (call) => {
      if (call.startsWith("revoked")) heartbeat.onAnswer(beat("UNKNOWN_MEMBER_ID"));
    };
    member.subscribe(["orders"]);
    await member.settle();
    expect([member.told, member.owned]).toEqual([["revoked refunds-1", "lost orders-0"], []]);
    expect(joinsAs(member)).toBe("nobody -1");
  });
});
